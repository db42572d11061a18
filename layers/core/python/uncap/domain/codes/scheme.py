"""The serial: epoch character and 80 bits (batch 24, index 28, zero tag 28) under FF1, keyed by GTIN and role.

The scan path calls `Keyring.identify`; minting goes through `bulk.py`. A change here orphans every printed code: the
known answers in tests/unit/domain/codes hold it still.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from uncap.domain.catalog import Role
from uncap.domain.codes import crockford
from uncap.domain.codes.ff1 import SerialCipher
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.scans import CodeRef

BATCH_BITS, INDEX_BITS, TAG_BITS = 24, 28, 28
BATCH_LIMIT, INDEX_LIMIT, EPOCH_LIMIT = 1 << BATCH_BITS, 1 << INDEX_BITS, 32
SERIAL_LENGTH = 17
_BODY_LENGTH = SERIAL_LENGTH - 1
_INDEX_MASK = INDEX_LIMIT - 1
_AES_KEY_BYTES = 16
_CACHE_LIMIT = 4096

EpochState = Literal["minting", "verifying", "compromised"]


@dataclass(frozen=True, slots=True)
class CodeKey:
    """The AES-128 key of one (epoch, GTIN, role), with what its tweak is made of. `gtin` is the number's value."""

    epoch: int
    gtin: int
    role: Role
    key: bytes = field(repr=False)

    @property
    def tweak(self) -> bytes:
        """8 bytes: GTIN as a 6-byte big-endian integer, epoch, role."""
        return self.gtin.to_bytes(6, "big") + bytes((self.epoch, self.role))

    @classmethod
    def derive(cls, master: bytes, epoch: int, gtin: str, role: Role) -> "CodeKey":
        """HKDF-SHA256 (RFC 5869) of the epoch's master key, no salt; info is 7 bytes: GTIN (6, big-endian), role."""
        if not 0 <= epoch < EPOCH_LIMIT:
            raise InputError("epoch_out_of_range", f"a key epoch is 0 to {EPOCH_LIMIT - 1}", where="epoch")
        number = int(gtin)
        info = number.to_bytes(6, "big") + bytes((role,))
        key = HKDF(algorithm=SHA256(), length=_AES_KEY_BYTES, salt=None, info=info).derive(master)
        return cls(epoch, number, role, key)

    def cipher(self) -> SerialCipher:
        """A fresh cipher; keep it, it costs as much as several codes."""
        return SerialCipher(self.key, self.tweak)


def encode(key: CodeKey, batch_no: int, index: int) -> str:
    """The 17-character serial of one code. Raises InputError (`code_out_of_range`)."""
    check_range(batch_no, index)
    plain = (batch_no << INDEX_BITS | index) << TAG_BITS
    return crockford.ALPHABET[key.epoch] + crockford.encode(key.cipher().encrypt(plain), _BODY_LENGTH)


def decode(key: CodeKey, serial: str) -> tuple[int, int] | None:
    """(batch_no, index) if `serial` was made under this very key, else None. Lower case is read as upper case."""
    parts = _split(serial)
    if parts is None or parts[0] != key.epoch:
        return None
    return _open(key.cipher(), parts[1])


def check_range(batch_no: int, index: int) -> None:
    """Raises InputError (`code_out_of_range`) unless batch and index fit their 24 and 28 bits."""
    if not 0 <= batch_no < BATCH_LIMIT:
        raise InputError("code_out_of_range", f"a batch number is below {BATCH_LIMIT}", where="batch_no")
    if not 0 <= index < INDEX_LIMIT:
        raise InputError("code_out_of_range", f"an index is below {INDEX_LIMIT}", where="index")


def _split(serial: str) -> tuple[int, int] | None:
    """(epoch, cipher value), or None if this is not 17 characters of the alphabet."""
    if len(serial) != SERIAL_LENGTH:
        return None
    try:
        value = crockford.decode(serial)
    except InputError:
        return None
    return value >> 80, value & ((1 << 80) - 1)


