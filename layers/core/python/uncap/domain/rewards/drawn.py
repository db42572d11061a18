"""What a claim's drawn slot may come to: the prize it is drawn for, those it falls back to, the lines each counts in.

Pure. Called by `services/draw_prizes.py`, which takes the places; which prize it is, `domain/prizes/drawing.py` says.
"""

from typing import NamedTuple

import msgspec

from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.campaigns.facts import Pick
from uncap.domain.catalog import Campaign
from uncap.domain.errors import PoisonError
from uncap.domain.prizes.drawing import drawn_share
from uncap.domain.rewards.granting import EXCLUDED, Ground, reward_of
from uncap.domain.rewards.holds import Line, line_key
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef, Mark

EXHAUSTED = "budget_exhausted"
DAY_EXHAUSTED = "budget_day_exhausted"
REGION_EXHAUSTED = "budget_region_exhausted"
PERSON_LIMIT = "person_limit"
BLOCKED = "blocked"


class Choice(NamedTuple):
    """A prize the slot may be filled with, if every line has a place."""

    reward: Reward
    lines: tuple[Line, ...]


class Candidates(NamedTuple):
    """Choices in order of preference; `nothing` is the reward in state NONE for when there are none (left)."""

    choices: tuple[Choice, ...]
    nothing: Reward


def candidates_of(ref: CodeRef, claim: Mark, pick: Pick, ground: Ground, key: bytes, day: str) -> Candidates:
    """The slot's candidates; `key` decides, `day` is the claim's where the brand is.

    PoisonError (`draw_unknown`, and what `reward_of` raises).
    """
    nothing = reward_of(ref, claim, pick, ground, "")
    draw = draw_of(ground.campaign, pick.prize_id)
    if nothing.reason or (pick.beneficiary == "consumer" and claim.outlet):
        # An outlet's people scan for the outlet; a draw among consumers is not for them.
        return Candidates((), msgspec.structs.replace(nothing, reason=nothing.reason or EXCLUDED))
    position = drawn_share(key, nothing.reward_id, draw)
    if position is None:
        return Candidates((), nothing)
    shares = draw.shares[position:] if draw.fall_back else draw.shares[position : position + 1]
    choices = tuple(
        Choice(
            reward_of(ref, claim, pick, ground, share.prize_id),
            lines_of(ground.campaign.campaign_id, draw, share, day, _region(ground), nothing.party),
        )
        for share in shares
    )
    return Candidates(choices, nothing)


def lines_of(campaign_id: str, draw: Draw, share: DrawShare, day: str, region: str, person: str) -> tuple[Line, ...]:
    """The budget lines that one prize counts in, the total first."""
    prize = (campaign_id, draw.draw_id, share.prize_id)
    lines = [Line(line_key(*prize), share.total, EXHAUSTED)]
    if share.per_day:
        lines.append(Line(line_key(*prize, "day", day), share.per_day, DAY_EXHAUSTED))
    if share.per_region:
        lines.append(Line(line_key(*prize, "region", region), share.per_region, REGION_EXHAUSTED))
    if draw.per_person:
        # One shard: a person is never a crowd, and the whole limit must be in one place to be used up.
        lines.append(Line(line_key(campaign_id, draw.draw_id, "person", person), draw.per_person, PERSON_LIMIT, 1))
    return tuple(lines)


def draw_of(campaign: Campaign, draw_id: str) -> Draw:
    """The campaign's draw. PoisonError (`draw_unknown`)."""
    for draw in campaign.draws:
        if draw.draw_id == draw_id:
            return draw
    raise PoisonError("draw_unknown", f"{campaign.campaign_id}@{campaign.version} has no draw {draw_id!r}")


def _region(ground: Ground) -> str:
    """Where the goods stand; those of no known region share one line."""
    return ground.place.region if ground.place else ""
