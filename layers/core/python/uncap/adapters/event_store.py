"""The Events table: captured events, the entries that find them, capture jobs and named queries (docs/adr/0014).

An event is there when its own item is: entries are written first, so whatever stops a capture leaves nothing half seen,
and writing the same again heals it. Over the wire client, as an event is ten to a hundred small writes.
"""

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import zstandard

from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, get_item
from uncap.domain.epcis.capture import Capturable, Entry
from uncap.domain.errors import InputError, TransientError

ValueT = TypeVar("ValueT")

MAX_EVENT_BYTES = 380 * 1024
"""Of an event's compressed JSON; DynamoDB takes 400 KB with everything."""
_WRITES, _READS = 25, 100
_ROUNDS, _PAUSE_S = 6, 0.05
_LISTED = 10_000  # values of the vocabulary that this process need not write again
_UNPACKED_BYTES = 64 * 1024 * 1024


class _Written(msgspec.Struct):
    left: dict[str, list[Any]] = msgspec.field(name="UnprocessedItems", default_factory=dict)


class _Read(msgspec.Struct):
    found: dict[str, list[Attributes]] = msgspec.field(name="Responses", default_factory=dict)
    left: dict[str, Any] = msgspec.field(name="UnprocessedKeys", default_factory=dict)


class _Page(msgspec.Struct):
    items: list[Attributes] = msgspec.field(name="Items", default_factory=list)
    last: Attributes | None = msgspec.field(name="LastEvaluatedKey", default=None)


class Page(msgspec.Struct, frozen=True):
    """Sort keys, or documents under them; `more` says whether others may follow."""

    rows: tuple[tuple[str, str], ...]
    more: bool


