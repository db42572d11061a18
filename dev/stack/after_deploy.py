"""What the local stack needs besides the template, where MiniStack differs from AWS (docs/adr/0004-local-stack.md).

Time to live is set through the API, stream mappings are made anew after a restart, empty secrets are filled. Called by
dev/stack/lifecycle.py on every `up`; each step may be repeated.
"""

from pathlib import Path
from typing import Any

from cli.keys import ensure_secrets
from dev.rail_simulator.keys import ensure_rail_keys
from dev.stack.config import StackConfig
from dev.stack.deploy import aws
from dev.stack.outputs import StackOutputs

TTL_ATTRIBUTE = "ttl"
_MAPPING_SETTINGS = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "BisectBatchOnFunctionError",
    "ParallelizationFactor",
    "FilterCriteria",
)
# People's calls at once, per function: enough for a crowd, few enough for two cores.
_EXECUTIONS = {"scan_api": 12, "console_api": 16}


def fill_secrets(config: StackConfig, outputs: StackOutputs) -> None:
    """The simulator's keys become the rail's secret; the others are random."""
    rail_keys = ensure_rail_keys(simulator_dir(config))
    ensure_secrets(aws(config, "secretsmanager"), outputs.stage, rail_keys)


def simulator_dir(config: StackConfig) -> Path:
    """Where the rail simulator keeps its keys and its state."""
    return config.state_dir / "rail"


def enable_ttl(config: StackConfig, outputs: StackOutputs) -> None:
    """The template's TimeToLiveSpecification is not acted on there."""
    tables = aws(config, "dynamodb")
    for table in (outputs.limits_table, outputs.insights_table):
        status = tables.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("TimeToLiveStatus")
        if status not in ("ENABLED", "ENABLING"):
            tables.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
            )


def mend_concurrency(config: StackConfig) -> None:
    """A numeric parameter reaches a queue mapping's MaximumConcurrency as text there, which stops its poller."""
    functions = aws(config, "lambda")
    for mapping in _mappings(functions):
        limit = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)}
            )


def limit_executions(config: StackConfig, outputs: StackOutputs) -> None:
    """Gives the functions people call a ceiling this machine can keep, as an account's concurrency is AWS's.

    Every execution environment costs MiniStack half a second of one core (it unpacks the layers anew). A crowd that
    finds none warm would start one each, wait beyond its patience, ask again and start more. Above the ceiling the
    answer is 429 at once, as on AWS, and a client's second try finds a warm one.
    """
    functions = aws(config, "lambda")
    for name, limit in _EXECUTIONS.items():
        functions.put_function_concurrency(FunctionName=outputs.functions[name], ReservedConcurrentExecutions=limit)


def _mappings(functions: Any) -> list[dict[str, Any]]:
    pages = functions.get_paginator("list_event_source_mappings").paginate()
    return [mapping for page in pages for mapping in page["EventSourceMappings"]]


def renew_stream_mappings(config: StackConfig, *, restored: bool) -> int:
    """Leaves one stream mapping per function and stream; returns how many were made anew.

    A mapping restored from disk waits at its old position while the restored stream starts at zero: it would sleep
    through as many scans as there were before. So after a start (`restored`) each is deleted and made again, reading
    from the oldest record. Replays are harmless: relay and projector are idempotent. A later deployment knows nothing
    of the new ones and may add its own beside them, hence the look for doubles.
    """
    functions = aws(config, "lambda")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for mapping in _mappings(functions):
        if ":dynamodb:" in mapping["EventSourceArn"]:
            groups.setdefault((mapping["EventSourceArn"], mapping["FunctionArn"]), []).append(mapping)
    renewed = 0
    for (stream, function), group in groups.items():
        if not restored and len(group) == 1:
            continue
        newest = max(group, key=lambda mapping: mapping["LastModified"])
        settings = {name: newest[name] for name in _MAPPING_SETTINGS if newest.get(name)}
        for mapping in group:
            functions.delete_event_source_mapping(UUID=mapping["UUID"])
        functions.create_event_source_mapping(
            EventSourceArn=stream, FunctionName=function, StartingPosition="TRIM_HORIZON", **settings
        )
        renewed += 1
    return renewed
