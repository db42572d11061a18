"""What people decide: held rewards (two of them), diversion cases, and the trail all of it leaves."""

import json
from collections.abc import Sequence

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.audited_writes import AuditedWrites, DocWrite
from uncap.adapters.models import InsightItem
from uncap.domain.audit import AuditDraft, AuditEntry
from uncap.domain.diversion.cases import DiversionCase, EvidenceSummary
from uncap.domain.rewards.reward import Reward, State

REWARD_ID = "0123456789ABCDEFGHJKMNPQRS"
CASE_ID = "0123456789ABCDEF"


def put_reward(bench: Bench, state: State = State.HELD, reward_id: str = REWARD_ID, campaign: str = "c@1") -> None:
    bench.desk.ledger.create(
        Reward(
            reward_id=reward_id,
            ref="1.5.1",
            campaign=campaign,
            release_id="r1-1",
            effect_no=1,
            beneficiary="consumer",
            state=state,
            claimed_at_ms=NOW_MS,
            claimable_until_ms=NOW_MS + brand.DAY_MS,
            party="p_ABCDEFGHJKMNPQRSTVWXYZ0123",
            payee="v1.sealed",
            kind="cash",
            amount_minor=88,
            currency="CNY",
            reason="epoch_compromised" if state is State.HELD else "",
            due_at_ms=NOW_MS if state is State.PENDING else 0,
        )
    )


def put_case() -> None:
    evidence = EvidenceSummary(3, (1, 2), 9, {"870000000ffffff": 9}, {"2026-11-22": 9}, NOW_MS, NOW_MS)
    case = DiversionCase(CASE_ID, "s1", "party:dist-b", brand.UNIT, 1, "dist-a", "510100", NOW_MS, evidence)
    InsightItem("cases", CASE_ID, doc=msgspec.json.encode(case).decode(), v=1).save()


def test_rewards_are_shown_without_the_person(bench: Bench, admin: Api) -> None:
    put_reward(bench)
    shown = admin.ok("GET", f"/rewards/{REWARD_ID}")
    assert (shown["state"], shown["who"], shown["amount_minor"]) == ("HELD", "p_ABCD…", 88)
    assert "sealed" not in json.dumps(shown)


def test_rewards_by_state_and_campaign_in_pages(bench: Bench, admin: Api) -> None:
    for number in range(9):
        state = State.HELD if number % 3 else State.PENDING
        put_reward(bench, state, f"{number:026d}", f"c{number % 2}@1")
    put_reward(bench, State.PAID, f"{10:026d}", "c1@1")  # over: it is in no list
    for query, expected in (("", 9), ("state=HELD", 6), ("campaign_id=c1", 4), ("state=HELD&campaign_id=c0", 3)):
        found, cursor = [], ""
        for _ in range(20):
            page = admin.ok("GET", f"/rewards?count=2&cursor={cursor}&{query}")
            found += [one["reward_id"] for one in page["items"]]
            cursor = page["next"]
            if not cursor:
                break
        assert len(found) == len(set(found)) == expected, query
    for wrong in ("state=LOST", "state=PAID", "code=1", "code=1.2.9"):
        assert admin.refused("GET", f"/rewards?{wrong}") == (400, "query_invalid")
    assert admin.refused("GET", "/rewards?code=9.9.1") == (404, "claim_unknown")


def test_two_people_release_a_held_reward(bench: Bench, admin: Api, second: Api) -> None:
    put_reward(bench)
    path = f"/rewards/{REWARD_ID}/release"
    assert second.refused("POST", f"{path}/approve") == (409, "proposal_missing")
    proposal = admin.ok("POST", path, {"reason": "buyer showed the cap"})
    assert (proposal["requested_by"], proposal["target"]) == ("anna", REWARD_ID)
    assert admin.refused("POST", path, {"reason": "once more"}) == (409, "proposal_open")
    assert admin.refused("POST", f"{path}/approve") == (403, "second_person_needed")
    assert bench.queue.sent == []
    assert second.ok("POST", f"{path}/approve")["state"] == "PENDING"
    assert bench.queue.sent == [REWARD_ID]
    assert second.refused("POST", f"{path}/approve") == (409, "proposal_missing")
    assert admin.refused("POST", path, {"reason": "again"}) == (409, "reward_not_held")


