"""Scans as the relay and the jobs see them: stream records as ScanChange, pages of the table as ScanImage.

A record that cannot be read is a PoisonError and gets parked; what is parked names the code by key, never by serial.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import image_of
from uncap.domain.errors import PoisonError
from uncap.domain.rewards.ports import ScanPage
from uncap.domain.scans import ScanChange, ScanImage

_PAGE = 200


def change_of(record: Mapping[str, Any]) -> ScanChange | None:
    """The scan a stream record tells of; None for a removal (a table restored or cleaned: no scan happened).

    PoisonError: `stream_record_malformed`, `scan_image_malformed`, `scan_key_malformed`.
    """
    try:
        event_id, body = str(record["eventID"]), record["dynamodb"]
        new, old = body.get("NewImage"), body.get("OldImage")
        at_ms = int(float(body.get("ApproximateCreationDateTime", 0)) * 1000)
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise PoisonError("stream_record_malformed", "not a record of the Scans stream", where="dynamodb") from cause
    if new is None:
        return None
    if not isinstance(new, Mapping) or not isinstance(old or {}, Mapping):
        raise PoisonError("stream_record_malformed", "an image is not an item", where="dynamodb")
    return ScanChange(event_id, at_ms, image_of(old) if old else None, _scan_of(new))


def parked_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a poison record: its id and the code's key, no marks."""
    body = record.get("dynamodb") if isinstance(record, Mapping) else None
    keys = body.get("Keys") if isinstance(body, Mapping) else None
    pk = keys.get("pk") if isinstance(keys, Mapping) else None
    text = pk.get("S") if isinstance(pk, Mapping) else None
    return {"event_id": str(record.get("eventID", ""))[:64], "pk": str(text or "")[:64]}


class DynamoScans:
    """`domain.rewards.ports.ScanReader` on the Scans table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, pk: str) -> ScanImage | None:
        """See `ScanReader`."""
        try:
            with translated():
                item = ScanItem.get(pk, consistent_read=True)
        except DoesNotExist:
            return None
        return image_of(item.serialize())

    def page(self, segment: int, segments: int, start: str) -> ScanPage:
        """See `ScanReader`. 200 items a page; strongly consistent, so that nothing just claimed is passed over."""
        with translated():
            reply = self._connection.scan(
                ScanItem.Meta.table_name,
                limit=_PAGE,
                segment=segment,
                total_segments=segments,
                exclusive_start_key=start or None,
                consistent_read=True,
            )
        following = reply.get("LastEvaluatedKey", {}).get("pk", {}).get("S", "")
        images: list[ScanImage] = []
        unreadable: list[tuple[str, PoisonError]] = []
        for item in reply["Items"]:
            try:
                images.append(_scan_of(item))
            except PoisonError as cause:
                unreadable.append((str(item["pk"]["S"])[:64], cause))
        return ScanPage(images, following, unreadable)


def _scan_of(item: Mapping[str, Any]) -> ScanImage:
    """The image; a malformed key is found here, before anything acts on the scan. Raises PoisonError."""
    image = image_of(item)
    image.ref  # noqa: B018  # the property does the checking
    return image
