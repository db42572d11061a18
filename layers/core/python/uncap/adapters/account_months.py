"""Accounts by month as the last pass over the Ledger found them: written by the reconcile job, read by the console.

Items in the Ledger table: `turn#{account}#{month}` doc AccountMonth, in the index `owner` under `turns#{account}`;
`book#{n}` the n-th two hundred of all accounts with what they hold; `books-of#{id}` the accounts kept for a party,
campaign or release; `cursor#books` when that was. Only what has changed is written (docs/adr/0034).
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import msgspec
from pynamodb.exceptions import DoesNotExist

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger import CURSOR
from uncap.adapters.models import LedgerItem
from uncap.domain.books.turnover import AccountMonth

TURN, BOOK, BOOKS_OF, STATE = "turn#", "book#", "books-of#", CURSOR + "books"
CHUNK = 200
_BATCH_GET = 100


class Balance(msgspec.Struct, frozen=True):
    """What an account holds; debits positive."""

    account: str
    balance_minor: int


class BooksState(msgspec.Struct, frozen=True, omit_defaults=True):
    """`as_of_ms`: when the pass began; `chunks` of accounts it left."""

    as_of_ms: int = 0
    accounts: int = 0
    entries: int = 0

    @property
    def chunks(self) -> int:
        return -(-self.accounts // CHUNK)


class _Kept(NamedTuple):
    pk: str
    doc: str
    owner: str | None = None
    owner_at: int | None = None


class AccountMonths:
    """Needs `open_tables` to have bound LedgerItem. Raises TransientError."""

    def state(self) -> BooksState:
        """When the accounts were last kept; never: zero."""
        return msgspec.json.decode(_doc(STATE) or "{}", type=BooksState)

    def keep(self, months: Iterable[AccountMonth], balances: Mapping[str, int], state: BooksState) -> int:
        """All of a pass; how many items had changed. Killed in between, the next pass writes what is missing."""
        written = 0
        for kept in _batches(_kept(months, balances)):
            with translated():
                found = {one.pk: one.doc for one in LedgerItem.batch_get([one.pk for one in kept])}
                for one in kept:
                    if found.get(one.pk) != one.doc:
                        LedgerItem(one.pk, doc=one.doc, owner=one.owner, owner_at=one.owner_at).save()
                        written += 1
        with translated():
            LedgerItem(STATE, doc=_text(state)).save()
        return written

    def chunk(self, number: int) -> list[Balance]:
        """The accounts of one chunk, by name; empty past the last."""
        doc = _doc(f"{BOOK}{number:05d}")
        return msgspec.json.decode(doc, type=list[Balance]) if doc else []

    def accounts_of(self, owner: str) -> list[str]:
        """The names of all accounts kept for a party, campaign, release or rail."""
        doc = _doc(BOOKS_OF + owner)
        return msgspec.json.decode(doc, type=list[str]) if doc else []

    def month(self, account: str, month: str) -> AccountMonth | None:
        """The last month up to this one in which the account moved."""
        with translated():
            rows = LedgerItem.by_owner.query(
                f"turns#{account}",
                LedgerItem.owner_at <= _number(month),
                scan_index_forward=False,
                limit=1,
                page_size=1,
            )
            pks = [item.pk for item in rows]
        doc = _doc(pks[0]) if pks else ""
        return msgspec.json.decode(doc, type=AccountMonth) if doc else None


def _batches(kept: Iterator[_Kept]) -> Iterator[list[_Kept]]:
    while batch := list(islice(kept, _BATCH_GET)):
        yield batch


def _kept(months: Iterable[AccountMonth], balances: Mapping[str, int]) -> Iterator[_Kept]:
    for one in months:
        yield _Kept(f"{TURN}{one.account}#{one.month}", _text(one), f"turns#{one.account}", _number(one.month))
    names = sorted(balances)
    for at in range(0, len(names), CHUNK):
        chunk = [Balance(name, balances[name]) for name in names[at : at + CHUNK]]
        yield _Kept(f"{BOOK}{at // CHUNK:05d}", _text(chunk))
    owners: dict[str, list[str]] = {}
    for name in names:
        owners.setdefault(name.split(":")[1], []).append(name)
    for owner, kept in owners.items():
        yield _Kept(BOOKS_OF + owner, _text(kept))


def _number(month: str) -> int:
    return int(month.replace("-", ""))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _doc(pk: str) -> str:
    try:
        with translated():
            return LedgerItem.get(pk).doc
    except DoesNotExist:
        return ""
