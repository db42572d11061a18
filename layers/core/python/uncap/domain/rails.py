"""What a payout rail is: the instruction it gets, the outcomes it may answer, and the protocol every rail keeps.

Pure values, no I/O. Built by the payout services, implemented in `adapters/rails/`, read by worker, callback, sweeper
and reconciliation. They lean on one rule, **one attempt, one key**: no outcome but `FailedFinal` justifies a new key.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from uncap.domain.errors import InputError

EXPIRED = "expired"
"""`FailedFinal.reason` when nobody confirmed in time: the reward returns to CLAIMABLE."""

CANCELLED = "cancelled"
"""`FailedFinal.reason` when our own cancel won: the reward returns to CLAIMABLE or is released."""


class Scene(StrEnum):
    """Why money moves; a rail maps it to its own scene codes."""

    MARKETING = "marketing"
    COMMISSION = "commission"


class PayInstruction(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Everything a rail is told about one attempt; resending it must produce the same bytes of meaning.

    `bill_no` is the idempotency key. `payee` is the rail's own name for the person (an opened openid, an account); it
    and `user_name` are personal data and are left out of `repr`. `campaign_name` says what the payment is for (for a
    commission: the payee's post), `reward_note` why this person gets it.
    """

    bill_no: str
    payee: str
    amount_minor: int
    campaign_name: str
    reward_note: str
    currency: str = "CNY"
    scene: Scene = Scene.MARKETING
    notify_url: str = ""
    user_name: str = ""

    def __repr__(self) -> str:
        return f"PayInstruction(bill_no={self.bill_no!r}, amount_minor={self.amount_minor}, currency={self.currency!r})"


class UserAction(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the person must do before the money moves. `package` opens the rail's own confirmation; keep it private."""

    kind: str
    package: str
    expires_at_ms: int = 0


class _Outcome(msgspec.Struct, frozen=True, tag_field="outcome", kw_only=True, omit_defaults=True):
    """Common base, so that outcomes store and load as one tagged union."""


class Accepted(_Outcome, frozen=True, tag="accepted"):
    """The rail holds the bill and works on it; `state` is its own word. Ask again later."""

    rail_id: str = ""
    state: str = ""


class NeedUser(_Outcome, frozen=True, tag="need_user"):
    """Waiting for the person. `action` is None where the rail does not repeat it: keep the stored one, or resubmit."""

    rail_id: str = ""
    action: UserAction | None = None


class Paid(_Outcome, frozen=True, tag="paid"):
    """The money arrived. `amount_minor` is what the rail says it paid, None where it does not say."""

    rail_id: str
    paid_at_ms: int = 0
    amount_minor: int | None = None


class FailedFinal(_Outcome, frozen=True, tag="failed_final"):
    """The rail's own final no: the only outcome after which a new attempt (a new key) may be made."""

    reason: str
    rail_id: str = ""


class NotAccepted(_Outcome, frozen=True, tag="not_accepted"):
    """This call was refused; what the bill was before, it still is. Same key again after `retry_after_ms`.

    `hold` means that no retry heals it (wrong parameters, missing permission): put it before a human.
    """

    reason: str
    retry_after_ms: int = 0
    hold: bool = False


class NotFound(_Outcome, frozen=True, tag="not_found"):
    """The rail knows no such bill: submit the same one again, unless it is older than the rail's window."""


class Unknown(_Outcome, frozen=True, tag="unknown"):
    """Nobody can tell what happened: keep the key, query. `hold` means a human must look (an unheard-of error code)."""

    reason: str
    hold: bool = False


RailOutcome = Accepted | NeedUser | Paid | FailedFinal | NotAccepted | NotFound | Unknown


class CallbackNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A verified word about one bill. Its `amount_minor` must equal the attempt's before anything is written."""

    event_id: str
    bill_no: str
    amount_minor: int
    outcome: RailOutcome
    account: str = ""  # whose notice it is, where the rail has several accounts


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One movement on the rail's statement. `amount_minor` is positive; `out` is money leaving us, not out a return."""

    bill_no: str
    rail_id: str
    amount_minor: int
    at_ms: int
    out: bool = True


class RailCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a rail can carry. `None` means no such limit.

    `key_pattern` is a regular expression for `bill_no`. Older than `query_window_ms`, a bill is only ever looked up in
    the statement, then shown to a human; `key_lifetime_ms` is how long resending the same key is safe.
    """

    name: str
    currencies: tuple[str, ...] | None
    key_pattern: str
    key_lifetime_ms: int | None = None
    query_window_ms: int | None = None
    rate_per_s: int | None = None
    min_minor: int = 1
    max_minor: int | None = None
    name_from_minor: int | None = None
    needs_user_action: bool = False
    action_lifetime_ms: int | None = None
    has_callbacks: bool = False
    has_statement: bool = False


class Books(Protocol):
    """What can be asked without naming a bill's account: of one account, or of all of a rail together."""

    @property
    def capabilities(self) -> RailCapabilities:
        """What this rail can carry; constant for the life of the object."""
        ...

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        """The notice in a webhook. AuthError: not from the rail, or not fresh. InputError: not about a bill."""
        ...

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        """The movements of one day in the rail's time zone. TransientError while the rail has none ready."""
        ...


class Rail(Books, Protocol):
    """A way to pay. None of the calls raises for what the rail answers or fails to answer: that is an outcome."""

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        """Pay, or repeat the same. InputError (before any I/O) if the rail can never carry this instruction."""
        ...

    def query(self, bill_no: str) -> RailOutcome:
        """What became of the bill."""
        ...

    def cancel(self, bill_no: str) -> RailOutcome:
        """Try to stop it; the answer is the state the rail reports, which may be Paid."""
        ...


def check_instruction(instruction: PayInstruction, limits: RailCapabilities) -> None:
    """Refuse what the rail could never carry. InputError names code and field, and never echoes payee or name."""
    if not re.fullmatch(limits.key_pattern, instruction.bill_no):
        raise InputError("bill_no_malformed", f"{limits.name} takes keys like {limits.key_pattern}", where="bill_no")
    if not instruction.payee:
        raise InputError("payee_missing", "an instruction names a payee", where="payee")
    if limits.currencies is not None and instruction.currency not in limits.currencies:
        raise InputError("currency_unsupported", f"{limits.name} pays {limits.currencies}", where="currency")
    if instruction.amount_minor < limits.min_minor:
        raise InputError("amount_below_minimum", f"{limits.name} pays from {limits.min_minor}", where="amount_minor")
    if limits.max_minor is not None and instruction.amount_minor > limits.max_minor:
        raise InputError("amount_above_maximum", f"{limits.name} pays up to {limits.max_minor}", where="amount_minor")
    named_from = limits.name_from_minor
    if named_from is not None and instruction.amount_minor >= named_from and not instruction.user_name:
        raise InputError("user_name_required", f"{limits.name} wants a name from {named_from}", where="user_name")
