"""Who may do what in the console: roles × areas × actions in one table, and the tokens operators carry.

Called by `routes/console/endpoint.py` on every request and by `services/sign_in_operator.py`. Passwords are in
`domain/passwords.py`.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from uncap.domain.errors import AuthError, ForbiddenError
from uncap.domain.passwords import PasswordHash

TOKEN_LIFETIME_MS = 8 * 3_600_000
SIGN_IN_ATTEMPTS = 5
SIGN_IN_WINDOW_MS = 15 * 60_000

AREAS = (
    "products",
    "parties",
    "batches",
    "recalls",
    "codes",
    "releases",
    "shipments",
    "uploads",
    "campaigns",
    "overview",
    "rewards",
    "parcels",
    "diversion",
    "audit",
    "epochs",
    "epcis",
)
ACTIONS = ("read", "write", "approve", "export")

_READ = {area: "read" for area in AREAS if area not in ("codes", "audit", "epcis", "parcels")}
_GRANTS: dict[str, dict[str, str]] = {
    "admin": dict.fromkeys(AREAS, "read write approve export"),
    "brand": _READ
    | dict.fromkeys(("products", "parties", "batches", "releases", "uploads", "campaigns", "diversion"), "read write")
    | {
        "batches": "read write approve",
        "recalls": "read write approve export",
        "shipments": "read write",
        "rewards": "read write",
        "parcels": "read write",
        "codes": "read write approve",
        "epcis": "read write",
    },
    "factory": {
        "products": "read",
        "batches": "read write",
        "recalls": "read",
        "codes": "read export",
        "uploads": "read write",
        "epcis": "read write",
    },
    "logistics": {"products": "read", "parties": "read", "batches": "read", "recalls": "read"}
    | dict.fromkeys(("shipments", "uploads", "epcis", "parcels"), "read write"),
    # A machine: another system that captures and asks for events.
    "erp": {"products": "read", "parties": "read", "uploads": "read write", "epcis": "read write"},
    "finance": _READ
    | {"campaigns": "read approve", "releases": "read approve", "rewards": "read write approve", "audit": "read"},
    "inspector": {"products": "read", "parties": "read", "shipments": "read", "recalls": "read"}
    | {"diversion": "read write"},
    "auditor": _READ | {"audit": "read", "codes": "read", "epcis": "read"},
}
PERMISSIONS: dict[str, dict[str, frozenset[str]]] = {
    role: {area: frozenset(actions.split()) for area, actions in grants.items()} for role, grants in _GRANTS.items()
}


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person of the brand who may sign in. `version` rises with every change and ends the tokens issued before."""

    login: str
    role: str
    password: PasswordHash
    disabled: bool = False
    created_at_ms: int = 0
    version: int = 1


class Identity(msgspec.Struct, frozen=True):
    """What a token says: who, as what, of which version of the operator's record, until when."""

    login: str
    role: str
    version: int
    expires_at_ms: int


def authorise(role: str, area: str, action: str) -> None:
    """Nothing if the table grants it. Raises ForbiddenError (`operator_not_permitted`)."""
    if action not in PERMISSIONS.get(role, {}).get(area, frozenset()):
        raise ForbiddenError("operator_not_permitted", f"The role {role!r} may not {action} {area}.")


def issue_token(keys: Mapping[str, bytes], current: str, identity: Identity) -> str:
    """`o1.{key id}.{payload}.{tag}`: base64url JSON and its HMAC-SHA256 under the named operator key."""
    signed = f"o1.{current}.{_b64(msgspec.json.encode(identity))}"
    return f"{signed}.{_b64(_tag(keys[current], signed))}"


def read_token(keys: Mapping[str, bytes], token: str, now_ms: int) -> Identity:
    """The identity in a token of ours that has not expired. Raises AuthError (`token_invalid`, `token_expired`)."""
    parts = token.split(".")
    key = keys.get(parts[1]) if len(parts) == 4 and parts[0] == "o1" else None
    if key is None or not hmac.compare_digest(_b64(_tag(key, token.rpartition(".")[0])).encode(), parts[3].encode()):
        raise AuthError("token_invalid", "The token was not issued by this console.")
    body = parts[2]
    identity = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Identity)
    if now_ms >= identity.expires_at_ms:
        raise AuthError("token_expired", "The session has ended; sign in again.")
    return identity


def _tag(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
