"""The wire adapters' expressions against DynamoDB's semantics (moto, one request at a time)."""

import pytest

from tests.integration.scan_api.conftest import Stack
from tests.kits.scan_kit import documents
from uncap.adapters.catalog_wire import WireCatalogSource
from uncap.adapters.ledger_wire import WireLedger
from uncap.adapters.limits_wire import WireLimits
from uncap.adapters.scans_wire import WireScans
from uncap.adapters.wire.client import RefusedError
from uncap.domain.catalog import Role
from uncap.domain.scans import CodeRef, Mark


def mark(claim_id: str, at_ms: int = 1, form: str = "claim") -> Mark:
    return Mark(claim_id, at_ms, form, "p_x", "v1.payee")


def test_claim_keeps_the_first_and_counts_in_one_request_each(stack: Stack) -> None:
    client, ref = stack.client(), CodeRef(7, 101, Role.CAP_INNER)
    scans = WireScans(client, "Scans")
    first = scans.claim(ref, mark("a", 1))
    again = scans.claim(ref, mark("b", 2))
    observed = scans.observe(ref, mark("c", 3, "observe"))
    assert client.requests == 3
    assert first.first == mark("a", 1) == again.first == observed.first
    assert [one.last.claim_id for one in (first, again, observed)] == ["a", "b", "c"]
    assert [one.count for one in (first, again, observed)] == [1, 2, 3]
    assert first.last.payee == again.last.payee == ""
    assert scans.get(ref) == observed


def test_observe_leaves_the_code_free(stack: Stack) -> None:
    scans, ref = WireScans(stack.client(), "Scans"), CodeRef(7, 102, Role.CAP_INNER)
    assert scans.get(ref) is None
    assert scans.observe(ref, mark("a", 1, "observe")).first is None
    won = scans.claim(ref, mark("b", 2))
    assert won.first == mark("b", 2)
    assert won.count == 2


def test_slots_are_counted_kept_and_given_back(stack: Stack) -> None:
    client = stack.client()
    limits = WireLimits(client, "Limits")
    assert limits.take("p#c#d", "s1", 2, 100)
    assert limits.take("p#c#d", "s2", 2, 100)
    assert client.requests == 2
    assert not limits.take("p#c#d", "s3", 2, 100)
    assert limits.take("p#c#d", "s1", 2, 100)
    limits.give_back("p#c#d", "s1")
    limits.give_back("p#c#d", "s1")
    limits.give_back("p#c#d", "unknown")
    limits.give_back("nobody", "s1")
    assert limits.take("p#c#d", "s3", 2, 100)
    item = stack.dynamodb.get_item(TableName="Limits", Key={"pk": {"S": "p#c#d"}})["Item"]
    assert (item["n"], set(item["ids"]["SS"]), item["ttl"]) == ({"N": "2"}, {"s2", "s3"}, {"N": "100"})


def test_an_emptied_counter_counts_on(stack: Stack) -> None:
    limits = WireLimits(stack.client(), "Limits")
    for _ in range(3):
        assert limits.take("p#c#e", "s1", 1, 100)
        limits.give_back("p#c#e", "s1")
    assert limits.take("p#c#e", "s2", 1, 100)
    assert not limits.take("p#c#e", "s1", 1, 100)


def test_the_catalog_is_read_page_by_page(stack: Stack) -> None:
    source = WireCatalogSource(stack.client(), "Catalog")
    docs = documents()
    assert source.get("product#09520123456788", "meta") == docs["product#09520123456788", "meta"]
    assert source.get("product#none", "meta") is None
    assert source.query("batch#none") == []
    assert [sk for sk, _ in source.query("batch#7", consistent=True)] == ["meta", "release#r1"]
    large = "x" * 300_000
    for number in range(8):
        item = {"pk": {"S": "territories"}, "sk": {"S": f"t{number}"}, "doc": {"S": large}}
        stack.dynamodb.put_item(TableName="Catalog", Item=item)
    assert [sk for sk, _ in source.query("territories")] == [f"t{number}" for number in range(8)]


def test_a_reward_that_is_not_there(stack: Stack) -> None:
    assert WireLedger(stack.client(), "Ledger").get("X" * 26) is None


def test_a_missing_table_is_refused_and_not_retried(stack: Stack) -> None:
    client = stack.client()
    with pytest.raises(RefusedError, match="ResourceNotFoundException"):
        WireScans(client, "Nowhere").get(CodeRef(7, 1, Role.CAP_INNER))
    assert client.requests == 1
