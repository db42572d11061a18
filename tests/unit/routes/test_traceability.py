"""Where a program finds an item's way: in the linkset, and by asking for the link type."""

import json

import pytest

from tests.kits.scan_events import body_of, event
from tests.kits.scan_kit import GTIN
from tests.unit.routes.conftest import Api
from uncap.routes.resolver import about_path, wanted_form


def ask(api: Api, link_type: str, serial: str = "") -> dict[str, object]:
    sent = event("linkset_parameter", serial=serial or api.world.serial(1))
    sent["rawQueryString"] = f"linkType={link_type}"
    sent["queryStringParameters"] = {"linkType": link_type}
    return api.call(sent)


@pytest.mark.parametrize("name", ["traceability", "safetyInfo"])
@pytest.mark.parametrize("space", ["gs1:", "https://gs1.org/voc/", "https://ref.gs1.org/voc/"])
def test_both_link_types_lead_to_the_page_about_the_item(api: Api, space: str, name: str) -> None:
    reply = ask(api, space + name)
    headers = reply["headers"]
    assert isinstance(headers, dict)
    assert reply["statusCode"] == 307
    assert headers["Location"].endswith(f"/about/{GTIN}/{api.world.serial(1)}")
    assert api.world.scans.writes == 0


def test_a_code_nobody_issued_leads_nowhere(api: Api) -> None:
    assert ask(api, "gs1:traceability", "1" + "0" * 16)["statusCode"] == 404


def test_the_linkset_names_it_for_items_only(api: Api) -> None:
    reply = ask(api, "linkset")
    item, product = json.loads(body_of(reply))["linkset"]
    for name in ("traceability", "safetyInfo"):
        [target] = item[f"https://gs1.org/voc/{name}"]
        assert target["href"].endswith(f"/about/{GTIN}/{api.world.serial(1)}")
        assert f"https://gs1.org/voc/{name}" not in product


def test_paths() -> None:
    assert about_path(f"/01/{GTIN}/21/ABC") == f"/about/{GTIN}/ABC"
    assert about_path(f"/01/{GTIN}") == ""
    assert about_path("/00/123456789012345675") == ""
    assert wanted_form("text/html", "gs1:traceability") == "about"
