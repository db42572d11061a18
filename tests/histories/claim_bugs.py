"""Mutants of claiming, deciding and granting; as `bugs.py`."""

import itertools
from collections.abc import Callable, Iterable, Mapping

import msgspec
import pytest

from tests.histories.bugs import Patch, Table
from tests.histories.decisions import FakeDecisions
from tests.histories.scans import FakeScans
from tests.histories.stores import FakeLedger
from uncap.domain.approvals import Proposal
from uncap.domain.campaigns.counting import Tally
from uncap.domain.campaigns.facts import Decision
from uncap.domain.rewards import ids
from uncap.domain.scans import CodeRef, Mark, ScanChange, ScanImage
from uncap.services import claim_code, grant_rewards, reconcile_scans, release_reward
from uncap.services.claim_limits import ClaimSlots


def decided_anew(patch: Patch) -> Table:
    """Every delivery of a claim decides it again, from the facts as they are by then."""

    def write(self: FakeDecisions, decision: Decision, tallies: Mapping[str, Tally], _expected: int) -> Decision:
        self.items[decision.ref, decision.campaign_id] = decision
        self.counts |= tallies
        return decision

    patch.setattr(FakeDecisions, "_write", write)
    patch.setattr(FakeDecisions, "read", lambda *_: None)
    return FakeLedger


def blind_counts(patch: Patch) -> Table:
    """A count is moved whatever it has become since it was read."""
    honest = FakeDecisions._write

    def write(self: FakeDecisions, decision: Decision, tallies: Mapping[str, Tally], expected: int) -> Decision:
        for name, tally in tallies.items():
            self.counts[name] = msgspec.structs.replace(self.counts.get(name, Tally()), rev=tally.rev - 1)
        return honest(self, decision, tallies, expected)

    patch.setattr(FakeDecisions, "_write", write)
    return FakeLedger


def grants_the_last_scan(patch: Patch) -> Table:
    """Every scan of a claimed code is taken for its claim."""
    honest = grant_rewards.plan
    patch.setattr(ScanChange, "is_first_claim", property(lambda self: self.new.last.form == "claim"))
    patch.setattr(
        grant_rewards, "plan", lambda image, granter: honest(msgspec.structs.replace(image, first=image.last), granter)
    )
    return FakeLedger


def id_without_effect(patch: Patch) -> Table:
    honest = ids.reward_id
    patch.setattr(ids, "reward_id", lambda ref, campaign, _no, beneficiary: honest(ref, campaign, 1, beneficiary))
    return FakeLedger


def reconciled_under_another_id(patch: Patch) -> Table:
    """The reconcile job makes what is missing with ids of its own."""
    honest = ids.reward_id

    def grant(claims: Iterable[ScanImage], granter: grant_rewards.Granter) -> grant_rewards.Granted:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(ids, "reward_id", lambda ref, campaign, no, who: honest(ref, f"{campaign}@2", no, who))
            return grant_rewards.grant_claims(claims, granter)

    patch.setattr(reconcile_scans, "grant_claims", grant)
    return FakeLedger


def slot_not_returned(patch: Patch) -> Table:
    patch.setattr(ClaimSlots, "settle", lambda _self, _first: None)
    return FakeLedger


def retry_is_another_claim(patch: Patch) -> Table:
    numbers, honest = itertools.count(1), claim_code.bound_claim_id
    patch.setattr(
        claim_code, "bound_claim_id", lambda person, ref, claim_id: honest(person, ref, f"{claim_id}{next(numbers)}")
    )
    return FakeLedger


def last_scan_takes_the_code(patch: Patch) -> Table:
    """The table's update sets `first` whoever was first."""
    honest = FakeScans._record

    def record(self: FakeScans, ref: CodeRef, mark: Mark, *, claims: bool) -> ScanImage:
        stored = self.images.get(ref.key())
        if claims and stored is not None:
            self.images[ref.key()] = msgspec.structs.replace(stored, first=None)
        return honest(self, ref, mark, claims=claims)

    patch.setattr(FakeScans, "_record", record)
    return FakeLedger


def released_by_one_person(patch: Patch) -> Table:
    def approve(stored: Proposal, login: str, now_ms: int) -> Proposal:
        return msgspec.structs.replace(
            stored, state="approved", decided_by=login, decided_at_ms=now_ms, version=stored.version + 1
        )

    patch.setattr(release_reward, "approve", approve)
    return FakeLedger


CLAIMS: tuple[Callable[[Patch], Table], ...] = (
    decided_anew,
    blind_counts,
    grants_the_last_scan,
    id_without_effect,
    reconciled_under_another_id,
    slot_not_returned,
    retry_is_another_claim,
    last_scan_takes_the_code,
    released_by_one_person,
)
