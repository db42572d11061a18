"""A campaign's close from plan to publication, with the job between the operators' steps, killed wherever it hurts."""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

import boto3
import msgspec
import pytest

from cli.draw_fetch import whole_closing
from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.kits.moto_bridge import MotoCaller
from uncap.adapters.closing_entries import ClosingEntries
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import mark_text
from uncap.domain import ledger
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Role
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.prizes.closing import Replaced
from uncap.domain.prizes.entering import Entering, Outcome
from uncap.domain.prizes.published_closing import PublishedClosing, verify_closing
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef, Mark
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import RelayTools, build_relay
from uncap.services.run_closings import Closed, Closings, run_closings
from uncap.services.tell_campaign import CampaignDesk, published_draw, tell_campaign
from uncap.services.trial_balance import trial_balance

END = NOW_MS + 2 * 3_600_000  # operators' tokens outlast it
AFTER = END + 3_600_000
CLOSING: dict[str, object] = {
    "no": 9,
    "prizes": [{"prize_id": "big", "count": 1}, {"prize_id": "small", "count": 2}],
    "runners_up": 2,
}
PATH = "/campaigns/open-and-win/closing"
PEOPLE = [f"p{number % 7}" for number in range(30)]
PLAN, COMMIT = {"beacon_source": "drand-quicknet", "reason": "as announced"}, {"reason": "all collected"}
FAR, PAST = {"beacon_round": "9" * 12}, {"beacon_round": "1000"}
BEACON = {"beacon_value": brand.BEACON}


@pytest.fixture
def job(bench: Bench) -> RelayTools:
    """reconcile_job's own wiring over the same tables."""
    queues = {name: boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("rewards", "parked")}
    settings = RelaySettings(
        stage="test",
        scans_table="scans",
        catalog_table="catalog",
        parties_table="parties",
        flow_table="flow",
        ledger_table="ledger",
        draw_keys_secret="draw-keys",
        code_keys_secret="code-keys",
        reward_queue_url=queues["rewards"],
        parked_queue_url=queues["parked"],
    )
    tools = build_relay(settings, bench.vault, MotoCaller(), bench.clock)
    queue = Sent()
    granter = dataclasses.replace(tools.granter, pool=None, queue=queue)
    assert tools.closings is not None
    return dataclasses.replace(tools, granter=granter, closings=dataclasses.replace(tools.closings, granter=granter))


