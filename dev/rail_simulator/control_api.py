"""What a person and a test may do to the simulated rail: the confirm page, and `/_sim/…`. Mounted by `app.py`.

The `/_sim` POSTs want `Content-Type: application/json`, which no foreign web page may send here.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dev.rail_simulator import faults, page
from dev.rail_simulator.machine import Machine
from dev.rail_simulator.store import Bill, Store
from dev.rail_simulator.wire import ApiError, beijing_day, rfc3339

_MAX_BODY = 16 << 10
OrderT = TypeVar("OrderT")


class _Confirm(msgspec.Struct, frozen=True):
    package: str


class _Advance(msgspec.Struct, frozen=True):
    seconds: int


class _Balance(msgspec.Struct, frozen=True):
    amount_minor: int


class ControlApi:
    """Not signed, loopback only: it plays the person's phone and the operator's hand."""

    def __init__(self, machine: Machine, *, alive: Callable[[], bool]) -> None:
        """`alive` says whether the ticker and the courier still run; health depends on it."""
        self._machine = machine
        self._alive = alive
        self._store: Store = machine.store

    def routes(self) -> list[Route]:
        """The confirm page and the `/_sim` endpoints."""
        return [
            Route("/confirm", self._page, methods=["GET"]),
            Route("/confirm", self._tap, methods=["POST"]),
            Route("/_sim/health", self._health),
            Route("/_sim/statement", self._statement),
            Route("/_sim/faults", self._armed, methods=["GET"]),
            Route("/_sim/faults", self._clear, methods=["DELETE"]),
            Route("/_sim/faults", _taking(faults.FaultOrder, self._arm), methods=["POST"]),
            Route("/_sim/confirm", _taking(_Confirm, self._confirm), methods=["POST"]),
            Route("/_sim/advance", _taking(_Advance, self._advance), methods=["POST"]),
            Route("/_sim/balance", _taking(_Balance, self._add_balance), methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        self._machine.tick()
        bill = self._store.bill("package", request.query_params.get("package", ""))
        return self._html(bill, request.query_params.get("back", ""), 200 if bill else 404)

    async def _tap(self, request: Request) -> Response:
        form = parse_qs((await request.body())[:_MAX_BODY].decode(errors="replace"))
        package, back = form.get("package", [""])[0], form.get("back", [""])[0]
        self._machine.tick()
        try:
            self._machine.confirm(package)
        except ApiError as error:
            return self._html(self._store.bill("package", package), back, error.status)
        # Back to a GET, so that reloading the page does not send the form again.
        return RedirectResponse("/confirm?" + urlencode({"package": package, "back": back}), 303)

    def _html(self, bill: Bill | None, back: str, status: int) -> Response:
        return HTMLResponse(page.render(bill, back), status, headers=page.HEADERS)

    async def _health(self, _: Request) -> Response:
        counts = self._store.db.execute("SELECT state, COUNT(*) FROM bills GROUP BY state").fetchall()
        waiting = self._store.db.execute("SELECT COUNT(*) FROM callbacks WHERE due_ms IS NOT NULL").fetchone()[0]
        document = {
            "ok": self._alive(),
            "balance_minor": self._store.meta("balance"),
            "bills": dict(counts),
            "callbacks_due": waiting,
        }
        return JSONResponse(document, 200 if document["ok"] else 500)

    async def _statement(self, request: Request) -> Response:
        """All successes, or those of `?date=YYYY-MM-DD` (Beijing); openids as hashes."""
        self._machine.tick()
        try:
            bounds = beijing_day(request.query_params["date"]) if "date" in request.query_params else (0, 1 << 62)
        except ValueError:
            return JSONResponse({"code": "PARAM_ERROR", "message": "date"}, 400)
        lines = [
            {
                "bill_no": bill.out_bill_no,
                "transfer_bill_no": bill.transfer_bill_no,
                "amount_minor": bill.amount,
                "openid_hash": hashlib.sha256(bill.openid.encode()).hexdigest(),
                "paid_at": rfc3339(bill.updated_ms),
            }
            for bill in self._store.successes(*bounds)
        ]
        total = sum(bill.amount for bill in self._store.successes(*bounds))
        return JSONResponse({"lines": lines, "count": len(lines), "total_minor": total})

    async def _armed(self, _: Request) -> Response:
        return JSONResponse({"faults": faults.armed(self._store)})

    async def _clear(self, _: Request) -> Response:
        faults.clear(self._store)
        return JSONResponse({"faults": []})

    def _arm(self, order: faults.FaultOrder) -> dict[str, Any]:
        problem = order.problem()
        if problem:
            raise ApiError(400, "PARAM_ERROR", problem)
        faults.arm(self._store, order)
        return {"faults": faults.armed(self._store)}

    def _confirm(self, order: _Confirm) -> dict[str, Any]:
        self._machine.tick()
        bill = self._machine.confirm(order.package)
        return {"bill_no": bill.out_bill_no, "state": bill.state}

    def _advance(self, order: _Advance) -> dict[str, Any]:
        """Move the business clock forward: unconfirmed bills expire by it."""
        if order.seconds < 0:
            raise ApiError(400, "PARAM_ERROR", "time only goes forward")
        self._store.add_meta("clock_offset_ms", order.seconds * 1000)
        self._machine.tick()
        return {"now_ms": self._store.now_ms()}

    def _add_balance(self, order: _Balance) -> dict[str, Any]:
        return {"balance_minor": self._store.add_meta("balance", order.amount_minor)}


def _taking(kind: type[OrderT], action: Callable[[OrderT], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that takes one JSON document of `kind`."""

    async def handle(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"code": "PARAM_ERROR", "message": "Content-Type: application/json"}, 415)
        try:
            order = msgspec.json.decode((await request.body())[:_MAX_BODY], type=kind)
        except msgspec.DecodeError as error:
            return JSONResponse({"code": "PARAM_ERROR", "message": str(error)}, 400)
        try:
            return JSONResponse(action(order))
        except ApiError as error:
            return JSONResponse({"code": error.code, "message": error.message}, error.status)

    return handle
