"""Printed codes by the million, as arrays: links, bare serials and SSCCs to batch, index and role. Intake and benches.

Agrees with `links.py` and `scheme.Keyring.identify` code by code; FF1 runs in bulk (`bulk.py`). Not for the scan path.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from uncap.domain.catalog import Role
from uncap.domain.codes import bulk, links
from uncap.domain.codes.scheme import EPOCH_LIMIT, SERIAL_LENGTH, Keyring
from uncap.domain.errors import InputError, NotFoundError

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.bytes_]

NO_ROLE = 255
MAX_PRODUCTS = 1_000
"""Distinct GTINs one reader asks about: a file that names more is junk, and each would cost a read and a key."""

_SLICE = 1 << 16
_PROBE = 256
_WORD = 8
_BEGINNINGS = 64
_SSCC = 18
_NO_SSCC = b"0" * _SSCC
_ANY_SERIAL = b"0" * SERIAL_LENGTH


class Fault(IntEnum):
    """Why a printed code names nothing. 0: it does."""

    NONE = 0
    MALFORMED = 1
    CHECK_DIGIT = 2
    NOT_ISSUED = 3
    GTIN_MISSING = 4


REASONS = {
    Fault.MALFORMED: "code_malformed",
    Fault.CHECK_DIGIT: "check_digit",
    Fault.NOT_ISSUED: "code_not_issued",
    Fault.GTIN_MISSING: "gtin_missing",
}
"""Fault → the stable reason people read (`domain/association/files.py`)."""

RolesOf = Callable[[str], Sequence[Role]]
"""The roles a GTIN-14's codes may have; empty for a product nobody knows. Asked once per GTIN."""

PalletOf = Callable[[Codes], tuple[I64, I64]]
"""SSCCs (S18, check digits right) to batch numbers and indices; batch -1 where nobody issued it."""


@dataclass(frozen=True, slots=True)
class ReadCodes:
    """Columns of one length. Where `fault` is not 0, `batch_no` and `index` are -1 and `role` is `NO_ROLE`.

    A pallet has no role and GTIN 0. Whether the batch exists and holds the index is for the caller to check.
    """

    batch_no: I64
    index: I64
    role: U8
    gtin: I64
    fault: U8

    @classmethod
    def blank(cls, count: int) -> "ReadCodes":
        """So many codes that are malformed until more is known."""
        return cls(
            np.full(count, -1, np.int64),
            np.full(count, -1, np.int64),
            np.full(count, NO_ROLE, np.uint8),
            np.zeros(count, np.int64),
            np.full(count, Fault.MALFORMED, np.uint8),
        )

    def take(self, at: I64 | slice) -> "ReadCodes":
        """These of them."""
        return ReadCodes(self.batch_no[at], self.index[at], self.role[at], self.gtin[at], self.fault[at])


def no_pallets(sscc: Codes) -> tuple[I64, I64]:
    """`PalletOf` where no pallet has been issued."""
    return np.full(len(sscc), -1, np.int64), np.full(len(sscc), -1, np.int64)


