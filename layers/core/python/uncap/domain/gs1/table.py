"""The application identifiers, ready to look up. Used all over this package; the facts are in `identifiers.py`."""

import re
from typing import Final, Literal, NamedTuple

from uncap.domain.gs1 import identifiers

Alphabet = Literal["N", "X", "Y", "Z"]
_COMPONENT: Final = re.compile(r"(\?)?([NXYZ])([0-9]+)(?:-([0-9]+))?((?::[a-z0-9_]+)*)")
_ALPHABETS: Final[dict[str, Alphabet]] = {"N": "N", "X": "X", "Y": "Y", "Z": "Z"}


class Component(NamedTuple):
    """One part of a value: `shortest` to `longest` characters of an alphabet, and the names of its checks."""

    alphabet: Alphabet
    shortest: int
    longest: int
    optional: bool
    checks: tuple[str, ...]


class Identifier(NamedTuple):
    """One application identifier. `paths` is empty unless it is a primary key; each path lists ordered qualifiers."""

    ai: str
    title: str
    components: tuple[Component, ...]
    predefined_length: bool
    in_query: bool
    paths: tuple[tuple[str, ...], ...]
    needs: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...]

    @property
    def is_key(self) -> bool:
        return bool(self.paths)


def _component(word: str) -> Component:
    match = _COMPONENT.fullmatch(word)
    if match is None:
        raise ValueError(f"not a component: {word}")
    optional, alphabet, low, high, checks = match.groups()
    return Component(
        _ALPHABETS[alphabet], int(low), int(high or low), bool(optional), tuple(checks.split(":")[1:] if checks else ())
    )


def _read(line: str) -> Identifier:
    facts, title = line.split(" | ")
    ai, flags, *words = facts.split()
    named: dict[str, list[str]] = {"key": [], "with": [], "not": []}
    components: list[Component] = []
    for word in words:
        name, _, rest = word.partition("=")
        if name in named:
            named[name].append(rest)
        else:
            components.append(_component(word))
    paths = tuple(tuple(filter(None, path.split(","))) for keys in named["key"] for path in keys.split("/"))
    return Identifier(
        ai,
        title,
        tuple(components),
        predefined_length="=" in flags,
        in_query="p" not in flags,
        paths=paths,
        needs=tuple(tuple(group.split(",")) for group in named["with"]),
        excludes=tuple(other for group in named["not"] for other in group.split(",")),
    )


def _lines() -> list[str]:
    lines = identifiers.SINGLE.strip().splitlines()
    for measures, company in ((identifiers.TRADE_MEASURES, "01,02"), (identifiers.LOGISTIC_MEASURES, "00,01")):
        for entry in re.split(r"\s{2,}|\n", measures.strip()):
            stem, title = entry.split(" ", 1)
            lines += [f"{stem}{n} = N6 with={company} not={stem}n | {title}" for n in range(6)]
    for line in identifiers.NUMBERED.strip().splitlines():
        span, rest = line.split(" ", 1)
        stem, first, last = re.split("n:|-", span)
        lines += [f"{stem}{n} {rest}" for n in range(int(first), int(last) + 1)]
    return lines


def _words(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[0::2], words[1::2], strict=True))


IDENTIFIERS: Final[dict[str, Identifier]] = {entry.ai: entry for entry in map(_read, _lines())}
PATH_WORDS: Final = _words(identifiers.PATH_WORDS)
QUERY_WORDS: Final = _words(identifiers.QUERY_WORDS)


def matches(pattern: str, ai: str) -> bool:
    """Whether `ai` is meant by a pattern such as `310n`, in which `n` is any digit."""
    return len(pattern) == len(ai) and all(want in ("n", have) for want, have in zip(pattern, ai, strict=True))
