"""An event as a tree of names and texts, in the shape its XML would have; `prehash.py` makes one string of it.

JSON leaves names out that XML has (`epcList` holds `epc`, `quantityList` holds `quantityElement`), shortens standard
terms to bare words and namespaces to prefixes: all of that is undone here.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from uncap.domain.epcis import terms


class Node(NamedTuple):
    """One name with its text, or with the members below it. Items of a list in a list have no name; `typed` members (a
    type and what it types) keep their order."""

    name: str
    text: str
    members: tuple["Node", ...] = ()
    typed: bool = False


_TEXT: Final = "#text"  # the text of an XML element that has attributes too
_COMMENTS: Final = frozenset({"rdfs:comment", "comment"})
# Typed references: the type stands before the value it types.
_TYPED_LISTS: Final = {
    "bizTransactionList": ("bizTransaction", terms.BIZ_TRANSACTIONS),
    "sourceList": ("source", terms.SOURCES),
    "destinationList": ("destination", terms.SOURCES),
}
_RENAMED: Final = {"inputEPC": "epc", "outputEPC": "epc"} | dict.fromkeys(
    ("quantity", "inputQuantity", "outputQuantity", "childQuantity"), "quantityElement"
)
_SENSOR_TERMS: Final = {"type": terms.MEASUREMENTS, "exception": terms.ALERTS, "component": terms.COMPONENTS}


class TreeBuilder:
    """Builds the tree of one event, with the prefixes that are declared around it."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes

    def members(self, held: Mapping[str, object], inside: str = "") -> tuple[Node, ...]:
        """The fields of an object that stands under the name `inside`."""
        made: list[Node] = []
        for name, value in held.items():
            if name in _COMMENTS or name == _TEXT:
                continue
            if name in _TYPED_LISTS:
                made.extend(self._typed_list(name, value))
            elif name == "childEPCs":
                made.extend(_wrap(name, [node._replace(name="epc") for node in self._nodes("epc", value, name)]))
            elif name.endswith("List"):
                full = self._full_name(name)
                made.extend(_wrap(full, [_renamed(node) for node in self._nodes(full[:-4], value, name[:-4])]))
            else:
                full = self._full_name(name)
                made.extend(_renamed(node) for node in self._nodes(full, value, name, _terms_for(name, inside)))
        return tuple(made)

    def _nodes(self, name: str, value: object, inside: str, vocabulary: terms.Vocabulary | None = None) -> list[Node]:
        if isinstance(value, list):
            return [node for item in value for node in self._item(name, item, inside, vocabulary)]
        if isinstance(value, dict):
            return [Node(name, str(value.get(_TEXT, "")), self.members(value, inside))]
        text = str(value) if vocabulary is None else vocabulary.expand(str(value))
        return [Node(name, self._full_value(text))]

    def _item(self, name: str, item: object, inside: str, vocabulary: terms.Vocabulary | None) -> list[Node]:
        if isinstance(item, list):
            return [Node(name, "", tuple(self._nodes("", item, inside)))]
        return self._nodes(name, item, inside, vocabulary)

    def _typed_list(self, name: str, value: object) -> list[Node]:
        """`sourceList` and its like: one nameless node per item, whose members keep their order."""
        key, vocabulary = _TYPED_LISTS[name]
        items = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
        return _wrap(name, [Node("", "", self._typed(key, vocabulary, item), typed=True) for item in items])

    def _typed(self, key: str, vocabulary: terms.Vocabulary, item: Mapping[str, object]) -> tuple[Node, ...]:
        made: list[Node] = []
        for field in ("type", key, *sorted(item.keys() - {"type", key})):
            if field in item:
                made.extend(self._nodes(field, item[field], key, vocabulary if field == "type" else None))
        return tuple(made)

    def _full_name(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        return f"{{{self._prefixes[prefix]}}}{local}" if colon and prefix in self._prefixes else name

    def _full_value(self, text: str) -> str:
        prefix, colon, local = text.partition(":")
        return self._prefixes[prefix] + local if colon and prefix in self._prefixes else text


def _wrap(name: str, items: list[Node]) -> list[Node]:
    return [Node(name, "", tuple(items))] if items else []


def _renamed(node: Node) -> Node:
    """The name XML gives it: an item of `quantityList` is a `quantityElement`, the number in it a `quantity`."""
    if node.name == "quantity" and not node.members:
        return node
    return node._replace(name=_RENAMED.get(node.name, node.name))


def _terms_for(name: str, inside: str) -> terms.Vocabulary | None:
    if inside == "sensorReport":
        return _SENSOR_TERMS.get(name)
    if inside == "persistentDisposition":
        return terms.DISPOSITIONS
    if inside == "":
        return {"bizStep": terms.BIZ_STEPS, "disposition": terms.DISPOSITIONS}.get(name)
    return None
