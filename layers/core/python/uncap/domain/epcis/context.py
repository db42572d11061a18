"""The JSON-LD context of a document: which prefixes are declared where. Read by the hash, which spells names out in
full, and by `validate.py`, which notes prefixes nobody declared.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from uncap.domain.epcis.document import Document
from uncap.domain.epcis.faults import Findings, step
from uncap.domain.epcis.terms import CONTEXT_PREFIXES

_EPCIS_CONTEXT: Final = "epcis-context.jsonld"
_ADDRESS_SCHEMES: Final = frozenset({"http", "https", "urn"})


def declared(value: object) -> dict[str, str]:
    """Prefix to namespace, as one `@context` declares them; later entries win. Contexts are never fetched."""
    made: dict[str, str] = {}
    for item in _items(value):
        if isinstance(item, dict):
            for prefix, meaning in item.items():
                address = meaning.get("@id") if isinstance(meaning, dict) else meaning
                if isinstance(address, str) and not prefix.startswith("@"):
                    made[prefix] = address
    return made


def foreign(value: object) -> list[str]:
    """Addresses of other contexts than EPCIS's own."""
    return [item for item in _items(value) if isinstance(item, str) and not item.endswith(_EPCIS_CONTEXT)]


def prefixes_of(document: Document) -> dict[str, str]:
    """What the document's own context declares; nothing for a list of events."""
    return declared(document.value.get("@context")) if isinstance(document.value, dict) else {}


def note_context(document: Document, found: Findings) -> None:
    """Notes a context without EPCIS's own, and extension names whose prefix nobody declared."""
    whole = document.value.get("@context") if isinstance(document.value, dict) else None
    addresses = [item for item in _items(whole) if isinstance(item, str)]
    if whole is not None and not any(address.endswith(_EPCIS_CONTEXT) for address in addresses):
        found.note(
            "/@context", "context_foreign", "does not name the EPCIS context, which gives the fields their meaning"
        )
    if any(not address.endswith(_EPCIS_CONTEXT) for address in addresses):
        return  # another context may declare any prefix, and contexts are not fetched
    outer = prefixes_of(document)
    for placed in document.events:
        if isinstance(placed.value, dict):
            known = {**outer, **declared(placed.value.get("@context"))}
            for pointer, prefix in _undeclared(placed.value, placed.pointer, known):
                found.note(pointer, "prefix_undeclared", f"no context declares the prefix {prefix!r}")


def _undeclared(event: Mapping[str, object], pointer: str, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in event:
        prefix, colon, _ = name.partition(":")
        if colon and prefix not in known and prefix not in CONTEXT_PREFIXES and prefix not in _ADDRESS_SCHEMES:
            yield step(pointer, name), prefix


def _items(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
