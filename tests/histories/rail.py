"""The rail of the harness: WeChat's habits without its bytes. It keeps its own word, but for rates that say otherwise.

What it does with money is recorded in `successes` and `lines`, the truth that the ledger is measured against.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping

import msgspec

from tests.histories.world import World
from uncap.domain.errors import AuthError, InputError
from uncap.domain.rails import (
    CANCELLED,
    EXPIRED,
    Accepted,
    CallbackNotice,
    FailedFinal,
    NeedUser,
    NotAccepted,
    NotFound,
    Paid,
    PayInstruction,
    RailCapabilities,
    RailOutcome,
    StatementLine,
    Unknown,
    UserAction,
)

_NO_ANSWER: list[RailOutcome] = [Unknown(reason="rail_timeout"), NotAccepted(reason="rate_limited")]
CONFIRM_MS = 24 * 3_600_000
FINAL = ("SUCCESS", "FAIL")
CAPABILITIES = RailCapabilities(
    name="fake_transfer",
    currencies=("CNY",),
    key_pattern=r"[0-9A-Z]{32}",
    key_lifetime_ms=30 * 86_400_000,
    needs_user_action=True,
    has_callbacks=True,
    has_statement=True,
)


class Bill(msgspec.Struct):
    instruction: PayInstruction
    state: str
    at_ms: int
    reason: str = ""


class FakeRail:
    """`domain.rails.Rail`. Faults are drawn per call; requests may arrive long after their caller gave up."""

    def __init__(self, world: World, trouble: float) -> None:
        self.world = world
        self.trouble = trouble
        self.bills: dict[str, Bill] = {}
        self.successes: dict[str, list[str]] = {}
        self.lines: list[StatementLine] = []
        self.callbacks: list[bytes] = []
        self.broke_its_word: set[str] = set()
        """Bills that were paid after they had failed."""
        self.no_new_bills_after_ms = 0  # a recall or pause is stored; 0: none is
        self.let_go: Callable[[str], bool] = lambda _bill_no: False
        """Whether people have decided that the stop does not hold this bill's reward."""
        self.accounts: dict[str, str] = {}
        """Through which merchant account each bill came, where there are several."""
        self.heard: set[str] = set()
        """Bills whose success was told and taken."""
        self._late: list[tuple[int, PayInstruction]] = []

    @property
    def capabilities(self) -> RailCapabilities:
        return CAPABILITIES

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        return self.world.call(lambda: self._submit(instruction), "submit", instruction.bill_no)

    def query(self, bill_no: str) -> RailOutcome:
        return self.world.call(lambda: self._query(bill_no), "query", bill_no)

    def cancel(self, bill_no: str) -> RailOutcome:
        return self.world.call(lambda: self._cancel(bill_no), "cancel", bill_no)

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        if headers.get("signature") != "good":
            raise AuthError("rail_signature_wrong", "forged")
        try:
            return msgspec.json.decode(body, type=CallbackNotice)
        except msgspec.MsgspecError as cause:
            raise InputError("notice_malformed", "not a notice") from cause

    def took(self, body: bytes) -> None:
        """The merchant has answered this notice with success."""
        notice = msgspec.json.decode(body, type=CallbackNotice)
        if isinstance(notice.outcome, Paid):
            self.heard.add(notice.bill_no)

    def with_other_amount(self, body: bytes) -> bytes:
        """The notice about one fen more."""
        notice = msgspec.json.decode(body, type=CallbackNotice)
        outcome = notice.outcome
        if isinstance(outcome, Paid):
            outcome = msgspec.structs.replace(outcome, amount_minor=notice.amount_minor + 1)
        return msgspec.json.encode(
            msgspec.structs.replace(notice, amount_minor=notice.amount_minor + 1, outcome=outcome)
        )

    def forgeries(self) -> list[tuple[bytes, dict[str, str]]]:
        """Notices nobody may believe, with their headers: unsigned, signed by somebody else, of another amount."""
        forged: list[tuple[bytes, dict[str, str]]] = [(b"{}", {})]
        for body in self.callbacks[:1]:
            forged += [(body, {"signature": "bad"}), (self.with_other_amount(body), {"signature": "good"})]
        return forged

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        return iter(self.lines)

    def live(self) -> None:
        """Time passes at the rail: late requests arrive, people tap or do not, bills end."""
        due, self._late = self._late, []
        for at_ms, instruction in due:
            if at_ms <= self.world.now_ms:
                self._accept(instruction)
            else:
                self._late.append((at_ms, instruction))
        for bill in self.bills.values():
            self._move(bill)

    def pay_all(self) -> None:
        """Every open bill succeeds, and says so once."""
        for bill in self.bills.values():
            if bill.state not in FINAL:
                self._end(bill, "SUCCESS", "", notices=1)

    def _submit(self, instruction: PayInstruction) -> RailOutcome:
        draw = self.world.random.random() / self.trouble if self.trouble else 1.0
        known = self.bills.get(instruction.bill_no)
        if known and known.instruction != instruction:
            self.world.violated(f"bill {instruction.bill_no} was sent with other parameters")
        if 0 < self.no_new_bills_after_ms < self.world.now_ms and not self.let_go(instruction.bill_no):
            self.world.violated(f"bill {instruction.bill_no} was sent although money had been stopped")
        if draw < 0.1:
            return NotAccepted(reason="rate_limited", retry_after_ms=1_000)
        if draw < 0.14:
            return NotAccepted(reason="not_enough", retry_after_ms=600_000)
        if draw < 0.4:
            self._late.append((self.world.now_ms + self.world.random.randrange(60_000), instruction))
            return Unknown(reason="rail_timeout")
        if draw < 0.46:
            return Unknown(reason="rail_timeout")
        bill = self._accept(instruction)
        if draw < 0.7:
            return Unknown(reason="rail_timeout")
        if draw < 0.75:
            return Unknown(reason="code_never_heard_of", hold=True)
        return self._outcome(bill, submitted=True)

    def _accept(self, instruction: PayInstruction) -> Bill:
        fresh = Bill(instruction, self.world.random.choice(["ACCEPTED", "WAIT_USER"]), self.world.now_ms)
        return self.bills.setdefault(instruction.bill_no, fresh)

    def _query(self, bill_no: str) -> RailOutcome:
        if self.world.chance(self.trouble * 0.2):
            return self.world.random.choice(_NO_ANSWER)
        bill = self.bills.get(bill_no)
        return self._outcome(bill) if bill else NotFound()

    def _cancel(self, bill_no: str) -> RailOutcome:
        bill = self.bills.get(bill_no)
        if bill is None:
            return NotFound()
        if bill.state == "WAIT_USER":
            self._end(bill, "FAIL", CANCELLED)
        return self._outcome(bill)

    def _outcome(self, bill: Bill, *, submitted: bool = False) -> RailOutcome:
        rail_id = f"r-{bill.instruction.bill_no}"
        if bill.state == "SUCCESS":
            return Paid(rail_id=rail_id, paid_at_ms=bill.at_ms, amount_minor=bill.instruction.amount_minor)
        if bill.state == "FAIL":
            return FailedFinal(reason=bill.reason, rail_id=rail_id)
        if bill.state == "WAIT_USER":
            action = UserAction(kind="tap", package="x", expires_at_ms=bill.at_ms + CONFIRM_MS) if submitted else None
            return NeedUser(rail_id=rail_id, action=action)
        return Accepted(rail_id=rail_id, state=bill.state)

    def _move(self, bill: Bill) -> None:
        if bill.state == "FAIL" and self.world.chance(self.world.rates.fickle):
            self.broke_its_word.add(bill.instruction.bill_no)
            self._end(bill, "SUCCESS", "")
        elif bill.state == "WAIT_USER":
            if self.world.now_ms >= bill.at_ms + CONFIRM_MS:
                self._end(bill, "FAIL", EXPIRED)
            elif self.world.chance(0.2):
                bill.state = "TRANSFERING"
        elif bill.state in ("ACCEPTED", "TRANSFERING") and self.world.chance(0.5):
            reason = self.world.random.choice(["account_frozen", "day_received_quota_exceed", "never_seen_before"])
            self._end(bill, *(("FAIL", reason) if self.world.chance(0.1) else ("SUCCESS", "")))

    def _end(self, bill: Bill, state: str, reason: str, notices: int | None = None) -> None:
        bill.state, bill.reason, bill.at_ms = state, reason, self.world.now_ms
        self.world.note("rail:", bill.instruction.bill_no, state, reason)
        told = bill.instruction
        if state == "SUCCESS":
            self.successes.setdefault(told.bill_no[:26], []).append(told.bill_no)
            self.lines.append(
                StatementLine(
                    bill_no=told.bill_no,
                    rail_id=f"r-{told.bill_no}",
                    amount_minor=told.amount_minor,
                    at_ms=bill.at_ms,
                )
            )
        notice = CallbackNotice(
            event_id=f"n-{told.bill_no}",
            bill_no=told.bill_no,
            amount_minor=told.amount_minor,
            outcome=self._outcome(bill),
            account=self.accounts.get(told.bill_no, ""),
        )
        # Never guaranteed, and duplicates are to be expected.
        copies = self.world.random.choice([0, 1, 1, 2]) if notices is None else notices
        self.callbacks += [msgspec.json.encode(notice)] * copies
