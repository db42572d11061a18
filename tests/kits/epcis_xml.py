"""Writes an EPCIS 2.0 event of JSON as the XML that says the same, for tests that compare the two."""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Json = Mapping[str, Any]
_ITEMS = {
    "epcList": "epc",
    "childEPCs": "epc",
    "inputEPCList": "epc",
    "outputEPCList": "epc",
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
    "outputQuantityList": "quantityElement",
    "sensorElementList": "sensorElement",
}
_TYPED = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}
_URNS = {
    "bizStep": "urn:epcglobal:cbv:bizstep:",
    "disposition": "urn:epcglobal:cbv:disp:",
    "bizTransactionList": "urn:epcglobal:cbv:btt:",
    "sourceList": "urn:epcglobal:cbv:sdt:",
    "destinationList": "urn:epcglobal:cbv:sdt:",
    "set": "urn:epcglobal:cbv:disp:",
    "unset": "urn:epcglobal:cbv:disp:",
    "reason": "urn:epcglobal:cbv:er:",
}
_ATTRIBUTES = {"type": "gs1:", "exception": "gs1:", "component": "cbv:Comp-"}
NAMESPACES = {
    "epcis": "urn:epcglobal:epcis:xsd:2",
    "ex": "https://ns.example.com/epcis/",
    "gs1": "https://gs1.org/voc/",
    "cbv": "https://ref.gs1.org/cbv/",
}


def document(*events: Json, version: str = "2.0") -> bytes:
    """The XML document around these events; a `version` of 1.2 wraps as 1.2 does."""
    names = {**NAMESPACES, "epcis": f"urn:epcglobal:epcis:xsd:{version[0]}"}
    declared = " ".join(f"xmlns:{prefix}={quoteattr(space)}" for prefix, space in names.items())
    inner = "".join(event(one, version) for one in events)
    head = f'<epcis:EPCISDocument {declared} schemaVersion="{version}" creationDate="2026-11-22T10:00:00Z">'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE project>\n{head}<EPCISBody><EventList>{inner}'
        "</EventList></EPCISBody></epcis:EPCISDocument>"
    ).encode()


def event(made: Json, version: str = "2.0") -> str:
    """One event element."""
    fields = {name: _field(name, value) for name, value in made.items() if name not in {"type", "@context"}}
    if version.startswith("1"):
        base = "".join(fields.pop(name, "") for name in ("eventID", "errorDeclaration"))
        fields["baseExtension"] = f"<baseExtension>{base}</baseExtension>" if base else ""
        later = "".join(fields.pop(name, "") for name in ("quantityList", "sourceList", "destinationList", "ilmd"))
        fields["extension"] = f"<extension>{later}</extension>" if later else ""
    text = f"<{made['type']}>{''.join(fields.values())}</{made['type']}>"
    return f"<extension>{text}</extension>" if version[0] == "1" and made["type"] == "TransformationEvent" else text


def _field(name: str, value: Any) -> str:
    if name in _TYPED:
        items = "".join(_typed(_TYPED[name], one, _URNS[name]) for one in value)
        return f"<{name}>{items}</{name}>"
    if name in _ITEMS:
        items = "".join(_sensor(one) if name[0] == "s" else _any(_ITEMS[name], one) for one in value)
        return f"<{name}>{items}</{name}>"
    if name == "correctiveEventIDs":
        return f"<{name}>{''.join(_any('correctiveEventID', one) for one in value)}</{name}>"
    if name in _URNS and isinstance(value, list):
        return "".join(_any(name, _URNS[name] + one) for one in value)
    if name in _URNS and ":" not in value:
        return _any(name, _URNS[name] + value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(_field(inner, held) for inner, held in value.items())}</{name}>"
    return _any(name, value)


def _typed(key: str, one: Json, urn: str) -> str:
    kind = one["type"] if ":" in one["type"] else urn + one["type"]
    return f"<{key} type={quoteattr(kind)}>{escape(one[key])}</{key}>"


def _sensor(one: Json) -> str:
    inner = _attributed("sensorMetadata", one["sensorMetadata"]) if "sensorMetadata" in one else ""
    inner += "".join(_attributed("sensorReport", report) for report in one["sensorReport"])
    others = {name: held for name, held in one.items() if name not in {"sensorMetadata", "sensorReport"}}
    return f"<sensorElement>{inner}{''.join(_field(name, held) for name, held in others.items())}</sensorElement>"


def _attributed(name: str, held: Json) -> str:
    texts = {key: f"{_ATTRIBUTES[key]}{text}" if key in _ATTRIBUTES else text for key, text in held.items()}
    return f"<{name} {' '.join(f'{key}={quoteattr(_text(text))}' for key, text in texts.items())}/>"


def _any(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_any(name, one) for one in value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(_any(inner, held) for inner, held in value.items())}</{name}>"
    return f"<{name}>{escape(_text(value))}</{name}>"


def _text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
