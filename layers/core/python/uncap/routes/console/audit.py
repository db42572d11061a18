"""The audit trail. Mounted by `table.py`."""

from uncap.routes.console.endpoint import Area
from uncap.services.desk import Desk
from uncap.services.read_audit import AuditPage, AuditQuery, read_audit

AUDIT = Area("audit")


@AUDIT.get("/audit")
def get_audit(desk: Desk, query: AuditQuery) -> AuditPage:
    """A day's changes, with the result of checking the hash chain."""
    return read_audit(desk, query)
