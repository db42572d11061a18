"""template.yaml against the code: functions and handlers, environment variables, layers, triggers, routes."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from dev.stack import console_routes
from dev.stack.config import StackConfig
from dev.stack.deploy import parameters
from uncap.runtime import settings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, type[msgspec.Struct]] = {
    "scan_api": settings.ScanSettings,
    "console_api": settings.ConsoleSettings,
    "reward_relay": settings.RelaySettings,
    "reconcile_job": settings.ReconcileSettings,
    "payout_worker": settings.PayoutSettings,
    "payout_callback": settings.PayoutSettings,
    "sweeper_job": settings.PayoutSettings,
    "scan_projector": settings.ProjectorSettings,
    "about_page": settings.AboutSettings,
    "channel_api": settings.ChannelSettings,
    "intake_job": settings.IntakeSettings,
    "alert_job": settings.AlertSettings,
}
SCAN_LAYERS = {"CoreLayer", "DepsScanLayer", "WebLayer"}
BACK_LAYERS = {"CoreLayer", "DepsBackLayer"}
ROUTES = {
    *(f"{method} /01/{{gtin}}/21/{{serial}}" for method in ("GET", "HEAD", "OPTIONS")),
    *(f"ANY /{stem}/{{proxy+}}" for stem in ("01", "gtin", "00", "sscc", "p")),
    "POST /v1/scans",
    "GET /v1/rewards/{id}",
    "POST /v1/sessions",
    "POST /v1/memberships",
    "GET /v1/sign-in",
    "GET /v1/sign-in/return",
    "POST /v1/redemptions",
    "GET /v1/replenishments",
    "POST /v1/replenishments/{claimant}",
    *(f"{method} /wallet" for method in ("GET", "POST")),
    "POST /wallet/{act}",
    "POST /v1/rewards/{id}/name",
    "POST /v1/rewards/{id}/address",
    "GET /v1/wechat/signature",
    "GET /outlet",
    "POST /outlet/{act}",
    "GET /about/{gtin}/{serial}",
    "GET /campaigns/{campaign_id}",
    "GET /campaigns/{campaign_id}/draw",
    "GET /openapi.json",
    "GET /static/{file}",
    "GET /.well-known/gs1resolver",
    "POST /v1/rails/wechat/notify",
}


def load(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / name).read_text())
    return parsed


TEMPLATE = load("template.yaml")
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}


def folder_of(function: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def events(function: str) -> list[dict[str, Any]]:
    return list(FUNCTIONS[function].get("Events", {}).values())


def test_every_function_folder_is_deployed_under_its_own_name() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {folder_of(name) for name in FUNCTIONS} == folders == set(SETTINGS)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_the_handler_exists(function: str) -> None:
    *module, attribute = FUNCTIONS[function]["Handler"].split(".")
    assert module[:2] == ["functions", folder_of(function)]
    source = (ROOT / Path(*module).with_suffix(".py")).read_text()
    defined = {
        name
        for node in ast.parse(source).body
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    }
    assert attribute in defined


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_environment_and_settings_agree(function: str) -> None:
    common = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = FUNCTIONS[function]["Environment"]["Variables"]
    given = {name for name in (*common, *own) if name.startswith("UNCAP_")}
    fields = msgspec.structs.fields(SETTINGS[folder_of(function)])
    assert given <= {field.encode_name for field in fields}
    assert {field.encode_name for field in fields if field.required} <= given
    others = {name for name in (*common, *own) if not name.startswith("UNCAP_")}
    assert others == {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}
    assert own["POWERTOOLS_SERVICE_NAME"] == folder_of(function)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_layers_and_makefile_targets(function: str) -> None:
    layers = {layer["Ref"] for layer in FUNCTIONS[function]["Layers"]}
    beside = {
        "AboutPage": {"WebLayer"},
        "ChannelApi": {"WebLayer"},
        "ConsoleApi": {"DepsConsoleLayer", "WebLayer"},
        "IntakeJob": {"DepsIntakeLayer"},
    }
    assert layers == (SCAN_LAYERS if function == "ScanApi" else BACK_LAYERS | beside.get(function, set()))
    assert RESOURCES[function]["Metadata"] == {"BuildMethod": "makefile"}
    makefile = (ROOT / "functions/Makefile").read_text()
    assert f"build-{function}: FOLDER = {folder_of(function)}\n" in makefile


def test_layers_are_built_by_the_makefile_for_the_parameters_defaults() -> None:
    makefile = (ROOT / "layers/Makefile").read_text()
    for name, resource in RESOURCES.items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            assert resource["Metadata"] == {"BuildMethod": "makefile"}
            assert f"\nbuild-{name}:\n" in makefile
    python = TEMPLATE["Parameters"]["PythonRuntime"]["Default"].removeprefix("python")
    assert f"UNCAP_LAYER_PYTHON ?= {python}\n" in makefile
    assert f"UNCAP_LAYER_ARCH ?= {TEMPLATE['Parameters']['Architecture']['Default']}\n" in makefile


def test_stream_consumers_read_from_the_start_and_never_report_single_items() -> None:
    consumers = {name: event for name in FUNCTIONS for event in events(name) if event["Type"] == "DynamoDB"}
    assert set(consumers) == {"RewardRelay", "ScanProjector"}  # a stream shard carries two readers at most
    for event in consumers.values():
        assert event["Properties"]["StartingPosition"] == "TRIM_HORIZON"
        assert event["Properties"]["BatchSize"] == 100
        # The local stack ignores batchItemFailures on streams and loses the record; poison is parked by the function.
        assert "FunctionResponseTypes" not in event["Properties"]
        assert "MaximumRetryAttempts" not in event["Properties"]
        # Nothing ends unnoticed: what is repeated in vain for 23 hours leaves its place in the stream on ParkedQueue.
        assert event["Properties"]["MaximumRecordAgeInSeconds"] == 82_800
        assert "ParkedQueueArn" in str(event["Properties"]["DestinationConfig"])


def test_the_relay_is_called_for_claimed_codes_only() -> None:
    (event,) = events("RewardRelay")
    (entry,) = event["Properties"]["FilterCriteria"]["Filters"]
    pattern = msgspec.json.decode(entry["Pattern"])
    # `f` is the first mark's JSON text (adapters/scan_items.py).
    assert pattern == {"dynamodb": {"NewImage": {"f": {"S": [{"exists": True}]}}}}


def test_the_worker_reports_single_messages_and_keeps_within_the_rails_rate() -> None:
    (event,) = events("PayoutWorker")
    assert event["Type"] == "SQS"
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["Properties"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "PayoutConcurrency"}}


def deployments() -> dict[str, dict[str, str]]:
    """Parameter values of every way to deploy: the defaults, samconfig's, the local stack's, the tests'."""
    defaults = {name: str(spec.get("Default", "")) for name, spec in TEMPLATE["Parameters"].items()}
    found = {"defaults": defaults}
    for name, section in tomllib.loads((ROOT / "samconfig.toml").read_text()).items():
        text = (
            section.get("deploy", {}).get("parameters", {}).get("parameter_overrides")
            if isinstance(section, dict)
            else ""
        )
        if text:
            found[name] = defaults | dict(pair.split("=", 1) for pair in text.split())
    found["make up"] = defaults | parameters(StackConfig(port=1, sim_port=2, state_dir=ROOT), {})
    return found


