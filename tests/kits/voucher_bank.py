"""A rail unlike WeChat's: pays at once, UUID keys that are forgotten after a day, an HMAC webhook, a JSON statement.

Nobody confirms, failures come later by webhook or query, and a repeat with a forgotten key would be a second payment:
that is what its capabilities say. `down`, `slow`, `silent` and `fails` are what a test may do to it.
"""

import datetime
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator, Mapping

from uncap.domain.errors import AuthError, InputError
from uncap.domain.rails import (
    Accepted,
    CallbackNotice,
    FailedFinal,
    NotFound,
    Paid,
    PayInstruction,
    RailCapabilities,
    RailOutcome,
    StatementLine,
    Unknown,
    check_instruction,
)

DAY_MS = 86_400_000
NAMESPACE = uuid.UUID("7b0b6b6e-6a3f-4f0e-9d55-4f2f6f3a9d10")


class VoucherBank:
    """`domain.rails.Rail`, and the bank behind it."""

    def __init__(self, clock_ms: Callable[[], int], secret: bytes = b"shared") -> None:
        self._clock_ms = clock_ms
        self._secret = secret
        self._keys: dict[uuid.UUID, tuple[int, PayInstruction]] = {}
        self.payments: list[tuple[uuid.UUID, str, int, int]] = []  # key, payee, amount, at
        self.failed: dict[str, str] = {}
        self.notices: list[tuple[dict[str, str], bytes]] = []
        self.down = False
        self.slow = False
        self.silent = False  # queries get no answer
        self.fails = ""

    @property
    def capabilities(self) -> RailCapabilities:
        return RailCapabilities(
            name="voucher_bank",
            currencies=("CNY", "EUR"),
            key_pattern=r"[0-9A-Z]{1,32}",
            key_lifetime_ms=DAY_MS,
            query_window_ms=DAY_MS,
            rate_per_s=20,
            min_minor=1,
            has_callbacks=True,
            has_statement=True,
        )

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        check_instruction(instruction, self.capabilities)
        if self.down:
            return Unknown(reason="rail_unreachable")
        self._forget()
        key = uuid.uuid5(NAMESPACE, instruction.bill_no)
        _, known = self._keys.setdefault(key, (self._clock_ms(), instruction))
        if known != instruction:
            return Unknown(reason="bill_differs", hold=True)
        if all(one[0] != key for one in self.payments) and instruction.bill_no not in self.failed:
            self._settle(key, instruction)
        return Unknown(reason="rail_timeout") if self.slow else self.query(instruction.bill_no)

    def query(self, bill_no: str) -> RailOutcome:
        if self.down or self.silent:
            return Unknown(reason="rail_unreachable")
        self._forget()
        key = uuid.uuid5(NAMESPACE, bill_no)
        if key not in self._keys:
            return NotFound()
        if bill_no in self.failed:
            return FailedFinal(reason=self.failed[bill_no], rail_id=str(key))
        for paid, _, amount, at_ms in self.payments:
            if paid == key:
                return Paid(rail_id=str(key), paid_at_ms=at_ms, amount_minor=amount)
        return Accepted(rail_id=str(key), state="booked")

    def cancel(self, bill_no: str) -> RailOutcome:
        """What is paid is paid: the present state."""
        return self.query(bill_no)

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        wanted = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("X-Bank-Signature", ""), wanted):
            raise AuthError("rail_forged", "the signature does not fit the body")
        try:
            told = json.loads(body)
            number, amount = told["id"], told["amount"]
            paid = Paid(rail_id=number, amount_minor=amount)
            outcome: RailOutcome = FailedFinal(reason=told["failed"]) if told.get("failed") else paid
            return CallbackNotice(event_id=number, bill_no=told["bill"], amount_minor=amount, outcome=outcome)
        except (KeyError, TypeError, ValueError):
            raise InputError("callback_malformed", "the notice is not in the bank's form") from None

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        """The day's payments, from the bank's JSON."""
        text = json.dumps([
            {"key": str(key), "amount": amount, "at": at_ms, "bill": self._bill(key)}
            for key, _, amount, at_ms in self.payments
            if datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).date() == date
        ])  # fmt: skip
        for line in json.loads(text):
            yield StatementLine(
                bill_no=line["bill"], rail_id=line["key"], amount_minor=line["amount"], at_ms=line["at"]
            )

    def _settle(self, key: uuid.UUID, instruction: PayInstruction) -> None:
        at_ms = self._clock_ms()
        told: dict[str, object] = {"id": str(key), "bill": instruction.bill_no, "amount": instruction.amount_minor}
        if self.fails:
            self.failed[instruction.bill_no] = self.fails
            told["failed"] = self.fails
        else:
            self.payments.append((key, instruction.payee, instruction.amount_minor, at_ms))
        body = json.dumps(told).encode()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        self.notices.append(({"X-Bank-Signature": signature}, body))

    def _forget(self) -> None:
        now_ms = self._clock_ms()
        self._keys = {key: one for key, one in self._keys.items() if now_ms - one[0] < DAY_MS}

    def _bill(self, key: uuid.UUID) -> str:
        return next((one.bill_no for known, (_, one) in self._keys.items() if known == key), "")
