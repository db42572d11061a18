"""Both published documents thrown back at the deployed APIs over HTTP: no 5xx, and every answer is a documented one."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dev.seed.main import DISTRIBUTORS
from dev.seed.operators import ROLES, console
from dev.stack import http
from dev.stack.outputs import StackOutputs
from tests.kits.market import Market
from uncap.routes.console.table import endpoints
from uncap.routes.scan_table import ROUTES

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6
SEED = 20261122
EPOCHS_MADE, UNUSED_EPOCH = (1, "1"), 30
# What the gateways themselves say of a path that is no route's.
GATEWAY = ('{"message":"Not Found"}', '{"message":"Missing Authentication Token"}')
# OPTIONS is the gateway's: the local one refuses it where it is no browser's (docs/adr/0004).
SCAN = [(one.method, one.path) for one in ROUTES if one.method != "OPTIONS"]
CONSOLE = [(one.method, one.path) for one in endpoints()]
Prepare = Callable[[Any], Any]


class Target:
    """A deployed API: its document, and a session that reaches its name on the loopback address."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        parts = urlsplit(base)
        self.address = f"http://{http.LOOPBACK}:{parts.port}{parts.path}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Host": parts.netloc, **headers})
        document = self.session.get(f"{self.address}/openapi.json", timeout=30).json()
        self.schema = schemathesis.openapi.from_dict(document)

    def close(self) -> None:
        self.session.close()

    def probe(self, method: str, path: str, mode: GenerationMode, prepare: Prepare) -> None:
        operation = self.schema[path][method]
        if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation.definition.raw):
            mode = GenerationMode.POSITIVE

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def run(case: Any) -> None:
            answer = prepare(case).call(base_url=self.address, session=self.session, timeout=30, allow_redirects=False)
            if answer.text in GATEWAY:
                return  # the path no longer fits the route: an encoded slash, an empty part
            case.validate_response(answer, checks=CHECKS)
            media_type = answer.headers.get("content-type", [""])[0].partition(";")[0]
            if answer.status_code >= 400 and method != "HEAD" and media_type != "text/html":
                assert media_type == "application/problem+json"
                assert set(answer.json()) <= {"type", "title", "status", "code", "detail", "where"}

        run()


def can_be_wrong(operation: dict[str, Any]) -> bool:
    """Is there anything in its input that a request could get wrong?"""
    plain = {"type": "string"}
    parameters = operation.get("parameters", ())
    return "requestBody" in operation or any(one["in"] == "query" or one["schema"] != plain for one in parameters)


@pytest.fixture(scope="module")
def scan(market: Market) -> Iterator[Target]:
    token = market.phone().headers["Authorization"]
    with closing(Target(market.outputs.scan_base, {"Authorization": token})) as target:
        yield target


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), SCAN)
def test_the_scan_api_answers_as_published(
    scan: Target, market: Market, method: str, path: str, mode: GenerationMode
) -> None:
    real = {"gtin": market.gtin, "serial": market.serial(0)}

    def prepare(case: Any) -> Any:
        for name in ("Authorization", "Cookie"):  # generated credentials would hide everything behind a 401
            case.headers.pop(name, None)
        if mode is GenerationMode.POSITIVE:  # most serials are nobody's; these requests get past that
            case.path_parameters.update({name: real[name] for name in real if name in case.path_parameters})
        return case

    scan.probe(method, path, mode, prepare)


@pytest.fixture(scope="module")
def own(stack: StackOutputs) -> Iterator[Market]:
    """Goods that only this module touches."""
    with closing(Market(stack, units=48)) as market:
        yield market


@pytest.fixture(scope="module")
def desk(own: Market) -> Iterator[Target]:
    operator = console(own.outputs)
    token = operator.client.headers["Authorization"]
    operator.client.close()
    with closing(Target(own.outputs.console_base, {"Authorization": token})) as target:
        yield target


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), CONSOLE)
def test_the_console_answers_as_published(
    desk: Target, own: Market, method: str, path: str, mode: GenerationMode
) -> None:
    mine = {
        "batch_no": own.batch_no,
        "unit_batch_no": own.batch_no,
        "gtin": own.gtin,
        "campaign_id": own.campaign_id,
        "release_id": f"r{own.batch_no}-1",
    }

    def prepare(case: Any) -> Any:
        case.headers.pop("Authorization", None)
        confine(case.path_parameters or {}, mine)
        confine(case.query or {}, mine)
        confine(case.body if isinstance(case.body, dict) else {}, mine)
        return case

    desk.probe(method, path, mode, prepare)


def confine(fields: dict[str, Any], mine: dict[str, Any]) -> None:
    """Keeps the generated request away from what other tests share.

    Batches are numbered from 1, so a small number drawn at random is somebody's: it becomes this module's own. An epoch
    that exists is every code's (`compromised` cannot even be undone), so only those nobody made are asked for. Guessing
    at the seeded logins would lock the operators out, a territory of a seeded distributor decides about diversion.
    """
    for name, value in mine.items():
        if isinstance(fields.get(name), type(value)) and not isinstance(fields[name], bool):
            fields[name] = value
    if fields.get("epoch") in EPOCHS_MADE:
        fields["epoch"] = UNUSED_EPOCH
    if fields.get("login") in ROLES or fields.get("party_id") in DISTRIBUTORS:
        fields.update({name: "nobody" for name in ("login", "party_id") if name in fields})
