"""The simulator's WeChat Pay endpoints: requests proven, replies signed, faults in between. Mounted by `app.py`."""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dev.rail_simulator.faults import REPLY_FAULTS, Fault, take
from dev.rail_simulator.machine import Machine
from dev.rail_simulator.signing import Platform
from dev.rail_simulator.store import Bill, Store
from dev.rail_simulator.wire import ApiError, TransferRequest, beijing_day, rfc3339, statement_csv

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
RECEIPTS = "/v3/fund-app/mch-transfer/elecsign"
_JSON = "application/json; charset=utf-8"
_DOWNLOAD_LIFETIME_MS = 300_000
_ACCOUNTS = frozenset({"BASIC", "OPERATION", "FEES"})
_PAYING_ACCOUNT = "OPERATION"
_NUMBERS = {"out-bill-no": "out_bill_no", "transfer-bill-no": "transfer_bill_no"}
_REFUSALS = {
    "429": ApiError(429, "FREQUENCY_LIMITED", "频率超限"),
    "not_enough": ApiError(403, "NOT_ENOUGH", "资金不足"),
    "system_error": ApiError(500, "SYSTEM_ERROR", "系统异常，请稍后重试"),
    "unheard_code": ApiError(400, "SOMETHING_NEW_IN_2027", "an error code that is in nobody's table"),
}

Document = dict[str, Any]
Action = Callable[[Request, bytes], Document]