def test_a_request_grows_stale(bench: Bench, admin: Api) -> None:
    put_reward(bench)
    admin.ok("POST", f"/rewards/{REWARD_ID}/release", {"reason": "buyer showed the cap"})
    bench.clock.now_ms += 8 * brand.DAY_MS
    later = bench.sign_in("bert", "finance")
    assert later.refused("POST", f"/rewards/{REWARD_ID}/release/approve") == (409, "proposal_expired")
    later.ok("POST", f"/rewards/{REWARD_ID}/release", {"reason": "buyer called again"})


def test_a_held_reward_is_refused_for_good(bench: Bench, admin: Api) -> None:
    put_reward(bench)
    path = f"/rewards/{REWARD_ID}/refuse"
    refused = admin.ok("POST", path, {"code": "proved_fraud", "reason": "ring of forged caps"})
    assert (refused["state"], refused["reason"]) == ("RELEASED", "proved_fraud")
    again = admin.refused("POST", path, {"code": "proved_fraud", "reason": "ring of forged caps"})
    assert again == (409, "transition_illegal")


def test_a_case_moves_step_by_step(admin: Api) -> None:
    put_case()
    path = f"/diversion/cases/{CASE_ID}"
    assert [one["case_id"] for one in admin.ok("GET", "/diversion/cases")["items"]] == [CASE_ID]
    assert admin.ok("GET", "/diversion/cases?state=confirmed")["items"] == []
    skip = {"state": "confirmed", "note": "obvious", "version": 1}
    assert admin.refused("POST", path, skip) == (409, "case_transition_refused")
    admin.ok("POST", path, {"state": "investigating", "note": "asked the distributor", "version": 1})
    stale = {"state": "dismissed", "note": "was a wedding", "version": 1}
    assert admin.refused("POST", path, stale) == (409, "case_moved")
    closed = admin.ok("POST", path, {**stale, "version": 2})
    assert [note["operator"] for note in closed["notes"]] == ["anna", "anna"]


def test_overview_sums_by_outcome(admin: Api) -> None:
    for region, outcome, n in (("510100", "first", 5), ("500100", "first", 2), ("510100", "repeat", 3)):
        InsightItem("day#2026-11-22", f"{brand.UNIT}#{region}#{outcome}", n=n).save()
    days = "first_day=2026-11-20&last_day=2026-11-22"
    whole = admin.ok("GET", f"/overview?{days}")
    assert whole["outcomes"] == {"first": 7, "repeat": 3}
    assert len(admin.ok("GET", f"/overview?{days}&region=510100&outcome=first")["rows"]) == 1
    assert admin.refused("GET", f"/parties/dist-a/counts?{days}") == (404, "party_unknown")
    brand.parties(admin)
    InsightItem("party#dist-a", "day#2026-11-21#first", n=4).save()
    assert admin.ok("GET", f"/parties/dist-a/counts?{days}")[0]["n"] == 4


