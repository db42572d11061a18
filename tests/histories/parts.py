"""What a history's granter is given besides tables: the laid prizes, the draw, and a table where nothing goes wrong."""

from collections.abc import Callable

from tests.histories.stores import FakeLedger
from tests.histories.world import Rates, World
from uncap.domain.catalog import Campaign, Release
from uncap.services.draw_prizes import Drawing
from uncap.services.reserve_budget import reserve_drawn

BLOCKED = "p4"
"""This person may win no drawn prize."""


def laid_prize(release: Release, index: int) -> str:
    """Five of eight codes carry cash, one a taxed prize; or six of eight a pay-N right, one cash."""
    if any(one.prize_id == "again" for one in release.prize_table):
        return "cash" if index == 5 else "again" if index != 3 else ""
    return "taxed" if index == 5 else "cash" if index % 4 != 3 else ""


def drawing_of(ledger: FakeLedger, campaign: Campaign, clock_ms: Callable[[], int]) -> Drawing:
    """The budget is made sure of before every draw, as a container does before its first."""

    def provide(_: str) -> None:
        reserve_drawn(ledger, [campaign], clock_ms())

    return Drawing(ledger, lambda _: bytes(32), lambda key: key == BLOCKED, clock_ms, lambda _: None, provide)


def quiet(ledger: FakeLedger) -> FakeLedger:
    """The same entries in a table that always answers: for what was done before the world began to misbehave."""
    calm = FakeLedger(World(0, Rates()))
    calm.entries = ledger.entries
    return calm
