"""What a failed attempt means: give up, repair and repeat at once, or wait and repeat. Used by `client.py`.

Error codes as in the AWS SDKs' standard retry mode; back-off with full jitter (AWS Architecture Blog, "Exponential
Backoff And Jitter").
"""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from uncap.adapters.wire.connections import Reply

THROTTLING = frozenset(
    {
        "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequestsException", "TransactionInProgressException",
    }
)  # fmt: skip
TRANSIENT = frozenset({"InternalServerError", "InternalServiceError", "RequestTimeout", "RequestTimeoutException"})
EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)  # fmt: skip
SKEWED = frozenset(
    {
        "InvalidSignatureException", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)  # fmt: skip
_SKEW_MS = 240_000


class RetryPolicy(msgspec.Struct, frozen=True):
    """`attempts` counts those that wait; repairs (stale connection, clock, credentials) come on top, once each."""

    attempts: int = 4
    base_ms: int = 25
    cap_ms: int = 1_000
    total_ms: int = 6_000

    def pause_ms(self, failed: int, rng: random.Random) -> float:
        """How long to wait after the `failed`-th failure: uniform in [0, min(cap, base * 2^failed))."""
        return rng.random() * min(self.cap_ms, self.base_ms << failed)


class Fault(msgspec.Struct, frozen=True):
    """One failed attempt. `repair`: "" | "connection" | "clock" | "credentials"."""

    code: str
    message: str
    transient: bool
    repair: str = ""
    server_ms: int = 0
    body: bytes = b""


class _ErrorBody(msgspec.Struct):
    kind: str = msgspec.field(name="__type", default="")
    message: str = ""
    message_upper: str = msgspec.field(name="Message", default="")


def fault_of(reply: Reply, local_ms: int) -> Fault:
    """Reads an error reply. `local_ms` is the clock that signed the request, its correction included."""
    try:
        body = msgspec.json.decode(reply.body, type=_ErrorBody)
    except msgspec.MsgspecError:
        body = _ErrorBody()  # a proxy's HTML or nothing at all: the status alone decides
    kind = body.kind or reply.headers.get("x-amzn-errortype", "").split(":")[0]
    code = kind.rpartition("#")[2] or f"http_{reply.status}"
    repair = _repair_for(code, reply, local_ms)
    transient = (
        reply.status >= 500 or reply.status in {408, 429} or code in THROTTLING or code in TRANSIENT or code in EXPIRED
    )
    server_ms = _server_ms(reply) if repair == "clock" else 0
    return Fault(code, body.message or body.message_upper, transient or bool(repair), repair, server_ms, reply.body)


def _repair_for(code: str, reply: Reply, local_ms: int) -> str:
    if code in EXPIRED:
        return "credentials"
    if code in SKEWED and (server := _server_ms(reply)) and abs(server - local_ms) > _SKEW_MS:
        return "clock"
    return ""


def _server_ms(reply: Reply) -> int:
    """The reply's Date header as epoch ms, 0 where it is missing or unreadable."""
    try:
        date: datetime = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return 0
    return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp() * 1000)
