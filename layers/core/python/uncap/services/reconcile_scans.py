"""Scans against rewards: what the stream lost is created, what got stuck is sent again. Called by reconcile_job.

Walks the Scans table in segments and resumes where it stopped, so that a pass may take as many runs as it needs. What
was compared by an earlier pass is compared again in turns only; held rewards come from an index (docs/adr/0034).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from zlib import crc32

import msgspec

from uncap.adapters.reward_lists import RewardPage
from uncap.domain.campaigns.facts import Pick
from uncap.domain.catalog import Campaign
from uncap.domain.errors import ConflictError, PoisonError
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.granting import unconditional
from uncap.domain.rewards.ports import ScanReader
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import ScanImage
from uncap.services.grant_rewards import Granter, grant_claims

CURSOR = "reconcile"
SEGMENTS = 4
STUCK_AFTER_MS = 900_000
RECHECK_MS = 3 * 86_400_000
"""How long claims are compared by every pass: what a message was lost for is seen at least once while it is stuck."""
SLICES = 32
"""Every pass compares one of so many slices of the older claims: a reward that got stuck late is seen in its turn."""
_HELD_PAGE = 100
UNDECIDED = "undecided"
"""Stands for the rewards nobody can name yet; no reward has this id, so the claim is planned (again)."""


class Cursor(msgspec.Struct, omit_defaults=True):
    """Where the pass stands: held rewards up to `held`, until all are `helped`; then `segment` is being read, from the
    key `start`. `started_ms` 0: no pass is under way.

    `verified_ms`: when a pass began that compared every claim. `turn` counts passes. `flawed`: this one met what it
    cannot grant.
    """

    segment: int = 0
    start: str = ""
    started_ms: int = 0
    verified_ms: int = 0
    turn: int = 0
    flawed: bool = False
    held: str = ""
    helped: bool = False

    def compares(self, image: ScanImage) -> bool:
        """Whether it is the claim's turn: always while it is young, or no pass has compared it yet."""
        young = image.first is not None and image.first.at_ms >= self.verified_ms - RECHECK_MS
        return young or (crc32(image.pk.encode()) - self.turn) % SLICES == 0


class OpenRewards(Protocol):
    """See adapters/reward_lists.py."""

    def page(self, *, state: str, campaign_id: str, limit: int, after: str = "") -> RewardPage: ...


@dataclass
class Reconciled:
    """What a run did. `complete`: it reached the end of a pass. `poison`: claims no retry can heal. `compared` of the
    `scans` were held against their rewards."""

    scans: int = 0
    compared: int = 0
    created: list[Reward] = field(default_factory=list)
    resent: int = 0
    associated: int = 0
    poison: list[tuple[str, PoisonError]] = field(default_factory=list)
    complete: bool = False


def reconcile(
    scans: ScanReader,
    granter: Granter,
    clock_ms: Callable[[], int],
    time_is_up: Callable[[], bool],
    rewards: OpenRewards,
) -> Reconciled:
    """Work through pages until the pass is complete or time is up; the cursor is saved after every page."""
    done, ledger = Reconciled(), granter.ledger
    cursor = _load(ledger.read_cursor(CURSOR), clock_ms())
    while not cursor.helped and not time_is_up():
        _help_held(rewards, granter, clock_ms(), done, cursor)
    while cursor.helped and cursor.segment < SEGMENTS and not time_is_up():
        page = scans.page(cursor.segment, SEGMENTS, cursor.start)
        poison = len(done.poison)
        done.poison += page.unreadable
        _reconcile_page(page.images, granter, clock_ms(), done, cursor)
        cursor.flawed |= len(done.poison) > poison
        cursor.segment, cursor.start = (cursor.segment, page.following) if page.following else (cursor.segment + 1, "")
        ledger.save_cursor(CURSOR, msgspec.json.encode(cursor).decode())
    if cursor.segment >= SEGMENTS:
        done.complete = True
        ledger.save_cursor(CURSOR, msgspec.json.encode(_between(cursor)).decode())
    return done


def _load(text: str, now_ms: int) -> Cursor:
    cursor = msgspec.json.decode(text, type=Cursor) if text else Cursor()
    return cursor if cursor.started_ms else msgspec.structs.replace(cursor, started_ms=now_ms)


def _between(cursor: Cursor) -> Cursor:
    """What a pass leaves behind. One that met what it cannot grant has verified nothing: it is all looked at again."""
    return Cursor(verified_ms=cursor.verified_ms if cursor.flawed else cursor.started_ms, turn=cursor.turn + 1)


def _help_held(rewards: OpenRewards, granter: Granter, now_ms: int, done: Reconciled, cursor: Cursor) -> None:
    """A page of the held rewards, however old their claims: a fact may have come, a recall been lifted."""
    page = rewards.page(state=State.HELD.value, campaign_id="", limit=_HELD_PAGE, after=cursor.held)
    _help_on(page.rewards, granter, now_ms, done)
    cursor.held, cursor.helped = page.after, not page.after
    granter.ledger.save_cursor(CURSOR, msgspec.json.encode(cursor).decode())


