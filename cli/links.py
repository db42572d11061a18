"""`uncap link`: GS1 Digital Links of any brand, read and built. JSON on success; else the reason, and exit status 1."""

from typing import Annotated, Any, NoReturn

import msgspec
import typer

from uncap.domain.errors import InputError
from uncap.domain.gs1.building import CANONICAL_STEM, build_link, canonical_uri, link_uri
from uncap.domain.gs1.elements import Element, bracketed, element, read_bracketed
from uncap.domain.gs1.parsing import DigitalLink, parse_link
from uncap.domain.gs1.values import reading

app = typer.Typer(help="GS1 Digital Links of any brand: read, checked, built.", no_args_is_help=True)

_Strict = Annotated[bool, typer.Option("--strict", help="Refuse what would otherwise only be noted.")]
_REFUSED = 1


def _shown(one: Element) -> dict[str, str]:
    number = reading(one.ai, one.value)
    shown = {"ai": one.ai, "title": one.title, "value": one.value}
    if number is not None:
        shown["decimal"] = number.decimal
        if number.currency:
            shown["currency"] = number.currency
    return shown


def report(link: DigitalLink) -> dict[str, Any]:
    """What is printed of a link."""
    return {
        "uri": link_uri(link),
        "canonical": canonical_uri(link),
        "stem": link.stem,
        "elements": {one.ai: one.value for one in link.elements},
        "element_string": bracketed(link.elements),
        "key": _shown(link.key),
        "qualifiers": [_shown(one) for one in link.qualifiers],
        "attributes": [_shown(one) for one in link.attributes],
        "other": list(link.other),
        "notes": [msgspec.to_builtins(note) for note in link.notes],
    }


def _print(link: DigitalLink, *, strict: bool) -> None:
    if strict and link.notes:
        first = link.notes[0]
        _refuse(InputError(first.code, first.message, where=first.where))
    typer.echo(msgspec.json.format(msgspec.json.encode(report(link)), indent=2).decode())


def _refuse(error: InputError) -> NoReturn:
    typer.echo(f"refused: {error}", err=True)
    raise typer.Exit(_REFUSED) from error


@app.command()
def parse(uri: Annotated[str, typer.Argument(help="A GS1 Digital Link URI.")], strict: _Strict = False) -> None:
    """Takes a link apart: key, qualifiers, attributes, canonical form, notes on what the standard advises against."""
    try:
        link = parse_link(uri)
    except InputError as error:
        _refuse(error)
    _print(link, strict=strict)


@app.command()
def build(
    parts: Annotated[list[str], typer.Argument(metavar="AI=VALUE...", help="Or one element string, (01)…(21)….")],
    base: Annotated[str, typer.Option(help="Scheme, host and path before the first identifier.")] = CANONICAL_STEM,
    strict: _Strict = False,
) -> None:
    """Builds a link from identifiers and values in any order; the first primary key leads the path."""
    try:
        built = build_link(_elements(parts), base)
        link = parse_link(link_uri(built))  # also holds the base against the standard
    except InputError as error:
        _refuse(error)
    _print(link, strict=strict)


def _elements(parts: list[str]) -> list[Element]:
    found: list[Element] = []
    for part in parts:
        ai, equals, value = part.partition("=")
        if part.startswith("("):
            found.extend(read_bracketed(part))
        elif equals:
            found.append(element(ai, value))
        else:
            raise InputError("element_malformed", "expected AI=VALUE or (AI)VALUE", where=part[:32])
    return found
