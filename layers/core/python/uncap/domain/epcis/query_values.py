"""How a query's values are compared with an event's: numbers as numbers, times as times, anything else as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from uncap.domain.epcis import context, formats
from uncap.domain.epcis.identifiers import canonical
from uncap.domain.errors import InputError

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "EQ": lambda held, wanted: held == wanted,
    "GT": lambda held, wanted: held > wanted,
    "GE": lambda held, wanted: held >= wanted,
    "LT": lambda held, wanted: held < wanted,
    "LE": lambda held, wanted: held <= wanted,
}
OPERATORS: Final = frozenset(_COMPARE)


def refused(parameter: str, words: str) -> InputError:
    """A parameter that is unknown or cannot be right."""
    return InputError("query_parameter_invalid", f"{parameter[:80]} {words}".strip(), where=parameter[:80])


def comparison(operator: str, parameter: str, values: Sequence[str]) -> Callable[[object], bool]:
    """Whether a value stands in this relation to any of `values`. Raises InputError for an order of mere texts."""
    wanted = [_comparable(value) for value in values]
    if operator == "EQ":
        return lambda held: any(_equal(held, value, one) for value, one in zip(values, wanted, strict=True))
    if None in wanted or len(wanted) != 1:
        raise refused(parameter, "takes one number or one time")
    compare = _COMPARE[operator]

    def test(held: object) -> bool:
        number = _comparable(held)
        return number is not None and all(one is not None and compare(number, one) for one in wanted)

    return test


def _equal(held: object, value: str, wanted: float | None) -> bool:
    if isinstance(held, bool):
        return value in {"true", "1"} if held else value in {"false", "0"}
    number = _comparable(held)
    if number is not None and wanted is not None:
        return number == wanted
    return isinstance(held, str) and (held == value or canonical(held) == canonical(value))


def _comparable(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        moment = formats.instant(value)
        if moment is not None:
            return moment.timestamp()
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def extensions(held: Mapping[str, object], names: Mapping[str, str], wanted: str, *, inner: bool) -> Iterator[object]:
    """Values of the extension `wanted` (`prefix:name` as captured, or its whole address): of `held` itself, or with
    `inner` anywhere below its extensions. `names` are the prefixes the event declares."""
    full = _full(wanted, names)
    for name, value in held.items():
        if ":" not in name:
            continue
        if not inner and _full(name, names) == full:
            yield from value if isinstance(value, list) else (value,)
        elif inner:
            yield from _below(value, names, full)


def _below(value: object, names: Mapping[str, str], full: str) -> Iterator[object]:
    if isinstance(value, list):
        for one in value:
            yield from _below(one, names, full)
    elif isinstance(value, dict):
        for name, one in value.items():
            if _full(name, names) == full:
                yield from one if isinstance(one, list) else (one,)
            yield from _below(one, names, full)


def prefixes(event: Mapping[str, object]) -> Mapping[str, str]:
    """What the event declares."""
    return context.declared(event.get("@context"))


def _full(name: str, names: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    full = names[prefix] + local if colon and prefix in names else name
    return full.replace("#", "").rstrip("/")
