"""What fills drawn slots, wired for reward_relay and reconcile_job: the draw key, the blocked list, the waiting."""

import random
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from uncap.adapters.blocks import is_blocked
from uncap.domain.prizes.drawing import drawn_key
from uncap.domain.rewards.holds import HoldStore
from uncap.services.draw_prizes import Drawing

_SLICE_S = 0.005
_LONGEST_S = 0.25


def open_drawing(store: HoldStore, master: Callable[[], bytes], clock_ms: Callable[[], int], time_zone: str) -> Drawing:
    """A container's own; `master` reads the DrawKeys secret at the first draw."""
    return Drawing(
        store=store,
        key_of=lambda campaign_id: drawn_key(master(), campaign_id),
        blocked=is_blocked,
        clock_ms=clock_ms,
        pause=_pause,
        zone=ZoneInfo(time_zone),
    )


def _pause(attempt: int) -> None:
    """Full jitter, so that those who met do not meet again."""
    time.sleep(random.uniform(0, min(_LONGEST_S, _SLICE_S * 2**attempt)))
