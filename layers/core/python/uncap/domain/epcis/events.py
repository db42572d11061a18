"""What EPCIS 2.0 asks of a whole event, beyond its fields one by one: something must be its subject, a parent must be
named where children come and go, and item data belongs to the birth of items. `validate.py` calls `check_event`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from uncap.domain.epcis import formats, schema
from uncap.domain.epcis.faults import Findings, kind_of, step

_Event = Mapping[str, object]


def check_event(event: object, pointer: str, found: Findings) -> None:
    """One event of an event list, or a bare one."""
    if not isinstance(event, dict):
        found.fault(pointer, "type_wrong", f"an event is an object, this is {kind_of(event)}")
        return
    if "type" not in event:
        found.fault(pointer, "field_missing", "`type` is required")
        return
    named = event["type"]
    if not isinstance(named, str):
        found.fault(step(pointer, "type"), "type_wrong", f"must be text, is {kind_of(named)}")
    elif named in schema.EVENTS:
        schema.EVENTS[named](event, pointer, found)
        _RULES[named](event, pointer, found)
    elif formats.is_uri(named):
        schema.EXTENDED_EVENT(event, pointer, found)
    else:
        known = ", ".join(schema.EVENTS)
        words = f"must be {known}, or the URI of an event type of one's own; is {named[:80]!r}"
        found.fault(step(pointer, "type"), "event_type_unknown", words)


def _filled(event: _Event, *names: str) -> bool:
    """Whether any of these lists has something in it. A field that is no list is somebody else's fault."""
    return any(name in event and event[name] != [] for name in names)


def _subject_missing(pointer: str, words: str, found: Findings) -> None:
    found.fault(pointer, "subject_missing", words)


def _object_rules(event: _Event, pointer: str, found: Findings) -> None:
    sensed = _filled(event, "sensorElementList") and "readPoint" in event
    if "epcList" not in event and not _filled(event, "quantityList") and not sensed:
        _subject_missing(
            pointer, "needs `epcList`, a `quantityList` that is not empty, or sensor data with a `readPoint`", found
        )
    elif not _filled(event, "epcList", "quantityList", "sensorElementList"):
        found.note(pointer, "subject_empty", "names no item: every list of items is empty")
    if "ilmd" in event and event.get("action") in {"OBSERVE", "DELETE"}:
        found.fault(step(pointer, "ilmd"), "ilmd_not_allowed", "item data may only come with action ADD")


def _children_rules(event: _Event, pointer: str, found: Findings) -> None:
    if event.get("action") != "DELETE" and not _filled(event, "childEPCs", "childQuantityList"):
        _subject_missing(
            pointer, "needs `childEPCs` or `childQuantityList`, not empty, unless the action is DELETE", found
        )


def _aggregation_rules(event: _Event, pointer: str, found: Findings) -> None:
    _children_rules(event, pointer, found)
    if "parentID" not in event and event.get("action") in {"ADD", "DELETE"}:
        found.fault(pointer, "parent_missing", "`parentID` is required when the action is ADD or DELETE")


def _transaction_rules(event: _Event, pointer: str, found: Findings) -> None:
    if event.get("action") != "DELETE" and "epcList" not in event and not _filled(event, "quantityList"):
        _subject_missing(
            pointer, "needs `epcList` or a `quantityList` that is not empty, unless the action is DELETE", found
        )


def _transformation_rules(event: _Event, pointer: str, found: Findings) -> None:
    has_input = _filled(event, "inputEPCList", "inputQuantityList")
    has_output = _filled(event, "outputEPCList", "outputQuantityList")
    if not (has_input and has_output) and not ("transformationID" in event and (has_input or has_output)):
        _subject_missing(pointer, "needs inputs and outputs, or one of them and a `transformationID`", found)


_RULES: Final[dict[str, Callable[[_Event, str, Findings], None]]] = {
    "ObjectEvent": _object_rules,
    "AggregationEvent": _aggregation_rules,
    "AssociationEvent": _children_rules,
    "TransactionEvent": _transaction_rules,
    "TransformationEvent": _transformation_rules,
}
