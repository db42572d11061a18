"""A code's way, up and down, at any moment. Mounted by `table.py`."""

from uncap.routes.console.endpoint import Area
from uncap.services.desk import Desk
from uncap.services.trace_code import Trace, TraceQuery, trace_code

TRACE = Area("shipments")


@TRACE.get("/trace")
def get_trace(desk: Desk, query: TraceQuery) -> Trace:
    """Where a thing lies, where it should be and how it came there, and what is in it."""
    return trace_code(desk, query)