class EventStore:
    """One table. Raises TransientError (`storage_unavailable`, `table_unavailable`) where it does not answer."""

    def __init__(self, client: Caller, table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep
        self._pack = zstandard.ZstdCompressor(level=3).compress
        self._unpack = zstandard.ZstdDecompressor()
        self._listed: set[Entry] = set()

    def known(self, keys: Sequence[str]) -> set[str]:
        """Which of these events are stored. Strongly consistent."""
        wanted = [{"pk": {"S": f"event#{key}"}, "sk": {"S": "event"}} for key in keys]
        return {item["pk"]["S"].removeprefix("event#") for item in self._batch_get(wanted, "pk", consistent=True)}

    def put(self, events: Sequence[Capturable]) -> None:
        """Stores events that are not known. Raises InputError (`epcis_event_too_large`), before anything is written."""
        items = [self._item(one) for one in events]
        entries = dict.fromkeys(entry for one in events for entry in one.entries)
        values = {entry for one in events for entry in one.values} - self._listed
        self._batch_put({"pk": {"S": entry.partition}, "sk": {"S": entry.place}} for entry in (*entries, *values))
        self._batch_put(items)
        self._listed |= values if len(self._listed) < _LISTED else set()

    def events(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The events by key; one that is not (or not yet) there is left out."""
        wanted = [{"pk": {"S": f"event#{key}"}, "sk": {"S": "event"}} for key in keys]
        found: dict[str, dict[str, Any]] = {}
        for item in self._batch_get(wanted, "pk, z", consistent=False):
            packed = base64.b64decode(item["z"]["B"])
            unpacked = self._unpack.decompress(packed, max_output_size=_UNPACKED_BYTES)
            found[item["pk"]["S"].removeprefix("event#")] = msgspec.json.decode(unpacked)
        return found

    def places(self, partition: str, low: str, high: str, limit: int, *, newest_first: bool) -> Page:
        """Up to `limit` places of a partition's entries between `low` and `high`, both as they sort."""
        if low > high:
            return Page((), False)  # DynamoDB refuses to be asked
        return self._query(partition, low, high, limit, "sk", newest_first=newest_first)

    def keep(self, pk: str, sk: str, value: object) -> None:
        """Puts a document: a capture job, a named query."""
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "doc": {"S": msgspec.json.encode(value).decode()}}
        self._call("PutItem", {"TableName": self._table, "Item": item})

    def keep_new(self, pk: str, sk: str, value: object) -> bool:
        """Puts a document where none is; False if one is."""
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "doc": {"S": msgspec.json.encode(value).decode()}}
        request = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._client.call("PutItem", ENCODE(request))
        except RefusedError as refused:
            if refused.service_code == "ConditionalCheckFailedException":
                return False
            raise _unavailable(refused) from refused
        return True

    def value(self, pk: str, sk: str, kind: type[ValueT]) -> ValueT | None:
        """The document, or None. Strongly consistent."""
        try:
            item = get_item(self._client, self._table, {"pk": pk, "sk": sk}, consistent=True)
        except RefusedError as refused:
            raise _unavailable(refused) from refused
        return None if item is None else msgspec.json.decode(item["doc"]["S"], type=kind)

    def documents(self, pk: str, limit: int, after: str = "", *, newest_first: bool = False) -> Page:
        """(sk, document) under `pk`, following `after`."""
        low, high = ("", after or "~") if newest_first else (after, "~")
        page = self._query(pk, low, high, limit + 2, "sk, doc", newest_first=newest_first)  # `after` and one to see
        rows = tuple(row for row in page.rows if row[0] != after)
        return Page(rows[:limit], len(rows) > limit or (page.more and len(page.rows) < limit + 2))

    def forget(self, pk: str, sk: str) -> None:
        """Deletes a document."""
        self._call("DeleteItem", {"TableName": self._table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}})

    def _item(self, one: Capturable) -> Attributes:
        packed = self._pack(msgspec.json.encode(one.event))
        if len(packed) > MAX_EVENT_BYTES:
            raise InputError(
                "epcis_event_too_large", "an event names more things than one event may", where=one.event_id
            )
        return {
            "pk": {"S": f"event#{one.key}"},
            "sk": {"S": "event"},
            "z": {"B": base64.b64encode(packed).decode()},
        }

    def _query(self, pk: str, low: str, high: str, limit: int, attributes: str, *, newest_first: bool) -> Page:
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :p AND sk BETWEEN :l AND :h",
            "ExpressionAttributeValues": {":p": {"S": pk}, ":l": {"S": low or " "}, ":h": {"S": high}},
            "ProjectionExpression": attributes,
            "ScanIndexForward": not newest_first,
            "Limit": limit,
        }
        page = msgspec.json.decode(self._call("Query", request), type=_Page)
        rows = tuple((item["sk"]["S"], item["doc"]["S"] if "doc" in item else "") for item in page.items)
        return Page(rows, page.last is not None)

    def _batch_put(self, items: Iterable[Attributes]) -> None:
        for part in _parts(items, _WRITES):
            left: dict[str, list[Any]] = {self._table: [{"PutRequest": {"Item": item}} for item in part]}
            for attempt in range(_ROUNDS):
                left = msgspec.json.decode(self._call("BatchWriteItem", {"RequestItems": left}), type=_Written).left
                if not left:
                    break
                self._sleep(_PAUSE_S * 2**attempt)
            else:
                raise TransientError("storage_unavailable", "the table takes no more writes at the moment")

    def _batch_get(self, keys: Sequence[Attributes], attributes: str, *, consistent: bool) -> Iterator[Attributes]:
        for part in _parts(keys, _READS):
            about = {"Keys": part, "ProjectionExpression": attributes, "ConsistentRead": consistent}
            left: dict[str, Any] = {self._table: about}
            for attempt in range(_ROUNDS):
                answer = msgspec.json.decode(self._call("BatchGetItem", {"RequestItems": left}), type=_Read)
                yield from answer.found.get(self._table, ())
                left = answer.left
                if not left:
                    break
                if attempt:
                    self._sleep(_PAUSE_S * 2**attempt)
            else:
                raise TransientError("storage_unavailable", "the table gives no more items at the moment")

    def _call(self, operation: str, request: dict[str, object]) -> bytes:
        try:
            return self._client.call(operation, ENCODE(request))
        except RefusedError as refused:
            raise _unavailable(refused) from refused


def _parts(items: Iterable[Attributes], size: int) -> Iterator[list[Attributes]]:
    part: list[Attributes] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _unavailable(refused: RefusedError) -> TransientError:
    return TransientError("table_unavailable", f"the table did not answer ({refused.service_code})")
