"""`uncap epcis`: what a person and a script see, and the exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app

EXAMPLES = Path(__file__).parents[3] / "examples" / "epcis"
PACKING_HASHES = 2


def run(*arguments: str, data: bytes | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["epcis", *arguments], input=data)
    return done.exit_code, done.stdout, done.stderr


def write(folder: Path, data: bytes) -> str:
    made = folder / "document.json"
    made.write_bytes(data)
    return str(made)


def broken(**changes: object) -> bytes:
    value = json.loads((EXAMPLES / "shipping.json").read_bytes())
    value["epcisBody"]["eventList"][0].update(changes)
    return json.dumps(value, ensure_ascii=False).encode()


def test_valid() -> None:
    assert run("validate", str(EXAMPLES / "packing.json")) == (0, "valid: 2 events\n", "")
    assert run("validate", str(EXAMPLES / "shipping.json")) == (0, "valid: 1 event\n", "")


def test_faults_by_line(tmp_path: Path) -> None:
    code, out, err = run("validate", write(tmp_path, broken(action="SHIPPED", bizStep="shiping")))
    assert code == 1
    assert [line.split(": ")[:2] for line in out.splitlines()] == [
        ["/epcisBody/eventList/0/action", "value_unknown"],
        ["/epcisBody/eventList/0/bizStep", "term_unknown"],
    ]
    assert err == "invalid: 2 faults\n"


def test_notes_are_told_and_count_when_strict(tmp_path: Path) -> None:
    path = write(tmp_path, broken(epcList=["urn:epc:id:sscc:952.1"]))
    code, out, err = run("validate", path)
    assert (code, out) == (0, "valid: 1 event\n")
    assert err.startswith("note: /epcisBody/eventList/0/epcList/0: epc_malformed: ")
    code, out, err = run("validate", "--strict", path)
    assert (code, err) == (1, "invalid: 1 fault\n")
    assert out.startswith("note: ")


def test_json(tmp_path: Path) -> None:
    code, out, _ = run("validate", "--json", str(EXAMPLES / "packing.json"))
    assert (code, json.loads(out)) == (0, {"valid": True, "events": 2, "faults": [], "notes": []})
    code, out, _ = run("validate", "--json", write(tmp_path, broken(action="X")))
    told = json.loads(out)
    assert (code, told["valid"], told["faults"][0]["code"]) == (1, False, "value_unknown")
    code, out, _ = run("validate", "--json", write(tmp_path, b"{"))
    assert (code, json.loads(out)["error"]["code"]) == (2, "epcis_truncated")


def test_standard_input() -> None:
    assert run("validate", "-", data=(EXAMPLES / "packing.json").read_bytes())[0] == 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (broken()[:200], "epcis_truncated: the file ends in the middle of the JSON (line 1"),
        (broken(**{"brand:note": "啤酒"}).decode().encode("gbk"), "epcis_encoding: not UTF-8"),
        (b'{"orders": []}', "epcis_not_document: "),
        (b"<epcis:EPCISDocument/>", "epcis_not_xml: "),
        (b"", "epcis_truncated: "),
    ],
)
@pytest.mark.parametrize("command", ["validate", "hash"])
def test_what_cannot_be_read(command: str, data: bytes, says: str, tmp_path: Path) -> None:
    code, out, err = run(command, write(tmp_path, data))
    assert (code, out) == (2, "")
    assert err.startswith(says)


def test_missing_and_huge_files(tmp_path: Path) -> None:
    assert run("validate", str(tmp_path / "none.json"))[0] == 2
    assert run("validate", str(tmp_path))[0] == 2
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(10 * 1024**3)  # sparse: ten gigabytes that take no room
    code, _, err = run("validate", str(huge))
    assert (code, err) == (2, "epcis_too_large: a document holds at most 50 MB\n")


def test_hash() -> None:
    code, out, _ = run("hash", str(EXAMPLES / "packing.json"))
    assert code == 0
    assert len(set(out.split())) == PACKING_HASHES
    assert all(line.startswith("ni:///sha-256;") and line.endswith("?ver=CBV2.0") for line in out.split())
    told = json.loads(run("hash", "--json", str(EXAMPLES / "packing.json"))[1])
    assert told == {"hashes": out.split()}


def test_hash_of_what_is_no_event(tmp_path: Path) -> None:
    code, out, err = run("hash", write(tmp_path, b'{"type": "EPCISDocument", "epcisBody": {}}'))
    assert (code, out, err.split(":")[0]) == (1, "", "field_missing")
    code, out, err = run("hash", write(tmp_path, b'[{"type": "ex:A"}, {"eventTime": 1}]'))
    assert (code, out) == (1, "")
    assert err.startswith("epcis_event_malformed: ")
    assert err.endswith("(/1)\n")
