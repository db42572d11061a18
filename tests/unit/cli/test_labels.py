"""Sheets are read back label by label as a printer would draw them; what cannot be printed is said."""

import json
from pathlib import Path

import msgspec
import pypdfium2  # type: ignore[import-untyped]  # the library has no types
import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so
import pytest
from typer.testing import CliRunner, Result

from cli import archives
from cli.labels import reading, stock
from cli.labels.sheet import groups_of, write_pdf
from cli.main import app

SERIALS = [f"1E5ZNQ38SXZSY{number:04d}" for number in range(200)]
LINKS = [f"HTTPS://U1.EXAMPLE.CN/01/09520123456788/21/{serial}" for serial in SERIALS]
SSCC = "340123450000000000"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["labels", *map(str, arguments)])


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    file = tmp_path / "codes.txt"
    file.write_bytes("".join(f"{link}\r\n" for link in LINKS).encode())
    return file


@pytest.mark.parametrize("name", [one.name for one in stock.known() if one.kind == "item"])
def test_every_stock_reads_back(codes: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "sheet.pdf"
    done = run(codes, "--layout", name, "--out", out, "--verify", "--count", "70" if name.startswith("a4") else "9")
    assert done.exit_code == 0, done.output
    assert "every one read back" in done.output


def test_a_sheet_is_on_the_right_paper_with_its_text(codes: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.pdf"
    assert run(codes, "--layout", "a4-cut", "--out", out, "--count", "118").exit_code == 0
    document = pypdfium2.PdfDocument(out)
    assert len(document) == 2
    assert document[0].get_size() == pytest.approx((595.3, 841.9), abs=0.1)
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert " ".join(groups_of(SERIALS[0])) in text
    assert " ".join(groups_of(SERIALS[116])) in text
    assert " ".join(groups_of(SERIALS[117])) not in text


def test_the_same_file_makes_the_same_bytes(codes: Path, tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        assert run(codes, "--out", tmp_path / "sheet.pdf").exit_code == 0
        made.append((tmp_path / "sheet.pdf").read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_pages_and_single_codes_as_images(codes: Path, tmp_path: Path, suffix: str) -> None:
    done = run(codes, "--out", tmp_path / f"code{suffix}", "--count", "66" if suffix == ".svg" else "3", "--verify")
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in tmp_path.glob(f"*{suffix}"))
    assert names == [f"code-{number:04d}{suffix}" for number in range(1, 3 if suffix == ".svg" else 4)]


def test_a_swapped_and_a_smeared_label_are_found(tmp_path: Path) -> None:
    sheet, chosen = tmp_path / "sheet.pdf", stock.load("a4-65")
    with sheet.open("wb") as out:
        write_pdf(out, chosen, LINKS[:10], "sheet")
    swapped = [LINKS[1], LINKS[0], *LINKS[2:10]]
    assert reading.misread_pdf(sheet, chosen, swapped) == [0, 1]
    assert reading.misread_pdf(sheet, chosen, LINKS[:66]) == list(range(66)), "a page is missing"
    assert reading.misread_pdf(sheet, stock.load("a4-21"), LINKS[:10]) != [], "another stock has other places"
    assert run_verify_fails(tmp_path)


def run_verify_fails(tmp_path: Path) -> bool:
    picture = tmp_path / "page.svg"
    picture.write_text('<svg><path transform="" d="M0 0h9v1h-9z"/></svg>')
    return reading.misread_svg(picture, LINKS[:1]) == [0] and reading.misread_svg(picture, LINKS[:2]) == [0, 1]


def test_long_runs_become_several_files(codes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.labels.command.LABELS_PER_FILE", 100)
    assert run(codes, "--out", tmp_path / "run.pdf").exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("*.pdf")) == [f"run-000{number}.pdf" for number in range(1, 5)]


def test_csv_and_archives(tmp_path: Path) -> None:
    sheet = tmp_path / "codes.csv"
    rows = [f"{at},{serial},{link},\r\n" for at, (serial, link) in enumerate(zip(SERIALS, LINKS, strict=True))]
    data = archives.CSV_HEAD + "".join(rows).encode()
    sheet.write_bytes(data)
    assert run(sheet, "--out", tmp_path / "a.pdf", "--verify", "--count", "3").exit_code == 0
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"# a key\n{identity}\n")
    manifest = archives.Manifest("x7-0", "c.csv", 7, "", "cap_outer", "csv", 200, "", "", 1, 2, "", [])
    part, cipher = archives.part_of("codes-000001.csv", data, str(identity.to_public()))
    manifest.parts.append(part)
    archive = tmp_path / "codes.tar"
    archive.write_bytes(archives.member(part.name, cipher, 1) + archives.ending(manifest))
    done = run(archive, "--identity", tmp_path / "key", "--out", tmp_path / "b.pdf", "--verify", "--count", "3")
    assert done.exit_code == 0, done.output
    assert (run(archive, "--out", tmp_path / "c.pdf").exit_code, (tmp_path / "c.pdf").exists()) == (2, False)


def test_pallets_carry_bars_symbol_and_figures(tmp_path: Path) -> None:
    file, out = tmp_path / "pallets.txt", tmp_path / "pallets.pdf"
    file.write_text(f"{SSCC}\nhttps://q.example.cn/00/{SSCC}\n")
    done = run(file, "--layout", "pallet-a6", "--link-base", "https://q.example.cn", "--out", out, "--verify")
    assert done.exit_code == 0, done.output
    document = pypdfium2.PdfDocument(out)
    assert "(00) 3 4012345 000000000 0" in document[0].get_textpage().get_text_range()
    document.close()
    assert reading.misread_pdf(out, stock.load("pallet-a6"), [f"HTTPS://Q.EXAMPLE.CN/00/{SSCC}", LINKS[0]]) == [1]
    file.write_text(SSCC[:-1] + "1\n")
    wrong = run(file, "--layout", "pallet-a6", "--link-base", "https://q.example.cn", "--out", out)
    assert (wrong.exit_code, "line 1 cannot be printed: the SSCC's check digit is wrong" in wrong.output) == (2, True)
    file.write_text(f"{SSCC}\n")
    assert "a link base is scheme://host" in run(file, "--layout", "pallet-a6", "--out", out).output
    base = ("--link-base", "https://q.example.cn")
    assert run(file, "--layout", "pallet-a6", *base, "--out", tmp_path / "p.svg").exit_code == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file holds no codes"),
        ("no link\n", "line 1 cannot be printed"),
        (f"{LINKS[0]}\n{LINKS[0][:-20]}\n", "line 2 cannot be printed"),
        (LINKS[0].replace("6788", "6789") + "\n", "check digit"),
        ("seq,code\n1,2\n", "a csv file needs a column `url`"),
        (f"code,url\n1,{LINKS[0]}\n2\n", "line 3 has no column `url`"),
        ("\x00\xff\xfe", "line 1 cannot be printed"),
    ],
)
def test_files_that_are_no_codes(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "codes.txt"
    file.write_bytes(text.encode("latin-1"))
    done = run(file, "--out", tmp_path / "sheet.pdf")
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert not (tmp_path / "sheet.pdf").exists()
    assert not (tmp_path / "sheet.pdf.new").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"module_mm": 0.3}, "a module is 0.396 to 0.99 mm"),
        ({"label_mm": [10, 10]}, "needs 14.7 mm with its quiet zone"),
        ({"columns": 9}, "the last label lies outside the page"),
        ({"columns": 2, "pitch_mm": [15, 0], "page_mm": [60, 30]}, "labels overlap"),
        ({"rows": 0}, "a page has a size and at least one label"),
        ({"colour": "red"}, "describes no label stock"),
    ],
)
def test_stock_that_cannot_be(codes: Path, tmp_path: Path, changes: dict[str, object], said: str) -> None:
    file = tmp_path / "mine.json"
    own = {"name": "mine", "page_mm": [30, 30], "label_mm": [30, 30], "pitch_mm": [30, 30]}
    file.write_text(json.dumps({**own, **changes}))
    done = run(codes, "--layout", file, "--out", tmp_path / "sheet.pdf")
    assert (done.exit_code, said in done.output) == (1, True), done.output


