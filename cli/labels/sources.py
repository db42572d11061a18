"""Where the links on labels come from: a txt or csv file of codes, an archive with its key, a list of pallets."""

import csv
import tarfile
from collections.abc import Iterator
from pathlib import Path

from cli import archives
from cli.archives import DamagedError
from cli.labels.pallets import pallet_link
from cli.labels.stock import Stock
from uncap.domain.codes.links import parse_code_link
from uncap.domain.errors import InputError


def links_in(file: Path, stock: Stock, identities: list[Path], link_base: str) -> Iterator[str]:
    """Each code's link as it is printed, checked. Raises DamagedError naming the line, OSError."""
    for number, line in enumerate(_lines(file, identities), 1):
        try:
            if stock.kind == "pallet":
                yield pallet_link(line, link_base)
            else:
                parse_code_link(line)
                yield line
        except InputError as error:
            raise DamagedError(f"line {number} cannot be printed: {error.message}") from error


def _lines(file: Path, identities: list[Path]) -> Iterator[str]:
    """Lines that hold something; of a csv file its column `url`."""
    rows = _opened(file, identities) if tarfile.is_tarfile(file) else _read(file)
    first = next(rows, "")
    if "," not in first:
        yield from (row for row in (first, *rows) if row)
        return
    names = next(csv.reader([first]))
    if "url" not in names:
        raise DamagedError("a csv file needs a column `url` in its first line")
    column = names.index("url")
    for number, row in enumerate(csv.reader(rows), 2):
        if len(row) <= column:
            raise DamagedError(f"line {number} has no column `url`")
        yield row[column]


def _read(file: Path) -> Iterator[str]:
    with file.open("r", encoding="utf-8-sig", errors="replace", newline=None) as stream:
        for line in stream:
            yield line.rstrip("\n").strip()


def _opened(file: Path, identities: list[Path]) -> Iterator[str]:
    manifest = archives.read_manifest(file)
    keys = [key for path in identities for key in archives.read_identities(path)]
    if not keys:
        raise DamagedError("an archive needs the key it was made for: --identity")
    for part, cipher in archives.ciphers(file, manifest):
        plain = archives.decrypted(part, cipher, keys)
        yield from plain.decode("utf-8-sig").splitlines()
