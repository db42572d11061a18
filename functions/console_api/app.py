"""console_api: the operators' JSON API on Chalice. The desk is wired at the first request; importing does no I/O."""

from uncap.routes.console.mount import build_app
from uncap.runtime.wiring_console import ConsoleWatch, desk

watch = ConsoleWatch()
app = build_app(desk, watch)
app.register_middleware(watch.per_invocation, "http")
