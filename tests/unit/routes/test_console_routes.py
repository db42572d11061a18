"""Chalice's routes, the published document and the route table are one thing."""

from typing import Any

from functions.console_api.app import app
from uncap.routes.console.document import document_of
from uncap.routes.console.endpoint import Endpoint
from uncap.routes.console.table import AREAS, endpoints

TABLE = endpoints()
DOCUMENT: dict[str, Any] = document_of(TABLE)


def mounted() -> set[tuple[str, str]]:
    return {(method, path) for path, methods in app.routes.items() for method in methods}


def documented() -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_app_document_and_table_agree() -> None:
    assert mounted() == documented() == {(one.method, one.path) for one in TABLE}
    assert len(TABLE) == len(mounted()), "a route is declared twice"


def test_operation_ids_are_unique() -> None:
    assert len({one.name for one in TABLE}) == len(TABLE)


def test_every_placeholder_is_a_parameter_and_the_other_way_round() -> None:
    for one in TABLE:
        names = {part[1:-1] for part in one.path.split("/") if part.startswith("{")}
        assert names == set(one.path_types), one.path


def test_a_placeholder_has_one_name_in_its_place() -> None:
    """API Gateway refuses siblings like /parties/{id} and /parties/{party_id}/tree."""
    seen: dict[str, str] = {}
    for one in TABLE:
        parts = one.path.split("/")
        for at, part in enumerate(parts):
            if part.startswith("{"):
                assert seen.setdefault("/".join(parts[:at]), part) == part, one.path


def test_only_signing_in_and_the_document_are_open() -> None:
    assert {(one.method, one.path) for one in TABLE if one.is_open} == {
        ("POST", "/sign-in"),
        ("GET", "/openapi.json"),
    }
    for one in TABLE:
        assert bool(operation(one).get("security")) is not one.is_open


ASKED_IN_A_BODY = {"/codes/name"}
"""Reads whose question holds a serial: in an address it would stand in every log."""


def test_reading_is_not_writing() -> None:
    for one in TABLE:
        if one.method in ("GET", "OPTIONS"):
            assert one.action in ("", "read", "export"), one.path
        elif not one.is_open and one.path not in ASKED_IN_A_BODY:
            assert one.action in ("write", "approve"), one.path


def test_bodies_and_queries_refuse_unknown_fields() -> None:
    for one in TABLE:
        for kind in (one.body, one.query):
            assert kind is None or kind.__struct_config__.forbid_unknown_fields, one.path
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if name.startswith("New"):
            assert schema["additionalProperties"] is False, name


def test_every_route_says_what_it_does_in_one_line() -> None:
    for one in TABLE:
        assert one.summary.endswith(".")
        assert "\n" not in one.summary, one.path


def test_areas_are_mounted_once() -> None:
    assert len(set(map(id, AREAS))) == len(AREAS)


def operation(one: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][one.path][one.method.lower()]
    return found