def _open(cipher: SerialCipher, value: int) -> tuple[int, int] | None:
    plain = cipher.decrypt_tagged(value, TAG_BITS)
    if plain is None:
        return None
    return plain >> (INDEX_BITS + TAG_BITS), plain >> TAG_BITS & _INDEX_MASK


class FoundCode(NamedTuple):
    """A serial that decrypted. Whether the batch exists and the index is below its size is for the caller to check."""

    ref: CodeRef
    epoch: int


class _EpochDocument(msgspec.Struct, forbid_unknown_fields=True):
    state: EpochState
    key: str


class _KeysDocument(msgspec.Struct, forbid_unknown_fields=True):
    epochs: dict[str, _EpochDocument]


class Keyring:
    """The master keys by epoch and a bounded cache of what is derived from them. One per thread (see SerialCipher)."""

    def __init__(self, masters: dict[int, tuple[EpochState, bytes]]) -> None:
        self._masters = dict(masters)
        self._ciphers: dict[tuple[int, str, Role], SerialCipher] = {}

    @classmethod
    def parse(cls, document: str | bytes) -> "Keyring":
        """From the CodeKeys secret (docs/architecture.md). Raises InputError (`code_keys_malformed`)."""
        try:
            parsed = msgspec.json.decode(document, type=_KeysDocument)
            masters = {int(epoch): (entry.state, bytes.fromhex(entry.key)) for epoch, entry in parsed.epochs.items()}
        except (msgspec.MsgspecError, ValueError):
            # The cause is cut off: its text or its traceback's locals could carry key material into a log.
            raise InputError("code_keys_malformed", "the CodeKeys secret cannot be read") from None
        if any(not 0 <= epoch < EPOCH_LIMIT or len(key) != 32 for epoch, (_, key) in masters.items()):
            raise InputError("code_keys_malformed", "an epoch is 0 to 31 and its key 32 bytes")
        return cls(masters)

    def state(self, epoch: int) -> EpochState:
        """Raises NotFoundError (`epoch_unknown`)."""
        return self._master(epoch)[0]

    @property
    def minting_epoch(self) -> int:
        """The newest epoch new batches may use. Raises ConflictError (`no_minting_epoch`)."""
        minting = [epoch for epoch, (state, _) in self._masters.items() if state == "minting"]
        if not minting:
            raise ConflictError("no_minting_epoch", "no key epoch is in state minting")
        return max(minting)

    def key(self, epoch: int, gtin: str, role: Role) -> CodeKey:
        """For printing and exports, which hand it to `bulk.py`. Raises NotFoundError (`epoch_unknown`)."""
        return CodeKey.derive(self._master(epoch)[1], epoch, gtin, role)

    def identify(self, gtin: str, serial: str, roles: Iterable[Role]) -> FoundCode | None:
        """The code behind a serial, trying the product's roles in turn; None if nobody issued it.

        `gtin` is all digits (see `links.check_gtin`). A compromised epoch still identifies: such scans are recorded and
        their rewards held.
        """
        parts = _split(serial)
        if parts is None or parts[0] not in self._masters:
            return None
        epoch, value = parts
        for role in roles:
            opened = _open(self._cipher(epoch, gtin, role), value)
            if opened is not None:
                # Only a genuine code renews its key's place, so that strangers' GTINs push out each other's.
                self._ciphers[epoch, gtin, role] = self._ciphers.pop((epoch, gtin, role))
                return FoundCode(CodeRef(opened[0], opened[1], role), epoch)
        return None

    def _master(self, epoch: int) -> tuple[EpochState, bytes]:
        master = self._masters.get(epoch)
        if master is None:
            raise NotFoundError("epoch_unknown", f"there is no key for epoch {epoch}", where="epoch")
        return master

    def _cipher(self, epoch: int, gtin: str, role: Role) -> SerialCipher:
        found = self._ciphers.get((epoch, gtin, role))
        if found is None:
            if len(self._ciphers) >= _CACHE_LIMIT:
                self._ciphers.pop(next(iter(self._ciphers)))
            found = self._ciphers[epoch, gtin, role] = self.key(epoch, gtin, role).cipher()
        return found
