"""An equal share of an account's rate for each of so many workers, kept in the worker: no table is asked for slots.

Used by `schedule_payouts.py` where no more than so many invocations run at once (docs/adr/0022, "Shares").
"""

import threading

from uncap.domain.rail_schedule import Pace, PaceStore

_BELIEVED_MS = 1_000
LEAST_PER_S = 10
"""A share this small would keep a lone payout waiting: then the table gives the slots out."""


def share_of(rate_per_s: int, workers: int) -> int:
    """Calls a second for one of the workers, 0 where shares are not kept.

    All shares have the same absolute grid. Whoever calls in a slot was at work when it began, for slots are given out
    ahead; so a slot has one call of each invocation then running, and a second's slots rate // workers of each.
    """
    share = rate_per_s // workers if workers else 0
    return share if share >= LEAST_PER_S else 0


class OwnShare:
    """Slots of this worker, handed out in order; safe to share between threads. Rests are everybody's."""

    def __init__(self, store: PaceStore) -> None:
        self._store = store
        self._next: dict[str, int] = {}
        self._rests: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def lease(self, account: str, earliest: int, latest: int, count: int, now_ms: int) -> Pace:
        """See `PaceStore`; the account's rest is asked for once a second. Raises TransientError."""
        with self._lock:
            rests_until_ms, asked_ms = self._rests.get(account, (0, -_BELIEVED_MS))
            if now_ms - asked_ms >= _BELIEVED_MS:
                rests_until_ms = max(rests_until_ms, self._store.rests_until(account))
                self._rests[account] = (rests_until_ms, now_ms)
            first = max(self._next.get(account, 0), earliest)
            if rests_until_ms > now_ms or first > latest:
                return Pace(None, first, rests_until_ms)
            self._next[account] = first + count
            return Pace(first)

    def heard_of_rest(self, account: str, until_ms: int) -> None:
        """What this worker has told the others it need not ask them for."""
        with self._lock:
            known, asked_ms = self._rests.get(account, (0, -_BELIEVED_MS))
            self._rests[account] = (max(known, until_ms), asked_ms)
