"""One XML event as JSON: which elements hold lists, which numbers, which standard terms; all else is an extension.

Used by `xml.py`. Elements of 1.x that only wrap what a later version added (`extension`, `baseExtension`) are left out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from uncap.domain.epcis import terms
from uncap.domain.epcis.xml_order import FOREIGN, out_of_order
from uncap.domain.epcis.xml_tree import Element

EVENT_TYPES: Final = (
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
    "QuantityEvent",
)
Json = dict[str, object]

_WRAPPERS: Final = frozenset({"extension", "baseExtension"})
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBERS: Final = frozenset(["value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"])
_EPCS: Final = frozenset(["epcList", "childEPCs", "inputEPCList", "outputEPCList"])
_QUANTITIES: Final = frozenset(["quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"])
_TYPED: Final = {
    "bizTransactionList": ("bizTransaction", terms.BIZ_TRANSACTIONS),
    "sourceList": ("source", terms.SOURCES),
    "destinationList": ("destination", terms.SOURCES),
}
_SENSOR_TERMS: Final = {"type": terms.MEASUREMENTS, "exception": terms.ALERTS, "component": terms.COMPONENTS}
_STANDARD: Final = ("urn:epcglobal:epcis:xsd:1", "urn:epcglobal:epcis:xsd:2")


class EventReader:
    """Turns events to JSON, and remembers what only the XML shows: which standard names were qualified, which events
    (by number) are out of order, whether results had no query's name."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self.qualified: list[str] = []
        self.disorder: list[tuple[int, str]] = []
        self.nameless = False
        self._fields: dict[str, Callable[[Element], object]] = {
            **dict.fromkeys(_EPCS, _texts),
            **dict.fromkeys(_QUANTITIES, self._quantities),
            **dict.fromkeys(_TYPED, self._typed),
            **dict.fromkeys(("readPoint", "bizLocation"), self._others),
            "bizStep": lambda one: terms.bare(terms.BIZ_STEPS, one.text),
            "disposition": lambda one: terms.bare(terms.DISPOSITIONS, one.text),
            "persistentDisposition": self._persistent,
            "sensorElementList": self._sensors,
            "ilmd": self._others,
            "errorDeclaration": self._error,
            "certificationInfo": _certificates,
        }

    def event_list(self, listed: Element) -> list[object]:
        """Every event, in order; those that 1.1 and 1.2 keep in `extension` too."""
        return [self.event(one, at) for at, one in enumerate(_unwrapped(listed))]

    def event(self, element: Element, at: int = 0) -> Json:
        """One event, the `at`-th."""
        words = _disorder(element)
        if words is not None:
            self.disorder.append((at, words))
        if self._name(element) == "QuantityEvent":
            return self._quantity_event(element)
        return {"type": self._name(element)} | self._members(element, self._fields)

    def _quantity_event(self, element: Element) -> Json:
        """Withdrawn since 1.1, whose text says what to write instead: an ObjectEvent that observes a quantity."""
        made = self._members(element, self._fields)
        quantity = {name: made.pop(name) for name in ("epcClass", "quantity") if name in made}
        if "quantity" in quantity:
            quantity["quantity"] = _number(str(quantity["quantity"]))
        return {"type": "ObjectEvent", **made, "action": "OBSERVE", "quantityList": [quantity]}

    def _members(self, element: Element, fields: Mapping[str, Callable[[Element], object]]) -> Json:
        """The object of an element's attributes and children; names that come more than once make a list."""
        made: Json = {attribute.name: attribute.value.strip() for attribute in element.attributes}
        lists: set[str] = set()
        for child in _unwrapped(element):
            name = self._name(child)
            value = fields[name](child) if name in fields else self._other(child)
            if name not in made:
                made[name] = value
                continue
            if name not in lists:
                made[name] = [made[name]]
                lists.add(name)
            held = made[name]
            if isinstance(held, list):
                held.append(value)
        return made

    def _others(self, element: Element) -> Json:
        return self._members(element, {})

    def _other(self, element: Element) -> object:
        """An extension: text, or an object, the text in it as `#text`, which is where the hash's generator looks."""
        text = element.text.strip()
        if not element.children and not element.attributes:
            return text
        made = self._others(element)
        return {"#text": text, **made} if text else made

    def _quantities(self, element: Element) -> list[object]:
        made = [self._others(one) for one in element.children]
        for one in made:
            if isinstance(one.get("quantity"), str):
                one["quantity"] = _number(str(one["quantity"]))
        return list(made)

    def _typed(self, element: Element) -> list[object]:
        key, vocabulary = _TYPED[element.name]
        made: list[object] = []
        for one in element.children:
            named = one.attribute("type")
            typed = {} if named is None else {"type": terms.bare(vocabulary, named)}
            made.append({**typed, key if one.name == key else self._name(one): one.text.strip()})
        return made

    def _persistent(self, element: Element) -> Json:
        made: dict[str, object] = {}
        for name in ("set", "unset"):
            held = [terms.bare(terms.DISPOSITIONS, one.text) for one in element.children if one.name == name]
            if held:
                made[name] = held
        return made

    def _error(self, element: Element) -> Json:
        return self._members(
            element,
            {"correctiveEventIDs": _texts, "reason": lambda one: terms.bare(terms.ERROR_REASONS, one.text)},
        )

    def _sensors(self, element: Element) -> list[object]:
        made: list[object] = []
        for one in element.children:
            sensed = self._members(one, {"sensorMetadata": self._others, "sensorReport": self._report})
            if isinstance(sensed.get("sensorReport"), dict):
                sensed["sensorReport"] = [sensed["sensorReport"]]
            made.append(sensed)
        return made

    def _report(self, element: Element) -> Json:
        made = self._others(element)
        for name, held in made.items():
            if not isinstance(held, str):
                continue
            if name in _NUMBERS:
                made[name] = _number(held)
            elif name in _SENSOR_TERMS:
                made[name] = terms.bare(_SENSOR_TERMS[name], held)
            elif name == "booleanValue":
                made[name] = {"true": True, "1": True, "false": False, "0": False}.get(held.strip(), held)
        return made

    def _name(self, element: Element) -> str:
        if element.space in _STANDARD:
            self.qualified.append(f"<{element.name}> is in a namespace; elements of the standard stand in none")
            return element.name
        if not element.space:
            return element.name
        return f"{self._prefixes[element.space]}:{element.name}"


