"""The rail's statement of a day against what the ledger says was paid; every difference becomes a case.

Called by reconcile_job. It opens cases and never pays, settles or corrects anything by itself.
"""

import datetime
from collections.abc import Iterator

from uncap.domain.errors import NotFoundError
from uncap.domain.rails import Books, StatementLine
from uncap.domain.rewards import ids
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Case, Reward

_DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000
_SEGMENTS = 4
_SLACK_MS = 300_000


def compare_statement(rail: Books, date: datetime.date, ledger: LedgerStore, now_ms: int) -> list[Case]:
    """Open a case for every line that is extra or different and every payment of the day without a line.

    The day is the rail's (Beijing). Payments within five minutes of midnight may be on a neighbouring day's statement
    and are not called missing. Returns the cases, opened now or before. TransientError: no statement yet.
    """
    lines = [line for line in rail.statement(date) if line.out]
    cases = [case for line in lines if (case := _line_case(line, ledger, now_ms))]
    stated = {line.bill_no for line in lines}
    cases += [_missing(bill, reward, now_ms) for bill, reward in _paid_on(rail, date, ledger) if bill not in stated]
    for case in cases:
        ledger.open_case(case)
    return cases


def _line_case(line: StatementLine, ledger: LedgerStore, now_ms: int) -> Case | None:
    try:
        reward_id, attempt_no = ids.of_bill(line.bill_no)
    except NotFoundError:
        # Anything may stand there; the rail's own number names the line.
        return Case(f"statement_extra-{line.rail_id[:64]}", "statement_extra", now_ms, detail="not a bill of ours")
    reward = ledger.get(reward_id)
    if reward is None or reward.attempt is None or attempt_no > reward.attempt.no:
        kind, detail = "statement_extra", "no such attempt"
    elif line.amount_minor != reward.net_minor:
        kind, detail = "statement_amount", f"stated {line.amount_minor}, owed {reward.net_minor}"
    elif not reward.paid_at_ms:
        kind, detail = "statement_unsettled", f"stated as paid, recorded as {reward.state}"
    elif attempt_no < reward.attempt.no and reward.attempt.closed == "paid":
        kind, detail = "statement_extra", "a newer attempt is the one recorded as paid"
    else:
        return None
    return Case(f"{kind}-{line.bill_no}", kind, now_ms, reward_id=reward_id, bill_no=line.bill_no, detail=detail)


def _missing(bill: str, reward: Reward, now_ms: int) -> Case:
    return Case(f"statement_missing-{bill}", "statement_missing", now_ms, reward_id=reward.reward_id, bill_no=bill)


def _paid_on(rail: Books, date: datetime.date, ledger: LedgerStore) -> Iterator[tuple[str, Reward]]:
    midnight = datetime.datetime(date.year, date.month, date.day, tzinfo=datetime.UTC)
    start_ms = int(midnight.timestamp()) * 1000 - _BEIJING_MS
    for segment in range(_SEGMENTS):
        for reward in ledger.rewards(segment, _SEGMENTS):
            attempt = reward.attempt
            if attempt is None or attempt.closed != "paid" or attempt.rail != rail.capabilities.name:
                continue
            if start_ms + _SLACK_MS <= reward.paid_at_ms < start_ms + _DAY_MS - _SLACK_MS:
                yield ids.bill_no(reward.reward_id, attempt.no), reward
