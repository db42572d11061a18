"""Why no money may move now: recalls, pauses and stolen keys, read strongly consistent. Used wherever money begins.

An answer holds for a second, so a launch asks three times a second and worker, not three times a reward. Whoever stores
a recall or a pause can rely on it: nothing new is sent later than this second and a call under way (docs/rewards.md).
"""

from collections.abc import Callable

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import AssociationReader, UnitRef, chain_of
from uncap.domain.campaigns.reference import PauseScope
from uncap.domain.catalog import IndexRange
from uncap.domain.diversion.holds import DiversionHold
from uncap.domain.lifecycle import covering
from uncap.domain.rewards.ports import CHANNEL_ROLES
from uncap.domain.rewards.reward import Reward
from uncap.domain.rewards.states import DIVERSION_CASE, DIVERSION_CONFIRMED, EPOCH_COMPROMISED
from uncap.services.roll_order import RollOrder

MAX_AGE_MS = 1_000
CAMPAIGN_PAUSED = "campaign_paused"
_ENTRIES = 1_024


class _Stops(msgspec.Struct, frozen=True):
    """What stops a batch under a campaign: for every code, for those in `recalled`, for goods at paused places, and for
    the channel's share of goods under suspicion."""

    reason: str
    recalled: tuple[IndexRange, ...] = ()
    diversions: tuple[DiversionHold, ...] = ()
    paused_for: PauseScope = PauseScope()


class Brakes:
    """Answers for (batch, campaign), each at most `max_age_ms` old. Safe to share between threads."""

    def __init__(
        self,
        catalog: Catalog,
        clock_ms: Callable[[], int],
        max_age_ms: int = MAX_AGE_MS,
        packing: AssociationReader | None = None,
    ) -> None:
        """`packing` finds the case a bottle is in, where cases or pallets were shipped as such; roll order, if none."""
        self._packing = packing or RollOrder(catalog)
        self._catalog = catalog
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._known: dict[tuple[int, str], tuple[int, _Stops]] = {}

    def reason(self, reward: Reward) -> str:
        """`recalled`, `frozen`, `campaign_paused`, `epoch_compromised`, `batch_unknown`; "" if money may move.

        For the channel's rewards also `diversion_confirmed`, `diversion_case`: never for a consumer's.

        The campaign's newest version decides about a pause, effective or not: stopping money is never announced in
        advance.
        """
        asked_ms, key = self._clock_ms(), (reward.code.batch_no, reward.campaign_id)
        known = self._known.get(key)
        if known and 0 <= asked_ms - known[0] < self._max_age_ms:
            return self._reason(known[1], reward)
        stops = self._read(*key)
        if len(self._known) >= _ENTRIES:
            self._known.clear()
        self._known[key] = (asked_ms, stops)
        return self._reason(stops, reward)

    def _read(self, batch_no: int, campaign_id: str) -> "_Stops":
        view = self._catalog.batch(batch_no, fresh=True)
        if view is None:
            return _Stops("batch_unknown")
        batch = view.batch
        versions = self._catalog.campaign_versions(campaign_id, fresh=True)
        paused_for = versions[-1].paused_for if versions else PauseScope()
        paused = bool(versions) and versions[-1].paused
        reason = batch.hold or self._wider_reason(batch.epoch, paused)
        return _Stops(reason, batch.recalled, view.diversions, paused_for)

    def _wider_reason(self, epoch: int, paused: bool) -> str:
        if paused:
            return CAMPAIGN_PAUSED
        compromised = self._catalog.epoch_state(epoch, fresh=True) == "compromised"
        return EPOCH_COMPROMISED if compromised else ""

    def _reason(self, stops: _Stops, reward: Reward) -> str:
        """A recalled range counts before a reason that ends by itself: it must not be paid when that one is over."""
        recalled = stops.recalled and covering(stops.recalled, reward.code.index) is not None
        if recalled or (stops.reason and stops.reason != reward.cleared):
            return "recalled" if recalled else stops.reason
        if stops.paused_for and stops.paused_for.covers(reward.place):
            return CAMPAIGN_PAUSED
        if not stops.diversions or reward.beneficiary not in CHANNEL_ROLES:
            return ""
        return self._diverted(stops.diversions, reward)

    def _diverted(self, holds: tuple[DiversionHold, ...], reward: Reward) -> str:
        """One confirmed case decides, then one that is looked into; dismissed ones say nothing."""
        unit = UnitRef(reward.code.batch_no, reward.code.index)
        chain = chain_of(self._packing, unit)
        about = {hold.state for hold in holds if any(hold.covers(one.batch_no, one.index) for one in chain)}
        if "confirmed" in about:
            return DIVERSION_CONFIRMED
        return DIVERSION_CASE if "investigating" in about else ""
