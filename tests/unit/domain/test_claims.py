"""What may be claimed: one reason at a time, recalls before everything, and never a claim where anything forbids it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import Campaign, CodeBatch, IndexRange, Release, Role
from uncap.domain.claims import CLAIM, decide_claim

NOW = 1_800_000_000_000
BATCH = CodeBatch(7, "09520123456788", 100, 1, (Role.CAP_OUTER, Role.CAP_INNER), state="commissioned")
RELEASE = Release(
    "r7-1", 7, "c", 1, 0, 50, 50, "h", (), "s", "beacon", "1", NOW + 10, beacon_value="b", state="activated"
)
CAMPAIGN = Campaign(
    "c", 1, 0, {"en": "c"}, {"en": "r"}, NOW - 10, NOW + 20, NOW + 30, ("09520123456788",), (), (), effects=()
)


def reason(
    batch: CodeBatch = BATCH,
    release: Release | None = RELEASE,
    campaign: Campaign | None = CAMPAIGN,
    *,
    index: int = 3,
    role: Role = Role.CAP_INNER,
    now: int = NOW,
) -> str:
    decision = decide_claim(batch, release, campaign, index, role, now)
    assert (decision.form == "claim") == (decision.reason == "")
    return decision.reason


def changed(value: CodeBatch | Release | Campaign, **fields: object) -> dict[str, object]:
    name = {CodeBatch: "batch", Release: "release", Campaign: "campaign"}[type(value)]
    return {name: msgspec.structs.replace(value, **fields)}


def test_nothing_forbids() -> None:
    assert decide_claim(BATCH, RELEASE, CAMPAIGN, 3, Role.CAP_INNER, NOW) == CLAIM


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": Role.CAP_OUTER}, "outer_code"),
        (changed(BATCH, rejected=(IndexRange(3, 4),)), "line_rejected"),
        (changed(BATCH, decommissioned=(IndexRange(0, 10),)), "decommissioned"),
        (changed(RELEASE, excluded=(IndexRange(3, 4),)), "line_rejected"),
        (changed(BATCH, state="created"), "not_activated"),
        (changed(BATCH, hold="frozen"), "frozen"),
        (changed(BATCH, hold="recalled"), "recalled"),
        ({"release": None}, "not_activated"),
        (changed(RELEASE, state="committed"), "not_activated"),
        ({"index": 50}, "not_activated"),
        ({"campaign": None}, "no_campaign"),
        (changed(CAMPAIGN, paused=True), "campaign_paused"),
        ({"now": NOW - 11}, "campaign_not_started"),
        ({"now": NOW + 10}, "campaign_ended"),
    ],
)
def test_each_reason(change: dict[str, object], expected: str) -> None:
    assert reason(**change) == expected  # type: ignore[arg-type]  # one keyword argument each


@given(
    role=st.sampled_from(Role),
    index=st.integers(0, 99),
    state=st.sampled_from(["created", "commissioned"]),
    rejected=st.booleans(),
    release=st.sampled_from([None, RELEASE]),
)
def test_a_recall_is_told_to_everyone(
    role: Role, index: int, state: str, rejected: bool, release: Release | None
) -> None:
    ranges = (IndexRange(0, 100),) if rejected else ()
    batch = msgspec.structs.replace(BATCH, hold="recalled", state=state, rejected=ranges)
    assert reason(batch, release, index=index, role=role) == "recalled"


@given(index=st.integers(0, 99), role=st.sampled_from(Role), now=st.integers(NOW - 100, NOW + 100))
def test_claims_are_only_for_inner_codes_of_the_release_in_time(index: int, role: Role, now: int) -> None:
    allowed = role.is_inner and index < 50 and NOW - 10 <= now < NOW + 10
    assert (reason(index=index, role=role, now=now) == "") == allowed
