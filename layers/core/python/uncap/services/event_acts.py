"""How captured events act on goods, for who captures them; the work itself is in `act_on_events.py`, loaded when used.

Named by `services/desk.py`, `capture_events.py` and `take_events.py`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from uncap.domain.epcis.faults import Fault

if TYPE_CHECKING:
    from uncap.services.desk import Actor
    from uncap.services.goods_desk import GoodsDesk


class Acting(NamedTuple):
    """A captured event that may act: its pointer in the document, itself, and its key in the store."""

    pointer: str
    event: dict[str, object]
    key: str


class Acted(NamedTuple):
    """`faults`: events that did not act and are not to be kept; `notes`: what was recorded and does not fit.

    `whole` is False where nothing was done because of a fault.
    """

    faults: list[Fault]
    notes: list[Fault]
    whole: bool = True


class EventActs(Protocol):
    """One document's acts: `check` writes nothing; the rest may be repeated, by the hashes of the events."""

    def check(self, events: Sequence[Acting]) -> list[Fault]:
        """What cannot be. Raises InputError (`capture_limit_exceeded`)."""
        ...

    def pack(self, events: Sequence[Acting], *, proceed: bool) -> list[Fault]:
        """What could not be packed; without `proceed`, nothing is then. Raises TransientError (`association_busy`)."""
        ...

    def move(self, events: Sequence[Acting]) -> Acted:
        """Shipments, receipts and returns. What one event has done stays, whatever others could not."""
        ...

    def act(self, events: Sequence[Acting], *, proceed: bool) -> Acted:
        """Packs, then moves what could be packed."""
        ...


MakeActs = Callable[["GoodsDesk", "Actor"], EventActs]
