"""Persons and payees: a keyed hash to recognise someone by, a sealed openid to pay them by.

The scan path hashes and seals; only the payout worker opens a payee, and the console the address of a prize that is
to be sent (docs/architecture.md, "Persons and payees").
"""

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uncap.domain.codes import crockford
from uncap.domain.errors import PoisonError

_VERSION = "v1."
_NONCE_BYTES = 12


def person_key(hash_key: bytes, app_id: str, openid: str) -> str:
    """`p_` + 26 characters of HMAC-SHA256: stable per person and app, worthless without the key."""
    tag = hmac.new(hash_key, f"{app_id}|{openid}".encode(), hashlib.sha256).digest()
    return "p_" + crockford.digest(tag, 26)


def seal_payee(seal_key: bytes, person: str, openid: str, nonce: bytes) -> str:
    """The openid under AES-256-GCM, bound to the person key. `nonce`: 12 fresh random bytes."""
    if len(nonce) != _NONCE_BYTES:
        raise ValueError("the nonce is 12 bytes")
    sealed = nonce + AESGCM(seal_key).encrypt(nonce, openid.encode(), person.encode())
    return _VERSION + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def seal_name(seal_key: bytes, reward_id: str, name: str, nonce: bytes) -> str:
    """A payee's own name under the same key, bound to the one reward it is for."""
    return seal_payee(seal_key, f"name|{reward_id}", name, nonce)


def open_name(seal_key: bytes, reward_id: str, sealed: str) -> str:
    """The name again. Raises PoisonError (`payee_unreadable`)."""
    return open_payee(seal_key, f"name|{reward_id}", sealed)


def seal_address(seal_key: bytes, reward_id: str, address: str, nonce: bytes) -> str:
    """Where a prize is to be sent, as one text, under a key of its own and bound to its reward."""
    return seal_payee(seal_key, f"address|{reward_id}", address, nonce)


def open_address(seal_key: bytes, reward_id: str, sealed: str) -> str:
    """That text again. Raises PoisonError (`payee_unreadable`)."""
    return open_payee(seal_key, f"address|{reward_id}", sealed)


def open_payee(seal_key: bytes, person: str, payee: str) -> str:
    """The openid again. Raises PoisonError (`payee_unreadable`) if it was altered or belongs to someone else."""
    if not payee.startswith(_VERSION):
        raise PoisonError("payee_unreadable", "unknown payee version", where="payee")
    body = payee[len(_VERSION) :]
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return AESGCM(seal_key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], person.encode()).decode()
    except (InvalidTag, ValueError) as cause:
        raise PoisonError("payee_unreadable", "the sealed payee does not open", where="payee") from cause