def test_own_stock_and_the_list(codes: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(stock.load("roll-25"), name="mine")))
    assert run(codes, "--layout", file, "--out", tmp_path / "s.pdf", "--count", "1", "--verify").exit_code == 0
    assert "a4-65" in run("--list").output
    assert "there is no label stock 'a5'" in run(codes, "--layout", "a5").output
    assert run(codes, "--layout", tmp_path / "none.json").exit_code == 1
    assert run(codes, "--out", tmp_path / "no" / "s.pdf").exit_code == 1
    assert run(codes, "--out", tmp_path / "s.gif").exit_code == 1
    assert all(stock.checked(one) == one for one in stock.known())
    assert run().exit_code == 1


def test_the_examples_are_what_the_docs_say(tmp_path: Path) -> None:
    examples = Path(__file__).parents[3] / "examples" / "exports"
    ring = ("--layout", examples / "stock.json", "--verify", "--out", tmp_path / "ring.pdf")
    for name in ("line.csv", "printer.txt"):
        assert "12 labels, every one read back" in run(examples / name, *ring).output
    pallets = run(
        examples / "pallets.txt",
        *("--layout", "pallet-a6", "--link-base", "https://u1.example.cn", "--verify", "--out", tmp_path / "p.pdf"),
    )
    assert pallets.exit_code == 0, pallets.output
    manifest = msgspec.json.decode((examples / "manifest.json").read_bytes(), type=archives.Manifest, strict=True)
    [part] = manifest.parts
    assert part.plain_sha256 == archives.file_sha256(examples / "printer.txt")
    archives.check_lines(manifest)
    assert (examples / "line.csv").read_bytes().startswith(archives.CSV_HEAD)
