"""Whatever a client sends, the answer is never a 5xx."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kits.scan_events import event
from tests.kits.scan_kit import GTIN
from tests.unit.routes.conftest import Api

PATHS = ["/v1/scans", "/v1/sessions", f"/01/{GTIN}/21/1", "/v1/rewards/x", "/static/x", "/openapi.json", "/"]
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]
FIELDS = ["gtin", "serial", "claim_id", "place", "link", "intent", "provider", "credential", "lat", "lng"]
HEADERS = ["content-type", "authorization", "accept", "accept-language", "origin", "host", "accept-encoding"]
VALUES = ["application/json", "application/x-www-form-urlencoded", "text/html", "Bearer TOKEN", "*/*;q=x", "gzip"]
LEAVES = (
    st.none() | st.booleans() | st.text(max_size=5) | st.floats(allow_nan=False) | st.sampled_from([GTIN, "1" * 17])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def shared() -> Api:
    return Api()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    method=st.sampled_from(METHODS),
    body=st.none() | st.text(max_size=60) | st.builds(json.dumps, JSON),
    headers=st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(VALUES) | st.text(max_size=20), max_size=5),
    cookies=st.none() | st.lists(st.text(max_size=20), max_size=2),
    encoded=st.booleans(),
)
def test_nothing_a_client_sends_is_our_fault(
    shared: Api,
    path: str,
    method: str,
    body: str | None,
    headers: dict[str, str],
    cookies: list[str] | None,
    encoded: bool,
) -> None:
    filled = {name: value.replace("TOKEN", shared.token()) for name, value in headers.items()}
    sample = event("page") | {"rawPath": path, "headers": filled, "body": body, "isBase64Encoded": encoded}
    sample["cookies"] = cookies
    sample["requestContext"]["http"] |= {"method": method, "path": path}
    assert shared.call(sample)["statusCode"] < 500
