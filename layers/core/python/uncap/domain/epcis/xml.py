"""EPCIS XML, 2.0 and 1.x, as the EPCIS 2.0 JSON-LD that everything else of this package works on.

Source: EPCIS 2.0 chapters 9 and 10, EPCIS 1.2 chapter 9 (its `extension` wrappers are taken off). What the XML says and
JSON cannot carry is no loss to the hash: an XML document and its JSON twin have the same (docs/adr/0009-epcis.md).
"""

from typing import Final, NamedTuple

import msgspec

from uncap.domain.epcis import xml_events
from uncap.domain.epcis.faults import Fault, step
from uncap.domain.epcis.query_messages import message_of
from uncap.domain.epcis.xml_tree import Element, Tree, read_tree
from uncap.domain.errors import InputError

ORDER: Final = "xml_order"
CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_EPCIS: Final = ("urn:epcglobal:epcis:xsd:1", "urn:epcglobal:epcis:xsd:2")
_QUERY: Final = ("urn:epcglobal:epcis-query:xsd:1", "urn:epcglobal:epcis-query:xsd:2")
_MASTER_DATA: Final = ("urn:epcglobal:epcis-masterdata:xsd:1", "urn:epcglobal:epcis-masterdata:xsd:2")
_OWN: Final = (
    "urn:epcglobal:epcis",
    "urn:epcglobal:xsd",
    "http://www.w3.org/2001/XMLSchema",
    "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader",
)
_EVENTS: Final = frozenset(xml_events.EVENT_TYPES)
_EVENTS_AT: Final = {
    "EPCISDocument": "/epcisBody/eventList",
    "EPCISQueryDocument": "/epcisBody/queryResults/resultsBody/eventList",
}
Json = dict[str, object]


class Converted(NamedTuple):
    """The document's JSON, and notes on what only the XML can show."""

    value: Json
    notes: tuple[Fault, ...]


def from_xml(data: bytes, *, questions: bool = False) -> Converted:
    """JSON-LD of an EPCISDocument, an EPCISQueryDocument with results, master data, or one event; with `questions` also
    a query that is asked (`query_messages.py`). Raises InputError: `read_tree`'s, and `epcis_not_document`."""
    tree = read_tree(data)
    reader = xml_events.EventReader(tree.prefixes)
    root = tree.root
    if root.space in _EPCIS and root.name == "EPCISDocument":
        value = _document(root, reader)
    elif root.space in _QUERY and root.name == "EPCISQueryDocument":
        body = root.child("EPCISBody")
        asked = None if body is None or not questions else message_of(body)
        if asked is not None:
            return Converted(asked, ())
        value = _query_document(root, reader)
    elif root.space in _MASTER_DATA and root.name == "EPCISMasterDataDocument":
        value = _master_data_document(root)
    elif root.name in _EVENTS and root.space in ("", *_EPCIS):
        value = reader.event(_bare(root))
    else:
        name = f"{{{root.space}}}{root.name}" if root.space else root.name
        words = f"XML, but no EPCIS document or event: its root is {name[:120]!r}"
        raise InputError("epcis_not_document", words, where=f"line {root.line}")
    return Converted({"@context": _context(tree), **value}, tuple(_notes(root, reader)))


def _bare(root: Element) -> Element:
    """An event that stands alone, without what a document says of itself."""
    kept = tuple(one for one in root.attributes if one.name not in {"schemaVersion", "creationDate"})
    return msgspec.structs.replace(root, attributes=kept)


def _context(tree: Tree) -> list[object]:
    """The EPCIS context, and every prefix that is not the standard's own."""
    return [CONTEXT, *({prefix: space} for space, prefix in tree.prefixes.items() if not space.startswith(_OWN))]


def _document(root: Element, reader: xml_events.EventReader) -> Json:
    body = root.child("EPCISBody")
    made = _head(root, "EPCISDocument") | _header(root)
    if body is None:
        return made
    events = body.child("EventList")
    return made | {"epcisBody": {} if events is None else {"eventList": reader.event_list(events)}}


def _head(root: Element, kind: str) -> Json:
    made: Json = {"type": kind}
    if root.attribute("schemaVersion") is not None:
        made["schemaVersion"] = "2.0"
    creation = root.attribute("creationDate")
    return made if creation is None else made | {"creationDate": creation.strip()}


