"""Writes examples/association: one file of each kind a line may send. `python -m dev.line_examples`.

The key is of no deployment: HKDF from the bytes 00 to 1f, epoch 1. Tests read the files with it and hold them current.
"""

from pathlib import Path

from cli.line_files import FORMS, LineDay, run_line, to_bytes_by_form
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk
from uncap.domain.codes.links import code_prefix
from uncap.domain.codes.scheme import CodeKey

FOLDER = Path(__file__).resolve().parents[1] / "examples/association"
MASTER = bytes(range(32))
UNIT_GTIN, UNIT_BATCH = "09520123456788", 7
CASE_GTIN, CASE_BATCH = "19520123456785", 8
PACK, UNITS, CASES = 6, 50, 8
DAY = LineDay(pack=PACK, begins_at_ms=1_795_300_000_000, reject_each=16, spares=1, repeats=1)
NAMES = {"csv": "line.csv", "gbk": "line-gbk.csv", "parquet": "line.parquet", "epcis": "line.json", "xml": "line.xml"}


def printed(gtin: str, role: Role, batch_no: int, count: int) -> list[str]:
    """The links of a batch as they are printed."""
    key = CodeKey.derive(MASTER, 1, gtin, role)
    lines = b"".join(bulk.lines(key, batch_no, range(count), code_prefix("https://Q.EXAMPLE.CN", gtin)))
    return lines.decode("ascii").split()


def files() -> dict[str, bytes]:
    """Name → content."""
    units = printed(UNIT_GTIN, Role.CAP_INNER, UNIT_BATCH, UNITS)
    cases = printed(CASE_GTIN, Role.CASE_OUTER, CASE_BATCH, CASES)
    rows = run_line(units, cases, DAY)
    made = {NAMES[form]: to_bytes_by_form(rows, form) for form in FORMS}
    bad = made["line.csv"].decode("utf-8-sig").split("\r\n")
    bad[3] = bad[3].replace("HTTPS", "=HTTPS")
    bad[5] = bad[5].rsplit(",", 2)[0]
    bad[8] = bad[8].replace("/21/1", "/21/2")
    bad[11] = bad[11].replace(",add,", ",thrown,")
    return made | {"line-with-errors.csv": "\r\n".join(bad).encode("utf-8-sig")}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
