"""Several accounts of one rail where the question is not about one payout: notices and the day's statement.

Built by `runtime/wiring_back.py` for payout_callback and reconcile_job. It sends nothing: which account pays a bill is
written in its attempt, and only that one may be asked about it.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence

from uncap.domain.errors import AuthError
from uncap.domain.rails import CallbackNotice, Rail, RailCapabilities, StatementLine

_NOT_MINE = frozenset({"rail_key_unknown", "rail_sealed", "rail_other_merchant", "rail_forged"})


class AllAccounts:
    """`domain.rails.Books` over at least one account."""

    def __init__(self, accounts: Sequence[Rail]) -> None:
        self._accounts = tuple(accounts)

    @property
    def capabilities(self) -> RailCapabilities:
        """The first account's: they are of one rail."""
        return self._accounts[0].capabilities

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        """The notice of the account it opens with. AuthError, InputError: as the last account that was asked says.

        Platform keys may be shared or each merchant's own, the seal is always the merchant's: so all are tried.
        """
        refused = AuthError("rail_unsigned", "there is no account")
        for account in self._accounts:
            try:
                return account.verify_callback(headers, body)
            except AuthError as cause:
                if cause.code not in _NOT_MINE:
                    raise
                refused = cause
        raise refused

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        """All accounts' lines of the day. TransientError while one of them has none ready: a part is no statement."""
        lines = [line for account in self._accounts for line in account.statement(date)]
        return iter(lines)
