"""Which cash is kept on an account instead of being sent, and how its months are counted (ADR 0024). Pure.

Called by granting, by the checks of campaigns and by `domain/books/`.
"""

import datetime
from collections.abc import Iterable

from uncap.domain.catalog import Effect
from uncap.domain.errors import InputError

ACCRUAL = "accrual"
"""The kind of a reward that is owed in cash and settled by credit note."""
RAIL_MINIMUM_MINOR = 10
"""The rail transfers no less than ¥0.10 (WeChat Pay, mch-transfer)."""
BEIJING = datetime.timezone(datetime.timedelta(hours=8))


def accrues(beneficiary: str, net_minor: int, payee: str) -> bool:
    """Whether cash for this beneficiary goes to an account: the channel's, if too small to send or without a payee."""
    return beneficiary != "consumer" and (net_minor < RAIL_MINIMUM_MINOR or not payee)


def only_accrues(prize_id: str, effects: Iterable[Effect]) -> bool:
    """Whether the prize is given by fixed effects alone, and only to the channel."""
    given = [one for one in effects if one.prize_id == prize_id]
    return bool(given) and all(one.kind == "fixed" and one.beneficiary != "consumer" for one in given)


def month_of(at_ms: int) -> str:
    """The books' month of an instant, "2026-11": Beijing's, as the rail's statements and the tax returns."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, BEIJING).strftime("%Y-%m")


def month_start_ms(month: str) -> int:
    """When the month begins. ValueError for what is no month."""
    year, number = (int(part) for part in month.split("-"))
    return int(datetime.datetime(year, number, 1, tzinfo=BEIJING).timestamp() * 1000)


def checked_month(month: str) -> str:
    """The same month. InputError (`month_malformed`) for what is not written yyyy-mm."""
    try:
        known = month_of(month_start_ms(month)) == month
    except ValueError:
        known = False
    if not known:
        raise InputError("month_malformed", "a month is written yyyy-mm", where="month")
    return month


def next_month(month: str) -> str:
    """The month after this one."""
    year, number = (int(part) for part in month.split("-"))
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"
