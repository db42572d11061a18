"""The order in which an event's elements stand in XML. JSON has none, so `xml_events.py` asks here before it is lost.

Source: the sequences of the EPCIS 1.2 and 2.0 XML schemas. What the two put in different places has no rank here.
"""

from collections.abc import Iterable
from typing import Final

FOREIGN: Final = "*"
_BEFORE: Final = (("eventTime",), ("recordTime",), ("eventTimeZoneOffset",))
_IDENTITY: Final = (("baseExtension", "eventID", "errorDeclaration", "certificationInfo"),)
_WHY: Final = (("action",), ("bizStep",), ("disposition",), ("readPoint",), ("bizLocation",))
_LATER: Final = (
    *(("bizTransactionList",), ("quantityList", "childQuantityList"), ("sourceList",), ("destinationList",)),
    *(("sensorElementList", "persistentDisposition", "ilmd"), ("extension",), (FOREIGN,)),
)
_OWN: Final = {
    "ObjectEvent": (("epcList",),),
    "AggregationEvent": (("parentID",), ("childEPCs",)),
    "AssociationEvent": (("parentID",), ("childEPCs",), ("childQuantityList",)),
    "TransactionEvent": (("bizTransactionList",), ("parentID",), ("epcList",)),
    "TransformationEvent": (
        *(("inputEPCList",), ("inputQuantityList",), ("outputEPCList",), ("outputQuantityList",)),
        ("transformationID",),
    ),
    "QuantityEvent": (("epcClass",), ("quantity",)),
}


def _ranks(own: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for rank, names in enumerate((*_BEFORE, *_IDENTITY, *own, *_WHY, *_LATER)):
        for name in names:
            ranks.setdefault(name, rank)
    return ranks


_RANKS: Final = {kind: _ranks(own) for kind, own in _OWN.items()}


def out_of_order(kind: str, names: Iterable[str]) -> str | None:
    """What is wrong with elements of one parent in this order, in words; None when nothing is. `FOREIGN` stands for any
    element of another namespace: those come last."""
    ranks = _RANKS.get(kind, {})
    last = ""
    for name in names:
        if name in ranks:
            if last and ranks[name] < ranks[last]:
                other = "extensions" if last == FOREIGN else f"`{last}`"
                return f"`{name}` comes before {other} in the XML schema of this event"
            last = name
    return None
