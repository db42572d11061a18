"""A visitor who must be known first is sent to the identity provider and comes back as someone. Called by the routes.

The state that travels is a MAC over the visitor's device and the page to return to: a code that someone else obtained
does not fit this browser, and nobody can be sent to another site.
"""

import hmac
import re
from typing import Protocol, runtime_checkable
from urllib.parse import urlencode

from uncap.domain.errors import AuthError, InputError
from uncap.domain.sessions import SessionKeys, bound_tag, new_session, seal, unseal
from uncap.services.open_session import OpenSession, SessionDesk

RETURN_PATH = "/v1/sign-in/return"
_OUR_PAGES = re.compile(r"/(01/[0-9]{14}/21/[0-9A-Z]{1,20}|wallet|outlet)", re.ASCII)


@runtime_checkable
class AsksElsewhere(Protocol):
    """An identity provider whose people sign in on a page of its own (`adapters/wechat_identity.py`)."""

    def sign_in_url(self, return_url: str, state: str) -> str:
        """Where to send the visitor."""


def sign_in_address(desk: SessionDesk, token: str, origin: str, page: str, now_ms: int) -> str:
    """Where the visitor of `page` (a path of ours) signs in.

    Raises InputError (`page_not_ours`, `sign_in_not_offered`), AuthError (no session: the page was never opened).
    """
    provider = desk.provider
    if not isinstance(provider, AsksElsewhere):
        raise InputError("sign_in_not_offered", "People are known here without signing in.")
    _check_page(page)
    keys = desk.keys()
    session = unseal(keys, token, desk.provider.app_id, now_ms)
    return provider.sign_in_url(f"{origin}{RETURN_PATH}?{urlencode({'to': page})}", _state(keys, session.device, page))


def finish_sign_in(desk: SessionDesk, token: str, code: str, state: str, page: str, now_ms: int) -> OpenSession:
    """The same device's session, now with its person.

    Raises InputError (`page_not_ours`), AuthError (`sign_in_state_invalid`, `credential_invalid`, `session_…`),
    TransientError.
    """
    _check_page(page)
    keys, app = desk.keys(), desk.provider.app_id
    session = unseal(keys, token, app, now_ms)
    fits = any(
        hmac.compare_digest(_state(keys, session.device, page, kid).encode(), state.encode()) for kid in keys.keys
    )
    if not fits:
        raise AuthError("sign_in_state_invalid", "This sign-in was begun elsewhere; open the page again.")
    identity = desk.provider.of_credential(code)
    known = new_session(app, session.device, now_ms, person=identity.person, payee=identity.payee)
    return OpenSession(known, seal(keys, known))


def _check_page(page: str) -> None:
    if not _OUR_PAGES.fullmatch(page):
        raise InputError("page_not_ours", "That is not one of our pages.", where="to")


def _state(keys: SessionKeys, device: str, page: str, kid: str = "") -> str:
    # WeChat carries at most 128 letters and digits.
    return bound_tag(keys, kid or keys.current, "sign-in", f"{device}|{page}").hex()
