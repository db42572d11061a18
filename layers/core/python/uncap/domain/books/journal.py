"""Every entry as a line of the books, whichever item it rides in; months that close; the tax that was withheld. Pure.

Called by `uncap books` over the whole table, once a month (ADR 0024).
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from uncap.domain.ledger import JournalEntry, Posting
from uncap.domain.rewards.accruing import month_of, month_start_ms, next_month
from uncap.domain.rewards.reward import Reward, State

TAX_PERCENT = 20
FILING_COLUMNS = (
    *("工号", "姓名", "证件类型", "证件号码", "所得项目", "收入", "免税收入"),
    *("应纳税所得额", "税率", "应纳税额", "已扣缴税额", "币种", "笔数", "缴款日期", "完税凭证"),
)


class Booked(msgspec.Struct, frozen=True):
    """One entry. `at_ms`: when, or for a release the earliest it can have been: its own moment is kept nowhere."""

    entry_id: str
    kind: str
    at_ms: int
    postings: tuple[Posting, ...]
    ref: str = ""  # the campaign, or what a correction answers

    @property
    def mark(self) -> bytes:
        """Eight bytes that stand for the entry where millions are remembered."""
        return hashlib.sha256(self.entry_id.encode()).digest()[:8]


class Withheld(msgspec.Struct, frozen=True):
    """A person's month. Each reward's tax was rounded half up to the fen; these are their sums, not rounded again."""

    person: str
    currency: str
    income_minor: int
    tax_minor: int
    rewards: int


def of_reward(reward: Reward) -> Iterator[Booked]:
    """Its grant and its settlement."""
    if reward.granted:
        yield Booked(f"grant-{reward.reward_id}", "grant", reward.claimed_at_ms, reward.granted, reward.campaign)
    if reward.settled:
        if reward.state is State.RELEASED and not reward.paid_at_ms:
            expired = reward.reason == "deadline_passed"
            kind, at_ms = "release", reward.claimable_until_ms if expired else reward.claimed_at_ms
        else:
            kind, at_ms = "settle", reward.paid_at_ms
        yield Booked(f"settle-{reward.reward_id}", kind, at_ms, reward.settled, reward.campaign)


def of_entry(entry: JournalEntry) -> Booked:
    """A journal entry as it is."""
    return Booked(entry.entry_id, entry.kind, entry.at_ms, entry.postings, entry.corrects)


def belongs(one: Booked, month: str, closed: frozenset[bytes]) -> bool:
    """Whether the month's books take the entry: it is no later, and no closed month has it. What came late, or was
    corrected, falls into the first month that is still open."""
    return one.at_ms < month_start_ms(next_month(month)) and one.mark not in closed


def withheld(rewards: Iterable[Reward], month: str) -> list[Withheld]:
    """Per person and currency what was paid in the month and taxed, by person key."""
    sums: dict[tuple[str, str], list[int]] = {}
    for one in rewards:
        if one.withheld_minor and one.settled and one.state is not State.RELEASED and month_of(one.paid_at_ms) == month:
            found = sums.setdefault((one.party, one.currency), [0, 0, 0])
            for at, amount in enumerate((one.amount_minor, one.withheld_minor, 1)):
                found[at] += amount
    return [Withheld(*key, *sums[key]) for key in sorted(sums)]


def filing_csv(people: Iterable[Withheld], paid: Mapping[str, tuple[str, str]] = MappingProxyType({})) -> str:
    """The columns of the withholding client's sheet for incidental income (偶然所得), as far as they are known here.

    The person's key stands in the staff number's column; name and document stay empty until a reviewed reveal. The last
    two columns say when the month's tax was paid, and on which receipts. `paid`: these by currency, where all is paid.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FILING_COLUMNS)
    for one in people:
        income, tax = yuan(one.income_minor), yuan(one.tax_minor)
        what = (one.person, "", "", "", "偶然所得", income, "0.00", income, f"{TAX_PERCENT}%")
        writer.writerow((*what, tax, tax, one.currency, one.rewards, *paid.get(one.currency, ("", ""))))
    return text.getvalue()


def yuan(amount_minor: int) -> str:
    """Two decimals, without going through floats."""
    sign, amount = ("-", -amount_minor) if amount_minor < 0 else ("", amount_minor)
    return f"{sign}{amount // 100}.{amount % 100:02d}"
