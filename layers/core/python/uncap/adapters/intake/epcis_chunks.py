"""AggregationEvents of an EPCIS 2.0 document as row chunks: one row per child, its line the event's number from 1.

JSON is read event by event in constant memory; XML is converted as a whole and therefore held small. Other events are
counted and left alone: whoever wants them recorded sends the file as kind `epcis`.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

import msgspec

from uncap.adapters.intake.json_events import raw_events
from uncap.adapters.intake.lines import Place
from uncap.adapters.intake.sources import ByteSource, BytesSource
from uncap.adapters.intake.streams import Limits, Stream, is_packed, open_stream
from uncap.adapters.intake.text_rows import TextRows
from uncap.domain.epcis.identifiers import canonical
from uncap.domain.epcis.xml import from_xml
from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import RowChunk

CHUNK_ROWS = 32_768
CHUNK_EVENTS = 32_768
XML_BYTES = 48 << 20


class _Event(msgspec.Struct, rename={"event_time": "eventTime", "parent": "parentID", "children": "childEPCs"}):
    type: str = ""
    action: str = ""
    event_time: str = ""
    parent: str | None = None
    children: list[str] = []
    childQuantityList: list[Any] = []  # noqa: N815  # the standard's name


_DECODER = msgspec.json.Decoder(_Event)


class Epcis:
    """One EPCIS document, JSON or XML. `zone` is for times without one, which the standard does not allow."""

    def __init__(self, source: ByteSource, zone: tzinfo, limits: Limits | None = None, *, xml: bool = False) -> None:
        """Raises InputError: the stream's; for XML the converter's and `file_too_large`."""
        self._zone, self._limits = zone, limits
        self._source = converted(source, limits) if xml else source

    @property
    def start(self) -> Place:
        """The first event's place."""
        return Place()

    @property
    def size(self) -> int:
        """Bytes; 0 for a packed file."""
        return 0 if is_packed(self._source) else self._source.size

    def chunks(self, place: Place) -> Iterator[tuple[RowChunk, Place]]:
        """Chunks from `place` on, each with the place after it. Raises InputError, TransientError."""
        rows, count, events, after = TextRows(self._zone), 0, 0, place
        for event in raw_events(open_stream(self._source, place.offset, self._limits), place):
            count += add_event(rows, event.number, event.data)
            events, after = events + 1, event.place
            if count >= CHUNK_ROWS or events >= CHUNK_EVENTS:
                yield rows.build(), after
                rows, count, events = TextRows(self._zone), 0, 0
        if events:
            yield rows.build(), after


def add_event(rows: TextRows, number: int, data: bytes) -> int:
    """An event's children as rows; how many there were. What is wrong with it becomes a fault."""
    try:
        event = _DECODER.decode(data)
        if event.type != "AggregationEvent" or event.action == "OBSERVE":
            rows.ignore()
            return 0
        _check(event)
    except msgspec.MsgspecError as cause:
        rows.fault(number, InputError("event_malformed", f"the event cannot be read: {cause}"[:200]))
        return 1
    except UnicodeDecodeError:
        rows.fault(number, InputError("event_malformed", "the event is not UTF-8"))
        return 1
    except InputError as fault:
        rows.fault(number, fault)
        return 1
    cells = {"parent": _code(event.parent or ""), "action": event.action, "at": event.event_time}
    rows.add_all(number, cells, [_code(child) for child in event.children])
    return len(event.children)


def converted(source: ByteSource, limits: Limits | None) -> BytesSource:
    """An XML document's JSON. Raises InputError (`file_too_large`, `from_xml`'s)."""
    data = read_whole(open_stream(source, 0, limits), XML_BYTES)
    return BytesSource(msgspec.json.encode(from_xml(data).value))


def read_whole(stream: Stream, limit: int) -> bytes:
    """All that is left of a stream. Raises InputError (`file_too_large`) beyond `limit` bytes."""
    parts, size = [], 0
    while more := stream.read(1 << 20):
        parts.append(more)
        size += len(more)
        if size > limit:
            raise InputError("file_too_large", f"a document of this kind has at most {limit >> 20} MB")
    return b"".join(parts)


def _check(event: _Event) -> None:
    """Raises InputError; `where` is the event's field."""
    if event.action not in ("ADD", "DELETE"):
        raise InputError("action_unknown", "the action of an event is ADD, DELETE or OBSERVE", where="action")
    if event.childQuantityList:
        raise InputError("quantity_not_serial", "quantities name no single items", where="childQuantityList")
    if not event.children:
        raise InputError("children_missing", "name every item that is packed or taken out", where="childEPCs")
    if not event.event_time:
        raise InputError("time_malformed", "an event says when it was", where="eventTime")


def _code(text: str) -> str:
    """EPC URIs as links; everything else as it is."""
    return canonical(text) if text.startswith("urn:") else text
