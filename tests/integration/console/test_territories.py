"""Territories by administrative codes and shapes, and what is said when two of them overlap."""

import pytest

from tests.integration.console.conftest import Api, Bench

WEST = [[104.0, 30.0], [104.4, 30.0], [104.4, 30.4], [104.0, 30.4], [104.0, 30.0]]
EAST = [[104.3, 30.0], [104.7, 30.0], [104.7, 30.4], [104.3, 30.4], [104.3, 30.0]]


def polygon(ring: list[list[float]]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [ring]}


def area(ring: list[list[float]], **more: object) -> dict[str, object]:
    return {"name": "invented", "approval_no": "GS(2026)0000", "datum": "wgs84", "shapes": [polygon(ring)], **more}


@pytest.fixture
def parties(admin: Api) -> None:
    for party in ("dist-a", "dist-b"):
        admin.ok("POST", "/parties", {"party_id": party, "role": "distributor", "name": {"en": party}})


def test_codes_and_shapes_make_one_territory_and_overlaps_are_told(admin: Api, parties: None) -> None:
    assert admin.ok("PUT", "/areas/510104", area(WEST))["approval_no"] == "GS(2026)0000"
    admin.ok("PUT", "/areas/510105", area(EAST))
    assert admin.refused("PUT", "/areas/510105", area(EAST)) == (409, "changed_meanwhile")
    first = admin.ok("PUT", "/parties/dist-a/territory", {"region": "510104", "codes": ["510104"]})
    assert "overlaps" not in first
    second = admin.ok("PUT", "/parties/dist-b/territory", {"region": "510100", "codes": ["510100"]})
    (overlap,) = second["overlaps"]
    assert overlap["party_id"] == "dist-a"
    assert overlap["area_km2"] == pytest.approx(first["area_km2"], rel=0.01)
    assert 0.5 < overlap["share"] < 0.65
    alone = {"region": "x", "shapes": [polygon(EAST)], "version": 1, "may_overlap": False}
    admin.ok("PUT", "/parties/dist-a/territory", {"region": "x", "shapes": [polygon(WEST)], "version": 1})
    answer = admin.call("PUT", "/parties/dist-b/territory", alone)
    assert (answer.code, answer.body["where"]) == ("territories_overlap", "shapes")
    assert "are shared with dist-a" in answer.body["detail"]
    assert admin.ok("GET", "/parties/dist-b/territory").get("version", 1) == 1, "nothing is half applied"
    by_shape = {"region": "x", "shapes": [polygon(EAST)], "codes": ["510104"], "version": 1}
    assert admin.ok("PUT", "/parties/dist-b/territory", by_shape)["cells"] == second["cells"]
    assert [one["code"] for one in admin.ok("GET", "/areas")["items"]] == ["510104", "510105"]


def test_what_is_refused_and_where(admin: Api, parties: None) -> None:
    path = "/parties/dist-a/territory"
    assert admin.refused("PUT", path, {"region": "x"}) == (400, "territory_empty")
    assert admin.refused("PUT", path, {"region": "x", "codes": ["510100"]}) == (404, "area_unknown")
    assert admin.refused("PUT", path, {"region": "x", "codes": ["990100"]}) == (400, "admin_code_unknown")
    assert admin.refused("PUT", path, {"region": "x", "codes": ["51"]}) == (400, "body_invalid")
    crossed = [WEST[0], WEST[2], WEST[1], WEST[3], WEST[0]]
    answer = admin.call("PUT", path, {"region": "x", "shapes": [polygon(crossed)]})
    assert (answer.code, answer.body["where"]) == ("shape_malformed", "shapes[0].coordinates[0]")
    assert admin.refused("PUT", "/areas/990100", area(WEST)) == (400, "admin_code_unknown")
    assert admin.refused("PUT", "/areas/510104", area(WEST, shapes=[])) == (400, "body_invalid")


def test_an_inspector_sets_nothing(bench: Bench, parties: None) -> None:
    inspector = bench.sign_in("ines", "inspector")
    assert inspector.refused("PUT", "/areas/510104", area(WEST)) == (403, "operator_not_permitted")
    assert inspector.ok("GET", "/areas")["items"] == []
