"""The gate within the production granting: a script's rewards wait for people, repeats change nothing."""

import dataclasses

from cli.campaign import loaded
from tests.histories.test_forecast import BATCH_NO, EXAMPLES, PER_CASE, Launched
from uncap.domain.catalog import Role
from uncap.domain.rewards.reward import State
from uncap.domain.rewards.states import waits_for_person
from uncap.domain.risk import RiskRules
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.grant_rewards import grant_claims
from uncap.services.judge_risk import RiskGate


def test_a_scripts_rewards_wait_for_people_and_stay_so() -> None:
    campaign, rules, _ = loaded(EXAMPLES / "campaigns/two-way-red-packet.json")
    launched = Launched(campaign, rules, 1)
    granter = dataclasses.replace(launched.granter, gate=RiskGate(launched.granter.catalog, {"*": RiskRules()}))
    claims = []
    for number in range(12):
        index, at_ms = number * PER_CASE, campaign.starts_at_ms + number * 2_000
        mark = Mark(f"c{number:020d}", at_ms, "claim", "p1", "v1.x", campaign=f"{campaign.campaign_id}@1")
        ref = CodeRef(BATCH_NO, index, Role.CAP_INNER)
        claims.append(ScanImage(ref.key(), mark, 1, mark))
    first = grant_claims(claims, granter)
    held = [one for one in first.rewards if one.reason.startswith("risk_review:")]
    assert held
    assert all(waits_for_person(one) and not one.due_at_ms for one in held)
    assert {one.ref for one in held} <= {claim.pk for claim in claims[5:]}
    assert any(one.state is State.PENDING for one in first.rewards)
    fresh = dataclasses.replace(granter, gate=RiskGate(granter.catalog, {"*": RiskRules()}))
    again = grant_claims(claims[5:], fresh)
    stored = {one.reward_id: one for one in first.rewards}
    assert all(stored[one.reward_id] == one for one in again.rewards), "the first put decided"
