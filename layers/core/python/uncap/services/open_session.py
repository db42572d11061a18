"""Sessions: one for whoever opens a page, one for a credential, and none without either. Called by the routes.

The person comes from the identity provider; what is signed is in domain/sessions.py. Nothing is stored.
"""

from collections.abc import Callable

import msgspec

from uncap.adapters.identity import IdentityProvider
from uncap.domain.errors import AuthError, InputError
from uncap.domain.sessions import Session, SessionKeys, needs_renewal, new_session, seal, unseal

_DEVICE_BYTES = 16


class SessionDesk(msgspec.Struct, frozen=True):
    """What sessions need from outside. `provider_name` is the one a client may name in POST /v1/sessions."""

    keys: Callable[[], SessionKeys]
    provider: IdentityProvider
    provider_name: str
    random_bytes: Callable[[int], bytes]


class OpenSession(msgspec.Struct, frozen=True):
    """`token` is empty while the caller's own is still good: then there is no cookie to set."""

    session: Session
    token: str = ""


def session_for_page(desk: SessionDesk, token: str, now_ms: int) -> OpenSession:
    """The visitor's session: theirs, renewed in its second half, or a new device's where it is missing or invalid."""
    keys, app = desk.keys(), desk.provider.app_id
    try:
        known = unseal(keys, token, app, now_ms) if token else None
    except AuthError:
        known = None  # a page view starts anew; only a claim refuses
    if known is not None and known.person and not needs_renewal(known, now_ms):
        return OpenSession(known)
    device = known.device if known else desk.random_bytes(_DEVICE_BYTES).hex()
    person, payee = (known.person, known.payee) if known else ("", "")
    if not person and (identity := desk.provider.of_device(device)) is not None:
        person, payee = identity.person, identity.payee
    session = new_session(app, device, now_ms, person=person, payee=payee)
    return OpenSession(session, seal(keys, session))


def require_session(desk: SessionDesk, token: str, now_ms: int) -> Session:
    """The caller's session with a known person. Raises AuthError (`session_required`, `_invalid`, `_expired`)."""
    if not token:
        raise AuthError("session_required", "Open the page or sign in first.")
    session = unseal(desk.keys(), token, desk.provider.app_id, now_ms)
    if not session.person:
        raise AuthError("session_required", "Sign in before claiming.")
    return session


def open_by_credential(desk: SessionDesk, provider: str, credential: str, now_ms: int) -> OpenSession:
    """A bearer session. Raises InputError (`identity_provider_unknown`), AuthError (`credential_invalid`)."""
    if provider != desk.provider_name:
        raise InputError("identity_provider_unknown", "This provider is not offered here.", where="provider")
    identity = desk.provider.of_credential(credential)
    device = desk.random_bytes(_DEVICE_BYTES).hex()
    session = new_session(desk.provider.app_id, device, now_ms, person=identity.person, payee=identity.payee)
    return OpenSession(session, seal(desk.keys(), session))