def _unwrapped(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name in _WRAPPERS and child.space in ("", *_STANDARD):
            yield from _unwrapped(child)
        else:
            yield child


def _disorder(event: Element) -> str | None:
    """What is out of order in an event or in one of the wrappers of 1.x in it, each a sequence of its own."""
    for parent in (event, *_wrappers(event)):
        names = [one.name if one.space in ("", *_STANDARD) else FOREIGN for one in parent.children]
        words = out_of_order(event.name, names)
        if words is not None:
            return words
    return None


def _wrappers(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name in _WRAPPERS and child.space in ("", *_STANDARD):
            yield child
            yield from _wrappers(child)


def _certificates(element: Element) -> object:
    """An address, or those in the descriptions of certificates that some send instead."""
    if not element.children:
        return element.text.strip()
    found = [one.text.strip() for one in _leaves(element) if one.name == "certificationURI"]
    return found[0] if len(found) == 1 else found


def _leaves(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.children:
            yield from _leaves(child)
        else:
            yield child


def _texts(element: Element) -> list[object]:
    return [one.text.strip() for one in element.children]


def _number(text: str) -> object:
    """The number; text that is none stays, for the checks to find."""
    text = text.strip()
    if _NUMBER.fullmatch(text) is None:
        return text
    value = float(text)
    if not abs(value) < float("inf"):
        return text
    return int(text) if text.lstrip("+-").isdigit() else value
