"""Operators' passwords as scrypt hashes that carry their own parameters, so that these can be raised later.

scrypt is RFC 7914; N = 2^15, r = 8, p = 3 is one of OWASP's equivalent settings (32 MB, fits a small function).
"""

import hashlib
import hmac

import msgspec

from uncap.domain.errors import InputError

MIN_LENGTH, MAX_LENGTH = 12, 200
SALT_BYTES = 16
_HASH_BYTES = 32


class PasswordHash(msgspec.Struct, frozen=True):
    """scrypt's parameters with salt and hash in hex."""

    n: int
    r: int
    p: int
    salt: str
    hash: str


def hash_password(password: str, salt: bytes, *, n: int = 1 << 15, r: int = 8, p: int = 3) -> PasswordHash:
    """`salt`: 16 fresh random bytes. Raises InputError (`password_too_weak`) outside 12..200 characters."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InputError(
            "password_too_weak", f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters", where="password"
        )
    if len(salt) != SALT_BYTES:
        raise ValueError("the salt is 16 bytes")
    return PasswordHash(n, r, p, salt.hex(), _scrypt(password, salt, n, r, p).hex())


def verify_password(password: str, stored: PasswordHash) -> bool:
    """Constant-time comparison under the stored parameters."""
    found = _scrypt(password, bytes.fromhex(stored.salt), stored.n, stored.r, stored.p)
    return hmac.compare_digest(found, bytes.fromhex(stored.hash))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # OpenSSL counts its own overhead against maxmem; 256 r (N + p + 2) covers it.
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=256 * r * (n + p + 2),
        dklen=_HASH_BYTES,
    )
