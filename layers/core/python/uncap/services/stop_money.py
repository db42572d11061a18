"""Why no money may move now: recalls, pauses and stolen keys, read strongly consistent. Used wherever money begins.

An answer holds for a second, so a launch asks three times a second and worker, not three times a reward. Whoever stores
a recall or a pause can rely on it: nothing new is sent later than this second and a call under way (docs/rewards.md).
"""

from collections.abc import Callable

from uncap.adapters.catalog import Catalog
from uncap.domain.rewards.granting import EPOCH_COMPROMISED
from uncap.domain.rewards.reward import Reward

MAX_AGE_MS = 1_000
_ENTRIES = 1_024


class Brakes:
    """Answers for (batch, campaign), each at most `max_age_ms` old. Safe to share between threads."""

    def __init__(self, catalog: Catalog, clock_ms: Callable[[], int], max_age_ms: int = MAX_AGE_MS) -> None:
        self._catalog = catalog
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._known: dict[tuple[int, str], tuple[int, str]] = {}

    def reason(self, reward: Reward) -> str:
        """`recalled`, `frozen`, `campaign_paused`, `epoch_compromised`, `batch_unknown`; "" if money may move.

        The campaign's newest version decides about a pause, effective or not: stopping money is never announced in
        advance.
        """
        asked_ms, key = self._clock_ms(), (reward.code.batch_no, reward.campaign_id)
        known = self._known.get(key)
        if known and 0 <= asked_ms - known[0] < self._max_age_ms:
            return known[1]
        reason = self._read(*key)
        if len(self._known) >= _ENTRIES:
            self._known.clear()
        self._known[key] = (asked_ms, reason)
        return reason

    def _read(self, batch_no: int, campaign_id: str) -> str:
        view = self._catalog.batch(batch_no, fresh=True)
        if view is None:
            return "batch_unknown"
        if view.batch.hold:
            return view.batch.hold
        versions = self._catalog.campaign_versions(campaign_id, fresh=True)
        if versions and versions[-1].paused:
            return "campaign_paused"
        compromised = self._catalog.epoch_state(view.batch.epoch, fresh=True) == "compromised"
        return EPOCH_COMPROMISED if compromised else ""
