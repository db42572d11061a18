"""The transfer's states, as the rail's guide draws them. Called by the API, the confirm page and the server's ticker.

ACCEPTED → WAIT_USER_CONFIRM → TRANSFERING → SUCCESS | FAIL; unconfirmed → FAIL (OVERDUE_CLOSE); cancelled before the
tap → CANCELING → CANCELLED. The merchant's money is locked when the bill is made and comes back unless it succeeds.
"""

import json
import secrets
import time
import uuid

import msgspec

from dev.rail_simulator.faults import BILL_FAULTS, CALLBACK_FAULTS, take
from dev.rail_simulator.store import Bill, Store
from dev.rail_simulator.wire import ApiError, TransferRequest, rfc3339

_CANCELLABLE = frozenset({"ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM"})
_FINAL = frozenset({"SUCCESS", "FAIL", "CANCELLED"})
_LATE_CALLBACK_MS = 5_000


class Machine:
    """Moves bills and the merchant's balance; every step is one transaction of the store."""

    def __init__(self, store: Store, *, mchid: str, transfer_ms: int, confirm_ttl_ms: int) -> None:
        self.store = store
        self._mchid = mchid
        self._transfer_ms = transfer_ms
        self._confirm_ttl_ms = confirm_ttl_ms

    def submit(self, request: TransferRequest, user_name: str) -> Bill:
        """Make the bill, or give the one there is. ApiError if the number is taken by other parameters, or no money."""
        fingerprint = request.fingerprint(user_name)
        with self.store.transaction():
            known = self.store.bill("out_bill_no", request.out_bill_no)
            if known is not None:
                if known.fingerprint != fingerprint:
                    raise ApiError(400, "ALREADY_EXISTS", "单号已存在但信息不一致，请查单后比较确认")
                return known
            if self.store.meta("balance") < request.transfer_amount:
                raise ApiError(403, "NOT_ENOUGH", "资金不足")
            self.store.add_meta("balance", -request.transfer_amount)
            return self._make(request, fingerprint)

    def _make(self, request: TransferRequest, fingerprint: str) -> Bill:
        now_ms = self.store.now_ms()
        fault = take(self.store, BILL_FAULTS)
        stuck = fault is not None and fault.kind == "processing"
        number = self.store.add_meta("sequence", 1)
        bill = Bill(
            out_bill_no=request.out_bill_no,
            transfer_bill_no=f"1330000{self._mchid}{time.strftime('%Y%m%d', time.gmtime(now_ms // 1000))}{number:012d}",
            package=secrets.token_urlsafe(48),
            fingerprint=fingerprint,
            openid=request.openid,
            amount=request.transfer_amount,
            remark=request.transfer_remark,
            notify_url=request.notify_url or "",
            state="ACCEPTED" if stuck else "WAIT_USER_CONFIRM",
            fail_reason="",
            planned_fail=fault.reason if fault is not None and not stuck else "",
            created_ms=now_ms,
            updated_ms=now_ms,
            due_ms=now_ms + (self._transfer_ms if stuck else self._confirm_ttl_ms),
        )
        self.store.put(bill)
        return bill

    def confirm(self, package: str) -> Bill:
        """The person taps. Tapping again changes nothing; ApiError if the sheet is no longer valid."""
        with self.store.transaction():
            bill = self.store.bill("package", package)
            if bill is None:
                raise ApiError(404, "NOT_FOUND", "package_info有误")
            if bill.state in {"TRANSFERING", "SUCCESS"}:
                return bill
            if bill.state != "WAIT_USER_CONFIRM":
                raise ApiError(400, "INVALID_REQUEST", "单据已关闭")
            return self._move(bill, "TRANSFERING", due_in_ms=self._transfer_ms)

    def cancel(self, out_bill_no: str) -> Bill:
        """The merchant withdraws; refused once the person has tapped."""
        with self.store.transaction():
            bill = self.store.bill("out_bill_no", out_bill_no)
            if bill is None:
                raise ApiError(404, "NOT_FOUND", "记录不存在")
            if bill.state in {"CANCELING", "CANCELLED"}:
                return bill
            if bill.state not in _CANCELLABLE:
                raise ApiError(400, "INVALID_REQUEST", "当前状态不支持撤销")
            return self._move(bill, "CANCELING", due_in_ms=self._transfer_ms)

    def tick(self) -> None:
        """Carry out what has become due. Runs before every request and on a timer."""
        for bill in self.store.due(self.store.now_ms()):
            with self.store.transaction():
                if bill.state == "ACCEPTED":
                    self._move(bill, "WAIT_USER_CONFIRM", due_in_ms=self._confirm_ttl_ms)
                elif bill.state == "WAIT_USER_CONFIRM":
                    self._move(bill, "FAIL", "OVERDUE_CLOSE")
                elif bill.state == "TRANSFERING":
                    self._move(bill, "FAIL" if bill.planned_fail else "SUCCESS", bill.planned_fail)
                else:
                    self._move(bill, "CANCELLED", "MCH_CANCEL")

    def _move(self, bill: Bill, state: str, fail_reason: str = "", *, due_in_ms: int | None = None) -> Bill:
        now_ms = self.store.now_ms()
        due_ms = None if due_in_ms is None else now_ms + due_in_ms
        moved = msgspec.structs.replace(bill, state=state, fail_reason=fail_reason, updated_ms=now_ms, due_ms=due_ms)
        self.store.put(moved)
        if state in _FINAL:
            if state != "SUCCESS":
                self.store.add_meta("balance", bill.amount)
            self._notify(moved)
        return moved

    def _notify(self, bill: Bill) -> None:
        fault = take(self.store, CALLBACK_FAULTS)
        kind = fault.kind if fault else ""
        if not bill.notify_url or kind == "drop_callback":
            return
        resource = {
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "state": bill.state,
            "mch_id": self._mchid,
            "transfer_amount": bill.amount,
            "openid": bill.openid,
            "fail_reason": bill.fail_reason,
            "create_time": rfc3339(bill.created_ms),
            "update_time": rfc3339(bill.updated_ms),
        }
        # Deliveries run on real time: they are signed with it.
        real_ms = time.time_ns() // 1_000_000
        late_ms = (fault.delay_ms or _LATE_CALLBACK_MS) if fault and kind == "late_callback" else 0
        row = (str(uuid.uuid4()), bill.notify_url, json.dumps(resource), real_ms, real_ms + late_ms)
        for _ in range(2 if kind == "duplicate_callback" else 1):
            self.store.db.execute(
                "INSERT INTO callbacks (event_id, url, resource, created_ms, due_ms) VALUES (?, ?, ?, ?, ?)", row
            )