@pytest.mark.parametrize("name", sorted(deployments()))
def test_messages_are_hidden_six_times_as_long_as_a_worker_may_run(name: str) -> None:
    values = deployments()[name]
    assert set(values) <= set(TEMPLATE["Parameters"])
    assert int(values["RewardVisibilityS"]) >= 6 * int(values["PayoutTimeoutS"])
    # A turn of the intake job is a message of its own, and its lease ends with the time-out.
    assert int(values["IntakeVisibilityS"]) > int(values["IntakeTimeoutS"])
    assert 1000 * int(values["PayoutTimeoutS"]) >= 2 * int(values["RailTimeoutMs"]) or name in ("make up", "local")


def test_samconfig_knows_every_target() -> None:
    assert {"local", "production", "china"} <= set(tomllib.loads((ROOT / "samconfig.toml").read_text()))


def test_scan_routes_are_those_of_the_contract() -> None:
    routes = of_type("AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"] for route in routes.values()} == ROUTES
    for route in routes.values():
        path = route["RouteKey"].partition(" ")[2]
        integration = {"/v1/rails/wechat/notify": "Callback"}.get(path, "Scan")
        if path.startswith(("/about", "/campaigns")):
            integration = "About"
        channel = ("/wallet", "/outlet", "/v1/redemptions", "/v1/replenishments", "/v1/wechat")
        if path.startswith(channel) or path.endswith(("/name", "/address")):
            integration = "Channel"
        assert route["Target"] == {"Fn::Sub": f"integrations/${{{integration}Integration}}"}


def test_access_logs_never_hold_a_path() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    fields = set(re.findall(r"\$context\.([A-Za-z.]+)", stage["AccessLogSettings"]["Format"]))
    assert fields == {"requestId", "routeKey", "status", "responseLatency", "responseLength", "error.message"}
    assert stage["StageName"] == "$default"
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(stage["DefaultRouteSettings"])


def test_another_sites_page_cannot_claim() -> None:
    """The gateway's CORS headers would stand in the place of ours, which only open what a resolver says."""
    (api,) = of_type("AWS::ApiGatewayV2::Api").values()
    assert "CorsConfiguration" not in api


def test_the_consoles_document_has_exactly_the_apps_routes() -> None:
    assert (ROOT / "infra/console_openapi.yaml").read_text() == console_routes.render(console_routes.load_app())


def test_logs_are_kept_half_a_year() -> None:
    assert TEMPLATE["Parameters"]["LogRetentionDays"]["Default"] >= 180
