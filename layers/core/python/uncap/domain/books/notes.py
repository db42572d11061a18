"""Credit notes, their numbers, and what was taken back of a reward. Pure; never changed once written (ADR 0024)."""

import csv
import io
from collections.abc import Iterable

import msgspec


class CreditNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the issuer owes a party for the months up to `month`, settled by this paper. `by`: who asked, who agreed."""

    issuer: str
    month: str
    number: int  # 1, 2, 3 … without gaps per issuer and month
    party: str
    currency: str
    amount_minor: int
    issued_at_ms: int
    by: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is printed: `brand-202611-000001`."""
        return f"{self.issuer}-{self.month.replace('-', '')}-{self.number:06d}"


class Numbers(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last number given out; written in one transaction with its note, so that none is lost or used twice."""

    issuer: str
    month: str
    last: int = 0


class Clawed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a reward's `total` units `returned` came back, by these returns, and `clawed_minor` with them."""

    reward_id: str
    total: int
    returned: int = 0
    clawed_minor: int = 0
    returns: tuple[str, ...] = ()
    rev: int = 0


def notes_csv(notes: Iterable[CreditNote]) -> str:
    """A table with the columns number, party, month, currency, amount_minor, issued_at_ms, asked_by, agreed_by."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("number", "party", "month", "currency", "amount_minor", "issued_at_ms", "asked_by", "agreed_by"))
    for one in notes:
        people = (*one.by, "", "")[:2]
        writer.writerow((one.name, one.party, one.month, one.currency, one.amount_minor, one.issued_at_ms, *people))
    return text.getvalue()
