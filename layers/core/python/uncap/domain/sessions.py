"""Session tokens: who is holding this phone, signed and bounded in time. Pure; used by `services/open_session.py`.

A token is `v1.{key id}.{payload}.{mac}`, base64url parts; the MAC is HMAC-SHA256 over everything before it. It binds a
device and, once known, a person to one app. The CSRF token is derived from the session, so nothing is stored for it.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from uncap.domain.errors import AuthError, InputError

LIFETIME_S = 30 * 86_400
_SKEW_S = 300
_VERSION = "v1"
_MAX_TOKEN = 1_024
_KEY_BYTES = 32
_FIELDS_BEFORE_PARTY = 6


class Session(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`device` is 128 random bits in hex. `person` and `payee` (domain/identity.py) are empty until known.

    `party` and `party_role` are those the person works for, believed until `member_until_s` (domain/memberships.py).
    """

    app: str
    device: str
    issued_at_s: int
    expires_at_s: int
    person: str = ""
    payee: str = ""
    party: str = ""
    party_role: str = ""
    member_until_s: int = 0

    def is_member(self, now_ms: int) -> bool:
        """Does the person still count as the party's?"""
        return bool(self.party) and now_ms // 1000 < self.member_until_s


class SessionKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SessionKeys secret: `current` signs, every key listed verifies."""

    current: str
    keys: dict[str, str]

    @classmethod
    def parse(cls, document: str) -> "SessionKeys":
        """Raises InputError (`session_keys_malformed`); says nothing of the content."""
        try:
            parsed = msgspec.json.decode(document, type=cls)
            usable = parsed.current in parsed.keys and all(
                kid.isalnum() and len(bytes.fromhex(key)) == _KEY_BYTES for kid, key in parsed.keys.items()
            )
        except (msgspec.MsgspecError, ValueError):
            usable = False
        if not usable:
            raise InputError("session_keys_malformed", "the SessionKeys secret cannot be read") from None
        return parsed


_DECODER = msgspec.json.Decoder(Session)
_ENCODER = msgspec.json.Encoder()


def new_session(app: str, device: str, now_ms: int, *, person: str = "", payee: str = "") -> Session:
    """A session that starts now and lasts `LIFETIME_S`."""
    now_s = now_ms // 1000
    return Session(app, device, now_s, now_s + LIFETIME_S, person, payee)


def needs_renewal(session: Session, now_ms: int) -> bool:
    """True in the second half of its life: whoever comes back in time never has to start anew."""
    return now_ms // 1000 > session.issued_at_s + LIFETIME_S // 2


def seal(keys: SessionKeys, session: Session) -> str:
    """The token of a session under the current key."""
    fields = msgspec.structs.astuple(session)
    # Without a party the token is what it was before there were members: the release before reads it too.
    payload = _ENCODER.encode(fields if session.party else fields[:_FIELDS_BEFORE_PARTY])
    signed = f"{_VERSION}.{keys.current}.{_b64(payload)}"
    return f"{signed}.{_b64(_mac(keys, keys.current, 'session', signed))}"


def unseal(keys: SessionKeys, token: str, app: str, now_ms: int) -> Session:
    """The session in a token. Raises AuthError (`session_invalid`, `session_expired`)."""
    parts = token.split(".") if len(token) <= _MAX_TOKEN and token.isascii() else []
    if len(parts) != 4 or parts[0] != _VERSION or parts[1] not in keys.keys:
        raise AuthError("session_invalid", "The session is not valid.")
    signed = token.rpartition(".")[0]
    if not hmac.compare_digest(_b64(_mac(keys, parts[1], "session", signed)), parts[3]):
        raise AuthError("session_invalid", "The session is not valid.")
    try:
        session = _DECODER.decode(_unb64(parts[2]))
    except (binascii.Error, msgspec.MsgspecError) as cause:
        raise AuthError("session_invalid", "The session is not valid.") from cause
    now_s = now_ms // 1000
    if session.app != app or session.issued_at_s > now_s + _SKEW_S:
        raise AuthError("session_invalid", "The session is not valid.")
    if now_s >= session.expires_at_s:
        raise AuthError("session_expired", "The session has expired.")
    return session


def csrf_token(keys: SessionKeys, session: Session) -> str:
    """What a form of this session's pages must send back; another session's does not fit."""
    return _b64(_mac(keys, keys.current, "csrf", _csrf_text(session)))


def check_csrf(keys: SessionKeys, session: Session, token: str) -> None:
    """Any listed key will do, as the page may be older than a rotation. Raises AuthError (`csrf_invalid`)."""
    sent = token.encode()
    text = _csrf_text(session)
    if not any(hmac.compare_digest(_b64(_mac(keys, kid, "csrf", text)).encode(), sent) for kid in keys.keys):
        raise AuthError("csrf_invalid", "The page is too old; load it again.")


def bound_tag(keys: SessionKeys, kid: str, purpose: str, text: str) -> bytes:
    """A MAC under one of the session keys, for what else must not be forged; `purpose` keeps uses apart."""
    return _mac(keys, kid, purpose, text)


def _csrf_text(session: Session) -> str:
    # Not the times: a session renewed in another tab keeps this tab's form good.
    return f"{session.app}|{session.device}|{session.person}"


def _mac(keys: SessionKeys, kid: str, purpose: str, text: str) -> bytes:
    return hmac.digest(bytes.fromhex(keys.keys[kid]), f"uncap.{purpose}|{text}".encode(), hashlib.sha256)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
