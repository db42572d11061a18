"""The demo's last word: what was expected, what the books say, whether it adds up. Used by `cli/demo/command.py`."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from rich.table import Table

from cli.demo.books import Books
from cli.demo.plan import expected_counts
from cli.demo.run import Played
from uncap.domain.rewards.reward import State

_FIRST, _REPEAT = "first", "repeat"


class Line(msgspec.Struct, frozen=True):
    """One row of the table; `ok` is None where there is nothing to check."""

    what: str
    value: str
    ok: bool | None = None
    note: str = ""


def lines_of(played: Sequence[Played], books: Books) -> list[Line]:
    """Every row, in the order they are printed."""
    return [
        *_scans(played),
        *_read_model(played, books),
        *_rewards(books),
        *_money(books),
        *_goods(books),
        *_speed(played, books),
    ]


def adds_up(lines: Iterable[Line]) -> bool:
    """True if no row failed."""
    return all(line.ok is not False for line in lines)


def table_of(title: str, lines: Iterable[Line]) -> Table:
    """For a terminal."""
    table = Table(title=title, title_justify="left", show_header=False, pad_edge=False)
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("ok")
    table.add_column("note", style="dim")
    marks = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: ""}
    for line in lines:
        table.add_row(line.what, line.value, marks[line.ok], line.note)
    return table


def answers_of(played: Iterable[Played]) -> Counter[str]:
    """How often each answer was given; a client's retry counts apart."""
    return Counter("retry" if one.visit.kind == "retry" and one.answer == _FIRST else one.answer for one in played)


def _scans(played: Sequence[Played]) -> list[Line]:
    answers, expected = answers_of(played), expected_counts()
    rows = [Line("scans", str(len(played)), len(played) == sum(expected.values()))]
    for answer in dict.fromkeys([*expected, *answers]):
        name = {_FIRST: "first claims", "retry": "claims retried", _REPEAT: "repeats"}.get(answer, f"refused: {answer}")
        want = expected.get(answer, 0)
        note = "" if answers[answer] == want else f"expected {want}"
        rows.append(Line(name, str(answers[answer]), answers[answer] == want, note))
    winners = Counter(one.visit.index for one in played if one.answer == _FIRST and one.visit.kind != "retry")
    twice = [index for index, count in winners.items() if count > 1]
    rows.append(Line("codes claimed twice", str(len(twice)), not twice))
    return rows


def _read_model(played: Sequence[Played], books: Books) -> list[Line]:
    """The stream's counts must be the clients' counts: nothing lost, nothing counted twice."""
    told = answers_of(played)
    seen = {name.removeprefix("observed."): count for name, count in books.outcomes.items() if "signal." not in name}
    wanted = {name: count for name, count in told.items() if name not in ("retry", "code_not_issued")}
    note = "" if seen == wanted else f"read model {seen}, clients {dict(wanted)}"
    return [Line("read model agrees", str(sum(seen.values())), seen == wanted, note)]


def _rewards(books: Books) -> list[Line]:
    claims = expected_counts()[_FIRST]
    rows = [Line(f"rewards: {state}", str(count)) for state, count in sorted(books.states.items())]
    consumers = sum(reward.beneficiary == "consumer" for reward in books.rewards)
    rows.append(Line("one reward per claim", str(consumers), consumers == claims))
    open_ones = [one for one in books.rewards if one.state not in (State.NONE, State.PAID)]
    rows.append(Line("not final", str(len(open_ones)), not open_ones))
    return rows


def _money(books: Books) -> list[Line]:
    three = {books.paid_minor, books.ledger_minor, books.statement_minor}
    note = f"paid {yuan(books.paid_minor)}, ledger {yuan(books.ledger_minor)}, rail {yuan(books.statement_minor)}"
    bills = len({line["bill_no"] for line in books.bills})
    return [
        Line("paid = ledger = rail", yuan(books.paid_minor), len(three) == 1 and books.paid_minor > 0, note),
        Line("transfers at the rail", str(len(books.bills)), len(books.bills) == bills == len(books.cash)),
        Line("trial balance", str(books.trial.totals), books.trial.is_balanced and not books.trial.overdrawn()),
    ]


def _goods(books: Books) -> list[Line]:
    places = ", ".join(f"{case['shipment_id']} at {case['place']}" for case in books.cases)
    return [Line("diversion cases", str(len(books.cases)), len(books.cases) == 1, places)]


def _speed(played: Sequence[Played], books: Books) -> list[Line]:
    claim = [one.took_ms for one in played if one.answer == _FIRST]
    paid = [float(one.paid_at_ms - one.claimed_at_ms) for one in books.rewards if one.paid_at_ms and one.kind != "cash"]
    cash = [float(one.paid_at_ms - one.claimed_at_ms) for one in books.cash]
    note = "on this machine's emulator; not AWS's figures"
    return [
        Line("claim p50 / p99", _percentiles(claim), None, note),
        Line("claim → credited p50 / p99", _percentiles(paid), None, "points and rebates"),
        Line("claim → cash paid p50 / p99", _percentiles(cash), None, "the person's tap on confirm included"),
    ]


def _percentiles(values_ms: Sequence[float]) -> str:
    if len(values_ms) < 2:
        return "–"
    cuts = statistics.quantiles(values_ms, n=100, method="inclusive")
    return f"{cuts[49]:,.0f} / {cuts[98]:,.0f} ms"


def yuan(amount_minor: int) -> str:
    """Fen as yuan, exactly."""
    return f"¥{amount_minor // 100:,}.{amount_minor % 100:02d}"