class MerchantApi:
    """Handlers share the machine, the platform's keys and one rate counter."""

    def __init__(self, machine: Machine, platform: Platform, *, hold_ms: int, rate_per_s: int) -> None:
        self._machine = machine
        self._store: Store = machine.store
        self._platform = platform
        self._hold_ms = hold_ms
        self._rate_per_s = rate_per_s
        self._calls: dict[str, tuple[int, int]] = {}

    def routes(self) -> list[Route]:
        """Everything under /v3 that a merchant calls."""
        return [
            Route(BILLS, self._endpoint("submit", self._submit), methods=["POST"]),
            Route(BILLS + "/out-bill-no/{number}", self._endpoint("query", self._query("out_bill_no"))),
            Route(BILLS + "/transfer-bill-no/{number}", self._endpoint("query", self._query("transfer_bill_no"))),
            Route(BILLS + "/out-bill-no/{number}/cancel", self._endpoint("cancel", self._cancel), methods=["POST"]),
            *(
                Route(f"{RECEIPTS}/{path}", self._endpoint("receipt", self._order_receipt(column)), methods=["POST"])
                for path, column in _NUMBERS.items()
            ),
            *(
                Route(f"{RECEIPTS}/{path}/{{number}}", self._endpoint("receipt", self._receipt(column)))
                for path, column in _NUMBERS.items()
            ),
            Route("/v3/certificates", self._endpoint("certificates", self._certificates)),
            Route("/v3/bill/fundflowbill", self._endpoint("statement", self._fund_flow)),
            Route("/v3/billdownload/file", self._download),
        ]

    def _endpoint(self, op: str, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            body = await request.body()
            problem = self._problem(request, body)
            if problem:
                return self._reply(request, 401, _error("SIGN_ERROR", problem))
            self._machine.tick()
            fault = take(self._store, REPLY_FAULTS, op) if op in {"submit", "query", "cancel"} else None
            before = await self._strike_before(request, fault)
            if before is not None:
                return before
            try:
                self._count(op)
                status, document = 200, action(request, body)
            except ApiError as error:
                status, document = error.status, _error(error.code, error.message)
            return await self._strike_after(request, fault, status, document)

        return handle

    async def _strike_before(self, request: Request, fault: Fault | None) -> Response | None:
        """The fault's reply where it keeps the request from being carried out."""
        kind = fault.kind if fault else ""
        if kind in _REFUSALS:
            refusal = _REFUSALS[kind]
            return self._reply(request, refusal.status, _error(refusal.code, refusal.message))
        if kind == "http_500":
            return Response("<html>Bad Gateway</html>", 500, media_type="text/html")
        if kind == "timeout_before_accept":
            await self._hold(fault)
            return Response("", 504)
        return None

    async def _strike_after(self, request: Request, fault: Fault | None, status: int, document: Document) -> Response:
        kind = fault.kind if fault else ""
        if kind in {"timeout_after_accept", "slow"}:
            await self._hold(fault)
        reply = self._reply(request, status, document, skew_s=-600 if kind == "skewed_clock" else 0)
        if kind == "bad_signature":
            reply.headers["Wechatpay-Nonce"] = secrets.token_hex(16)
        return reply

    async def _hold(self, fault: Fault | None) -> None:
        await asyncio.sleep((fault.delay_ms if fault and fault.delay_ms else self._hold_ms) / 1000)

    def _problem(self, request: Request, body: bytes) -> str:
        query = request.scope["query_string"].decode()
        target = request.scope["raw_path"].decode() + (f"?{query}" if query else "")
        authorization = request.headers.get("authorization", "")
        return self._platform.request_problem(request.method, target, body, authorization)

    def _count(self, op: str) -> None:
        """Each interface has its own rate."""
        second, calls = self._calls.get(op, (0, 0))
        now = int(time.time())
        calls = calls + 1 if now == second else 1
        self._calls[op] = (now, calls)
        if calls > self._rate_per_s:
            raise ApiError(429, "RATELIMIT_EXCEEDED", "频率超限")

    def _reply(self, request: Request, status: int, document: Document, *, skew_s: int = 0) -> Response:
        body = json.dumps(document, ensure_ascii=False).encode()
        # A merchant that names the public key gets its replies under it, any other under the certificate.
        named = request.headers.get("wechatpay-serial") == self._platform.public_key_id
        serial = "" if named else self._platform.certificate_serial
        headers = self._platform.signature_headers(body, serial=serial, skew_s=skew_s)
        return Response(body, status, headers, media_type=_JSON)

    def _submit(self, _: Request, body: bytes) -> Document:
        try:
            transfer = msgspec.json.decode(body, type=TransferRequest)
        except msgspec.DecodeError as error:
            raise ApiError(400, "PARAM_ERROR", "请求参数不符合参数格式") from error
        transfer.check(self._platform.appid)
        bill = self._machine.submit(transfer, self._name(transfer.user_name))
        return {
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "create_time": rfc3339(bill.created_ms),
            "state": bill.state,
            **({"package_info": bill.package} if bill.state == "WAIT_USER_CONFIRM" else {}),
        }

    def _name(self, sealed: str) -> str:
        try:
            return self._platform.open_field(sealed) if sealed else ""
        except ValueError as error:
            raise ApiError(400, "PARAM_ERROR", "敏感信息解密失败") from error

    def _query(self, column: str) -> Action:
        def query(request: Request, _: bytes) -> Document:
            bill = self._store.bill(column, request.path_params["number"])
            if bill is None:
                raise ApiError(404, "NOT_FOUND", "记录不存在")
            return self._document(bill)

        return query

    def _document(self, bill: Bill) -> Document:
        return {
            "mch_id": self._platform.mchid,
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "appid": self._platform.appid,
            "state": bill.state,
            "transfer_amount": bill.amount,
            "transfer_remark": bill.remark,
            "fail_reason": bill.fail_reason,
            "openid": bill.openid,
            "create_time": rfc3339(bill.created_ms),
            "update_time": rfc3339(bill.updated_ms),
        }

    def _cancel(self, request: Request, _: bytes) -> Document:
        bill = self._machine.cancel(request.path_params["number"])
        return {
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "state": bill.state,
            "update_time": rfc3339(bill.updated_ms),
        }

    def _certificates(self, _: Request, __: bytes) -> Document:
        certificate = self._platform.certificate
        return {
            "data": [
                {
                    "serial_no": self._platform.certificate_serial,
                    "effective_time": certificate.not_valid_before_utc.isoformat(),
                    "expire_time": certificate.not_valid_after_utc.isoformat(),
                    "encrypt_certificate": self._platform.seal(self._platform.certificate_pem.encode(), "certificate"),
                }
            ]
        }

    def _fund_flow(self, request: Request, _: bytes) -> Document:
        """The real rail makes a day's bill the next morning; here it covers the day so far: a demo can reconcile."""
        try:
            from_ms, to_ms = beijing_day(request.query_params.get("bill_date", ""))
        except ValueError as error:
            raise ApiError(400, "PARAM_ERROR", "bill_date") from error
        account = request.query_params.get("account_type", "BASIC")
        if account not in _ACCOUNTS:
            raise ApiError(400, "PARAM_ERROR", "account_type")
        bills = self._store.successes(from_ms, to_ms) if account == _PAYING_ACCOUNT else []
        if not bills:
            raise ApiError(400, "NO_STATEMENT_EXIST", "账单不存在")
        rows = [
            (rfc3339(b.updated_ms)[:19].replace("T", " "), b.transfer_bill_no, b.remark, b.out_bill_no, b.amount)
            for b in bills
        ]
        body = statement_csv(rows, self._store.meta("balance"))
        return {
            "download_url": self._offer(body),
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        }

    def _order_receipt(self, column: str) -> Action:
        """A receipt can be ordered for what has succeeded; ordering twice is once."""

        def order(_: Request, body: bytes) -> Document:
            try:
                number = str(json.loads(body)[column])
            except (KeyError, TypeError, ValueError) as error:
                raise ApiError(400, "PARAM_ERROR", column) from error
            bill = self._store.bill(column, number)
            if bill is None:
                raise ApiError(404, "NOT_FOUND", "记录不存在")
            if bill.state != "SUCCESS":
                raise ApiError(400, "INVALID_REQUEST", "转账单据未成功")
            now_ms = self._store.now_ms()
            self._store.db.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?)", (bill.out_bill_no, now_ms))
            return {"state": "GENERATING", "create_time": rfc3339(now_ms)}

        return order

    def _receipt(self, column: str) -> Action:
        def query(request: Request, _: bytes) -> Document:
            bill = self._store.bill(column, request.path_params["number"])
            rows = self._store.db.execute(
                "SELECT created_ms FROM receipts WHERE out_bill_no = ?", (bill.out_bill_no if bill else "",)
            ).fetchall()
            if bill is None or not rows:
                raise ApiError(404, "NOT_FOUND", "记录不存在")
            body = f"{bill.out_bill_no} {bill.transfer_bill_no} {bill.amount} {rfc3339(bill.updated_ms)}\n".encode()
            return {
                "state": "FINISHED",
                "create_time": rfc3339(rows[0][0]),
                "update_time": rfc3339(rows[0][0]),
                "hash_type": "SHA256",
                "hash_value": hashlib.sha256(body).hexdigest(),
                "download_url": self._offer(body),
            }

        return query

    def _offer(self, body: bytes) -> str:
        """Where this can be downloaded for five minutes."""
        token, now_ms = secrets.token_urlsafe(32), time.time_ns() // 1_000_000
        self._store.db.execute("DELETE FROM downloads WHERE created_ms < ?", (now_ms - _DOWNLOAD_LIFETIME_MS,))
        self._store.db.execute("INSERT INTO downloads VALUES (?, ?, ?)", (token, body, now_ms))
        return f"https://api.mch.weixin.qq.com/v3/billdownload/file?token={token}"

    async def _download(self, request: Request) -> Response:
        if self._problem(request, b""):
            return self._reply(request, 401, _error("SIGN_ERROR", "sign not match"))
        token = request.query_params.get("token", "")
        row = self._store.db.execute("SELECT body FROM downloads WHERE token = ?", (token,)).fetchone()
        if row is None:
            return self._reply(request, 400, _error("INVALID_REQUEST", "token"))
        return Response(row[0], media_type="text/plain; charset=utf-8")


def _error(code: str, message: str) -> Document:
    return {"code": code, "message": message}
