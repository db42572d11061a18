"""AWS Signature Version 4 for the JSON protocols: POST / with a body, nothing else. Used by `client.py`.

Source: AWS General Reference, "Create a signed AWS API request"; checked against botocore on random requests.
"""

import hashlib
import hmac

from uncap.adapters.wire.credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs for one service and region. The day's signing key is kept, so a request costs two hashes and one HMAC."""

    def __init__(self, service: str, region: str) -> None:
        self._service = service.encode()
        self._region = region.encode()
        self._scope_tail = f"/{region}/{service}/aws4_request"
        self._key: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def headers(
        self, credentials: Credentials, host: str, content_type: str, target: str, body: bytes, amz_date: str
    ) -> dict[str, str]:
        """The headers to send, signature included; `amz_date` is UTC as "20261122T100000Z"."""
        signed = {"content-type": content_type, "host": host, "x-amz-date": amz_date}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = amz_date[:8] + self._scope_tail
        to_sign = f"{_ALGORITHM}\n{amz_date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._signing_key(credentials.secret_key, amz_date[:8]), to_sign.encode(), "sha256")
        signed["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature.hex()}"
        )
        return signed

    def _signing_key(self, secret: str, day: str) -> bytes:
        held, key = self._key
        if held == (secret, day):
            return key
        key = ("AWS4" + secret).encode()
        for part in (day.encode(), self._region, self._service, b"aws4_request"):
            key = hmac.digest(key, part, "sha256")
        self._key = ((secret, day), key)
        return key