class Sent:
    """RewardQueue that remembers."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def send(self, reward_ids: Any) -> None:
        self.ids += reward_ids

    def look(self, reward_ids: Any, delay_s: int) -> None:
        raise AssertionError((reward_ids, delay_s))


class KilledError(Exception):
    """What no code of ours expects."""


class Dies(ClosingEntries):
    """The store at which the job is killed: before or after the n-th write."""

    def __init__(self, at: int, after: bool) -> None:
        self.left, self.after = at, after

    def _write(self, act: Callable[[], None]) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KilledError
        act()
        if self.left == 0:
            raise KilledError

    def save_entering(self, campaign_id: str, entering: Entering, chunks: Mapping[int, bytes]) -> None:
        self._write(lambda: super(Dies, self).save_entering(campaign_id, entering, chunks))

    def save_outcome(self, campaign_id: str, outcome: Outcome) -> None:
        self._write(lambda: super(Dies, self).save_outcome(campaign_id, outcome))


def never() -> bool:
    return False


def always() -> bool:
    return True


def closings(job: RelayTools) -> Closings:
    assert job.closings is not None
    return job.closings


def run(job: RelayTools, time_is_up: Callable[[], bool] = never) -> Closed:
    done = run_closings(closings(job), time_is_up)
    assert done.failed == []
    return done


def run_with_kills(job: RelayTools) -> None:
    """KilledError before and after every write there is, then once to the end."""
    for at in range(1, 5):
        for after in (False, True):
            tools = dataclasses.replace(closings(job), store=Dies(at, after))
            with contextlib.suppress(KilledError):
                run_closings(tools, always if at % 2 else never)
    run(job)


def claim(batch_no: int, index: int, person: str, role: Role = Role.CAP_INNER, **changes: Any) -> None:
    mark = msgspec.structs.replace(
        Mark(f"i{index}", NOW_MS + index, "claim", person, campaign="open-and-win@1", release_id=f"r{batch_no}-1"),
        **changes,
    )
    first = mark_text(mark) if mark.form == "claim" else None
    ScanItem(CodeRef(batch_no, index, role).key(), f=first, l=mark_text(mark), n=1).save()


def opened(admin: Api) -> int:
    """A campaign with a closing draw, its goods shipped, opened by seven people; and scans that take no part."""
    units, _ = brand.batch(admin)
    brand.parties(admin)
    effects = [{"no": 1, "beneficiary": "outlet", "kind": "fixed", "prize_id": "small"}]
    body = brand.campaign_body(
        pool=[], closing=CLOSING, effects=effects, ends_at_ms=NOW_MS + 3_600_000, claim_until_ms=END
    )
    assert admin.refused("POST", "/campaigns", body) == (409, "approval_needed")
    brand.approved(admin, body)
    brand.activated(admin, units, 0, 100)
    admin.ok(
        "POST", "/shipments", {"batch_no": units, "start": 0, "stop": 100, "to_party": "shop-a", "shipment_id": "s1"}
    )
    for index, person in enumerate(PEOPLE):
        claim(units, index, person)
    claim(units, 40, "p8", outlet="shop-a")
    claim(units, 41, "p8", form="observe")
    claim(units, 42, "p8", campaign="another@1")
    claim(units, 43, "p8", campaign="nonsense")
    claim(units, 44, "p8", role=Role.CAP_OUTER)
    claim(units, 45, "")
    claim(units, 1_200, "p8")  # a canary's index
    return units


def committed(bench: Bench, admin: Api, job: RelayTools) -> Any:
    admin.ok("POST", PATH, PLAN)
    bench.clock.now_ms = AFTER
    run(job)
    return admin.ok("POST", f"{PATH}/commit", COMMIT | FAR)


def published(admin: Api) -> PublishedClosing:
    return msgspec.convert(admin.ok("GET", f"{PATH}/draw"), PublishedClosing)


def holders(admin: Api) -> list[tuple[str, str, str]]:
    return [(one["prize_id"], one["code_key"], one["state"]) for one in admin.ok("GET", f"{PATH}/winners")]


def test_from_plan_to_publication_whatever_is_killed(
    bench: Bench, admin: Api, job: RelayTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("domain.prizes.entering", "services.enter_claims", "services.grant_closing"):
        monkeypatch.setattr(f"uncap.{module}.CHUNK", 8)
    monkeypatch.setattr("uncap.services.reveal_closing.PIECE", 700)
    monkeypatch.setattr("uncap.services.reveal_closing.CHUNK", 8)
    opened(admin)
    assert admin.refused("GET", PATH) == (404, "closing_unknown")
    planned = admin.ok("POST", PATH, PLAN)
    assert admin.ok("POST", PATH, PLAN) == planned
    assert admin.refused("POST", PATH, PLAN | {"beacon_source": "local"}) == (409, "closing_planned")
    run(job)
    assert admin.refused("POST", f"{PATH}/commit", COMMIT | FAR) == (409, "entries_not_complete")
    bench.clock.now_ms = AFTER
    run_with_kills(job)
    view = admin.ok("GET", PATH)
    assert (view["entries"], view["complete"], view["given"]) == (30, True, False)
    assert admin.refused("POST", f"{PATH}/commit", COMMIT | PAST) == (400, "beacon_in_the_past")
    draw = admin.ok("POST", f"{PATH}/commit", COMMIT | FAR)
    assert (draw["state"], draw["fixed"]["entry_count"], "seed" in draw) == ("committed", 30, False)
    assert admin.refused("POST", f"{PATH}/commit", COMMIT | FAR) == (409, "closing_committed")
    assert admin.refused("POST", f"{PATH}/reveal", BEACON) == (403, "second_person_needed")
    assert run(job).rewards == 0  # nobody wins before the beacon
    revealed = admin.second().ok("POST", f"{PATH}/reveal", BEACON)
    assert admin.second().ok("POST", f"{PATH}/reveal", BEACON) == revealed
    assert admin.refused("POST", f"{PATH}/reveal", {"beacon_value": "6e" * 32}) == (409, "beacon_differs")
    assert admin.refused("POST", f"{PATH}/publish") == (409, "winners_not_granted")
    run_with_kills(job)
    assert admin.refused("GET", f"{PATH}/draw") == (409, "closing_not_published")
    result = admin.ok("POST", f"{PATH}/publish")
    assert admin.ok("POST", f"{PATH}/publish") == result
    found = published(admin)
    report = verify_closing(found)
    assert report.passed
    assert (found.result, found.commitment) == (result["result"], draw["commitment"])
    before = holders(admin)
    assert Counter(prize for prize, _, _ in before) == {"big": 1, "small": 2}
    people = [PEOPLE[int(key.split(".")[1])] for _, key, _ in before]
    assert len(set(people)) == 3
    assert run(job).rewards == 3
    assert holders(admin) == before
    visited(bench, found)
    fetched(admin, found, monkeypatch)
    owed(bench, job, 888 + 2 * 88)


def visited(bench: Bench, found: PublishedClosing) -> None:
    """What a stranger downloads from the campaign's public page."""
    bench.clock.now_ms += 10_000
    desk = CampaignDesk(bench.desk.catalog, lambda _: RulePart(), UTC, bench.clock)
    assert msgspec.json.decode(published_draw(desk, "open-and-win"), type=PublishedClosing) == found
    with pytest.raises(NotFoundError, match="closing_not_published"):
        published_draw(desk, "another")
    told = tell_campaign(desk, "open-and-win").closing
    assert told is not None
    assert (told.state, told.entries, told.result) == ("published", 30, found.result)


