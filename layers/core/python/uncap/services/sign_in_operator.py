"""Signing in to the console: password to token, tokens back to operators, and creating operators for a deployment.

Called by `routes/console/session.py`, by the endpoint runner for every request, and by seeders (`ensure_operator`).
"""

from collections.abc import Callable
from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import AuditedWrites, DocWrite, doc_of
from uncap.adapters.documents import DocumentTable
from uncap.adapters.sign_in_throttle import SignInThrottle, throttle_key
from uncap.domain.audit import AuditDraft
from uncap.domain.errors import AuthError, InputError, LimitError
from uncap.domain.operators import (
    PERMISSIONS,
    SIGN_IN_ATTEMPTS,
    SIGN_IN_WINDOW_MS,
    TOKEN_LIFETIME_MS,
    Identity,
    Operator,
    issue_token,
    read_token,
)
from uncap.domain.passwords import SALT_BYTES, PasswordHash, hash_password, verify_password
from uncap.services.desk import ID_PATTERN, Actor, Desk

_NOBODY = PasswordHash(1 << 15, 8, 3, "00" * SALT_BYTES, "00" * 32)
_THROTTLE = SignInThrottle(SIGN_IN_ATTEMPTS, SIGN_IN_WINDOW_MS)

Login = Annotated[str, msgspec.Meta(pattern=ID_PATTERN, max_length=40)]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator gives."""

    login: Login
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Session(msgspec.Struct, frozen=True):
    """Send `Authorization: Bearer {token}` with every request until `expires_at_ms`."""

    token: str
    expires_at_ms: int
    login: str
    role: str
    permissions: dict[str, list[str]]


def sign_in_operator(desk: Desk, given: SignIn) -> Session:
    """Raises AuthError (`sign_in_refused`, the same for every cause) and LimitError (`too_many_sign_ins`).

    The attempt is counted before the password is tried, so that racing guesses cannot exceed the limit; an unknown
    login costs the same hash as a known one.
    """
    now_ms = desk.clock_ms()
    operator = desk.parties.value(f"operator#{given.login}", "meta", Operator)
    current, keys = desk.operator_keys()
    key = throttle_key(given.login, keys[current], known=operator is not None)
    if not _THROTTLE.admit(key, now_ms):
        wait_s = SIGN_IN_WINDOW_MS // 1000 - now_ms // 1000 % (SIGN_IN_WINDOW_MS // 1000)
        raise LimitError("too_many_sign_ins", "Too many attempts; wait a while.", retry_after_s=wait_s)
    matches = verify_password(given.password, operator.password if operator else _NOBODY)
    if operator is None or operator.disabled or not matches:
        raise AuthError("sign_in_refused", "Login or password is wrong.")
    _THROTTLE.forget(key)
    identity = Identity(operator.login, operator.role, operator.version, now_ms + TOKEN_LIFETIME_MS)
    token = issue_token(keys, current, identity)
    return Session(token, identity.expires_at_ms, operator.login, operator.role, permissions_of(operator.role))


def authenticate(desk: Desk, authorization: str) -> Actor:
    """The operator behind an Authorization header, checked against the stored record. Raises AuthError."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AuthError("token_missing", "Sign in and send the token as a bearer.")
    _, keys = desk.operator_keys()
    identity = read_token(keys, token.strip(), desk.clock_ms())
    operator = desk.parties.value(f"operator#{identity.login}", "meta", Operator)
    if operator is None or operator.disabled or operator.version != identity.version:
        raise AuthError("token_revoked", "This sign-in is no longer valid; sign in again.")
    return Actor(operator.login, operator.role)


def permissions_of(role: str) -> dict[str, list[str]]:
    """Area to actions, for clients that show only what works."""
    return {area: sorted(actions) for area, actions in PERMISSIONS.get(role, {}).items()}


def ensure_operator(
    writes: AuditedWrites,
    parties: DocumentTable,
    random_bytes: Callable[[int], bytes],
    login: str,
    password: str,
    role: str,
) -> Operator:
    """The operator with this password and role, created or changed if need be; unchanged it keeps its tokens.

    Raises InputError (`operator_role_unknown`, `password_too_weak`).
    """
    if role not in PERMISSIONS:
        raise InputError("operator_role_unknown", f"roles are {', '.join(sorted(PERMISSIONS))}", where="role")
    stored = parties.value(f"operator#{login}", "meta", Operator)
    if stored and stored.role == role and not stored.disabled and verify_password(password, stored.password):
        return stored
    hashed = hash_password(password, random_bytes(SALT_BYTES))
    operator = Operator(login, role, hashed, version=stored.version + 1 if stored else 1)
    before = f"role {stored.role}" if stored else ""
    entry = AuditDraft("deployment", "deployment", "operators.ensure", login, before=before, after=f"role {role}")
    write = DocWrite("parties", f"operator#{login}", "meta", doc_of(operator), operator.version)
    writes.commit([write], entry)
    return operator
