"""Returns whose goods' earnings have still to be taken back, in the order in which they are to be looked at.

Flow table, `returned` / `{look at, 15 digits}#{paper}`. Put in the transaction that records the return
(`services/store_movements.py`), worked off by `services/take_back_returns.py`.
"""

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import FlowItem

PK = "returned"
SETTLES_AFTER_MS = 3_600_000
"""A return is looked at an hour after it was recorded: by then the stream has brought the rewards of earlier claims."""


class DueReturn(msgspec.Struct, frozen=True, omit_defaults=True):
    """`part` and `done`: parts of the paper, and things of the next one, that were gone through since `look_at_ms`.

    `waits`: some of their rewards were not decided yet.
    """

    paper: str
    recorded_at_ms: int
    look_at_ms: int
    part: int = 0
    done: int = 0
    waits: bool = False

    @property
    def sk(self) -> str:
        """Its sort key."""
        return f"{self.look_at_ms:015d}#{self.paper}"


def due_return(paper: str, now_ms: int) -> DueReturn:
    """A return that was recorded now."""
    return DueReturn(paper, now_ms, now_ms + SETTLES_AFTER_MS)


class ReturnQueue:
    """Needs `open_tables` to have bound FlowItem. Raises TransientError."""

    def due(self, now_ms: int, limit: int) -> list[DueReturn]:
        """Those whose time has come, the oldest first."""
        with translated():
            found = FlowItem.query(PK, FlowItem.sk < f"{now_ms + 1:015d}", limit=limit, page_size=limit)
            return [msgspec.json.decode(item.doc, type=DueReturn) for item in found]

    def keep(self, due: DueReturn) -> None:
        """How far it has come."""
        with translated():
            FlowItem(PK, due.sk, doc=msgspec.json.encode(due).decode(), v=1).save()

    def drop(self, due: DueReturn) -> None:
        """It is done, or is kept under another time."""
        with translated():
            FlowItem(PK, due.sk).delete()
