"""Which things an event is about, by the role they play in it: what queries match and the store's index is made of.

Everything is compared in its canonical spelling (`identifiers.canonical`), so that an EPC URI finds what was captured
as a Digital Link and the reverse. Source of roles and patterns: EPCIS 2.0 section 8.2.7.1, `MATCH_` parameters.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from uncap.domain.epcis.identifiers import CANONICAL, canonical

Event = Mapping[str, object]

_ITEMS: Final = {
    "MATCH_epc": ("epcList", "childEPCs"),
    "MATCH_parentID": ("parentID",),
    "MATCH_inputEPC": ("inputEPCList",),
    "MATCH_outputEPC": ("outputEPCList",),
    "MATCH_anyEPC": ("epcList", "childEPCs", "parentID", "inputEPCList", "outputEPCList"),
}
_CLASSES: Final = {
    "MATCH_epcClass": ("quantityList", "childQuantityList"),
    "MATCH_inputEPCClass": ("inputQuantityList",),
    "MATCH_outputEPCClass": ("outputQuantityList",),
    "MATCH_anyEPCClass": ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
}
ITEM_PARAMETERS: Final = frozenset(_ITEMS)
CLASS_PARAMETERS: Final = frozenset(_CLASSES)
_PATTERN: Final = re.compile(r"urn:epc:idpat:(?P<scheme>[a-z]+):(?P<company>\d{6,12})((?:\.\*)+)", re.ASCII)
# Where the company prefix begins in the key, and the key's number.
_COMPANY_AT: Final = {
    "sgtin": ("01", 1),
    "sscc": ("00", 1),
    "grai": ("8003", 1),
    "sgln": ("414", 0),
    "giai": ("8004", 0),
}


def items(event: Event, parameter: str = "MATCH_anyEPC") -> Iterator[str]:
    """Canonical ids of the single things in these roles."""
    for field in _ITEMS[parameter]:
        held = event.get(field)
        for one in held if isinstance(held, list) else (held,):
            if isinstance(one, str):
                yield canonical(one)


def classes(event: Event, parameter: str = "MATCH_anyEPCClass") -> Iterator[str]:
    """Canonical ids of the classes whose quantities stand in these roles."""
    for quantity in quantities(event, _CLASSES[parameter]):
        named = quantity.get("epcClass")
        if isinstance(named, str):
            yield canonical(named)


def quantities(event: Event, fields: tuple[str, ...] = _CLASSES["MATCH_anyEPCClass"]) -> Iterator[Mapping[str, object]]:
    """The elements of these quantity lists."""
    for field in fields:
        held = event.get(field)
        for one in held if isinstance(held, list) else ():
            if isinstance(one, dict):
                yield one


def class_of(item: str) -> str:
    """The key alone of a canonical id with a qualifier, `…/01/{gtin}` of `…/01/{gtin}/21/x`; "" where there is none."""
    parts = item.removeprefix(CANONICAL).split("/")
    return f"{CANONICAL}{parts[0]}/{parts[1]}" if item.startswith(CANONICAL) and len(parts) > 2 else ""


def place_of(event: Event, field: str) -> str:
    """The canonical id of `readPoint` or `bizLocation`, "" without one."""
    held = event.get(field)
    named = held.get("id") if isinstance(held, dict) else None
    return canonical(named) if isinstance(named, str) else ""


def site_of(place: str) -> str:
    """The place without its extension: the site it belongs to."""
    return place.partition("/254/")[0] if place.startswith(f"{CANONICAL}414/") else place


class Wanted:
    """One value of a MATCH parameter: `accepts` says whether a canonical id fits. `key` and `family` are for the index:
    the exact id, or the class all that fit belong to; both empty for a pattern no index knows."""

    def __init__(self, value: str) -> None:
        self.key = self.family = ""
        self.accepts: Callable[[str], bool]
        company = _PATTERN.fullmatch(value)
        if company is not None and company["scheme"] in _COMPANY_AT:
            number, at = _COMPANY_AT[company["scheme"]]
            head, prefix = f"{CANONICAL}{number}/", company["company"]
            self.accepts = lambda one: one.startswith(head) and one[len(head) + at :].startswith(prefix)
        elif value.startswith("urn:epc:idpat:"):
            self.family = canonical(value)
            self.accepts = lambda one: one == self.family or class_of(one) == self.family
        elif value.endswith(("/*", ".*")):
            self._from_star(value)
        else:
            self.key = canonical(value)
            self.accepts = lambda one: one == self.key

    def _from_star(self, value: str) -> None:
        """`…/01/{gtin}/21/*` and `urn:epc:class:lgtin:{…}.*`: the beginning decides."""
        known = canonical(value[:-1] + "0")
        start = known[:-1] if known.startswith(CANONICAL) else value[:-1]
        self.family = class_of(known)
        self.accepts = lambda one: one.startswith(start)
