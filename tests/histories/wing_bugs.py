"""Mutants of rights, books, merchant accounts and the risk gate; as `bugs.py`."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec

from tests.histories.accrued import FakeBooks
from tests.histories.bugs import Patch, Table
from tests.histories.stores import FakeLedger
from tests.kits.payout_world import MemoryPace
from uncap.adapters.rails.all_accounts import AllAccounts
from uncap.domain import replenishment
from uncap.domain.books.accounts import Account, after_close
from uncap.domain.books.notes import Clawed, Numbers
from uncap.domain.rail_schedule import Pace
from uncap.domain.rails import CallbackNotice, Rail
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import AWAITING_ASSOCIATION
from uncap.services import books_desk, claw_back, judge_risk, redeem_right, replenish, risk_windows, settle_accounts
from uncap.services.claw_back import Books, Return
from uncap.services.schedule_payouts import Scheduler
from uncap.services.settle_payout import Payouts


class BlindRedemption(FakeLedger):
    """A right is redeemed whatever has become of it."""

    def allows(self, stored: Reward, old: Reward, new: Reward) -> bool:
        return new.redeemed is not None or super().allows(stored, old, new)


def redeemed_blindly(_: Patch) -> Table:
    return BlindRedemption


def redeemed_anywhere(patch: Patch) -> Table:
    """Outlets of another region redeem too, and those that do not take part."""
    patch.setattr(redeem_right, "check_outlet", lambda *_: None)
    return FakeLedger


def step_per_request(patch: Patch) -> Table:
    """A step sent again is another step."""
    numbers, honest = itertools.count(1), replenishment.step_id

    def step_id(kind: str, claimant: str, upstream: str, gtin: str, key: str) -> str:
        return honest(kind, claimant, upstream, gtin, f"{key}.{next(numbers)}")

    patch.setattr(replenish, "step_id", step_id)
    return FakeLedger


def claim_ends_half_way(patch: Patch) -> Table:
    """Whoever replaces the goods is taken for the brand, and claims nothing further up."""
    patch.setattr(replenish, "is_brand", lambda *_: True)
    return FakeLedger


def return_per_request(patch: Patch) -> Table:
    """Goods that are reported again came back again."""
    numbers, honest = itertools.count(1), claw_back.claw_back

    def claw(reward: Reward, given: Return, books: Books, now_ms: int, *, agreed: bool = False) -> Clawed:
        renamed = msgspec.structs.replace(given, return_id=f"{given.return_id}.{next(numbers)}")
        return honest(reward, renamed, books, now_ms, agreed=agreed)

    patch.setattr(books_desk, "claw_back", claw)
    return FakeLedger


def clawback_rounded_up(patch: Patch) -> Table:
    patch.setattr(claw_back, "share_of", lambda amount, returned, total: -(-amount * returned // total))
    return FakeLedger


def account_written_blindly(patch: Patch) -> Table:
    """An account is written over whatever it has become since it was read."""
    patch.setattr(FakeBooks, "is_current", lambda *_: True)
    return FakeLedger


def number_taken_before_the_note(patch: Patch) -> Table:
    """Credit notes are numbered by a counter of its own: what ends half way leaves a gap."""
    taken: dict[tuple[FakeBooks, str], int] = defaultdict(int)

    def numbers(self: FakeBooks, issuer: str, month: str) -> Numbers:
        taken[self, month] += 1
        return Numbers(issuer, month, taken[self, month] - 1)

    patch.setattr(FakeBooks, "numbers", numbers)
    patch.setattr(FakeBooks, "numbered", lambda *_: True)
    return FakeLedger


def debt_forgiven_at_months_end(patch: Patch) -> Table:
    """What a holder owes is not carried into the next month."""
    honest = after_close

    def close(old: Account, month: str, accrued_minor: int) -> Account:
        shut = honest(old, month, accrued_minor)
        return msgspec.structs.replace(shut, carried_minor=max(0, shut.carried_minor))

    patch.setattr(settle_accounts, "after_close", close)
    return FakeLedger


def limit_of_the_first_only(patch: Patch) -> Table:
    """One person may take an account as low as they like."""
    patch.setattr(claw_back, "LIMIT_MINOR", 10**9)
    return FakeLedger


def bill_through_another_account(patch: Patch) -> Table:
    """A bill that found no answer is tried through the next account."""

    def rail_of(self: Payouts, reward: Reward) -> Rail:
        attempt, names = reward.attempt, sorted(self.accounts)
        if attempt is None or not attempt.account or not names:
            return self.rails[reward.kind]
        return self.accounts[attempt.account if attempt.tries < 1 else names[attempt.tries % len(names)]]

    patch.setattr(Payouts, "rail_of", rail_of)
    return FakeLedger


def slots_given_twice(patch: Patch) -> Table:
    """A slot is free that somebody else was just given."""

    def lease(self: MemoryPace, account: str, earliest: int, latest: int, count: int, now_ms: int) -> Pace:
        return Pace(None, 0, self.rests[account]) if self.rests.get(account, 0) > now_ms else Pace(earliest)

    patch.setattr(MemoryPace, "lease", lease)
    return FakeLedger


def days_without_end(patch: Patch) -> Table:
    patch.setattr(Scheduler, "_spend", lambda *_: True)
    return FakeLedger


def nobody_rests(patch: Patch) -> Table:
    """An account that has no money left is asked all the same."""
    patch.setattr(MemoryPace, "rest", lambda *_: None)
    return FakeLedger


def notice_of_any_merchant(patch: Patch) -> Table:
    honest = AllAccounts.verify_callback

    def verify(self: AllAccounts, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        return msgspec.structs.replace(honest(self, headers, body), account="")

    patch.setattr(AllAccounts, "verify_callback", verify)
    return FakeLedger


def shipment_ends_the_review(patch: Patch) -> Table:
    """What waits for its shipment is not held, and paid once that comes."""
    honest = judge_risk._held
    patch.setattr(judge_risk, "_held", lambda one, why: honest(one, why) if one.state is State.PENDING else one)
    return FakeLedger


def association_ends_the_review(patch: Patch) -> Table:
    """What waits for its party is paid once that is known."""
    honest = judge_risk._held
    patch.setattr(judge_risk, "_held", lambda one, why: one if one.reason == AWAITING_ASSOCIATION else honest(one, why))
    return FakeLedger


def containers_keep_to_themselves(patch: Patch) -> Table:
    patch.setattr(risk_windows, "is_telling", lambda *_: False)
    return FakeLedger


WINGS: dict[str, tuple[Callable[[Patch], Table], ...]] = {
    "rights": (redeemed_blindly, redeemed_anywhere, step_per_request, claim_ends_half_way),
    "books": (
        return_per_request,
        clawback_rounded_up,
        account_written_blindly,
        number_taken_before_the_note,
        debt_forgiven_at_months_end,
        limit_of_the_first_only,
    ),
    "accounts": (
        bill_through_another_account,
        slots_given_twice,
        days_without_end,
        nobody_rests,
        notice_of_any_merchant,
    ),
    "gated": (shipment_ends_the_review, association_ends_the_review, containers_keep_to_themselves),
}
"""By the kind of history that has what they break."""
