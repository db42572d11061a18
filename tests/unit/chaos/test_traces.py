"""The search for serials finds them wherever they stand, packed and in either case, and nothing else."""

import gzip
import zlib

import pytest
import zstandard

from tests.kits.traces import holds_serial, readable

SERIAL = "1ABCDEFGH0123456Z"


@pytest.mark.parametrize(
    "text", [SERIAL, f'{{"serial":"{SERIAL}"}}', f"/01/09520/21/{SERIAL.lower()}?x=1", f"QQ{SERIAL}0"]
)
def test_a_serial_is_found(text: str) -> None:
    assert holds_serial(text, frozenset({SERIAL, "2" + SERIAL[1:]}))


@pytest.mark.parametrize("text", ["", SERIAL[:-1], SERIAL[:8] + "-" + SERIAL[8:], "0" * 200])
def test_nothing_else_is(text: str) -> None:
    assert not holds_serial(text, frozenset({SERIAL}))


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.ZstdCompressor().compress, bytes])
def test_what_is_packed_is_unpacked(pack: type[bytes]) -> None:
    assert SERIAL in readable(pack(f"…{SERIAL}…".encode()))
