"""The books as operators keep them: a month settled, goods' earnings taken back, an entry corrected. Two people each.

Called by `routes/console/books.py`. The approval is in the audit trail before money moves; one whose act was lost is
asked for again, and the act itself counts once (ADR 0024).
"""

import hashlib
from typing import Annotated

import msgspec

from uncap.adapters.account_books import Move
from uncap.domain.approvals import Proposal, approve
from uncap.domain.books.accounts import Account, Holder, after_entry
from uncap.domain.books.notes import Clawed, CreditNote, notes_csv
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.ledger import JournalEntry, Posting, account, balanced
from uncap.domain.rewards.reward import Reward
from uncap.services.claw_back import Return, claw_back
from uncap.services.desk import Actor, Desk, Id, Reason, draft
from uncap.services.keep_proposals import proposal_write, propose, stored_proposal
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor
from uncap.services.settle_accounts import ISSUER, Settling, check_settleable, load_settling, save_settling

SETTLE, CLAW_BACK, CORRECT = "settle-accounts", "claw-back", "correct-entry"
MinorUnits = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Part = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_@-]{1,60}$(?!\n)", max_length=60)]


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it shall be done."""

    reason: Reason


class ReturnForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`units` of the `total` that the reward was given for came back with this return."""

    return_id: Id
    units: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    total: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    reason: Reason

    @property
    def pin(self) -> str:
        return f"{self.return_id}:{self.units}/{self.total}"


class PostingForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side. Positive is a debit, negative a credit."""

    kind: Part
    owner: Part
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)]
    amount_minor: MinorUnits


class CorrectionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that answers another (`corrects`: an entry's or a reward's id), which itself stays as it is."""

    corrects: Part
    postings: Annotated[list[PostingForm], msgspec.Meta(min_length=2, max_length=20)]
    reason: Reason


def request_settlement(desk: Desk, actor: Actor, month: str, why: Why) -> Proposal:
    """Raises InputError (`month_malformed`), ConflictError (`month_not_over`, `proposal_open`)."""
    check_settleable(month, desk.clock_ms())
    return propose(desk, actor, SETTLE, month, why.reason)


def approve_settlement(desk: Desk, actor: Actor, month: str) -> Settling:
    """From now on reconcile_job issues the month's credit notes. ConflictError (`settlement_running`), and as
    `approvals.approve`."""
    check_settleable(month, desk.clock_ms())
    running = load_settling(desk.ledger)
    if running is not None and not running.done and running.month != month:
        raise ConflictError("settlement_running", f"{running.month} is being settled", where="month")
    asked = _agreed(desk, actor, SETTLE, month, "books.settle")
    settling = Settling(month, (asked.requested_by, actor.login))
    save_settling(desk.ledger, settling)
    return settling


def read_settlement(desk: Desk) -> Settling:
    """The settlement that runs, or ran last. Raises NotFoundError (`settlement_unknown`)."""
    found = load_settling(desk.ledger)
    if found is None:
        raise NotFoundError("settlement_unknown", "no month was settled yet")
    return found


def list_accounts(desk: Desk, query: PageQuery) -> Listing[Account]:
    """One page. Raises InputError (`cursor_malformed`)."""
    page = desk.accounts.accounts(query.count, read_cursor(query.cursor, ""))
    return Listing(page.accounts, cursor_of(page.after))


def list_notes(desk: Desk, month: str, query: PageQuery) -> Listing[CreditNote]:
    """The month's credit notes by number. Raises InputError (`cursor_malformed`)."""
    text = read_cursor(query.cursor, "")
    start = int(text) if text.isdigit() else 0
    last = desk.accounts.numbers(ISSUER, month).last
    stop = min(last, start + query.count)
    found = [desk.accounts.note(ISSUER, month, number) for number in range(start + 1, stop + 1)]
    return Listing([one for one in found if one is not None], cursor_of(str(stop)) if stop < last else "")


def notes_table(desk: Desk, month: str, query: PageQuery) -> str:
    """The same page as CSV."""
    return notes_csv(list_notes(desk, month, query).items)


def take_back(desk: Desk, actor: Actor, reward_id: str, form: ReturnForm) -> Clawed:
    """Raises NotFoundError (`reward_unknown`) and what `claw_back` raises; `clawback_below_limit` needs two people."""
    reward = _reward(desk, reward_id)
    desk.audit(actor, "books.claw-back", reward_id, reason=form.reason, after=form.pin)
    given = Return(form.return_id, form.units, form.total, (actor.login,))
    return claw_back(reward, given, desk.accounts, desk.clock_ms())


