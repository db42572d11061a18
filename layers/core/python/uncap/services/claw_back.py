"""Returned goods take back what they had earned for the channel, in proportion, exact to the fen.

Called by `services/books_desk.py` for a return that was received. A return is counted once, whatever is repeated; an
account that would fall below its limit waits for two people (ADR 0024).
"""

from typing import Protocol

import msgspec

from uncap.adapters.account_books import Move
from uncap.domain.books.accounts import Account, Holder, after_entry, clawed, share_of
from uncap.domain.books.notes import Clawed
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.domain.ledger import JournalEntry
from uncap.domain.rewards.accruing import ACCRUAL
from uncap.domain.rewards.reward import Reward, State

LIMIT_MINOR = 100_000
"""How much a holder may owe the brand before people must agree: ¥1,000."""
_RACES = 8


class Books(Protocol):
    """See adapters/account_books.py."""

    def account(self, holder: Holder) -> Account | None: ...

    def clawed(self, reward_id: str) -> Clawed | None: ...

    def balance(self, account: Account, now_ms: int) -> int: ...

    def write(self, move: Move) -> None: ...


class Return(msgspec.Struct, frozen=True):
    """`units` of the `total` that the reward was given for came back with the return `return_id`. `by`: who says so."""

    return_id: str
    units: int
    total: int
    by: tuple[str, ...] = ()


def claw_back(reward: Reward, given: Return, books: Books, now_ms: int, *, agreed: bool = False) -> Clawed:
    """What of the reward is taken back after this return. `agreed`: two people want it whatever the account says.

    InputError (`units_invalid`), ConflictError (`reward_not_accrued`, `units_differ`, `clawback_below_limit`).
    """
    if reward.kind != ACCRUAL or reward.state is not State.PAID:
        raise ConflictError("reward_not_accrued", "only what was credited to an account is taken back from it")
    for _ in range(_RACES):
        account = books.account(Holder(reward.party, reward.currency))
        if account is None:
            raise ConflictError("reward_not_accrued", "the holder has no account", where="reward_id")
        before = books.clawed(reward.reward_id) or Clawed(reward.reward_id, given.total)
        if given.return_id in before.returns:
            return before
        move = _move(reward, given, account, before, now_ms)
        taken = account.carried_minor - move.new.carried_minor
        if not agreed and taken and books.balance(account, now_ms) - taken < -LIMIT_MINOR:
            raise ConflictError("clawback_below_limit", f"{taken} more takes the account below its limit")
        try:
            books.write(move)
        except ConflictError as cause:
            if cause.code != "account_moved":
                raise
            continue
        return move.clawed or before
    raise TransientError("account_contended", "the account keeps moving")


def _move(reward: Reward, given: Return, account: Account, before: Clawed, now_ms: int) -> Move:
    if given.total != before.total:
        raise ConflictError("units_differ", f"an earlier return said {before.total} units", where="total")
    returned = before.returned + given.units
    if given.units < 1 or returned > given.total:
        raise InputError("units_invalid", f"{before.returned} of {given.total} came back before", where="units")
    owed = share_of(reward.net_minor, returned, given.total)
    after = msgspec.structs.replace(
        before,
        returned=returned,
        clawed_minor=owed,
        returns=(*before.returns, given.return_id),
        rev=before.rev + 1,
    )
    amount = owed - before.clawed_minor
    if not amount:  # less than a fen so far: counted, and taken with a later return
        return Move(account, msgspec.structs.replace(account, rev=account.rev + 1), clawed=after)
    name = f"clawback-{reward.reward_id}-{given.return_id}"
    postings = clawed(account.holder, reward.campaign_id, amount)
    entry = JournalEntry(name, "clawback", now_ms, postings, corrects=reward.reward_id, by=given.by)
    return Move(account, after_entry(account, postings, now_ms), entry, clawed=after)
