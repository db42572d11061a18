"""What a diversion case does to money, as the payout services read it beside the batch. Light: the catalog imports it.

Written by `services/review_case.py`, obeyed by `services/stop_money.py`.
"""

import msgspec


class DiversionHold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a diversion case does to the channel's money on a shipment's goods; never to a consumer's.

    The goods are `start..stop` of batch `moved_batch_no` and the paper's other parts, `more` (batch, start, stop), or
    are packed in these. `state`: investigating (money waits), confirmed (forfeited), dismissed (paid).
    """

    case_id: str
    shipment_id: str
    moved_batch_no: int
    start: int
    stop: int
    state: str
    version: int = 1
    more: tuple[tuple[int, int, int], ...] = ()

    def covers(self, batch_no: int, index: int) -> bool:
        """Is this thing of the goods? Not asked about what it is packed in."""
        parts = ((self.moved_batch_no, self.start, self.stop), *self.more)
        return any(one == batch_no and start <= index < stop for one, start, stop in parts)
