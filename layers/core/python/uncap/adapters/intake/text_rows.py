"""Association rows from cells of text, one by one: every rule that a row must keep before its codes are looked at.

The careful half of the CSV reader, and the whole of it for rows that EPCIS events and odd Parquet columns give.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import numpy as np
import numpy.typing as npt

from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import ADD, CODE_BYTES, ChunkBuilder, RowChunk, action_of, codes_of
from uncap.domain.intake.faults import RowFault, echo
from uncap.domain.intake.times import parse_time

U8 = npt.NDArray[np.uint8]


class TextRows:
    """Builds one chunk. `faults` are those already found in it."""

    def __init__(self, zone: tzinfo, faults: Sequence[RowFault] = ()) -> None:
        self._zone = zone
        self._builder = ChunkBuilder(faults=list(faults))
        self._times: dict[str, int] = {}

    def add(self, line: int, cells: Mapping[str, str]) -> None:
        """One row, or the fault that keeps it out."""
        try:
            child, parent = _code(cells, "child"), _code(cells, "parent")
            action = _action(cells.get("action", ""))
            if not child or (action == ADD and not parent):
                raise InputError("code_missing", "the cell is empty", where="parent" if child else "child")
            self._builder.add(line, child, parent, action, self._time(cells.get("at", "")))
        except InputError as fault:
            self.fault(line, fault)

    def add_all(self, line: int, cells: Mapping[str, str], children: Sequence[str]) -> None:
        """Rows that differ in their child only: an event's."""
        if not "".join(children).isascii() or not all(children) or len(max(children, key=len)) > CODE_BYTES:
            for child in children:
                self.add(line, {**cells, "child": child})
            return
        try:
            parent, action = _code(cells, "parent"), _action(cells.get("action", ""))
            if action == ADD and not parent:
                raise InputError("code_missing", "the event has no parent", where="parent")
            self._builder.add_all(line, children, parent, action, self._time(cells.get("at", "")))
        except InputError as fault:
            self.fault(line, fault)

    def fault(self, line: int, fault: InputError) -> None:
        """A row that cannot be read; `where` is the field."""
        self._builder.faults.append(RowFault(line, fault.code, fault.message, fault.where))

    def ignore(self) -> None:
        """Something that was there and packs nothing."""
        self._builder.ignored += 1

    def build(self) -> RowChunk:
        """The chunk."""
        return self._builder.build()

    def _time(self, text: str) -> int:
        # A line writes the same second many times over.
        if text not in self._times:
            if len(self._times) > 10_000:
                self._times.clear()
            self._times[text] = parse_time(text, self._zone)
        return self._times[text]


def names_its_codes(child: U8, parent: U8, action: npt.NDArray[np.uint8]) -> bool:
    """Whether every row has a child, and a parent where something is packed; cells (n, w) padded with zeros."""
    return bool(child[:, 0].all() and (parent[:, 0].astype(bool) | (action != ADD)).all())


def actions_of(cells: U8, encoding: str) -> npt.NDArray[np.uint8] | None:
    """A column (n, w) of action cells padded with zeros; None if one of them is no action."""
    texts = codes_of(cells)
    if len(texts) and (texts == texts[0]).all():
        only = action_of(texts[0].decode(encoding, "replace"))
        return None if only is None else np.full(len(texts), only, np.uint8)
    names, places = np.unique(texts, return_inverse=True)
    if len(names) > 64:
        return None
    actions = [action_of(name.decode(encoding, "replace")) for name in names]
    if None in actions:
        return None
    return np.array(actions, np.uint8)[places]


def _code(cells: Mapping[str, str], name: str) -> bytes:
    text = cells.get(name, "")
    try:
        code = text.encode("ascii")
    except UnicodeEncodeError as cause:
        raise InputError("code_not_ascii", "a code has Latin letters and digits only", where=name) from cause
    if len(code) > CODE_BYTES:
        raise InputError("code_too_long", f"a code has at most {CODE_BYTES} characters", where=name)
    return code


def _action(text: str) -> int:
    action = action_of(text)
    if action is None:
        raise InputError("action_unknown", f"{echo(text)!r} is no action: add, delete or reject", where="action")
    return action
