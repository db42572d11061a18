"""The hash that identifies an event by what it says: `ni:///sha-256;…?ver=CBV2.0` (CBV 2.0, event hash ID).

Used by `uncap epcis hash`, and by capture to see that an event came before. The event's tree (`tree.py`) becomes one
string in the canonical order, and the string is hashed. Where the words of the standard leave room we do as its
released generator does: docs/adr/0009-epcis.md.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from uncap.domain.epcis import context, formats, identifiers, terms
from uncap.domain.epcis.document import Document
from uncap.domain.epcis.tree import Node, TreeBuilder
from uncap.domain.errors import InputError


class Order(NamedTuple):
    """Names in canonical order, each with the order of what stands below it."""

    fields: tuple[tuple[str, "Order | None"], ...]


def _order(names: str, **below: Order) -> Order:
    return Order(tuple((name, below.get(name)) for name in names.split()))


_quantities = _order("quantityElement", quantityElement=_order("epcClass quantity uom"))
_epcs = _order("epc")
_place = _order("id")
_sensor_element = _order(
    "sensorMetadata sensorReport",
    sensorMetadata=_order("time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules"),
    sensorReport=_order(
        "type exception deviceID deviceMetadata rawData dataProcessingMethod time microorganism chemicalSubstance"
        " value component stringValue booleanValue hexBinaryValue uriValue minValue maxValue meanValue sDev percRank"
        " percValue uom coordinateReferenceSystem"
    ),
)
CANONICAL_ORDER: Final = _order(
    "eventTime eventTimeZoneOffset certificationInfo parentID epcList inputEPCList childEPCs quantityList"
    " childQuantityList inputQuantityList outputEPCList outputQuantityList action transformationID bizStep disposition"
    " persistentDisposition readPoint bizLocation sensorElementList",
    **dict.fromkeys(("epcList", "inputEPCList", "childEPCs", "outputEPCList"), _epcs),
    **dict.fromkeys(("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"), _quantities),
    persistentDisposition=_order("set unset"),
    readPoint=_place,
    bizLocation=_place,
    sensorElementList=_order("sensorElement", sensorElement=_sensor_element),
)
# When an event was recorded, under which name, and whether it was later declared wrong do not change what it says.
_LEFT_OUT: Final = frozenset({"type", "eventID", "recordTime", "errorDeclaration", "@context"})
_INSTANTS: Final = frozenset({"eventTime", "time", "startTime", "endTime"})


def hashes(document: Document) -> list[str]:
    """One hash ID per event, in the document's order. Raises InputError (`epcis_event_malformed`)."""
    prefixes = context.prefixes_of(document)
    return [event_hash(placed.value, prefixes, pointer=placed.pointer) for placed in document.events]


def event_hash(event: object, prefixes: Mapping[str, str], *, pointer: str = "") -> str:
    """The hash ID of one event; `prefixes` are those its document declares. Raises InputError."""
    digest = hashlib.sha256(prehash(event, prefixes, pointer=pointer).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def prehash(event: object, prefixes: Mapping[str, str], *, pointer: str = "") -> str:
    """The string that is hashed. Raises InputError (`epcis_event_malformed`) for what is no event at all."""
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise InputError("epcis_event_malformed", "an event is an object with a `type`", where=pointer)
    names = {**prefixes, **context.declared(event.get("@context"))}
    members = TreeBuilder(names).members({name: held for name, held in event.items() if name not in _LEFT_OUT})
    ordered, rest = _in_order(members, CANONICAL_ORDER)
    return f"eventType={event['type']}{ordered}{_sorted(rest)}"


def _in_order(members: tuple[Node, ...], order: Order, *, nested: bool = False) -> tuple[str, tuple[Node, ...]]:
    """The members that `order` names, as text, and what it does not name. Below the event itself, extensions in a
    namespace that ends in `/` close their parent, unless one is all the parent has."""
    closing = tuple(node for node in members if _is_extension(node)) if nested and len(members) > 1 else ()
    by_name: dict[str, list[Node]] = {}
    for node in members:
        by_name.setdefault(node.name, []).append(node)
    texts: list[str] = []
    used: set[int] = {id(node) for node in closing}
    rest: dict[int, Node] = {}
    for name, below in order.fields:
        said: list[str] = []
        for node in by_name.get(name, ()):
            inner, left = _in_order(node.members, below, nested=True) if below else ("", node.members)
            value = _value(name, node.text)
            if value or inner:
                said.append(name + value + inner)
            used.add(id(node))
            if left:
                rest[id(node)] = node._replace(members=left)
        texts.extend(sorted(said))
    remaining = tuple(rest.get(id(node), node) for node in members if id(node) not in used or id(node) in rest)
    return "".join(texts) + _sorted(closing), remaining


def _is_extension(node: Node) -> bool:
    return "{" in node.name and "/}" in node.name


def _sorted(members: tuple[Node, ...]) -> str:
    """What no order is given for: each with all below it, sorted as text. Typed references keep their two in order."""
    return "".join(sorted(_whole(node) for node in members))


def _whole(node: Node) -> str:
    if node.typed:
        return "".join(_whole(member) for member in node.members)
    text = canonical_value(node.text)
    return node.name + (f"={text}" if text else "") + _sorted(node.members)


def _value(name: str, text: str) -> str:
    held = _instant(text) if name in _INSTANTS else canonical_value(text)
    return f"={held}" if held else ""


def _instant(text: str) -> str:
    """In UTC to the millisecond; half a millisecond goes to the even one, as the released generator rounds."""
    text = text.strip()
    moment = formats.instant(text)
    if moment is None:
        return text
    rounded = round(moment.microsecond, -3)
    moment = moment.replace(microsecond=0) + timedelta(microseconds=rounded)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def canonical_value(text: str) -> str:
    """One spelling of a value: no space around it, CBV's web addresses, numbers without needless digits, and the
    canonical Digital Link of a GS1 identifier."""
    text = text.strip()
    if "urn:epcglobal:cbv:" in text:
        for urn, base in terms.URN_BASES.items():
            text = text.replace(urn, base)
    return identifiers.canonical(_number(text))


def _number(text: str) -> str:
    """Whatever reads as a number, wherever it stands: `1`, not `1.0` or `+01`. The released generator does so too."""
    try:
        number = float(text)
        return str(int(number)) if number == int(number) else str(number)
    except (ValueError, OverflowError):
        return text
