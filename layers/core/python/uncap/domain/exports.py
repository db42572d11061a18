"""Export orders: who may take which codes out, for whom, until when. Pure; used by `order_export` and `export_codes`.

An order is the only way codes leave uncap in bulk (ADR 0018). Ranges are half open unit indices of one batch.
"""

from typing import Literal

import msgspec

from uncap.domain.errors import ConflictError, ForbiddenError, InputError

SECOND_PERSON_LINES = 100_000
"""Larger orders wait for a second person: one such file is worth a car in cap prizes."""
PLAIN_LINES = 10_000
"""Larger orders need a recipient's key: samples and test runs may go out plain, a print run may not."""
MAX_LIFETIME_MS = 92 * 86_400_000
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_RECIPIENT_LENGTH = 62  # "age1", 32 bytes in groups of five bits, and a checksum of six characters

Status = Literal["asked", "open", "expired", "closed"]
Kind = Literal["codes", "skips"]


class ExportOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """`lines` of one role in one form for one supplier. `recipient` is an age X25519 key, "" for a plain file.

    `state`: asked (waits for a second person) → open → closed; an open order ends by itself at `expires_at_ms`.
    """

    export_id: str
    batch_no: int
    gtin: str
    role: str
    form: str  # txt | csv
    start: int
    stop: int
    made_for: str
    reason: str
    ordered_by: str
    ordered_at_ms: int
    expires_at_ms: int
    recipient: str = ""
    canaries: int = 0
    state: str = "open"
    approved_by: str = ""
    approved_at_ms: int = 0
    closed_by: str = ""
    version: int = 1

    @property
    def lines(self) -> int:
        """How many codes the whole file has, canaries among them."""
        return self.stop - self.start + self.canaries


class Download(msgspec.Struct, frozen=True):
    """One entry of an order's log: codes `start..stop`, canaries among them, or the list of lines to skip."""

    at_ms: int
    by: str
    what: Kind
    start: int
    stop: int
    lines: int
    sha256: str


def status_of(order: ExportOrder, now_ms: int) -> Status:
    """Where the order stands now."""
    if order.state == "closed":
        return "closed"
    if now_ms >= order.expires_at_ms:
        return "expired"
    return "open" if order.state == "open" else "asked"


def check_open(order: ExportOrder, now_ms: int) -> None:
    """Raises ConflictError (`export_awaits_approval`, `export_expired`, `export_closed`)."""
    status = status_of(order, now_ms)
    if status == "asked":
        raise ConflictError("export_awaits_approval", "a second person must approve this export first")
    if status != "open":
        raise ConflictError(f"export_{status}", f"this export is {status}; order it anew", where="export_id")


def check_order(order: ExportOrder) -> None:
    """Raises InputError (`expiry_invalid`, `recipient_needed`, `recipient_malformed`, `canaries_not_in_csv`)."""
    if not 0 < order.expires_at_ms - order.ordered_at_ms <= MAX_LIFETIME_MS:
        raise InputError("expiry_invalid", "an export ends within 92 days from now", where="expires_at_ms")
    if order.recipient:
        check_recipient(order.recipient)
    elif order.lines > PLAIN_LINES:
        raise InputError(
            "recipient_needed", f"more than {PLAIN_LINES} codes leave encrypted only; give a key", where="recipient"
        )
    if order.canaries and order.form != "txt":
        # A CSV numbers its lines and names their cases: a 25th bottle in a case of 24 would give itself away.
        raise InputError("canaries_not_in_csv", "canaries hide in txt files only", where="canaries")


def needs_second_person(order: ExportOrder) -> bool:
    """True for orders that wait for somebody else's approval."""
    return order.lines > SECOND_PERSON_LINES


def approved(order: ExportOrder, login: str, now_ms: int) -> ExportOrder:
    """The opened order. Raises ConflictError (`export_not_asked`, `export_expired`, `export_closed`), ForbiddenError
    (`second_person_needed`)."""
    status = status_of(order, now_ms)
    if status == "open":
        raise ConflictError("export_not_asked", "this export is open already", where="export_id")
    if status != "asked":
        raise ConflictError(f"export_{status}", f"this export is {status}; order it anew", where="export_id")
    if order.ordered_by == login:
        raise ForbiddenError("second_person_needed", "Someone other than who ordered it must approve.")
    return msgspec.structs.replace(
        order, state="open", approved_by=login, approved_at_ms=now_ms, version=order.version + 1
    )


def closed(order: ExportOrder, login: str) -> ExportOrder:
    """The closed order; closing twice changes nothing."""
    if order.state == "closed":
        return order
    return msgspec.structs.replace(order, state="closed", closed_by=login, version=order.version + 1)


def check_recipient(text: str) -> None:
    """Raises InputError (`recipient_malformed`) unless this is an age X25519 recipient.

    C2SP's age.md: Bech32 (BIP 173) of 32 bytes, prefix "age", lower case.
    """
    malformed = InputError(
        "recipient_malformed", "a recipient is an age key: age1 and 58 characters", where="recipient"
    )
    if len(text) != _RECIPIENT_LENGTH or not text.startswith("age1"):
        raise malformed
    values = [_BECH32.find(char) for char in text[4:]]
    if min(values) < 0:
        raise malformed
    prefix = [ord(char) >> 5 for char in "age"] + [0] + [ord(char) & 31 for char in "age"]
    if _checksum(prefix + values) != 1:
        raise InputError("recipient_malformed", "the key's checksum is wrong: a typing error?", where="recipient")


def _checksum(values: list[int]) -> int:
    """BIP 173's polymod."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check
