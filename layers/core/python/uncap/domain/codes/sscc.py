"""SSCC-18, the number on a pallet (GS1 AI 00): built, checked, and counted along a run of neighbouring numbers. Pure.

Used by `services/create_pallets.py`, `adapters/pallet_numbers.py` and whatever reads pallet labels; millions at a time
by `sscc_bulk.py`. GS1 General Specifications 2.2.1: extension digit, company prefix, serial reference, check digit.
"""

import re

import msgspec

from uncap.domain.codes.links import check_digit, check_sscc
from uncap.domain.errors import ConflictError, InputError

BODY_DIGITS = 17
"""Extension digit, company prefix and serial reference; the check digit follows."""

_PREFIX = re.compile(r"[0-9]{4,12}", re.ASCII)


class SsccSeries(msgspec.Struct, frozen=True):
    """The SSCCs a company may give out under one extension digit: a block of neighbouring 17-digit bodies."""

    extension: int
    company_prefix: str

    def __post_init__(self) -> None:
        """Raises InputError (`sscc_series_malformed`)."""
        if not 0 <= self.extension <= 9 or not _PREFIX.fullmatch(self.company_prefix):
            raise InputError(
                "sscc_series_malformed",
                "an extension digit is 0 to 9, a GS1 company prefix 4 to 12 digits",
                where="company_prefix",
            )

    @property
    def capacity(self) -> int:
        """How many serial references there are."""
        return int(10 ** (BODY_DIGITS - 1 - len(self.company_prefix)))

    @property
    def first_body(self) -> int:
        """The body of serial reference 0."""
        return int(f"{self.extension}{self.company_prefix}") * self.capacity

    @property
    def stop_body(self) -> int:
        """One past the last body."""
        return self.first_body + self.capacity

    def body(self, serial_reference: int) -> int:
        """Raises ConflictError (`sscc_exhausted`) past the series' end."""
        if not 0 <= serial_reference < self.capacity:
            raise ConflictError("sscc_exhausted", f"this series has {self.capacity} serial references")
        return self.first_body + serial_reference


def sscc_of_body(body: int) -> str:
    """The 18 digits of a body (0 <= body < 10^17). Raises InputError (`sscc_malformed`)."""
    if not 0 <= body < 10**BODY_DIGITS:
        raise InputError("sscc_malformed", f"an SSCC's body has {BODY_DIGITS} digits", where="sscc")
    digits = f"{body:0{BODY_DIGITS}d}"
    return digits + str(check_digit(digits))


def body_of(sscc: str) -> int:
    """The number without its check digit. Raises InputError (`sscc_malformed`, `sscc_check_digit`)."""
    return int(check_sscc(sscc)[:BODY_DIGITS])


def sscc_of(sscc_first: str, index: int) -> str:
    """The SSCC of the pallet `index` of a batch whose pallet 0 carries `sscc_first`. Raises InputError."""
    return sscc_of_body(body_of(sscc_first) + index)


def index_of(sscc_first: str, size: int, sscc: str) -> int | None:
    """Which pallet of the batch carries `sscc`; None if it is another's. Raises InputError."""
    index = body_of(sscc) - body_of(sscc_first)
    return index if 0 <= index < size else None