def fetched(admin: Api, found: PublishedClosing, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program puts together: in one document, and page by page where the list is long."""

    class Desk:
        def call(self, method: str, path: str, **query: object) -> Any:
            asked = "&".join(f"{name}={value}" for name, value in query.items())
            return admin.ok(method, f"{path}?{asked}" if asked else path)

    assert whole_closing(Desk(), "open-and-win") == (found, b"")  # type: ignore[arg-type]
    monkeypatch.setattr("uncap.services.reveal_closing.INLINE", 20)
    monkeypatch.setattr("cli.draw_fetch.PAGE", 7)
    apart, entries = whole_closing(Desk(), "open-and-win")  # type: ignore[arg-type]
    assert (apart.entries, apart.entries_file, entries.hex()) == ("", "open-and-win.entries", found.entries)


def owed(bench: Bench, job: RelayTools, amount: int) -> None:
    """Exactly the prizes are owed, within what was reserved for them, and the books balance."""
    accounts = trial_balance(job.granter.ledger).accounts
    assert not any(ledger.totals_by_currency(accounts).values())
    assert accounts["budget:open-and-win@closing:CNY"] == amount - (888 + 2 * 88)
    items = bench.client.scan(TableName="ledger")["Items"]
    rewards = [one for one in items if one["pk"]["S"].startswith("reward#")]
    holding = sum(int(one["n"]["N"]) for one in items if one["pk"]["S"].startswith("hold#"))
    live = [one for one in rewards if '"s":"RELEASED"' not in one["doc"]["S"]]
    assert holding == len(live)


def refused(job: RelayTools, reward_id: str) -> Reward:
    """A prize that people take back: its winner may not have it."""
    store = job.granter.ledger
    reward = store.get(reward_id)
    assert reward is not None
    held = reward if reward.state is State.HELD else states.hold(reward, "risk", AFTER)
    if held is not reward:
        store.replace(reward, held)
    released = states.refuse(held, "not_eligible")
    store.replace(held, released)
    return released


def test_what_a_winner_may_not_have_goes_to_the_next_in_order(bench: Bench, admin: Api, job: RelayTools) -> None:
    opened(admin)
    committed(bench, admin, job)
    admin.second().ok("POST", f"{PATH}/reveal", BEACON)
    run(job)
    first = admin.ok("POST", f"{PATH}/publish")
    winners = admin.ok("GET", f"{PATH}/winners")
    refused(job, winners[0]["reward_id"])
    run(job)
    second = admin.ok("POST", f"{PATH}/publish")
    assert second["result"] != first["result"]
    document = published(admin)
    assert verify_closing(document).passed
    assert document.replaced == (Replaced(0, 0, "not_eligible"),)
    now = admin.ok("GET", f"{PATH}/winners")
    assert now[0]["place"] == document.runners_up[0]
    assert [one["place"] for one in now[1:]] == [one["place"] for one in winners[1:]]
    owed(bench, job, 888 + 2 * 88)
    for _ in range(3):  # all who follow are refused too: what is left of the budget is breakage
        for one in admin.ok("GET", f"{PATH}/winners"):
            if one["reward_id"]:
                refused(job, one["reward_id"])
        run(job)
    outcome = ClosingEntries().outcome("open-and-win")
    assert outcome is not None
    assert outcome.settled
    assert [one["place"] for one in admin.ok("GET", f"{PATH}/winners")] == [-1, -1, -1]
    accounts = trial_balance(job.granter.ledger).accounts
    assert accounts["budget:open-and-win@closing:CNY"] == 0
    assert accounts["breakage:open-and-win:CNY"] == -(888 + 2 * 88)
    admin.ok("POST", f"{PATH}/publish")
    assert verify_closing(published(admin)).passed
    assert run(job).rewards == 0


def test_who_is_blocked_wins_nothing_and_the_next_does(bench: Bench, admin: Api, job: RelayTools) -> None:
    opened(admin)
    committed(bench, admin, job)
    store = ClosingEntries()
    entering = store.entering("open-and-win")
    assert entering is not None
    with pytest.raises(ConflictError, match="closing_moved"):  # of two runs at once, one goes on
        store.save_entering("open-and-win", entering, {0: b""})
    assert len(store.rows("open-and-win", 0)) == 30 * 24
    for person in sorted(set(PEOPLE) - {"p3", "p5"}):
        admin.ok("POST", f"/blocks/{person}", {"blocked": True, "reason": "a bot"})
        admin.second().ok("POST", f"/blocks/{person}/approve")
    admin.second().ok("POST", f"{PATH}/reveal", BEACON)
    run(job)
    won = [PEOPLE[int(key.split(".")[1])] for _, key, _ in holders(admin) if key]
    assert set(won) <= {"p3", "p5"}
    admin.ok("POST", f"{PATH}/publish")
    assert {one.reason for one in published(admin).replaced} == {"blocked"}


def test_a_campaign_without_one_has_none(admin: Api) -> None:
    brand.batch(admin)
    brand.campaign(admin)
    assert admin.refused("POST", PATH, PLAN) == (409, "closing_not_offered")
    assert admin.refused("POST", f"{PATH}/request", {"reason": "again"}) == (404, "closing_unknown")


@pytest.mark.parametrize(
    "wrong",
    [
        {"prizes": [{"prize_id": "dream", "count": 1}]},
        {"prizes": [{"prize_id": "big", "count": 1}, {"prize_id": "big", "count": 1}]},
        {"no": 1},
    ],
)
def test_terms_that_contradict_the_campaign_are_refused(admin: Api, wrong: dict[str, object]) -> None:
    brand.product(admin)
    effects = [{"no": 1, "beneficiary": "consumer", "kind": "fixed", "prize_id": "small"}]
    body = brand.campaign_body(pool=[], effects=effects, closing=CLOSING | wrong)
    answer = admin.call("POST", "/campaigns", body)
    assert (answer.status, answer.code, answer.body["where"]) == (400, "campaign_invalid", "closing")
