"""Documents that ask: parameters of a query in JSON, and the XML messages Poll and Subscribe, in one form. Used by
`document.py`; `query_check.py` judges them. The console's queries come by their own route.

Source: EPCIS 2.0, chapters 11 (XML messages) and 12 (the query resource).
"""

from collections.abc import Mapping
from typing import Final

from uncap.domain.epcis.xml_tree import Element

QUERY_SCHEMA: Final = "/query-schema.json"
_MESSAGES: Final = frozenset({"Poll", "Subscribe"})
Json = dict[str, object]


def is_query(value: Mapping[str, object]) -> bool:
    """Whether this JSON object asks: it names the standard's query schema, or holds parameters under `query`."""
    context = value.get("@context")
    named = isinstance(context, str) and context.endswith(QUERY_SCHEMA)
    return "type" not in value and (named or isinstance(value.get("query"), dict))


def message_of(body: Element) -> Json | None:
    """The question in the body of an XML query document: its query's name and parameters; None when it asks nothing."""
    asked = next((one for one in body.children if one.name in _MESSAGES), None)
    if asked is None:
        return None
    name, listed = asked.child("queryName"), asked.child("params")
    query = {} if listed is None else dict(_parameter(one) for one in listed.children if one.name == "param")
    return ({} if name is None else {"name": name.text.strip()}) | {"query": query}


def _parameter(param: Element) -> tuple[str, object]:
    name, value = param.child("name"), param.child("value")
    called = "" if name is None else name.text.strip()
    if value is None:
        return called, None
    return called, [one.text.strip() for one in value.children] or value.text.strip()
