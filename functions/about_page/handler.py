"""about_page: the product safety page of a code, apart from the scan path. Triggered by ScanHttpApi."""

from typing import Any

from uncap.runtime.wiring_about import about_handler


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One HTTP API request (payload 2.0)."""
    return about_handler()(event, context)
