"""One labelled claim, and the batches it may be of. Made by `scenario.py` and `trade.py`, judged by `command.py`."""

from typing import NamedTuple

START_MS, DAY_MS = 1_795_305_600_000, 86_400_000
MARKET, CASES, FIRST_LEAKED = 1, 2, 10
"""Batches: bottles on the market, their cases, and from then on a batch of its own for each leaked print file."""


class Attempt(NamedTuple):
    """One labelled claim. `kind` names who it was; `unit` its code's index in `batch_no`; `case`: a case's own code.

    `sent_to`: the outlet by paper. `received`: see `Channel`. `registered_at_ms` of the outlet, 0: long ago.
    """

    at_ms: int
    unit: int
    person: str
    kind: str
    fraud: bool
    shipped: bool = True
    outlet: str = ""
    batch_no: int = MARKET
    case: bool = False
    sent_to: str = "o-1"
    received: bool | None = None
    registered_at_ms: int = 0
    device: str = ""
