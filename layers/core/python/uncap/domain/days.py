"""Days as the brand counts them: in its time zone. Pure; the zone is handed in by the runtime.

Used for "first scanned on", "per day" limits and when to come back.
"""

from datetime import UTC, datetime, timedelta, tzinfo


def day_of(at_ms: int, zone: tzinfo) -> str:
    """The calendar day of an instant, "2026-11-22"."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()


def next_day_ms(at_ms: int, zone: tzinfo) -> int:
    """The instant the next day begins, daylight saving included."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
    return int(midnight.astimezone(UTC).timestamp() * 1000)
