"""Which prize a claim is drawn for: HMAC of its reward id under a key the scan path does not have. Pure (ADR 0019).

Called by `services/draw_prizes.py`. Nothing the person, the phone or the time chooses goes in, so nobody can try again.
"""

import hashlib
import hmac
from fractions import Fraction

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from uncap.domain.campaigns.draws import Draw

_BITS = 128


def drawn_key(master: bytes, campaign_id: str) -> bytes:
    """A campaign's own 32-byte key: HKDF-SHA256 of the DrawKeys master."""
    info = f"uncap drawn prizes v1\n{campaign_id}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)


def drawn_share(key: bytes, reward_id: str, draw: Draw) -> int | None:
    """Position among the draw's shares, None for no prize.

    The first 128 bits of HMAC-SHA256(key, "uncap drawn v1" LF draw id LF reward id), read as a number below 1, fall
    into the shares' odds laid end to end; compared as exact fractions, so no rounding favours anyone.
    """
    message = f"uncap drawn v1\n{draw.draw_id}\n{reward_id}".encode()
    number = int.from_bytes(hmac.digest(key, message, hashlib.sha256)[: _BITS // 8])
    point, reached = Fraction(number, 1 << _BITS), Fraction(0)
    for position, share in enumerate(draw.shares):
        reached += Fraction(share.win, share.per)
        if point < reached:
            return position
    return None
