"""`uncap draw verify`: what a reader of a published draw sees, and the exit status a script sees."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from cli.draw import app
from tests.unit.domain.prizes.closings import entry_rows, published
from tests.unit.domain.prizes.releases import BEACON, POOL, changed, make_release
from uncap.domain.prizes.commitment import commitment
from uncap.domain.prizes.published import PublishedDraw, Winner, publish_draw
from uncap.domain.prizes.published_closing import PublishedClosing

RELEASE, _SEED, HASHES = make_release()
HONEST = publish_draw(RELEASE, POOL, HASHES)
RUNNER = CliRunner(env={"COLUMNS": "120", "NO_COLOR": "1"})


def written(folder: Path, draw: PublishedDraw) -> str:
    file = folder / "draw.json"
    file.write_bytes(msgspec.json.encode(draw))
    return str(file)


def test_an_honest_draw(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["verify", written(tmp_path, HONEST)])
    assert result.exit_code == 0
    assert f"Verified: {RELEASE.eligible_count} codes" in result.output
    assert "1 x grand" in result.output
    assert commitment(RELEASE) in result.output, "to be compared by the reader"
    assert "WRONG" not in result.output


def test_notes_are_compared(tmp_path: Path) -> None:
    file = written(tmp_path, HONEST)
    good = ["verify", file, "--commitment", commitment(RELEASE), "--beacon", BEACON]
    assert RUNNER.invoke(app, good).exit_code == 0
    result = RUNNER.invoke(app, ["verify", file, "--commitment", "00" * 32, "--beacon", "other"])
    assert result.exit_code == 1
    assert "commitment_mismatch" in result.output
    assert "beacon_mismatch" in result.output
    assert "not made" in result.output


def test_a_cheat_is_told_with_its_reasons_and_long_lists_are_cut(tmp_path: Path) -> None:
    loud = msgspec.structs.replace(HONEST, winners=HONEST.winners[40:])
    result = RUNNER.invoke(app, ["verify", written(tmp_path, loud)])
    assert result.exit_code == 1
    assert "winner_missing: and 30 more" in result.output
    assert "NOT what was committed to" in result.output


def test_json_for_scripts(tmp_path: Path) -> None:
    first = HONEST.winners[0]
    forged = msgspec.structs.replace(HONEST, winners=(Winner(first.index, "dream"), *HONEST.winners[1:]))
    result = RUNNER.invoke(app, ["verify", written(tmp_path, forged), "--json"])
    report = json.loads(result.output)
    assert result.exit_code == 1
    assert report["passed"] is False
    (fault,) = report["checks"][-1]["mismatches"]
    assert fault["code"] == "winner_wrong_prize"
    assert fault["where"] == str(first.index)


def test_code_hashes_beside_the_document(tmp_path: Path) -> None:
    apart = msgspec.structs.replace(HONEST, code_hashes=b"", code_hashes_file="codes.bin")
    (tmp_path / "codes.bin").write_bytes(HASHES)
    assert RUNNER.invoke(app, ["verify", written(tmp_path, apart)]).exit_code == 0
    (tmp_path / "codes.bin").write_bytes(HASHES[32:])
    assert RUNNER.invoke(app, ["verify", written(tmp_path, apart)]).exit_code == 1


@pytest.mark.parametrize("name", ["../codes.bin", "/etc/hostname", "absent.bin", ".."])
def test_code_hashes_elsewhere_are_not_read(tmp_path: Path, name: str) -> None:
    apart = msgspec.structs.replace(HONEST, code_hashes=b"", code_hashes_file=name)
    result = RUNNER.invoke(app, ["verify", written(tmp_path, apart)])
    assert result.exit_code == 2
    assert "not a published draw" in result.output


@pytest.mark.parametrize("text", ["", "{}", '{"release": 5}', "[1]", "\x00"])
def test_files_that_are_no_draw(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    result = RUNNER.invoke(app, ["verify", str(file)])
    assert result.exit_code == 2
    assert "not a published draw" in result.output


def test_another_format_is_not_guessed(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["verify", written(tmp_path, msgspec.structs.replace(HONEST, format="uncap-draw-9"))])
    assert result.exit_code == 2


def test_names_from_the_document_cannot_paint_the_terminal(tmp_path: Path) -> None:
    release = changed(RELEASE, release_id="[bold red]r[/]", beacon_source="\x1b[2J[link]")
    result = RUNNER.invoke(app, ["verify", written(tmp_path, publish_draw(release, POOL, HASHES))])
    assert result.exit_code == 0
    assert "[bold red]r[/]" in result.output
    assert "\x1b" not in result.output


ROWS = entry_rows([f"p{number % 9}" for number in range(30)])
CLOSED = published(ROWS)


def closing(folder: Path, draw: PublishedClosing, name: str = "closing.json") -> str:
    file = folder / name
    file.write_bytes(msgspec.json.encode(draw))
    return str(file)


def test_the_draw_at_a_close_and_a_release_in_one_go(tmp_path: Path) -> None:
    files = [closing(tmp_path, CLOSED), written(tmp_path, HONEST)]
    result = RUNNER.invoke(app, ["verify", *files])
    assert result.exit_code == 0
    assert "Draw of campaign's close spring" in result.output
    assert f"Verified: {len(ROWS)} entries, 4 winners" in result.output
    assert CLOSED.commitment in result.output
    assert RUNNER.invoke(app, ["verify", *files, "--beacon", BEACON]).exit_code == 2


def test_one_bad_file_among_good_ones_is_not_overlooked(tmp_path: Path) -> None:
    forged = closing(tmp_path, msgspec.structs.replace(CLOSED, winners=CLOSED.winners[::-1]), "forged.json")
    result = RUNNER.invoke(app, ["verify", forged, closing(tmp_path, CLOSED)])
    assert result.exit_code == 1
    assert "winner_wrong: prize 0 goes to entry" in result.output


def test_entries_beside_the_document(tmp_path: Path) -> None:
    apart = msgspec.structs.replace(CLOSED, entries="", entries_file="spring.entries")
    (tmp_path / "spring.entries").write_bytes(b"".join(ROWS))
    assert RUNNER.invoke(app, ["verify", closing(tmp_path, apart)]).exit_code == 0
    (tmp_path / "spring.entries").write_bytes(b"".join(ROWS[::-1]))
    assert RUNNER.invoke(app, ["verify", closing(tmp_path, apart)]).exit_code == 1
    elsewhere = msgspec.structs.replace(apart, entries_file="../spring.entries")
    assert RUNNER.invoke(app, ["verify", closing(tmp_path, elsewhere)]).exit_code == 2
