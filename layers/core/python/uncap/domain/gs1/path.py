"""Where an identifier may stand in a link: the path's key and ordered qualifiers, or the query; and how its value is
written there. For both directions."""

from collections.abc import Sequence
from typing import Final

from uncap.domain.errors import InputError
from uncap.domain.gs1.table import IDENTIFIERS

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def is_path(key: str, qualifiers: Sequence[str]) -> bool:
    """Whether the qualifiers are some of one alternative of `key`, in its order."""
    return any(_in_order(qualifiers, path) for path in IDENTIFIERS[key].paths)


def check_path(key: str, qualifiers: Sequence[str]) -> None:
    """Raises InputError (`link_qualifier_order`, `link_qualifier_foreign`, `link_qualifier_missing`)."""
    entry = IDENTIFIERS[key]
    if not is_path(key, qualifiers):
        foreign = [ai for ai in qualifiers if not any(ai in path for path in entry.paths)]
        if foreign:
            message = f"this identifier cannot follow ({key}) in a path"
            raise InputError("link_qualifier_foreign", message, where=f"({foreign[0]})")
        orders = " or ".join("/".join(path) for path in entry.paths)
        raise InputError("link_qualifier_order", f"after ({key}) the order is {orders}", where="path")
    if key == "415" and "8020" not in qualifiers:
        # A payment slip's GLN says nothing without the slip's reference, so the standard has no path for it alone.
        raise InputError("link_qualifier_missing", "(415) must be followed by (8020)", where="(415)")


def check_query(key: str, qualifiers: Sequence[str], ai: str) -> None:
    """Raises InputError (`link_belongs_in_path`, `link_not_in_query`)."""
    if any(is_path(key, (*qualifiers[:at], ai, *qualifiers[at:])) for at in range(len(qualifiers) + 1)):
        raise InputError("link_belongs_in_path", f"it belongs in the path, after ({key})", where=f"({ai})")
    if not IDENTIFIERS[ai].in_query:
        raise InputError("link_not_in_query", "this identifier may not stand in the query", where=f"({ai})")


def encoded(value: str) -> str:
    """An ASCII value as it stands in a link: a character is an octet."""
    return "".join(char if char in _UNRESERVED else f"%{ord(char):02X}" for char in value)


def _in_order(some: Sequence[str], every: Sequence[str]) -> bool:
    rest = iter(every)
    return all(ai in rest for ai in some)
