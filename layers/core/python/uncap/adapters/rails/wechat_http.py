"""One signed HTTP exchange with WeChat Pay. Used by `wechat_transfer.py` and `wechat_statement.py`.

urllib3 comes with boto3, so the Lambda runtime has it. No retries and no redirects here: whether to send again is the
payout worker's decision, under the same bill number.
"""

from collections.abc import Callable, Mapping

import msgspec
import urllib3

from uncap.adapters.rails.wechat_crypto import Keyring
from uncap.domain.errors import AuthError, InputError, TransientError

_CONNECT_TIMEOUT_S = 2.0
_MAX_REPLY_BYTES = 1 << 20


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `problem` is "" when the platform's signature over `body` was proven, else why it was not."""

    status: int
    body: bytes
    problem: str


class WechatHttp:
    """Signs requests, proves replies. One per rail; the pool inside is safe to share between threads."""

    def __init__(
        self, keyring: Keyring, base_url: str, *, timeout_ms: int, now_ms: Callable[[], int], nonce: Callable[[], str]
    ) -> None:
        """`nonce` gives up to 32 alphanumerics, new at each call. InputError if `base_url` would send in the clear."""
        url = urllib3.util.parse_url(base_url)
        host = url.host or ""
        loopback = host in {"127.0.0.1", "localhost"} or host.endswith(".localhost")
        if url.scheme != "https" and not (url.scheme == "http" and loopback):
            raise InputError("rail_base_url", "the rail is spoken to over https, or over http on loopback")
        self.keyring = keyring
        self._base_url = base_url.rstrip("/")
        self._now_ms = now_ms
        self._nonce = nonce
        timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=timeout_ms / 1000)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=8)

    def call(self, method: str, target: str, body: bytes = b"", *, max_bytes: int = _MAX_REPLY_BYTES) -> Reply:
        """Send one request for `target` (path with query). TransientError if no whole reply came back."""
        authorization = self.keyring.authorization(
            method, target, body, now_s=self._now_ms() // 1000, nonce=self._nonce()
        )
        headers = {
            "Authorization": authorization,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "uncap",
            # Also asks the platform to sign its reply with this key pair and not with its certificate's.
            "Wechatpay-Serial": self.keyring.platform_serial,
        }
        status, reply_headers, reply_body = self._exchange(method, target, body, headers, max_bytes)
        return Reply(status=status, body=reply_body, problem=self._problem(reply_headers, reply_body))

    def _exchange(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str], max_bytes: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            response = self._pool.request(
                method,
                self._base_url + target,
                body=body or None,
                headers=headers,
                preload_content=False,
                redirect=False,
            )
            try:
                data = response.read(max_bytes + 1, decode_content=True)
            finally:
                response.release_conn()
        except urllib3.exceptions.ReadTimeoutError as error:
            raise TransientError("rail_timeout", f"no reply in time to {method}") from error
        except urllib3.exceptions.HTTPError as error:
            raise TransientError("rail_unreachable", f"the exchange broke off in {method}") from error
        if len(data) > max_bytes:
            raise TransientError("rail_reply_too_long", f"more than {max_bytes} bytes in reply to {method}")
        return response.status, response.headers, data

    def _problem(self, headers: Mapping[str, str], body: bytes) -> str:
        try:
            self.keyring.check_signature(headers, body, now_s=self._now_ms() // 1000)
        except AuthError as error:
            return error.code
        return ""

    def check_callback(self, headers: Mapping[str, str], body: bytes) -> None:
        """AuthError unless the platform signed this webhook body within the last 300 s."""
        self.keyring.check_signature(headers, body, now_s=self._now_ms() // 1000)
