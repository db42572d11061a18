"""One HTTP API request (payload 2.0) as the routes need it: headers, cookies, query, a bounded body, checked input."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from uncap.domain.errors import AuthError, ForbiddenError, InputError

MAX_BODY_BYTES = 4_096
COOKIE = "uncap_session"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_BEARER = "bearer "
_MAX_FIELDS = 16

InputT = TypeVar("InputT")


class Request:
    """Reads from the raw event; nothing is decoded before it is asked for."""

    __slots__ = ("_event", "headers")

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event
        # API Gateway sends lower-case names; the local stack and `sam local` need not.
        self.headers: dict[str, str] = {str(k).lower(): v for k, v in (event.get("headers") or {}).items()}

    @property
    def path(self) -> str:
        return str(self._event.get("rawPath", "/"))

    @property
    def method(self) -> str:
        return str(self._event.get("requestContext", {}).get("http", {}).get("method", "")).upper()

    @property
    def raw_query(self) -> str:
        """The query string as it came, without `?`."""
        return str(self._event.get("rawQueryString") or "")

    @property
    def host(self) -> str:
        """The Host header, lower case, with its port."""
        return self.headers.get("host", "").lower()

    @property
    def origin(self) -> str:
        """scheme://host the client used. Behind API Gateway that is https; plain http is for this machine."""
        return f"{'http' if self.is_plain_http else 'https'}://{self.host}"

    @property
    def is_plain_http(self) -> bool:
        """True only on a developer's machine, where browsers need cookies without Secure."""
        name = self.host.rpartition(":")[0] if ":" in self.host else self.host
        local = name in {"localhost", "127.0.0.1"} or name.endswith(".localhost")
        return local and self.headers.get("x-forwarded-proto", "http") == "http"

    def query(self, name: str) -> str:
        """A query parameter, "" if absent."""
        return str((self._event.get("queryStringParameters") or {}).get(name, ""))

    def bearer(self) -> str:
        """The bearer token, "" if there is none."""
        value = self.headers.get("authorization", "")
        return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else ""

    def cookie(self) -> str:
        """The session cookie's value, "" if there is none."""
        # API Gateway takes cookies out of the headers (payload 2.0); the local stack leaves them there.
        for cookie in self._event.get("cookies") or self.headers.get("cookie", "").split(";"):
            name, _, value = str(cookie).partition("=")
            if name.strip() == COOKIE:
                return value.strip().strip('"')
        return ""

    def token(self) -> str:
        """The session's token: the bearer's, else the cookie's."""
        return self.bearer() or self.cookie()

    @property
    def is_form(self) -> bool:
        return self._content_type() == _FORM

    def require_same_origin(self, also_host: str) -> None:
        """A cookie's JSON POST must come from our own page: Origin is this host's or the public one's, or absent.

        Raises ForbiddenError (`origin_refused`).
        """
        origin = self.headers.get("origin")
        if origin is None:
            return
        try:
            host = urlsplit(origin).netloc.lower()
        except ValueError:
            host = ""
        if not host or host not in {self.host, also_host}:
            raise ForbiddenError("origin_refused", "This request did not come from one of our pages.")

    def json(self, decoder: "msgspec.json.Decoder[InputT]") -> InputT:
        """The body. Raises InputError: `media_type_unsupported`, `body_too_large`, `json_malformed`, `body_invalid`."""
        if self._content_type() != _JSON:
            raise InputError("media_type_unsupported", "Send application/json.", where="content-type")
        try:
            return decoder.decode(self._body())
        except msgspec.ValidationError as cause:
            raise _invalid(cause) from cause
        except (msgspec.DecodeError, UnicodeDecodeError) as cause:
            raise InputError("json_malformed", "The body is not JSON.", where="body") from cause

    def form(self, kind: type[InputT]) -> InputT:
        """The form's fields, each once. Raises InputError: `body_too_large`, `form_malformed`, `body_invalid`."""
        try:
            fields = parse_qsl(
                self._body().decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
            )
        except ValueError as cause:
            raise InputError("form_malformed", "The form cannot be read.", where="body") from cause
        if len(dict(fields)) != len(fields):
            raise InputError("form_malformed", "A field was sent twice.", where="body")
        try:
            return msgspec.convert(dict(fields), kind)
        except msgspec.ValidationError as cause:
            raise _invalid(cause) from cause

    def require_session_token(self) -> str:
        """Raises AuthError (`session_required`)."""
        token = self.token()
        if not token:
            raise AuthError("session_required", "Open the page or sign in first.")
        return token

    def _content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def _body(self) -> bytes:
        text = self._event.get("body") or ""
        # Checked before decoding as well: base64 takes 4 characters for 3 bytes.
        if len(text) > MAX_BODY_BYTES * 4 // 3 + 4:
            raise _too_large()
        if self._event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as cause:
                raise InputError("body_malformed", "The body cannot be read.", where="body") from cause
        else:
            body = text.encode("utf-8", "surrogatepass")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
        return body


def _too_large() -> InputError:
    return InputError("body_too_large", f"A body has at most {MAX_BODY_BYTES} bytes.", where="body")


def _invalid(cause: msgspec.ValidationError) -> InputError:
    """msgspec's message ends in "- at `$.place.lat`": the path goes into `where`. Values are never in it."""
    message, _, path = str(cause).partition(" - at `$")
    return InputError("body_invalid", message, where=path.strip("`").lstrip(".") or "body")
