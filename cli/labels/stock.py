"""Label stock as data: where labels lie on a page and what goes on each. `stock.json` is ours, a file may be yours.

All lengths are millimetres, from the page's top left corner. Called by `command.py` and by whoever draws or reads back.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

QUIET_MODULES = 4
"""Light modules on every side of a QR symbol (ISO/IEC 18004, 5.3.8)."""
MIN_MODULE_MM, MAX_MODULE_MM = 0.396, 0.99
"""GS1 General Specifications, symbol specification table for Digital Link QR codes at retail and in distribution."""
_TEXT_GAP_MM = 0.5
_TOLERANCE_MM = 0.01


class StockError(ValueError):
    """A stock that cannot be, or labels that do not fit on it."""


class Stock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`columns` x `rows` labels a page, the first `left_mm` from the left and `top_mm` from the top edge."""

    name: str
    page_mm: tuple[float, float]
    label_mm: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left_mm: float = 0
    top_mm: float = 0
    pitch_mm: tuple[float, float] = (0, 0)
    module_mm: float = MIN_MODULE_MM
    text: Literal["below", "right", "none"] = "below"
    text_mm: float = 2
    marks: bool = False
    kind: Literal["item", "pallet"] = "item"
    what: str = ""

    @property
    def per_page(self) -> int:
        """Labels a page."""
        return self.columns * self.rows


class Cell(NamedTuple):
    """One label's place on its page."""

    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float


def load(name: str) -> Stock:
    """By name from our list, or from a JSON file of one's own. Raises StockError."""
    for stock in known():
        if stock.name == name:
            return stock
    path = Path(name)
    if path.suffix != ".json":
        names = ", ".join(stock.name for stock in known())
        raise StockError(f"there is no label stock {name!r}; there are: {names}, or give a .json file")
    try:
        return checked(msgspec.json.decode(path.read_bytes(), type=Stock))
    except OSError as cause:
        raise StockError(f"{path} cannot be read: {cause.strerror}") from cause
    except msgspec.MsgspecError as cause:
        raise StockError(f"{path} describes no label stock: {cause}") from cause


def known() -> list[Stock]:
    """The stock this program comes with."""
    return msgspec.json.decode((Path(__file__).parent / "stock.json").read_bytes(), type=list[Stock])


def checked(stock: Stock) -> Stock:
    """The stock as it is. Raises StockError."""
    if stock.columns < 1 or stock.rows < 1 or min(*stock.page_mm, *stock.label_mm) <= 0:
        raise StockError(f"{stock.name}: a page has a size and at least one label")
    if not MIN_MODULE_MM <= stock.module_mm <= MAX_MODULE_MM:
        raise StockError(f"{stock.name}: a module is {MIN_MODULE_MM} to {MAX_MODULE_MM} mm, not {stock.module_mm}")
    last = cell(stock, stock.per_page - 1)
    inside = last.left_mm + last.width_mm <= stock.page_mm[0] + _TOLERANCE_MM
    if not (inside and last.top_mm + last.height_mm <= stock.page_mm[1] + _TOLERANCE_MM):
        raise StockError(f"{stock.name}: the last label lies outside the page")
    for axis, count in ((0, stock.columns), (1, stock.rows)):
        if count > 1 and stock.pitch_mm[axis] < stock.label_mm[axis] - _TOLERANCE_MM:
            raise StockError(f"{stock.name}: labels overlap (pitch {stock.pitch_mm[axis]} mm)")
    return stock


def cell(stock: Stock, place: int) -> Cell:
    """The label at `place` of a page, row by row."""
    row, column = divmod(place % stock.per_page, stock.columns)
    left = stock.left_mm + column * stock.pitch_mm[0]
    return Cell(left, stock.top_mm + row * stock.pitch_mm[1], *stock.label_mm)


def symbol_cell(stock: Stock, place: int, modules: int) -> Cell:
    """Where the symbol with its quiet zone goes. Raises StockError if the label is too small for it."""
    label = cell(stock, place)
    side = (modules + 2 * QUIET_MODULES) * stock.module_mm
    room = label.height_mm - (stock.text_mm + _TEXT_GAP_MM if stock.text == "below" else 0)
    if side > min(label.width_mm, room) + _TOLERANCE_MM:
        raise StockError(
            f"{stock.name}: a symbol of {modules} modules needs {side:.1f} mm with its quiet zone, the label leaves "
            f"{min(label.width_mm, room):.1f} mm"
        )
    left = label.left_mm + (0 if stock.text == "right" else (label.width_mm - side) / 2)
    top = label.top_mm + (room - side) / 2
    return Cell(left, top, side, side)


def crop_marks(stock: Stock, length_mm: float = 3, gap_mm: float = 1) -> Iterator[tuple[float, float, float, float]]:
    """Lines (x1, y1, x2, y2) outside the labels, in line with their edges."""
    first, last = cell(stock, 0), cell(stock, stock.per_page - 1)
    right, bottom = last.left_mm + last.width_mm, last.top_mm + last.height_mm
    for column in range(stock.columns):
        left = cell(stock, column).left_mm
        for x in {left, left + first.width_mm}:
            yield x, first.top_mm - gap_mm - length_mm, x, first.top_mm - gap_mm
            yield x, bottom + gap_mm, x, bottom + gap_mm + length_mm
    for row in range(stock.rows):
        top = cell(stock, row * stock.columns).top_mm
        for y in {top, top + first.height_mm}:
            yield first.left_mm - gap_mm - length_mm, y, first.left_mm - gap_mm, y
            yield right + gap_mm, y, right + gap_mm + length_mm, y
