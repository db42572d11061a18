"""The fund-flow bill is read to the fen, and a damaged one is never half believed."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.rail_simulator.wire import statement_csv
from uncap.adapters.rails.wechat_statement import parse
from uncap.domain.errors import TransientError
from uncap.domain.rails import StatementLine

HEAD = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
ROW = "`2018-02-01 04:21:23,`W1,`F1,`商家转账,`商家转账,`支出,`0.02,`0.17,`API,`开盖, 有奖,`B1"
BACK = "`2018-02-01 04:21:24,`W2,`F2,`退款,`退款,`收入,`10,`0.17,`system,`缺货,`B2"
TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def document(*rows: str) -> bytes:
    return "\r\n".join(rows).encode("utf-8-sig")


def test_a_bill_is_read_line_by_line() -> None:
    lines = parse(document(HEAD, ROW, BACK, TOTALS, "`2.0,`1.0,`10.00,`1.0,`0.02"))
    at_ms = int(datetime.datetime(2018, 1, 31, 20, 21, 23, tzinfo=datetime.UTC).timestamp()) * 1000
    assert lines == (
        StatementLine(bill_no="B1", rail_id="W1", amount_minor=2, at_ms=at_ms, out=True),
        StatementLine(bill_no="B2", rail_id="W2", amount_minor=1000, at_ms=at_ms + 1000, out=False),
    )


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ("<html>",),
        (HEAD, ROW),
        (HEAD, ROW, TOTALS),
        (HEAD, ROW, TOTALS, "`2.0,`0.0,`0.00,`2.0,`0.04"),
        (HEAD, ROW, TOTALS, "`many,`0.0,`0.00,`2.0,`0.04"),
        (HEAD, ROW.replace(",`B1", ""), TOTALS, "`1.0"),
        (HEAD, ROW.replace("0.02", "0.021"), TOTALS, "`1.0"),
        (HEAD, ROW.replace("0.02", "-1"), TOTALS, "`1.0"),
        (HEAD, ROW.replace("04:21:23", "25:21:23"), TOTALS, "`1.0"),
    ],
)
def test_a_damaged_bill_is_asked_for_again(rows: tuple[str, ...]) -> None:
    with pytest.raises(TransientError) as caught:
        parse(document(*rows))
    assert caught.value.code == "statement_damaged"


ROWS = st.tuples(
    st.just("2026-11-22 10:00:00"),
    st.from_regex(r"[0-9]{10}", fullmatch=True),
    st.text("开盖有奖,; abc", max_size=32),
    st.from_regex(r"[0-9A-Za-z]{1,32}", fullmatch=True),
    st.integers(10, 10**9),
)


@given(rows=st.lists(ROWS, max_size=20))
def test_amounts_survive_yuan_and_back(rows: list[tuple[str, str, str, str, int]]) -> None:
    lines = parse(statement_csv(rows, 0))
    assert [(line.rail_id, line.bill_no, line.amount_minor) for line in lines] == [(r[1], r[3], r[4]) for r in rows]
