"""What becomes of codes after they are printed: assignment, activation, history. Mounted by `table.py`."""

from uncap.domain.catalog import CodeBatch
from uncap.routes.console.endpoint import Area
from uncap.services.activate_codes import Activated, Activation, activate_codes
from uncap.services.assign_codes import NewAssignment, assign_codes
from uncap.services.desk import Actor, BatchNo, Desk
from uncap.services.read_history import CodeHistory, CodeKey, CodeName, Named, name_code, read_history

LIFECYCLE = Area("batches")


@LIFECYCLE.post("/batches/{batch_no}/assign")
def post_assignment(desk: Desk, actor: Actor, batch_no: BatchNo, body: NewAssignment) -> CodeBatch:
    """Give blank codes their product, market and campaign."""
    return assign_codes(desk, actor, batch_no, body)


@LIFECYCLE.post("/batches/{batch_no}/activate")
def post_code_activation(desk: Desk, actor: Actor, batch_no: BatchNo, body: Activation) -> Activated:
    """Let codes be claimed, by index range or by case, in a batch that asks for it."""
    return activate_codes(desk, actor, batch_no, body)


@LIFECYCLE.post("/codes/name", action="read")
def post_code_name(desk: Desk, body: Named) -> CodeName:
    """The name of the thing behind a link or an SSCC: what its history is asked for by."""
    return name_code(desk, body)


@LIFECYCLE.get("/codes/{code}/history")
def get_history(desk: Desk, code: CodeKey) -> CodeHistory:
    """Everything that happened to a code and to the packs it lies in, and what a scan says now."""
    return read_history(desk, code)
