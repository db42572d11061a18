"""What is fixed before anyone can know the winners: the seed, its hash, the draw's key, the one-line commitment.

The console commits and reveals with it, the relay derives the seed, `published.py` checks. Every hash opens with its
own line of text, so that none can stand in for another.
"""

import hashlib

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from uncap.domain.catalog import Release
from uncap.domain.errors import ConflictError

SEED_BYTES = 32


def derive_seed(master: bytes, release_id: str) -> bytes:
    """The release's own 32-byte seed: HKDF-SHA256 of the DrawKeys master; revealing one tells nothing of another."""
    info = f"uncap draw seed v1\n{release_id}".encode()
    return HKDF(algorithm=SHA256(), length=SEED_BYTES, salt=None, info=info).derive(master)


def seed_hash(seed: bytes) -> str:
    """Hex SHA-256 of "uncap draw commitment v1" LF, seed. Published long before the seed."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed is 32 bytes")
    return hashlib.sha256(b"uncap draw commitment v1\n" + seed).hexdigest()


def draw_key(seed: bytes, beacon_value: str) -> bytes:
    """SHA-256 of "uncap draw key v1" LF, seed, beacon value as UTF-8: neither brand nor beacon chooses it alone.

    Raises ConflictError (`beacon_not_known`) before the beacon has spoken.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed is 32 bytes")
    if not beacon_value:
        raise ConflictError("beacon_not_known", "prizes are laid only once the public beacon value is recorded")
    return hashlib.sha256(b"uncap draw key v1\n" + seed + beacon_value.encode()).digest()


def commitment(release: Release) -> str:
    """Hex SHA-256 over all that must be fixed before the beacon value is known; the line to print and to note down.

    The lines: "uncap release v1", release id, batch, eligible count, eligible hash, seed hash, Merkle root, beacon
    source, beacon round, then "prize id count" of each row of the table; each as UTF-8 with LF, line breaks escaped.
    """
    table = [f"{prize.prize_id} {prize.count}" for prize in release.prize_table]
    lines = [
        "uncap release v1",
        release.release_id,
        str(release.batch_no),
        str(release.eligible_count),
        release.eligible_hash,
        release.seed_hash,
        release.merkle_root,
        release.beacon_source,
        release.beacon_round,
        *table,
    ]
    text = "".join(line.replace("\\", "\\\\").replace("\n", "\\n") + "\n" for line in lines)
    return hashlib.sha256(text.encode()).hexdigest()
