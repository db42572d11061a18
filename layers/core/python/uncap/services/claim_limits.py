"""A person's limits under a campaign: slots taken before the claim, given back if it was lost. Used by `claim_code`."""

from datetime import tzinfo
from typing import Protocol

import msgspec

from uncap.domain.catalog import Campaign
from uncap.domain.days import day_of, next_day_ms
from uncap.domain.scans import Mark

_DAY_S = 86_400
_SLOT_LENGTH = 16  # 80 bits of the claim id: enough to tell one person's claims apart, and short in the counter's item


class Limits(Protocol):
    """Counters with named slots; see adapters/limits_wire.py."""

    def take(self, counter: str, slot: str, limit: int, expires_at_s: int) -> bool: ...

    def give_back(self, counter: str, slot: str) -> None: ...


class _Counter(msgspec.Struct, frozen=True):
    key: str
    limit: int
    expires_at_s: int
    retry_at_ms: int
    day: str = ""


class ClaimSlots:
    """The slots one claim needs. `take` before the claim, `settle` with who then holds the code."""

    def __init__(
        self, limits: Limits, campaign: Campaign, person: str, claim_id: str, now_ms: int, zone: tzinfo
    ) -> None:
        self._limits = limits
        self._claim_id = claim_id
        self._slot = claim_id[:_SLOT_LENGTH]
        self._zone = zone
        self._counters = _counters(campaign, person, now_ms, zone)

    def take(self) -> int | None:
        """None if there is room; else when there will be, epoch ms, and no slot is held."""
        for position, counter in enumerate(self._counters):
            if not self._limits.take(counter.key, self._slot, counter.limit, counter.expires_at_s):
                self._give_back(self._counters[:position])
                return counter.retry_at_ms
        return None

    def settle(self, first: Mark | None) -> None:
        """Gives back what the claim turned out not to need.

        Everything if someone else (or another claim) holds the code; the day's slot if this is the retry of a claim
        that was won on an earlier day.
        """
        if first is None or first.claim_id != self._claim_id:
            self._give_back(self._counters)
        else:
            won_on = day_of(first.at_ms, self._zone)
            self._give_back(tuple(one for one in self._counters if one.day and one.day != won_on))

    def _give_back(self, counters: tuple[_Counter, ...]) -> None:
        for counter in counters:
            self._limits.give_back(counter.key, self._slot)


def _counters(campaign: Campaign, person: str, now_ms: int, zone: tzinfo) -> tuple[_Counter, ...]:
    limit, prefix = campaign.limit, f"{person}#{campaign.campaign_id}"
    counters = []
    if limit.per_day:
        day, tomorrow_ms = day_of(now_ms, zone), next_day_ms(now_ms, zone)
        expires_at_s = tomorrow_ms // 1000 + 2 * _DAY_S
        counters.append(_Counter(f"{prefix}#{day}", limit.per_day, expires_at_s, tomorrow_ms, day))
    if limit.per_campaign:
        over_ms = campaign.claim_until_ms
        counters.append(_Counter(f"{prefix}#all", limit.per_campaign, over_ms // 1000 + 30 * _DAY_S, over_ms))
    return tuple(counters)
