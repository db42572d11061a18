"""channel_api: everything is imported at init, where Lambda is fast, and wired at the first request."""

from typing import Any

from uncap.runtime.wiring_channel import channel_handler


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One HTTP API request (payload 2.0)."""
    return channel_handler()(event, context)
