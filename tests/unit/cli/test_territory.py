"""`uncap territory compile`: codes, shapes and maps to cells, overlaps told, wrong files refused where wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.diversion.territory import app

SAMPLE = Path(__file__).parents[3] / "examples/diversion/territories/territories.json"
SQUARE = [[104.0, 30.0], [104.2, 30.0], [104.2, 30.2], [104.0, 30.2], [104.0, 30.0]]
CROSSED = [[104.0, 30.0], [104.2, 30.2], [104.2, 30.0], [104.0, 30.2], [104.0, 30.0]]


def run(file: Path, *more: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["compile", str(file), *more])
    return result.exit_code, result.stdout, result.stderr


def written(folder: Path, content: object) -> Path:
    path = folder / "t.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def feature(code: object, ring: object = None) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring or SQUARE]}
    return {"type": "Feature", "properties": {"adcode": code}, "geometry": geometry}


def wanted(**more: object) -> dict[str, Any]:
    return {"party_id": "a", "region": "r", **more}


def test_the_sample_compiles_and_tells_its_overlap() -> None:
    code, out, _ = run(SAMPLE, "--cells")
    report = json.loads(out)
    assert code == 0
    assert [row["party_id"] for row in report["territories"]] == ["dist-north", "dist-south"]
    assert all(len(row["h3"]) == row["cells"] > 0 for row in report["territories"])
    assert report["overlaps"][0]["parties"] == ["dist-north", "dist-south"]
    assert report["overlaps"][0]["entries"] == ["territories[0]", "territories[1]"]
    assert 0 < report["overlaps"][0]["area_km2"] < 300
    code, out, err = run(SAMPLE, "--no-overlaps")
    assert (code, out) == (2, "")
    assert "territories[1]: dist-south shares" in err
    assert "with dist-north (territories[0])" in err


def test_the_map_may_be_a_file_of_its_own_in_either_datum(tmp_path: Path) -> None:
    file = written(tmp_path, {"territories": [wanted(codes=["510104"])]})
    borders = tmp_path / "map.json"
    borders.write_text(json.dumps({"type": "FeatureCollection", "features": [feature("510104")]}))
    areas = [
        json.loads(run(file, "--areas", str(borders), "--datum", datum, "--cells")[1]) for datum in ("gcj02", "wgs84")
    ]
    assert areas[0] != areas[1]
    borders.write_text(json.dumps({"datum": "wgs84", "features": [feature("156510104")]}))
    assert json.loads(run(file, "--areas", str(borders), "--cells")[1]) == areas[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "t.json line 1, column 2: not JSON"),
        ('{"territories": [\n  {"party_id": }]}', "t.json line 2, column 16: not JSON"),
        ("[]", "Expected `object`"),
        ({"territories": [{"party_id": "a"}]}, "region"),
        ({"territories": [wanted(shapes=[{"type": "Square"}])]}, "$.territories[0].shapes[0].type"),
        ({"territories": [wanted()]}, "territories[0]: name codes or shapes"),
        ({"territories": [wanted(codes=["990000"])]}, "territories[0].codes[0]"),
        ({"territories": [wanted(codes=["510100"])]}, "the map has no area for 510100"),
        (
            {"territories": [wanted(shapes=[{"type": "Polygon", "coordinates": [CROSSED]}])]},
            "territories[0].shapes[0].coordinates[0]: edges",
        ),
        (
            {"territories": [wanted(codes=["510104"])], "areas": {"features": [feature("510104", CROSSED)]}},
            "features[0] shapes[0].coordinates[0]: edges",
        ),
        ({"territories": [], "areas": {"features": [feature("abc")]}}, "features[0]: not a code"),
        ({"territories": [wanted(shapes=[{"type": "Circle", "lat": 91, "lng": 0, "radius_m": 500}])]}, "lat"),
        ({"territories": [wanted(shapes=[{"type": "Circle", "lat": 1, "lng": 0, "radius_m": 500}])] * 2}, "already"),
    ],
)
def test_wrong_files_are_refused_where_they_are_wrong(tmp_path: Path, content: object, words: str) -> None:
    code, out, err = run(written(tmp_path, content))
    assert (code, out) == (2, "")
    assert words in err