def _query_document(root: Element, reader: xml_events.EventReader) -> Json:
    body = root.child("EPCISBody")
    results = None if body is None else body.child("QueryResults")
    if results is None:
        raise InputError("epcis_not_document", "a query document without results", where=f"line {root.line}")
    made: Json = {
        json_name: found.text.strip()
        for name, json_name in (("queryName", "queryName"), ("subscriptionID", "subscriptionID"))
        if (found := results.child(name)) is not None
    }
    inner = results.child("resultsBody")
    events = None if inner is None else inner.child("EventList")
    vocabularies = None if inner is None else inner.child("VocabularyList")
    held: Json = {} if events is None else {"eventList": reader.event_list(events)}
    if "queryName" not in made:
        # The schema wants one, and published results have none; the name says nothing about the events.
        reader.nameless, made["queryName"] = True, ""
    if vocabularies is not None:
        held = {"eventList": [], **held, "vocabularyList": _vocabularies(vocabularies)}
    if inner is not None:
        made["resultsBody"] = held
    return _head(root, "EPCISQueryDocument") | {"epcisBody": {"queryResults": made}}


def _master_data_document(root: Element) -> Json:
    body = root.child("EPCISBody")
    listed = None if body is None else body.child("VocabularyList")
    data = {} if listed is None else {"epcisMasterData": {"vocabularyList": _vocabularies(listed)}}
    return _head(root, "EPCISDocument") | {"epcisHeader": data, "epcisBody": {"eventList": []}}


def _header(root: Element) -> Json:
    """Master data, and of the business document header the three texts that JSON has a place for."""
    header = root.child("EPCISHeader")
    if header is None:
        return {}
    made: Json = {}
    business = header.child("StandardBusinessDocumentHeader")
    if business is not None:
        made = _business_header(business)
    data = header.child("EPCISMasterData")
    extension = header.child("extension")
    if data is None and extension is not None:
        data = extension.child("EPCISMasterData")
    listed = None if data is None else data.child("VocabularyList")
    if listed is not None:
        made["epcisHeader"] = {"epcisMasterData": {"vocabularyList": _vocabularies(listed)}}
    return made


def _business_header(header: Element) -> Json:
    made: Json = {}
    for name, path in (
        ("sender", ("Sender", "Identifier")),
        ("receiver", ("Receiver", "Identifier")),
        ("instanceIdentifier", ("DocumentIdentification", "InstanceIdentifier")),
    ):
        found = header.child(path[0])
        found = None if found is None else found.child(path[1])
        if found is not None and found.text.strip():
            made[name] = found.text.strip()
    return made


def _vocabularies(listed: Element) -> list[object]:
    return [_vocabulary(one) for one in listed.children if one.name == "Vocabulary"]


def _vocabulary(one: Element) -> Json:
    elements = one.child("VocabularyElementList")
    made: Json = {attribute.name: attribute.value for attribute in one.attributes}
    if elements is not None:
        made["vocabularyElementList"] = [_vocabulary_element(element) for element in elements.children]
    return made


def _vocabulary_element(element: Element) -> Json:
    made: Json = {attribute.name: attribute.value for attribute in element.attributes}
    attributes = [_attribute(child) for child in element.children if child.name == "attribute"]
    if attributes:
        made["attributes"] = attributes
    children = element.child("children")
    if children is not None:
        made["children"] = [child.text.strip() for child in children.children]
    return made


def _attribute(child: Element) -> Json:
    made: Json = {attribute.name: attribute.value for attribute in child.attributes}
    made["attribute"] = {one.name: one.text.strip() for one in child.children} or child.text.strip()
    return made


def _notes(root: Element, reader: xml_events.EventReader) -> list[Fault]:
    notes = [Fault("", "xml_name_qualified", words, grave=False) for words in reader.qualified[:1]]
    if (root.attribute("schemaVersion") or "2").startswith("1"):
        notes.append(Fault("/schemaVersion", "version_old", "EPCIS 1.x, judged as the 2.0 it becomes", grave=False))
    base = _EVENTS_AT.get(root.name)
    results = "/epcisBody/queryResults"
    if reader.nameless:
        notes.append(Fault(results, "query_name_missing", "`queryName` is required by the XML schema", grave=False))
    for at, words in reader.disorder:
        notes.append(Fault("" if base is None else step(base, at), ORDER, words, grave=False))
    return notes
