"""The outbox of alerts in Insights: `alerts` / `{alert id}` while it is to be sent, `alerted` / `{id}` afterwards.

Filled in the transaction of what an alert is about; emptied by `services/send_alerts.py`. Every write is conditional on
the version that was read, so that two senders do not undo each other's work.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import InsightItem
from uncap.domain.alerts import Alert
from uncap.domain.errors import ConflictError

PENDING_PK, SENT_PK = "alerts", "alerted"
KEPT_S = 180 * 86_400


def alert_item(alert: Alert) -> InsightItem:
    """The item to be put with what the alert is about. Unguarded: the same alert is the same item."""
    return InsightItem(PENDING_PK, alert.alert_id, doc=msgspec.json.encode(alert).decode(), v=1)


class AlertOutbox:
    """Needs `open_tables` to have bound InsightItem."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms

    def put(self, alert: Alert) -> None:
        """Add an alert, unless it waits already or was sent. Raises TransientError."""
        with suppress(ConflictError), translated():
            alert_item(alert).save(condition=InsightItem.pk.does_not_exist())

    def due(self, limit: int) -> list[Alert]:
        """Up to `limit` alerts whose time has come. Raises TransientError."""
        now_ms, found = self._clock_ms(), []
        with translated():
            for item in InsightItem.query(PENDING_PK, consistent_read=True):
                alert = msgspec.json.decode(item.doc or "", type=Alert)
                if alert.due_ms <= now_ms:
                    found.append(alert)
                if len(found) == limit:
                    break
        return found

    def save(self, alert: Alert) -> None:
        """Store how its delivery stands; its version is one more than the stored one. ConflictError, TransientError."""
        with translated("alert_moved"):
            item = InsightItem(PENDING_PK, alert.alert_id, doc=msgspec.json.encode(alert).decode(), v=alert.version)
            item.save(condition=InsightItem.v == alert.version - 1)

    def close(self, alert: Alert) -> None:
        """Nothing is left to send. Kept for half a year, then gone. TransientError; repeating is safe."""
        ttl = self._clock_ms() // 1000 + KEPT_S
        with translated():
            InsightItem(SENT_PK, alert.alert_id, doc=msgspec.json.encode(alert).decode(), ttl=ttl).save()
            InsightItem(PENDING_PK, alert.alert_id).delete()
