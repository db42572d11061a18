"""FF1 format-preserving encryption (NIST SP 800-38G, algorithms 7 and 8): any radix, and the one shape serials use.

`scheme.py` and `bulk.py` use `SerialCipher` (radix 32, 16 numerals, 8-byte tweak); `domain/prizes` builds its
permutation on `block_encryptor` and `header`. Names of variables are those of the standard.
"""

from collections.abc import Callable, Sequence
from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

ROUNDS = 10
_BLOCK = 16
HALF_BITS = 40
HALF_MASK = (1 << HALF_BITS) - 1
# One block as two big-endian words, and the word that ends in byte 11 of a block: its low 40 bits are y mod 32^8.
_WRITE = Struct(">QQ").pack
_READ: Callable[[bytes], tuple[int]] = Struct(">4xQ4x").unpack


def block_encryptor(key: bytes) -> CipherContext:
    """Raw AES on whole blocks: CIPH_K of the standard. `key` is 16, 24 or 32 bytes; one context per thread."""
    # ECB is what the standard builds on: every block that goes in is distinct and is never shown to anyone.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305


def header(radix: int, n: int, tweak_length: int) -> bytes:
    """The block P (step 5): it depends on the shape of the problem only, never on key or data."""
    fixed = bytes((1, 2, 1)) + radix.to_bytes(3, "big") + bytes((10, (n // 2) % 256))
    return fixed + n.to_bytes(4, "big") + tweak_length.to_bytes(4, "big")


def encrypt(key: bytes, tweak: bytes, radix: int, numerals: Sequence[int]) -> list[int]:
    """FF1.Encrypt: `numerals` (each 0 <= x < radix, most significant first) to as many numerals."""
    u, v, prf = _prepare(key, tweak, radix, numerals)
    a, b = _number(numerals[:u], radix), _number(numerals[u:], radix)
    for i in range(ROUNDS):
        m = u if i % 2 == 0 else v
        a, b = b, (a + prf(i, b)) % radix**m
    return _numerals(a, radix, u) + _numerals(b, radix, v)


def decrypt(key: bytes, tweak: bytes, radix: int, numerals: Sequence[int]) -> list[int]:
    """FF1.Decrypt: the inverse of `encrypt` under the same key, tweak and radix."""
    u, v, prf = _prepare(key, tweak, radix, numerals)
    a, b = _number(numerals[:u], radix), _number(numerals[u:], radix)
    for i in reversed(range(ROUNDS)):
        m = u if i % 2 == 0 else v
        a, b = (b - prf(i, a)) % radix**m, a
    return _numerals(a, radix, u) + _numerals(b, radix, v)


class _RoundFunction:
    """Steps 6.i to 6.iv for one key, tweak and shape: the pseudo-random number y added in round i."""

    def __init__(self, key: bytes, tweak: bytes, radix: int, n: int) -> None:
        v = n - n // 2
        self._b = (((radix**v - 1).bit_length()) + 7) // 8
        self._d = 4 * ((self._b + 3) // 4) + 4
        self._aes = block_encryptor(key)
        self._chained = self._aes.update(header(radix, n, len(tweak)))
        self._prefix = tweak + bytes(-(len(tweak) + self._b + 1) % _BLOCK)

    def __call__(self, i: int, number: int) -> int:
        q = self._prefix + bytes((i,)) + number.to_bytes(self._b, "big")
        r = self._chained
        for at in range(0, len(q), _BLOCK):
            r = self._aes.update(_xor(r, q[at : at + _BLOCK]))
        stream, counter = r, 1
        while len(stream) < self._d:
            stream += self._aes.update(_xor(r, counter.to_bytes(_BLOCK, "big")))
            counter += 1
        return int.from_bytes(stream[: self._d], "big")


def _prepare(key: bytes, tweak: bytes, radix: int, numerals: Sequence[int]) -> tuple[int, int, _RoundFunction]:
    n = len(numerals)
    if not 2 <= radix <= 1 << 16:
        raise ValueError("the radix is between 2 and 65536")
    if n < 2 or radix**n < 100:
        raise ValueError("FF1 needs at least two numerals and a domain of 100")
    if any(not 0 <= x < radix for x in numerals):
        raise ValueError("a numeral is outside the radix")
    return n // 2, n - n // 2, _RoundFunction(key, tweak, radix, n)


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(_BLOCK, "big")


def _number(numerals: Sequence[int], radix: int) -> int:
    value = 0
    for x in numerals:
        value = value * radix + x
    return value


def _numerals(value: int, radix: int, length: int) -> list[int]:
    out = [0] * length
    for at in reversed(range(length)):
        value, out[at] = divmod(value, radix)
    return out


class SerialCipher:
    """FF1 for radix 32, n = 16 and an 8-byte tweak: b = 5 and d = 12, so each round is one AES block.

    With P encrypted once, a round's block is a constant of (key, tweak, round) XOR the five bytes of B, and y mod 32^8
    is bytes 7 to 11 of the answer. Values are 80-bit integers. Not for use by two threads at once.
    """

    __slots__ = ("_high", "_lows", "_update")

    def __init__(self, key: bytes, tweak: bytes) -> None:
        self._high, self._lows = round_constants(key, tweak)
        self._update = block_encryptor(key).update

    def encrypt(self, value: int) -> int:
        """80-bit plain value to 80-bit cipher value."""
        a, b, high, update = value >> HALF_BITS, value & HALF_MASK, self._high, self._update
        for low in self._lows:
            a, b = b, (a + _READ(update(_WRITE(high, low ^ b)))[0]) & HALF_MASK
        return a << HALF_BITS | b

    def decrypt_tagged(self, value: int, tag_bits: int) -> int | None:
        """The plain value if its low `tag_bits` (<= 40) are zero, else None.

        The low half is known one round before the high half, so junk is refused after nine rounds.
        """
        a, b, high, update = value >> HALF_BITS, value & HALF_MASK, self._high, self._update
        for low in self._lows[:0:-1]:
            a, b = (b - _READ(update(_WRITE(high, low ^ a)))[0]) & HALF_MASK, a
        if a & ((1 << tag_bits) - 1):
            return None
        b = (b - _READ(update(_WRITE(high, self._lows[0] ^ a)))[0]) & HALF_MASK
        return b << HALF_BITS | a


def round_constants(key: bytes, tweak: bytes) -> tuple[int, tuple[int, ...]]:
    """CIPH(P) XOR (T || 0 0 || i || 0^5) in the serial's shape: the high 64 bits, and the low 64 bits of each round."""
    if len(tweak) != 8:
        raise ValueError("the tweak of a serial is 8 bytes")
    chained = block_encryptor(key).update(header(32, 16, len(tweak)))
    high = int.from_bytes(chained[:8], "big") ^ int.from_bytes(tweak, "big")
    low = int.from_bytes(chained[8:], "big")
    return high, tuple(low ^ i << HALF_BITS for i in range(ROUNDS))