class CodeReader:
    """Reads arrays of codes with one deployment's keys. Keep it for a whole file; not for two threads at once."""

    def __init__(self, keyring: Keyring, roles_of: RolesOf, pallet_of: PalletOf = no_pallets) -> None:
        self._keyring = keyring
        self._ask_roles = roles_of
        self._pallet_of = pallet_of
        self._roles: dict[int, tuple[Role, ...]] = {}

    def read(self, codes: Codes, default_gtin: str = "") -> ReadCodes:
        """`codes`: flat, dtype S…; `default_gtin` is what bare serials belong to. Raises InputError for a bad one."""
        default = int(links.check_gtin(default_gtin)) if default_gtin else 0
        if codes.ndim != 1 or codes.dtype.kind != "S":
            raise ValueError("codes are a flat array of bytes")
        codes = np.ascontiguousarray(codes)
        out = ReadCodes.blank(len(codes))
        for at in range(0, len(codes), _SLICE):
            part = slice(at, at + _SLICE)
            self._read_slice(codes[part], default, out.take(part))
        return out

    def _read_slice(self, codes: Codes, default: int, out: ReadCodes) -> None:
        """Lines name the same case again and again: neighbours that are equal are read once."""
        probe = codes[: _PROBE * 4]
        if not len(codes) or int((probe[1:] == probe[:-1]).sum()) * 4 < len(probe):
            self._read_distinct(codes, default, out)
            return
        fresh = _differs_from_the_last(codes)
        once = ReadCodes.blank(int(fresh.sum()))
        self._read_distinct(codes[fresh], default, once)
        again = np.cumsum(fresh) - 1
        for name in ("batch_no", "index", "role", "gtin", "fault"):
            getattr(out, name)[...] = getattr(once, name)[again]

    def _read_distinct(self, codes: Codes, default: int, out: ReadCodes) -> None:
        """Rows of one length at a time; of these, rows that begin alike are parsed once, as the scan path would."""
        if not len(codes):
            return
        chars = codes.view(np.uint8).reshape(len(codes), codes.dtype.itemsize)
        lengths = np.strings.str_len(codes)
        for length in np.flatnonzero(np.bincount(lengths)).tolist():
            rows = np.flatnonzero(lengths == length)
            text = chars[rows, :length] if len(rows) < len(codes) else chars[:, :length]
            if length == SERIAL_LENGTH:
                self._open_product(default, rows, text, out)
            elif length == _SSCC:
                self._open_pallets(rows, text, out)
            elif length > SERIAL_LENGTH + _WORD:
                self._read_links(rows, text, out)

    def _read_links(self, rows: I64, text: U8, out: ReadCodes) -> None:
        for first, same in _alike(text, text.shape[1] - SERIAL_LENGTH):
            row = bytes(text[first])
            gtin = _gtin_of(row)
            if gtin:
                self._open_product(gtin, rows[same], text[same, -SERIAL_LENGTH:], out)
            elif _is_pallet(row):
                self._open_pallets(rows[same], text[same, -_SSCC:], out)
            else:
                out.fault[rows[same]] = [_fault_of(bytes(one)) for one in text[same]]

    def _open_product(self, gtin: int, rows: I64, serials: U8, out: ReadCodes) -> None:
        """FF1 under each epoch that occurs, the roles in turn; `serials` is shape (n, 17)."""
        out.fault[rows] = Fault.NOT_ISSUED if gtin else Fault.GTIN_MISSING
        if not gtin:
            return
        epochs = bulk.digits_of(serials[:, 0])
        for epoch in np.flatnonzero(np.bincount(epochs)).tolist():
            if epoch >= EPOCH_LIMIT or not self._has_key(epoch):
                continue
            left = np.flatnonzero(epochs == epoch)
            for role in self._likeliest_first(gtin, epoch, serials[left[:_PROBE]]):
                if not len(left):
                    break
                found = bulk.decode(
                    self._keyring.key(epoch, f"{gtin:014d}", role),
                    serials if len(left) == len(serials) else serials[left],
                )
                hit = rows[left[found.valid]]
                out.batch_no[hit], out.index[hit] = found.batch_no[found.valid], found.index[found.valid]
                out.role[hit], out.gtin[hit], out.fault[hit] = role, gtin, Fault.NONE
                left = left[~found.valid]

    def _likeliest_first(self, gtin: int, epoch: int, probe: U8) -> list[Role]:
        """A file's column is nearly always of one role: finding it first saves half of the decryptions."""
        known = self._roles_of(gtin)
        if len(known) < 2:
            return list(known)
        text = f"{gtin:014d}"
        hits = {role: int(bulk.decode(self._keyring.key(epoch, text, role), probe).valid.sum()) for role in known}
        return sorted(known, key=lambda role: -hits[role])

    def _roles_of(self, gtin: int) -> tuple[Role, ...]:
        if gtin not in self._roles:
            if len(self._roles) >= MAX_PRODUCTS:
                return ()
            self._roles[gtin] = tuple(self._ask_roles(f"{gtin:014d}"))
        return self._roles[gtin]

    def _has_key(self, epoch: int) -> bool:
        try:
            self._keyring.state(epoch)
        except NotFoundError:
            return False
        return True

    def _open_pallets(self, rows: I64, text: U8, out: ReadCodes) -> None:
        digits = text.astype(np.int64) - ord("0")
        right = ((digits >= 0) & (digits <= 9)).all(axis=1)
        whole = digits @ np.array([3, 1] * (_SSCC // 2)) % 10 == 0
        out.fault[rows[right]] = np.where(whole[right], Fault.NOT_ISSUED, Fault.CHECK_DIGIT)
        good = right & whole
        if good.any():
            batch_no, index = self._pallet_of(np.ascontiguousarray(text[good]).view(f"S{_SSCC}")[:, 0])
            known = batch_no >= 0
            hit = rows[good][known]
            out.batch_no[hit], out.index[hit], out.fault[hit] = batch_no[known], index[known], Fault.NONE


def _differs_from_the_last(codes: Codes) -> Flags:
    """For each code whether it is another than the one before it; by words, as comparing texts is slow."""
    fresh = np.ones(len(codes), np.bool_)
    width = codes.dtype.itemsize
    if width < _WORD:
        np.not_equal(codes[1:], codes[:-1], out=fresh[1:])
        return fresh
    text = codes.view(np.uint8).reshape(len(codes), width)
    fresh[1:] = False
    for at in (width - _WORD, *range(0, width - _WORD, _WORD)):
        words = text[:, at : at + _WORD].view("<u8")[:, 0]
        fresh[1:] |= words[1:] != words[:-1]
    return fresh


def _alike(text: U8, width: int) -> Iterator[tuple[int, I64 | slice]]:
    """Rows grouped by their first `width` (>= 8) characters, with one of each group's rows.

    A file has one or two beginnings, junk may have as many as rows: those come one by one.
    """
    same = _begin_as(text, text[0], width)
    if same.all():
        yield 0, slice(0, len(text))
        return
    left = np.arange(len(text))
    for _ in range(_BEGINNINGS):
        yield int(left[0]), left[same]
        left = left[~same]
        if not len(left):
            return
        same = _begin_as(text[left], text[left[0]], width)
    for row in left.tolist():
        yield row, slice(row, row + 1)


def _begin_as(text: U8, row: U8, width: int) -> Flags:
    same = np.ones(len(text), np.bool_)
    for at in (*range(0, width - _WORD, _WORD), width - _WORD):
        same &= text[:, at : at + _WORD].view("<u8")[:, 0] == row[at : at + _WORD].view("<u8")[0]
    return same


def _gtin_of(row: bytes) -> int:
    """The GTIN of an item's link whose last 17 characters are its serial; 0 if it is no such link."""
    try:
        link = links.parse_code_link((row[:-SERIAL_LENGTH] + _ANY_SERIAL).decode("ascii"))
    except (InputError, UnicodeDecodeError):
        return 0
    return int(link.gtin) if len(link.serial) == SERIAL_LENGTH else 0


def _fault_of(row: bytes) -> Fault:
    """Why a link is refused that is neither an item's with a serial of 17 characters nor a pallet's."""
    try:
        links.parse_code_link(row.decode("ascii"))
    except UnicodeDecodeError:
        return Fault.MALFORMED
    except InputError as cause:
        return Fault.CHECK_DIGIT if cause.code == "gtin_check_digit" else Fault.MALFORMED
    return Fault.NOT_ISSUED


def _is_pallet(row: bytes) -> bool:
    try:
        links.parse_pallet_link((row[:-_SSCC] + _NO_SSCC).decode("ascii"))
    except (InputError, UnicodeDecodeError):
        return False
    return True
