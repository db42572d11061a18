"""The published document thrown back at the API: whatever fits it, and whatever nearly does, never finds a 5xx."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import boto3
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.console import brand
from tests.integration.console.conftest import Answer, Api, Cloud, make_bench
from uncap.routes.console.document import document_of
from uncap.routes.console.table import endpoints

SCHEMA = schemathesis.openapi.from_dict(document_of(endpoints()))
OPERATIONS = [SCHEMA[one.path][one.method] for one in endpoints()]
REAL = {"batch_no": 1, "party_id": "dist-a", "gtin": brand.UNIT, "release_id": "r1-1", "campaign_id": "open-and-win"}
EXAMPLES = 10
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def furnished(cloud: Cloud) -> Iterator[Api]:
    """A brand with something of everything, so that requests get past the look-ups; shared by all operations."""
    with pytest.MonkeyPatch.context() as patches:
        bench = make_bench(cloud, patches)
        place = {"LocationConstraint": "eu-west-1"}
        boto3.client("s3").create_bucket(Bucket="uploads", CreateBucketConfiguration=place)  # type: ignore[arg-type]
        admin = bench.sign_in("anna", "admin")
        furnish(admin)
        yield admin
        assert bench.watcher.errors == []


def furnish(admin: Api) -> None:
    brand.parties(admin)
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    brand.activated(admin, units, 0, 100)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method.upper()} {one.path}")
def test_no_request_finds_a_5xx(furnished: Api, operation: Any) -> None:
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    near = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE) if _has_input(operation) else fitting

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(fitting, near), st.booleans())
    def probe(case: Any, real: bool) -> None:
        names = {**(case.path_parameters or {}), **(REAL if real else {})}
        path = operation.path
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", quote(_text(value), safe="") or "-")
        if case.query:
            path += "?" + urlencode(case.query, doseq=True, errors="replace")
        body = None if case.media_type is None else json.dumps(_plain(case.body)).encode()
        answer = furnished.call(operation.method.upper(), path, raw=body)
        case.validate_response(_response(operation.method, answer), checks=CHECKS)
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert set(answer.body) <= {"type", "title", "status", "code", "detail", "where"}

    probe()


def _response(method: str, answer: Answer) -> Response:
    """What the checks of the deployed APIs' fuzz (tests/e2e/test_fuzz.py) read of an answer."""
    kind = str(answer.headers.get("Content-Type", ""))
    content = json.dumps(answer.body) if "json" in kind else answer.body
    headers = {"content-type": [kind]} if kind else {}
    sent = requests.Request(method.upper(), "http://console.invalid").prepare()
    return Response(answer.status, headers, content.encode(), sent, elapsed=0.0, verify=False)


def _has_input(operation: Any) -> bool:
    raw = operation.definition.raw
    return bool(raw.get("parameters") or raw.get("requestBody"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _plain(body: object) -> object:
    return body if isinstance(body, dict | list | str | int | float | bool | None) else str(body)
