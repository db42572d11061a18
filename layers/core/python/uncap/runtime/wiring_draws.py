"""What fills drawn slots, wired for reward_relay and reconcile_job: the draw key, the blocked list, the waiting."""

import functools
import random
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from uncap.adapters.blocks import is_blocked
from uncap.adapters.catalog import Catalog
from uncap.adapters.ledger_hot import HotLedger
from uncap.domain.prizes.drawing import drawn_key
from uncap.services.draw_prizes import Drawing
from uncap.services.reserve_budget import reserve_drawn

_SLICE_S = 0.005
_LONGEST_S = 0.25


def open_drawing(
    ledger: HotLedger, catalog: Catalog, master: Callable[[], bytes], clock_ms: Callable[[], int], time_zone: str
) -> Drawing:
    """A container's own; `master` reads the DrawKeys secret at the first draw."""

    @functools.cache
    def provide(campaign: str) -> None:
        campaign_id, _, version = campaign.rpartition("@")
        versions = catalog.campaign_versions(campaign_id)
        reserve_drawn(ledger, [one for one in versions if one.version <= int(version)], clock_ms())

    return Drawing(
        store=ledger,
        key_of=lambda campaign_id: drawn_key(master(), campaign_id),
        blocked=is_blocked,
        clock_ms=clock_ms,
        pause=_pause,
        provide=provide,
        zone=ZoneInfo(time_zone),
    )


def _pause(attempt: int) -> None:
    """Full jitter, so that those who met do not meet again."""
    time.sleep(random.uniform(0, min(_LONGEST_S, _SLICE_S * 2**attempt)))
