"""Alerts leave the outbox: to the topic once, to each route's webhook until it says 2xx. Called by functions/alert_job.

At least once: a crash after a delivery delivers again, with the same idempotency key and the same body. What nobody
takes in three days, or what a receiver refuses for good, is given up and counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from uncap.adapters.alert_outbox import AlertOutbox
from uncap.adapters.webhook import Poster
from uncap.domain.alerts import MAX_TRIES, Alert, AlertRoute, body_of, headers_of, route_key, wait_ms, wants
from uncap.domain.errors import ConflictError, InputError, TransientError

_GONE = (400, 401, 403, 404, 405, 410, 413, 415, 422)
"""Answers that another try will not change."""


@dataclass(frozen=True)
class AlertTools:
    """What sending needs. `publish` hands a body to the topic (None: there is none); `master` gives the signing key."""

    outbox: AlertOutbox
    routes: Callable[[], Sequence[AlertRoute]]
    post: Poster
    publish: Callable[[Alert, bytes], None] | None
    master: Callable[[], bytes]
    clock_ms: Callable[[], int]


@dataclass
class Sent:
    """What a run did: deliveries to routes, routes given up, alerts that wait for another try."""

    delivered: int = 0
    dropped: int = 0
    waiting: int = 0


def send_alerts(tools: AlertTools, limit: int = 50, time_is_up: Callable[[], bool] = lambda: False) -> Sent:
    """Send what is due. One alert's trouble does not stop the rest. Raises TransientError if the outbox is away."""
    sent = Sent()
    routes = tools.routes()
    for alert in tools.outbox.due(limit):
        if time_is_up():
            break
        after = _try(alert, routes, tools, sent)
        mine = [route for route in routes if wants(route, alert)]
        left = [route for route in mine if route.route_id not in (*after.delivered, *after.dropped)]
        if left or not after.published:
            sent.waiting += 1
            _save(after, tools)
        else:
            tools.outbox.close(after)
    return sent


def _try(alert: Alert, routes: Sequence[AlertRoute], tools: AlertTools, sent: Sent) -> Alert:
    body, now_ms = body_of(alert), tools.clock_ms()
    delivered, dropped = set(alert.delivered), set(alert.dropped)
    tries = alert.tries + 1
    published = alert.published or _publish(alert, body, tools, last=tries >= MAX_TRIES)
    for route in routes:
        if not wants(route, alert) or route.route_id in delivered | dropped:
            continue
        status = _post(alert, route, body, tools)
        if 200 <= status < 300:
            delivered.add(route.route_id)
            sent.delivered += 1
        elif status in _GONE or tries >= MAX_TRIES:
            dropped.add(route.route_id)
            sent.dropped += 1
    return msgspec.structs.replace(
        alert,
        published=published,
        delivered=tuple(sorted(delivered)),
        dropped=tuple(sorted(dropped)),
        tries=tries,
        due_ms=now_ms + wait_ms(alert.alert_id, alert.tries),
        version=alert.version + 1,
    )


def _publish(alert: Alert, body: bytes, tools: AlertTools, *, last: bool) -> bool:
    if tools.publish is None:
        return True
    try:
        tools.publish(alert, body)
    except TransientError:
        return last
    return True


def _post(alert: Alert, route: AlertRoute, body: bytes, tools: AlertTools) -> int:
    """The receiver's status; 0 where it did not answer, 400 where it may not be asked."""
    key = route_key(tools.master(), route)
    headers = headers_of(key, alert, route, tools.clock_ms() // 1000, body)
    try:
        return tools.post(route.url, headers, body)
    except TransientError:
        return 0
    except InputError:
        return 400


def _save(alert: Alert, tools: AlertTools) -> None:
    try:
        tools.outbox.save(alert)
    except ConflictError:
        return  # another run has just tried the same alert; its word stands