def _to_compare(image: ScanImage, cursor: Cursor, granter: Granter) -> bool:
    """A claim whose turn it is; and any that rules decide, for whom facts may come as late as they like."""
    if image.first is None or image.first.form != "claim":
        return False
    if cursor.compares(image):
        return True
    try:
        return bool(_campaign(image, granter).rule_set)
    except PoisonError:
        return True


def _reconcile_page(
    images: Sequence[ScanImage], granter: Granter, now_ms: int, done: Reconciled, cursor: Cursor
) -> None:
    done.scans += len(images)
    claims = {one.pk: one for one in images if _to_compare(one, cursor, granter)}
    done.compared += len(claims)
    expected = _expected(claims, granter, done)
    found = granter.ledger.get_many([one for wanted in expected.values() for one in wanted])
    missing = [claims[pk] for pk, wanted in expected.items() if any(one not in found for one in wanted)]
    if missing:
        granted = grant_claims(missing, granter)
        done.created += [one for one in granted.rewards if one.reward_id not in found]
        done.poison += granted.poison
    _help_on(list(found.values()), granter, now_ms, done)


def _expected(claims: Mapping[str, ScanImage], granter: Granter, done: Reconciled) -> dict[str, list[str]]:
    """Per claim the rewards it must have: those its decision names, or what its campaign gives every claim."""
    campaigns: dict[str, Campaign] = {}
    for pk, image in claims.items():
        try:
            campaigns[pk] = _campaign(image, granter)
        except PoisonError as cause:
            done.poison.append((pk, cause))
    decisions = _decisions({pk: one.campaign_id for pk, one in campaigns.items() if one.rule_set}, granter)
    expected: dict[str, list[str]] = {}
    for pk, campaign in campaigns.items():
        picks = decisions[pk] if pk in decisions else unconditional(campaign)
        ref = claims[pk].ref
        expected[pk] = [ids.reward_id(ref, campaign.campaign_id, one.no, one.beneficiary) for one in picks]
        if campaign.rule_set and pk not in decisions:
            expected[pk].append(UNDECIDED)
    return expected


def _decisions(wanted: Mapping[str, str], granter: Granter) -> dict[str, tuple[Pick, ...]]:
    """The picks of the claims that are decided in full, by code key."""
    if not wanted or granter.targeting is None:
        return {}
    found = granter.targeting.decisions.read_many(list(wanted.items()))
    return {ref: one.picks for (ref, _), one in found.items() if not one.open}


def _campaign(image: ScanImage, granter: Granter) -> Campaign:
    """The version that decided the claim; no facts are read but this, which is immutable and cached."""
    if image.first is None:
        raise PoisonError("campaign_malformed", "nobody has claimed this code", where="campaign")
    campaign_id, version = image.first.campaign_version
    for campaign in granter.catalog.campaign_versions(campaign_id):
        if campaign.version == version:
            return campaign
    raise PoisonError("campaign_unknown", f"no version {version} of campaign {campaign_id}", where="campaign")


def _help_on(rewards: Sequence[Reward], granter: Granter, now_ms: int, done: Reconciled) -> None:
    """Resend what should long have been paid or is recalled no more; find the beneficiary of rewards that lack one."""
    again = []
    for reward in rewards:
        if reward.state is State.HELD and reward.reason == states.AWAITING_ASSOCIATION:
            if _associate(reward, granter, now_ms):
                done.associated += 1
                again.append(reward.reward_id)
        elif reward.state is State.HELD and reward.reason == "recalled":
            if _recall_lifted(reward, granter, now_ms):
                again.append(reward.reward_id)
        elif _stuck(reward, now_ms):
            again.append(reward.reward_id)
    if again:
        granter.queue.send(again)
    done.resent += len(again)


def _associate(reward: Reward, granter: Granter, now_ms: int) -> bool:
    party = granter.channel.channel_of(reward.code.batch_no, reward.code.index).party(reward.beneficiary)
    if not party:
        return False
    try:
        granter.ledger.replace(reward, states.associate(reward, party, now_ms))
    except ConflictError:
        return False  # it expired or was decided in this very moment; whoever did that goes on with it
    return True


def _recall_lifted(reward: Reward, granter: Granter, now_ms: int) -> bool:
    """Back on its way if nothing stops it any more: thousands held by a false alarm must not wait for a hand each."""
    if granter.brakes.reason(reward):
        return False
    try:
        granter.ledger.replace(reward, states.resume(reward, now_ms))
    except ConflictError:
        return False  # decided in this very moment, or not to be resumed without a person
    return True


def _stuck(reward: Reward, now_ms: int) -> bool:
    """No index has it, and a message would have moved it by now. The worker pays, resends or asks the rail."""
    moving = reward.state in (State.PENDING, State.SUBMITTING) and not reward.due_at_ms
    return (moving or states.unwatched(reward)) and now_ms - reward.claimed_at_ms >= STUCK_AFTER_MS
