"""A release's budget in the ledger: its full face value at activation, what nobody used after the deadline.

`reserve_budget` is called by the console when it activates a release, `add_to_budget` when a later version adds to the
campaign, `book_breakage` by reconcile_job.
"""

from collections.abc import Callable, Iterable, Sequence

from uncap.domain import ledger as books
from uncap.domain.campaigns.rules import Rule
from uncap.domain.catalog import Campaign, CodeBatch, Release
from uncap.domain.ledger import JournalEntry, Posting
from uncap.domain.rewards.face_values import Sums, closing_value, drawn_value, face_value, risen
from uncap.domain.rewards.granting import COME_BACK_FOR_MS
from uncap.domain.rewards.ports import LedgerStore
from uncap.services.trial_balance import TrialBalance, trial_balance


def reserve_budget(
    ledger: LedgerStore,
    release: Release,
    campaign: Campaign,
    rules: Iterable[Rule] = (),
    batch: CodeBatch | None = None,
) -> bool:
    """Provide for everything the release can cost. Idempotent by release id: False if it was reserved before."""
    value = face_value(release, campaign, rules, batch)
    postings = books.reserved(campaign.campaign_id, release.release_id, value)
    if not postings:
        return False
    entry = JournalEntry(f"reserve-{release.release_id}", "reserve", release.activated_at_ms, postings)
    return ledger.put_entry(entry)


def add_to_budget(
    ledger: LedgerStore, release: Release, campaign: Campaign, before: Sums, after: Sums, now_ms: int
) -> bool:
    """Provide for what this version can cost beyond the one before. Idempotent by release and version."""
    postings = books.reserved(campaign.campaign_id, release.release_id, risen(before, after))
    if not postings:
        return False
    name = f"reserve-{release.release_id}-v{campaign.version}"
    return ledger.put_entry(JournalEntry(name, "reserve", now_ms, postings))


def reserve_drawn(ledger: LedgerStore, versions: Iterable[Campaign], now_ms: int) -> int:
    """Provide for every drawn prize of a campaign: per version, oldest first, what it adds. How many entries were new.

    Idempotent by version. Called when a version is stored, and by the relay before a container's first draw under it:
    so a crash between version and entry leaves nothing unprovided.
    """
    return _reserve_risen(ledger, versions, now_ms, books.drawn_budget, drawn_value)


def reserve_closing(ledger: LedgerStore, versions: Iterable[Campaign], now_ms: int) -> int:
    """The same for the draw at a campaign's close (ADR 0028), again before its first prize is given."""
    return _reserve_risen(ledger, versions, now_ms, books.closing_budget, closing_value)


def _reserve_risen(
    ledger: LedgerStore,
    versions: Iterable[Campaign],
    now_ms: int,
    budget: Callable[[str], str],
    value_of: Callable[[Campaign], Sums],
) -> int:
    written, highest = 0, Sums()
    for version in versions:
        value, owner = value_of(version), budget(version.campaign_id)
        postings = books.reserved(version.campaign_id, owner, risen(highest, value))
        highest = {unit: max(value.get(unit, 0), highest.get(unit, 0)) for unit in {*value, *highest}}
        if postings:
            written += ledger.put_entry(
                JournalEntry(f"reserve-{owner}-v{version.version}", "reserve", now_ms, postings)
            )
    return written


def close_budget(ledger: LedgerStore, campaign_id: str, now_ms: int) -> bool:
    """What the draw at a campaign's close left over becomes breakage, once, when none of its prizes is open."""
    owner = books.closing_budget(campaign_id)
    if ledger.has_entry(_breakage_id(owner)):
        return False
    return _book(ledger, owner, campaign_id, trial_balance(ledger), now_ms)


def book_breakage(
    ledger: LedgerStore, releases: Iterable[Release], now_ms: int, balance: TrialBalance | None = None
) -> list[str]:
    """Turn what is left of ended releases' and draws' budgets into breakage, once each; the ids booked now.

    `balance`: of just now, where it is known already.

    Waits a week past the deadline, and must follow a complete reconcile pass: by then every claim has its reward.
    """
    ended = _ended(list(releases), now_ms)
    owed = {owner: campaign for owner, campaign in ended.items() if not ledger.has_entry(_breakage_id(owner))}
    if not owed:
        return []
    balance = balance or trial_balance(ledger)
    return [owner for owner, campaign in owed.items() if _book(ledger, owner, campaign, balance, now_ms)]


def _ended(releases: Sequence[Release], now_ms: int) -> dict[str, str]:
    """Owners of budgets that nobody can win from any more, with their campaigns: releases, and campaigns' draws.

    A drawn prize that is not collected comes back a week after the last claim, so draws wait a week longer.
    """
    activated = [one for one in releases if one.activated_at_ms]
    ended = {one.release_id: one.campaign_id for one in activated if now_ms >= one.claim_until_ms + COME_BACK_FOR_MS}
    for campaign_id in sorted({one.campaign_id for one in activated}):
        last = max(one.claim_until_ms for one in releases if one.campaign_id == campaign_id)
        if now_ms >= last + 2 * COME_BACK_FOR_MS:
            ended[books.drawn_budget(campaign_id)] = campaign_id
    return ended


def _book(ledger: LedgerStore, owner: str, campaign_id: str, balance: TrialBalance, now_ms: int) -> bool:
    postings: tuple[Posting, ...] = ()
    for name, amount in sorted(balance.accounts.items()):
        kind, found, currency = name.split(":")
        if kind == "budget" and found == owner and amount < 0:
            postings += books.unclaimed(owner, campaign_id, currency, -amount)
    if not postings:
        return False
    return ledger.put_entry(JournalEntry(_breakage_id(owner), "breakage", now_ms, postings))


def _breakage_id(owner: str) -> str:
    return f"breakage-{owner}"
