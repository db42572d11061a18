"""One AWS service over signed keep-alive HTTP, with bounded retries. Used by the `*_wire` adapters.

Retries as boto3's standard mode: throttling, 5xx, time-outs and resets wait with full jitter; a stale connection, a
skewed clock and expired credentials are repaired and the request repeated at once, each at most once per call.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping

from uncap.adapters.wire.connections import BadReplyError, Connections, Reply, StaleConnectionError
from uncap.adapters.wire.credentials import (
    CredentialSource,
    aws_variables,
    credential_source,
    endpoint_url,
    region_of,
)
from uncap.adapters.wire.retries import Fault, RetryPolicy, fault_of
from uncap.adapters.wire.sigv4 import Signer
from uncap.domain.errors import TransientError, UncapError

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 2.0
_OK = 200


class RefusedError(UncapError):
    """The service answered and will not do it; `service_code` is its own name for why, `body` its whole answer."""

    def __init__(self, operation: str, service_code: str, message: str, body: bytes) -> None:
        super().__init__("aws_refused", f"{operation}: {service_code}: {message}")
        self.service_code = service_code
        self.body = body


class Service:
    """How one service speaks: endpoint prefix, X-Amz-Target prefix, content type."""

    def __init__(self, prefix: str, target: str, content_type: str) -> None:
        self.prefix = prefix
        self.target = target
        self.content_type = content_type


DYNAMODB = Service("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "application/x-amz-json-1.1")


class WireClient:
    """`call` sends one operation. Time, sleep and randomness are arguments so that tests decide them."""

    def __init__(
        self,
        service: Service,
        region: str,
        connections: Connections,
        credentials: CredentialSource,
        *,
        policy: RetryPolicy | None = None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._service = service
        self._connections = connections
        self._credentials = credentials
        self._signer = Signer(service.prefix, region)
        self._policy = policy or RetryPolicy()
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._offset_ms = 0
        self._stamp: tuple[int, str] = (0, "")
        self._lock = threading.Lock()
        self.requests = 0

    def call(self, operation: str, body: bytes) -> bytes:
        """The reply's body. Raises RefusedError (a final answer) or TransientError (nothing certain was learnt).

        A request may have been carried out although its reply was lost; callers send only what may be repeated.
        """
        give_up_ms = self._clock_ms() + self._policy.total_ms
        repaired: set[str] = set()
        failed = 0
        while True:
            answer = self._attempt(operation, body)
            if isinstance(answer, bytes):
                return answer
            if answer.repair and answer.repair not in repaired and self._repair(answer):
                repaired.add(answer.repair)
                continue
            if not answer.transient:
                raise RefusedError(operation, answer.code, answer.message, answer.body)
            failed += 1
            pause_ms = self._policy.pause_ms(failed, self._rng)
            if failed >= self._policy.attempts or self._clock_ms() + pause_ms > give_up_ms:
                raise TransientError("storage_unavailable", f"{operation} failed {failed} times, last {answer.code}")
            self._sleep(pause_ms / 1000)

    def _attempt(self, operation: str, body: bytes) -> bytes | Fault:
        now_ms = self._clock_ms() + self._offset_ms
        target = f"{self._service.target}.{operation}"
        headers = self._signer.headers(
            self._credentials.current(),
            self._connections.host,
            self._service.content_type,
            target,
            body,
            self._amz_date(now_ms),
        )
        with self._lock:
            self.requests += 1
        try:
            reply: Reply = self._connections.post(headers, body)
        except StaleConnectionError as stale:
            return Fault("connection_stale", str(stale), transient=True, repair="connection")
        except TimeoutError as late:
            return Fault("timed_out", str(late), transient=True)
        except BadReplyError as bad:
            return Fault("bad_reply", str(bad), transient=True)
        except OSError as broken:
            return Fault("connection_failed", str(broken), transient=True)
        return reply.body if reply.status == _OK else fault_of(reply, now_ms)

    def _repair(self, fault: Fault) -> bool:
        """Heals the cause if it can; False leaves the fault to the ordinary rules."""
        if fault.repair == "connection":
            self._connections.close()  # the others were kept as long and are as dead
            return True
        if fault.repair == "clock":
            self._offset_ms = fault.server_ms - self._clock_ms()
            return True
        return self._credentials.refresh()

    def _amz_date(self, now_ms: int) -> str:
        second = now_ms // 1000
        held, text = self._stamp
        if held != second:
            text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
            self._stamp = (second, text)
        return text


def connect(
    service: Service,
    *,
    clock_ms: Callable[[], int],
    credentials: CredentialSource | None = None,
    variables: Mapping[str, str] | None = None,
    policy: RetryPolicy | None = None,
) -> WireClient:
    """A client as boto3's variables say (the process's own unless given): region, endpoint, CA bundle, credentials."""
    source = aws_variables() if variables is None else variables
    region = region_of(source)
    connections = Connections(
        endpoint_url(service.prefix, region, source),
        connect_timeout_s=CONNECT_TIMEOUT_S,
        read_timeout_s=READ_TIMEOUT_S,
        ca_file=source.get("AWS_CA_BUNDLE", ""),
    )
    held = credentials or credential_source(clock_ms, source)
    return WireClient(service, region, connections, held, policy=policy, clock_ms=clock_ms)
