"""An OpenAPI 3.1 document from a route table and msgspec types. Used by both APIs; `build` does no I/O.

Powertools' own generator imports pydantic; this one costs nothing on the scan path, and the table it reads is the same
that the handlers are mounted from, so document and routes cannot part (tests/unit/routes/test_openapi.py).
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from uncap.routes.problems import CONTENT_TYPE as PROBLEM_TYPE
from uncap.routes.problems import Problem

_REFERENCE = "#/components/schemas/{name}"
_PAGE = {"text/html": {"schema": {"type": "string"}}}


class Parameter(msgspec.Struct, frozen=True):
    """`schema` is JSON Schema."""

    name: str
    place: Literal["path", "query", "header", "cookie"]
    description: str
    schema: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "string"})
    required: bool = False


class Content(msgspec.Struct, frozen=True):
    """One media type with its msgspec type; None means text, bytes or an object without a schema."""

    media_type: str
    schema: Any = None


class Answer(msgspec.Struct, frozen=True):
    """One status the route answers with."""

    status: int
    description: str
    contents: tuple[Content, ...] = ()
    headers: dict[str, str] = {}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `path` has OpenAPI's braces; `problems` lists statuses answered with a problem document.

    `pages`: those of them that may be answered with an HTML page instead.
    """

    method: str
    path: str
    name: str
    summary: str
    parameters: tuple[Parameter, ...] = ()
    bodies: tuple[Content, ...] = ()
    answers: tuple[Answer, ...]
    problems: dict[int, str] = {}
    pages: tuple[int, ...] = ()
    security: tuple[str, ...] = ()


def build(
    title: str, version: str, routes: Sequence[Route], *, security_schemes: dict[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The document. Types are msgspec's; each named one becomes a component."""
    kinds = [c.schema for r in routes for c in _contents(r) if c.schema is not None]
    schemas, components = msgspec.json.schema_components([Problem, *kinds], ref_template=_REFERENCE)
    by_kind = {id(kind): schema for kind, schema in zip([Problem, *kinds], schemas, strict=True)}
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_kind)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }
    if security_schemes:
        document["components"]["securitySchemes"] = security_schemes
    return document


def _contents(route: Route) -> list[Content]:
    return [*route.bodies, *(content for answer in route.answers for content in answer.contents)]


def _operation(route: Route, by_kind: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    if route.parameters:
        operation["parameters"] = [_parameter(one) for one in route.parameters]
    if route.bodies:
        operation["requestBody"] = {"required": True, "content": _content_map(route.bodies, by_kind)}
    operation["responses"] = {str(one.status): _answer(one, by_kind) for one in route.answers} | {
        str(status): {
            "description": description,
            "content": {PROBLEM_TYPE: {"schema": by_kind[id(Problem)]}} | (_PAGE if status in route.pages else {}),
        }
        for status, description in route.problems.items()
    }
    if route.security:
        operation["security"] = [{name: []} for name in route.security]
    return operation


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": one.place,
        "required": one.required or one.place == "path",
        "description": one.description,
        "schema": one.schema,
    }


def _answer(one: Answer, by_kind: dict[int, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": one.description}
    if one.headers:
        answer["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in one.headers.items()
        }
    if one.contents:
        answer["content"] = _content_map(one.contents, by_kind)
    return answer


def _content_map(contents: tuple[Content, ...], by_kind: dict[int, Any]) -> dict[str, Any]:
    return {one.media_type: {"schema": _schema(one, by_kind)} for one in contents}


def _schema(one: Content, by_kind: dict[int, Any]) -> Any:
    if one.schema is not None:
        return by_kind[id(one.schema)]
    return {"type": "object" if one.media_type.endswith("json") else "string"}