def request_take_back(desk: Desk, actor: Actor, reward_id: str, form: ReturnForm) -> Proposal:
    """Ask for a clawback that takes the account below its limit."""
    _reward(desk, reward_id)
    return propose(desk, actor, CLAW_BACK, f"{reward_id}:{form.pin}", form.reason)


def approve_take_back(desk: Desk, actor: Actor, reward_id: str, form: ReturnForm) -> Clawed:
    """The same form again, by a second person."""
    reward = _reward(desk, reward_id)
    asked = _agreed(desk, actor, CLAW_BACK, f"{reward_id}:{form.pin}", "books.claw-back")
    given = Return(form.return_id, form.units, form.total, (asked.requested_by, actor.login))
    return claw_back(reward, given, desk.accounts, desk.clock_ms(), agreed=True)


def request_correction(desk: Desk, actor: Actor, correction_id: str, form: CorrectionForm) -> Proposal:
    """Raises InputError (`account_malformed`, `correction_too_wide`), ConflictError (`entry_unbalanced`,
    `entry_exists`), NotFoundError (`entry_unknown`)."""
    _check(desk, correction_id, form)
    return propose(desk, actor, CORRECT, f"{correction_id}:{_digest(form)}", form.reason)


def approve_correction(desk: Desk, actor: Actor, correction_id: str, form: CorrectionForm) -> JournalEntry:
    """The same form by a second person: the entry is written and read back. Nothing is ever changed by it."""
    postings = _check(desk, correction_id, form)
    asked = _agreed(desk, actor, CORRECT, f"{correction_id}:{_digest(form)}", "books.correct")
    entry = JournalEntry(
        f"correction-{correction_id}",
        "correction",
        desk.clock_ms(),
        postings,
        form.reason,
        form.corrects,
        (asked.requested_by, actor.login),
    )
    touched = _account_in(desk, postings)
    if touched is None:
        written = desk.ledger.put_entry(entry)
        if not written:
            raise ConflictError("entry_exists", "a correction has this id", where="correction_id")
    else:
        desk.accounts.write(Move(touched, after_entry(touched, postings, entry.at_ms), entry))
    if not desk.ledger.has_entry(entry.entry_id):
        raise ConflictError("entry_vanished", f"{entry.entry_id} was written and is not there")
    return entry


def _check(desk: Desk, correction_id: str, form: CorrectionForm) -> tuple[Posting, ...]:
    try:
        sides = [(account(one.kind, one.owner, one.currency), one.amount_minor) for one in form.postings]
    except ValueError as cause:
        raise InputError("account_malformed", "there is no such account", where="postings") from cause
    postings = balanced(tuple(Posting(name, amount) for name, amount in sides))
    if desk.ledger.has_entry(f"correction-{correction_id}"):
        raise ConflictError("entry_exists", "a correction has this id", where="correction_id")
    if not desk.ledger.has_entry(form.corrects) and desk.ledger.get(form.corrects) is None:
        raise NotFoundError("entry_unknown", "there is no such entry or reward", where="corrects")
    _account_in(desk, postings)
    return postings


def _account_in(desk: Desk, postings: tuple[Posting, ...]) -> Account | None:
    names = {one.account for one in postings if one.account.startswith("accrual:")}
    if not names:
        return None
    if len(names) > 1:
        raise InputError("correction_too_wide", "a correction touches one holder's account", where="postings")
    _, party, currency = names.pop().split(":")
    found = desk.accounts.account(Holder(party, currency))
    if found is None:
        raise NotFoundError("account_unknown", "nothing was ever kept for this party", where="postings")
    return found


def _digest(form: CorrectionForm) -> str:
    """Pins what was asked: the approval is for these postings and no others."""
    text = msgspec.json.encode([form.corrects, form.postings, form.reason])
    return hashlib.sha256(text).hexdigest()[:16]


def _agreed(desk: Desk, actor: Actor, kind: str, target: str, action: str) -> Proposal:
    proposal = approve(stored_proposal(desk, f"{kind}#{target}"), actor.login, desk.clock_ms())
    entry = draft(actor, action, target, reason=proposal.reason, after=f"asked by {proposal.requested_by}")
    desk.writes.commit([proposal_write(proposal)], entry)
    return proposal


def _reward(desk: Desk, reward_id: str) -> Reward:
    reward = desk.ledger.get(reward_id)
    if reward is None:
        raise NotFoundError("reward_unknown", "the ledger has no such reward", where="reward_id")
    return reward
