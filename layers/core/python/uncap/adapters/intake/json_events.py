"""The events of an EPCIS JSON document one after another, however many there are: only one of them is in memory.

A scanner finds the event list (`epcisBody.eventList`, or `…queryResults.resultsBody.eventList`) and cuts it into
events; each is then decoded by whoever asked. EPCIS 2.0 §10 (JSON binding).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from uncap.adapters.intake.lines import Place
from uncap.adapters.intake.streams import Stream
from uncap.domain.errors import InputError

EVENT_BYTES = 8 << 20
"""The longest event that is read: a pallet of a hundred thousand items."""
_HEAD_BYTES = 1 << 20
_READ = 1 << 20
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(_STRING + rb"|[{}\[\]:,]", re.DOTALL)
_STRUCTURE = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_NO_SPACE = re.compile(rb"[^ \t\r\n]")
_QUOTE, _OPEN = ord('"'), frozenset(b"{[")
_OPENING, _CLOSING, _BEFORE_KEY = (b"{", b"["), (b"}", b"]"), (b"{", b",")
_BOM = b"\xef\xbb\xbf"
_PATHS = ((b"epcisBody", b"eventList"), (b"epcisBody", b"queryResults", b"resultsBody", b"eventList"))


class RawEvent(NamedTuple):
    """One event's JSON, its number from 1, and the place after it."""

    number: int
    data: bytes
    place: Place


def raw_events(stream: Stream, place: Place) -> Iterator[RawEvent]:
    """Events from `place` on: `Place()` for the beginning, else a RawEvent's. `stream` stands at its offset.

    Raises InputError: `json_malformed`, `document_truncated`, `event_too_large`, `events_missing`, the stream's.
    """
    window = _Window(stream, place.offset)
    if is_first := place.offset == 0:
        _find_list(window)
    number = place.line
    while (mark := window.skip_space()) != b"]":
        if not is_first:
            if mark != b",":
                raise window.malformed("a comma or the end of the event list is expected")
            window.take(1)
            mark = window.skip_space()
        if mark != b"{":
            raise window.malformed("an event is expected")
        data = window.take(_object_length(window))
        yield RawEvent(number, data, Place(window.offset, number + 1))
        number, is_first = number + 1, False


class _Window:
    """What of the document is in memory, and how far it has been read."""

    def __init__(self, stream: Stream, offset: int) -> None:
        self._stream, self._base = stream, offset
        self.data, self.at = b"", 0

    @property
    def offset(self) -> int:
        """Bytes of the document before the next one."""
        return self._base + self.at

    def more(self, limit: int) -> None:
        """Reads on. Raises InputError (`document_truncated`, `event_too_large`)."""
        if len(self.data) - self.at > limit:
            raise InputError("event_too_large", f"one event is larger than {limit >> 20} MB", where=self.where)
        read = self._stream.read(_READ)
        if not read:
            words = "the document ends too early; was it uploaded whole?"
            raise InputError("document_truncated", words, where=self.where)
        self.data = self.data[self.at :] + read
        self._base, self.at = self._base + self.at, 0

    def take(self, length: int) -> bytes:
        """The next bytes, which are there."""
        taken = self.data[self.at : self.at + length]
        self.at += length
        return taken

    def skip_space(self) -> bytes:
        """The next byte that is no white space; it stays."""
        while True:
            found = _NO_SPACE.search(self.data, self.at)
            self.at = found.start() if found else len(self.data)
            if found:
                return found[0]
            self.more(_HEAD_BYTES)

    @property
    def where(self) -> str:
        """For people."""
        return f"byte {self.offset + 1}"

    def malformed(self, words: str) -> InputError:
        """The error, at this place."""
        return InputError("json_malformed", f"this is not EPCIS JSON: {words}", where=self.where)


def _find_list(window: _Window) -> None:
    """Moves the window behind the `[` of the event list, following the way there token by token."""
    if window.skip_space() == _BOM[:1]:
        window.take(len(_BOM))
    if window.skip_space() != b"{":
        raise window.malformed("it does not begin with {")
    path: list[bytes] = []
    key = b""
    before = b""
    for token in _tokens(window):
        if token == b"[" and (*path[1:], key) in _PATHS:
            return
        if token in _OPENING:
            path.append(key)
        elif token in _CLOSING:
            path.pop()
            if not path:
                break
        elif token[:1] == b'"' and before in _BEFORE_KEY:
            key = token[1:-1]
        before = token
    raise InputError("events_missing", "the document has no event list (epcisBody.eventList)")


def _tokens(window: _Window) -> Iterator[bytes]:
    """Strings and structure of the document's head; each is taken off the window."""
    start = window.offset
    while True:
        found = _TOKEN.search(window.data, window.at)
        # A quote before the token opens a string that is not whole yet.
        if found is None or window.data.find(b'"', window.at, found.start()) >= 0:
            window.more(_HEAD_BYTES)
            continue
        window.at = found.end()
        if window.offset - start > _HEAD_BYTES:
            raise InputError("events_missing", "there is no event list within the document's first megabyte")
        yield found[0]


def _object_length(window: _Window) -> int:
    """Bytes of the object that begins at the window's place, reading on as far as it goes."""
    depth, done = 0, 0
    while True:
        for found in _STRUCTURE.finditer(window.data, window.at + done):
            if window.data.find(b'"', window.at + done, found.start()) >= 0:
                break  # as in `_tokens`
            done = found.end() - window.at
            mark = window.data[found.start()]
            if mark == _QUOTE:
                continue
            depth += 1 if mark in _OPEN else -1
            if depth == 0:
                return done
        window.more(EVENT_BYTES)