def test_the_trail_is_whole_and_shows_tampering(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    bench.clock.now_ms += 3_600_000
    brand.product(admin)
    page = admin.ok("GET", "/audit?day=2026-11-22&count=4")
    assert [entry["seq"] for entry in page["entries"]] == [1, 2, 3, 4]
    rest = admin.ok("GET", f"/audit?day=2026-11-22&count=4&cursor={page['next']}")
    assert [entry["action"] for entry in rest["entries"]] == ["products.create"] * 2
    assert page["check"]["intact"]
    assert rest["check"]["intact"]
    assert rest["entries"][-1]["hash"] == rest["head"]
    forge(bench, page["entries"][1], who="nobody")
    broken = admin.ok("GET", "/audit?day=2026-11-22&count=4")["check"]
    assert (broken["intact"], broken["broken_at"]) == (False, 2)


def test_a_cut_off_end_shows(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    key = {"pk": {"S": "audit#2026-11-22"}, "sk": {"S": f"{4:09d}"}}
    bench.client.delete_item(TableName="parties", Key=key)
    assert not admin.ok("GET", "/audit?day=2026-11-22")["check"]["intact"]
    bench.clock.now_ms += 3 * brand.DAY_MS
    later = bench.sign_in("anna", "admin")
    brand.product(later)
    assert not later.ok("GET", "/audit?day=2026-11-25")["check"]["intact"], "the next busy day names the missing entry"


def test_days_are_chained(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    bench.clock.now_ms += brand.DAY_MS
    later = bench.sign_in("anna", "admin")
    brand.product(later)
    today = later.ok("GET", "/audit?day=2026-11-23")
    yesterday = later.ok("GET", "/audit?day=2026-11-22")
    assert today["entries"][0]["previous"] == yesterday["entries"][-1]["hash"]
    assert today["entries"][0]["seq"] == 1
    assert today["check"]["intact"]
    assert yesterday["check"]["intact"]


@pytest.mark.parametrize("secret", ["password", "cap_inner&reason", "v1.sealed"])
def test_the_trail_holds_no_secrets(bench: Bench, admin: Api, secret: str) -> None:
    units, _ = brand.batch(admin, 50)
    order = brand.export(admin, units)
    serials = admin.call("GET", f"/exports/{order}/codes").body.split("\r\n")
    trail = json.dumps(admin.ok("GET", "/audit?day=2026-11-22")["entries"])
    assert secret not in trail
    assert not any(line[-17:] in trail for line in serials if line)


def forge(bench: Bench, entry: dict[str, object], **changes: object) -> None:
    doc = json.dumps({**entry, **changes})
    key = {"pk": {"S": f"audit#{entry['day']}"}, "sk": {"S": f"{entry['seq']:09d}"}}
    bench.client.put_item(TableName="parties", Item={**key, "doc": {"S": doc}, "v": {"N": "1"}})


def test_a_leak_is_declared_over_any_race_and_never_undone_by_one(
    bench: Bench, admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second operator's change is committed after the first one has read the state."""
    commit = AuditedWrites.commit

    def overtaken(by: str) -> None:
        def first(self: AuditedWrites, writes: Sequence[DocWrite], entry: AuditDraft) -> AuditEntry:
            monkeypatch.setattr(AuditedWrites, "commit", commit)
            admin.ok("POST", "/epochs/1/state", {"state": by, "reason": "came first"})
            return commit(self, writes, entry)

        monkeypatch.setattr(AuditedWrites, "commit", first)

    overtaken("verifying")
    leak = {"state": "compromised", "reason": "key on a lost laptop"}
    assert admin.ok("POST", "/epochs/1/state", leak)["state"] == "compromised"
    assert admin.refused("POST", "/epochs/1/state", {"state": "minting", "reason": "try"})[1] == "epoch_compromised"


def test_another_change_gives_way_to_a_leak(bench: Bench, admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = AuditedWrites.commit

    def late(self: AuditedWrites, writes: Sequence[DocWrite], entry: AuditDraft) -> AuditEntry:
        monkeypatch.setattr(AuditedWrites, "commit", commit)
        admin.ok("POST", "/epochs/1/state", {"state": "compromised", "reason": "key on a lost laptop"})
        return commit(self, writes, entry)

    monkeypatch.setattr(AuditedWrites, "commit", late)
    body = {"state": "verifying", "reason": "rotation"}
    assert admin.refused("POST", "/epochs/1/state", body) == (409, "changed_meanwhile")
    assert admin.ok("GET", "/epochs/1")["state"] == "compromised"
