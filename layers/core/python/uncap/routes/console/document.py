"""The console's OpenAPI document, built from the route table. Served at GET /openapi.json by `meta.py`."""

from collections.abc import Iterable
from typing import Any

import msgspec

from uncap.routes.console.endpoint import Endpoint, Text
from uncap.routes.openapi import Answer, Content, Parameter, Route, build

SECURITY = "operator"
_PROBLEMS = {
    400: "The request cannot be right as it stands",
    401: "No valid token",
    403: "The operator's role does not allow this",
    404: "There is no such thing",
    406: "The client takes only what is not spoken here",
    409: "At odds with what is recorded",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "More than one request may ask for",
    429: "Too many attempts",
    503: "Try the same again",
}


def document_of(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    scheme = {"type": "http", "scheme": "bearer", "description": "The token of POST /sign-in"}
    routes = [_route(endpoint) for endpoint in endpoints]
    return build("uncap console", "1", routes, security_schemes={SECURITY: scheme})


def _route(endpoint: Endpoint) -> Route:
    own = () if endpoint.body is None else (Content("application/json", endpoint.body),)
    bodies = (*own, *(Content(media_type) for media_type in endpoint.takes))
    if endpoint.answer is Text:
        contents = tuple(Content(media_type, endpoint.holds) for media_type in endpoint.media_types)
    else:
        contents = (Content("application/json", endpoint.answer),)
    statuses = {503, *_statuses(endpoint)}
    return Route(
        method=endpoint.method,
        path=endpoint.path,
        name=endpoint.name,
        summary=endpoint.summary.partition("\n")[0],
        parameters=(*_path_parameters(endpoint), *_query_parameters(endpoint)),
        bodies=bodies,
        answers=(Answer(endpoint.status, "Done" if endpoint.method != "GET" else "Found", contents),),
        problems={status: _PROBLEMS[status] for status in sorted(statuses)},
        security=() if endpoint.is_open else (SECURITY,),
    )


def _statuses(endpoint: Endpoint) -> Iterable[int]:
    if endpoint.path_types or endpoint.query is not None:
        yield from (400, 404)
    if endpoint.body is not None or endpoint.takes:
        yield from (400, 404, 409, 413, 415, 422)
    if endpoint.method != "GET":
        yield from (404, 409)
    yield from (429, 401) if endpoint.is_open and endpoint.body is not None else ()
    yield from (400, 404, 406, 413) if endpoint.reword is not None else ()
    yield from () if endpoint.is_open else (401, 403, 404, 409, 422)


def _path_parameters(endpoint: Endpoint) -> Iterable[Parameter]:
    for name, kind in endpoint.path_types.items():
        yield Parameter(name, "path", "", msgspec.json.schema(kind), required=True)


def _query_parameters(endpoint: Endpoint) -> Iterable[Parameter]:
    if endpoint.query is None:
        return
    whole = msgspec.json.schema(endpoint.query)
    struct = whole["$defs"][whole["$ref"].rpartition("/")[2]]
    required = struct.get("required", [])
    for name, schema in struct["properties"].items():
        yield Parameter(name, "query", schema.get("description", ""), schema, required=name in required)
