"""The protocol is not WeChat-shaped: the ledger's own rail and one unlike both keep the same promises."""

import datetime
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest

from tests.kits.voucher_bank import VoucherBank
from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.adapters.rails.registry import build_rails, rail_keys
from uncap.domain.errors import AuthError, InputError
from uncap.domain.rails import (
    Accepted,
    CallbackNotice,
    FailedFinal,
    NeedUser,
    NotAccepted,
    NotFound,
    Paid,
    PayInstruction,
    Rail,
    RailCapabilities,
    RailOutcome,
    StatementLine,
    Unknown,
    UserAction,
    check_instruction,
)

NOON_MS = 1_795_348_800_000
ORDER = PayInstruction(
    bill_no="B0001", payee="acct-secret", amount_minor=500, campaign_name="夏日开盖", reward_note="开盖奖励"
)


class GiftCardRail:
    """Unlike WeChat in everything: UUID keys of its own, no person's tap, no callbacks, any currency, paid at once."""

    def __init__(self) -> None:
        self._cards: dict[uuid.UUID, PayInstruction] = {}

    @property
    def capabilities(self) -> RailCapabilities:
        return RailCapabilities(
            name="gift_cards",
            currencies=("EUR", "CNY"),
            key_pattern=r"[0-9A-Za-z]{1,32}",
            min_minor=100,
            has_statement=True,
        )

    @staticmethod
    def _key(bill_no: str) -> uuid.UUID:
        return uuid.UUID(bytes=hashlib.sha256(bill_no.encode()).digest()[:16])

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        check_instruction(instruction, self.capabilities)
        known = self._cards.setdefault(self._key(instruction.bill_no), instruction)
        if known != instruction:
            return Unknown(reason="bill_differs", hold=True)
        return self.query(instruction.bill_no)

    def query(self, bill_no: str) -> RailOutcome:
        card = self._cards.get(self._key(bill_no))
        return Paid(rail_id=str(self._key(bill_no)), amount_minor=card.amount_minor) if card else NotFound()

    def cancel(self, bill_no: str) -> RailOutcome:
        return self.query(bill_no)

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        raise AuthError("rail_unsigned", "gift cards do not call back")

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        for key, card in self._cards.items():
            yield StatementLine(bill_no=card.bill_no, rail_id=str(key), amount_minor=card.amount_minor, at_ms=0)


RAILS: list[Callable[[], Rail]] = [OwnLedgerRail, GiftCardRail, lambda: VoucherBank(lambda: NOON_MS)]


@pytest.mark.parametrize("make", RAILS)
def test_the_same_bill_twice_is_one_payment(make: Callable[[], Rail]) -> None:
    rail = make()
    first, again = rail.submit(ORDER), rail.submit(ORDER)
    assert isinstance(first, Paid)
    assert first == again


@pytest.mark.parametrize("make", RAILS)
def test_another_bill_is_another_payment(make: Callable[[], Rail]) -> None:
    rail = make()
    assert rail.submit(ORDER) != rail.submit(msgspec.structs.replace(ORDER, bill_no="B0002"))


@pytest.mark.parametrize("make", RAILS)
def test_an_unknown_bill_is_not_found(make: Callable[[], Rail]) -> None:
    assert make().query("B9") == NotFound()
    assert make().cancel("B9") == NotFound()


@pytest.mark.parametrize("make", RAILS)
def test_nobody_calls_back_unsigned(make: Callable[[], Rail]) -> None:
    with pytest.raises(AuthError):
        make().verify_callback({}, b"{}")


@pytest.mark.parametrize("make", RAILS)
def test_a_statement_can_be_read(make: Callable[[], Rail]) -> None:
    rail = make()
    rail.submit(ORDER)
    lines = list(rail.statement(datetime.date(2026, 11, 22)))
    assert [line.bill_no for line in lines] == (["B0001"] if rail.capabilities.has_statement else [])


LIMITS = RailCapabilities(
    name="r", currencies=("CNY",), key_pattern="[A-Z0-9]{1,8}", min_minor=10, max_minor=900, name_from_minor=800
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bill_no": "b-1"}, "bill_no_malformed"),
        ({"bill_no": "B1\n"}, "bill_no_malformed"),
        ({"payee": ""}, "payee_missing"),
        ({"currency": "EUR"}, "currency_unsupported"),
        ({"amount_minor": 9}, "amount_below_minimum"),
        ({"amount_minor": -500}, "amount_below_minimum"),
        ({"amount_minor": 901}, "amount_above_maximum"),
        ({"amount_minor": 800}, "user_name_required"),
    ],
)
def test_what_a_rail_cannot_carry_is_refused_before_it_is_sent(change: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        check_instruction(msgspec.structs.replace(ORDER, **change), LIMITS)
    assert caught.value.code == code
    assert "acct-secret" not in str(caught.value)


@pytest.mark.parametrize("change", [{}, {"amount_minor": 10}, {"amount_minor": 900, "user_name": "王"}])
def test_what_fits_passes(change: dict[str, object]) -> None:
    check_instruction(msgspec.structs.replace(ORDER, **change), LIMITS)


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted(rail_id="W", state="PROCESSING"),
        NeedUser(rail_id="W", action=UserAction(kind="wechat_confirm", package="p", expires_at_ms=5)),
        Paid(rail_id="W", paid_at_ms=1, amount_minor=500),
        FailedFinal(reason="expired"),
        NotAccepted(reason="not_enough", retry_after_ms=5),
        NotFound(),
        Unknown(reason="rail_timeout"),
    ],
)
def test_outcomes_are_stored_and_read_as_one_tagged_union(outcome: RailOutcome) -> None:
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=RailOutcome) == outcome


def test_an_instruction_prints_neither_payee_nor_name() -> None:
    named = msgspec.structs.replace(ORDER, user_name="王小明")
    assert "acct-secret" not in repr(named) + str(named) + f"{named}"
    assert "王小明" not in repr(named)


def test_an_incomplete_secret_is_named_and_not_quoted() -> None:
    with pytest.raises(InputError) as caught:
        rail_keys({"mchid": 12345, "private_key_pem": "hush"})
    assert caught.value.code == "rail_keys_malformed"
    assert "hush" not in str(caught.value)


def test_every_prize_kind_has_a_rail(simulated_keys: dict[str, str]) -> None:
    rails = build_rails(rail_keys(simulated_keys), "http://127.0.0.1:9")
    assert {kind: rail.capabilities.name for kind, rail in rails.items()} == {
        "cash": "wechat_transfer",
        "points": "own_ledger",
        "trade_credit": "own_ledger",
        "goods_voucher": "own_ledger",
        "accrual": "own_ledger",
    }


@pytest.mark.parametrize("url", ["http://api.mch.weixin.qq.com", "http://10.0.0.1", "ftp://localhost", "localhost"])
def test_money_is_not_moved_in_the_clear(simulated_keys: dict[str, str], url: str) -> None:
    with pytest.raises(InputError) as caught:
        build_rails(rail_keys(simulated_keys), url)
    assert caught.value.code == "rail_base_url"


def test_nobody_listening_is_unknown(simulated_keys: dict[str, str]) -> None:
    cash = build_rails(rail_keys(simulated_keys), "http://127.0.0.1:9", timeout_ms=200)["cash"]
    assert cash.submit(ORDER) == Unknown(reason="rail_unreachable")
    assert cash.query("B1") == Unknown(reason="rail_unreachable")
    assert cash.cancel("B1") == Unknown(reason="rail_unreachable")
