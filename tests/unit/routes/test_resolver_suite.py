"""What GS1's resolver test suite asks of a resolver, as its curl asks it: `Accept: */*`, no language, an Origin."""

import json
import math
import string
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.kits.scan_events import body_of, event
from tests.kits.scan_kit import GTIN
from tests.unit.routes.conftest import Api
from uncap.domain.codes.sscc import sscc_of_body
from uncap.routes import resolver_routes

BASE = "https://scan.example.com"
VOC = "https://gs1.org/voc/"
PALLET = "095201230000000424"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TARGET = {
    "type": "object",
    "required": ["href", "title"],
    "properties": {
        "href": {"type": "string", "format": "uri"},
        "title": {"type": "string", "minLength": 1},
        "type": {"type": "string", "pattern": "^[a-z]+/"},
        "hreflang": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    "additionalProperties": False,
}
LINKSET = {
    "type": "object",
    "required": ["linkset"],
    "properties": {
        "linkset": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["anchor", "itemDescription", f"{VOC}defaultLink"],
                "properties": {
                    "anchor": {"type": "string"},
                    "itemDescription": {"type": "string"},
                    f"{VOC}defaultLink": {"type": "array", "minItems": 1, "maxItems": 1},
                },
                "additionalProperties": {"type": "array", "items": TARGET, "minItems": 1},
            },
        }
    },
}


@pytest.fixture
def pallets(api: Api) -> Api:
    run = {"batch_no": 9, "first_body": int(PALLET[:-1]) - 3, "size": 10}
    api.world.source.docs["sscc", f"run#{run['first_body']:017d}"] = json.dumps(run)
    api.world.source.docs["sscc", "guard"] = "1"
    return api


def ask(api: Api, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    parts = urlsplit(path)
    made = event("page", token=api.token())
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
    made |= {"rawPath": parts.path, "rawQueryString": parts.query, "queryStringParameters": query}
    made["requestContext"]["http"] |= {"method": method, "path": parts.path}
    for name in ("accept", "accept-language"):
        made["headers"].pop(name, None)
    made["headers"] |= {"accept": "*/*", "origin": "https://ref.gs1.org"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return api.call(made)


def code(api: Api) -> str:
    return f"/01/{GTIN}/21/{api.world.serial(1)}"


def paths(api: Api) -> list[str]:
    return [
        code(api),
        f"/01/{GTIN}",
        f"/01/{GTIN}/10/L1",
        f"/01/{GTIN}/10/L1/21/{api.world.serial(1)}",
        f"/00/{PALLET}",
    ]


def test_the_default_link_is_followed_by_whoever_asks_for_nothing_else(pallets: Api) -> None:
    for path in paths(pallets):
        for method in ("GET", "HEAD"):
            reply = ask(pallets, path, method)
            [default] = linkset(pallets, path)[0][f"{VOC}defaultLink"]
            assert (reply["statusCode"], reply["headers"]["Location"]) == (307, default["href"]), path
            assert 'rel="linkset"' in reply["headers"]["Link"]
            assert 'rel="gs1:' not in reply["headers"]["Link"]
            assert reply["headers"]["Access-Control-Allow-Origin"] == "*"
            assert {"GET", "HEAD", "OPTIONS"} == set(reply["headers"]["Access-Control-Allow-Methods"].split(", "))
            assert "Accept" in reply["headers"]["Vary"]
            assert reply["cookies"] == []
            assert set(default) == {"href", "title"}, "a default has nothing to choose by"
            page = ask(pallets, default["href"].removeprefix(BASE), accept=BROWSER)
            assert (page["statusCode"], page["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")


def linkset(api: Api, path: str, **headers: str) -> list[dict[str, Any]]:
    reply = ask(api, path, **({"accept": "application/linkset+json"} | headers))
    assert reply["statusCode"] == 200, reply
    assert reply["headers"]["Content-Type"] == "application/linkset+json"
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in reply["headers"]["Link"]
    made = json.loads(body_of(reply))
    jsonschema.validate(made, LINKSET)
    levels: list[dict[str, Any]] = made["linkset"]
    return levels


def test_the_linkset_in_each_of_its_ways(pallets: Api) -> None:
    for path in paths(pallets):
        assert linkset(pallets, path) == linkset(pallets, f"{path}?linkType=linkset", accept="*/*")
        assert linkset(pallets, path) == linkset(pallets, f"{path}?linkType=all", accept=BROWSER)
        head = ask(pallets, f"{path}?linkType=linkset", "HEAD")
        assert (head["statusCode"], body_of(head)) == (200, b"")
        assert head["headers"]["Content-Type"] == "application/linkset+json"


def test_every_level_up_to_the_key_is_in_the_linkset(api: Api) -> None:
    anchors = [level["anchor"] for level in linkset(api, code(api))]
    assert anchors == [f"{BASE}{code(api)}", f"{BASE}/01/{GTIN}"]
    assert [level["anchor"] for level in linkset(api, f"/01/{GTIN}/10/L1")] == [f"{BASE}/01/{GTIN}"]


def test_titles_speak_the_language_asked_for(api: Api) -> None:
    chinese, english = (linkset(api, f"/01/{GTIN}", accept_language=one)[0]["itemDescription"] for one in ("zh", "en"))
    product = api.world.scan_desk.catalog.product(GTIN)
    assert product is not None
    assert (chinese, english) == (product.name["zh-CN"], product.name["en"])


def test_each_link_type_leads_to_its_link(api: Api) -> None:
    for path in (code(api), f"/01/{GTIN}"):
        for name, targets in linkset(api, path)[0].items():
            if not name.startswith(VOC):
                continue
            for spelt in (name, name.replace(VOC, "gs1:"), name.replace("gs1.org", "ref.gs1.org")):
                reply = ask(api, f"{path}?linkType={spelt}", accept=BROWSER)
                assert (reply["statusCode"], reply["headers"]["Location"]) == (307, targets[0]["href"])
        assert ask(api, f"{path}?linkType=gs1:nosuchlt")["statusCode"] == 404


def test_the_query_goes_along_and_injects_nothing(api: Api) -> None:
    reply = ask(api, f"/01/{GTIN}?foo=bar&linkType=gs1:pip&17=301200")
    assert reply["headers"]["Location"].endswith(f"/p/01/{GTIN}?foo=bar&17=301200")
    made = event("page", token=api.token()) | {"rawQueryString": 'a=\r\nSet-Cookie: x=1"<'}
    made["headers"] |= {"accept": "*/*"}
    made["headers"].pop("accept-language", None)
    location = api.call(made | {"rawPath": f"/01/{GTIN}"})["headers"]["Location"]
    assert not set(location) & set('\r\n"< ')


def test_a_trailing_slash_changes_nothing(pallets: Api) -> None:
    for path in paths(pallets):
        for accept in ("*/*", "application/linkset+json", BROWSER):
            one, other = ask(pallets, path, accept=accept), ask(pallets, f"{path}/", accept=accept)
            assert one["statusCode"] == other["statusCode"]
            assert one["headers"].get("Location") == other["headers"].get("Location")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("{code}/foo", "gs1_path"),
        ("/01/09520123456789/21/A", ""),
        ("/01/09520123456789", ""),
        ("/01/123", ""),
        ("/01/" + GTIN + "/21/" + "1" * 21, ""),
        ("/01/" + GTIN + "/99/x", ""),
        ("/00/095201230000000423", ""),
        ("/00/" + PALLET + "/21/A", ""),
        ("/01/" + GTIN + "/21/%ZZ", ""),
        ("/01//21/A", ""),
    ],
)
def test_what_is_written_wrongly_is_a_bad_request(pallets: Api, path: str, code: str) -> None:
    for method in ("GET", "HEAD"):
        reply = ask(pallets, path.format(code=f"/01/{GTIN}/21/{pallets.world.serial(1)}"), method)
        assert reply["statusCode"] == 400, reply
        assert reply["headers"]["Content-Type"] == "application/problem+json"


def test_what_nobody_has_is_not_found(pallets: Api) -> None:
    for path in (f"/01/{GTIN}/21/{'1' * 17}", "/01/09520123000011", f"/00/{sscc_of_body(999)}", "/02/x", "/p/x", "/p"):
        assert ask(pallets, path)["statusCode"] == 404, path
    assert ask(pallets, f"/01/{GTIN}", "POST")["statusCode"] == 404


def test_options_and_older_words(pallets: Api) -> None:
    for path in (*paths(pallets), "/gtin/" + GTIN):
        reply = ask(pallets, path, "OPTIONS")
        assert (reply["statusCode"], reply["headers"]["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert ask(pallets, f"/gtin/{GTIN}")["headers"]["Location"] == f"{BASE}/p/01/{GTIN}"
    assert ask(pallets, f"/gtin/{GTIN}/ser/{pallets.world.serial(1)}")["statusCode"] == 307
    assert ask(pallets, f"/sscc/{PALLET}")["statusCode"] == 307


def test_browsers_get_the_page_at_once_and_the_same_where_it_stands(api: Api) -> None:
    for headers in ({"accept": BROWSER}, {"accept": "*/*", "accept_language": "zh-CN"}):
        reply = ask(api, code(api), **headers)
        assert (reply["statusCode"], reply["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "Access-Control-Allow-Origin" not in reply["headers"], "a page is no other site's to read"
    here, there = (ask(api, f"{at}{code(api)}", accept=BROWSER) for at in ("", "/p"))
    assert len(body_of(here)) == pytest.approx(len(body_of(there)), abs=40)


def test_the_little_pages(pallets: Api) -> None:
    product = ask(pallets, f"/p/01/{GTIN}", accept=BROWSER, accept_language="en")
    assert "default-src 'none'" in product["headers"]["Content-Security-Policy"]
    assert product["cookies"] == []
    assert ask(pallets, f"/p/00/{PALLET}", accept=BROWSER)["statusCode"] == 200
    assert ask(pallets, f"/01/{GTIN}", accept=BROWSER)["statusCode"] == 307


def test_the_description_file(api: Api) -> None:
    reply = ask(api, "/.well-known/gs1resolver")
    made = json.loads(body_of(reply))
    assert reply["headers"]["Access-Control-Allow-Origin"] == "*"
    assert made["resolverRoot"] == BASE
    assert {"00", "01"} == set(made["supportedPrimaryKeys"])
    assert made["supportedLinkType"] == [{"namespace": VOC, "prefix": "gs1"}]


def test_a_bug_behind_an_unrouted_link_is_a_problem_document(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(resolver_routes, "link_of", broken)
    reply = ask(api, f"/01/{GTIN}")
    assert (reply["statusCode"], json.loads(body_of(reply))["code"]) == (500, "internal_error")


def compressed(ai: str, value: str, serial: str = "") -> str:
    """A compressed link of a GTIN or an SSCC, the serial as text of seven bits a character."""
    length = len(value)
    bits = f"{int(ai):08b}{int(value):0{math.ceil(length * math.log2(10) + 0.01)}b}"
    if serial:
        bits += f"{0x21:08b}100{len(serial):05b}" + "".join(f"{ord(char):07b}" for char in serial)
    bits += "0" * (-len(bits) % 6)
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return "/" + "".join(letters[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def test_a_compressed_link_answers_as_the_link_it_stands_for(pallets: Api) -> None:
    serial = pallets.world.serial(1)
    for plain, packed in (
        (code(pallets), compressed("01", GTIN, serial)),
        (f"/01/{GTIN}", compressed("01", GTIN)),
        (f"/00/{PALLET}", compressed("00", PALLET)),
    ):
        for method in ("GET", "HEAD"):
            one, other = ask(pallets, plain, method), ask(pallets, packed, method)
            assert (other["statusCode"], other["headers"]["Location"]) == (307, one["headers"]["Location"])
            same = next(part for part in other["headers"]["Link"].split(",") if f"<{BASE}{plain}>" in part)
            assert 'rel="owl:sameAs"' in same
            assert "owl:sameAs" not in one["headers"]["Link"]
        assert linkset(pallets, packed) == linkset(pallets, plain)
        assert ask(pallets, packed, "OPTIONS")["statusCode"] == 204


def test_words_that_are_no_links_stay_unknown(api: Api) -> None:
    for path in ("/" + "A" * 12, "/Welcome-to-our-shop", compressed("01", GTIN)[:-2] + "__", compressed("00", PALLET)):
        assert ask(api, path)["statusCode"] == 404, path


def test_the_parameter_in_lower_case(api: Api) -> None:
    assert linkset(api, f"/01/{GTIN}?linktype=linkset", accept="*/*") == linkset(api, f"/01/{GTIN}")
    reply = ask(api, f"/01/{GTIN}?linktype=gs1:pip&foo=bar")
    assert reply["headers"]["Location"] == f"{BASE}/p/01/{GTIN}?foo=bar"
    assert ask(api, f"/01/{GTIN}?linktype=gs1:nosuch")["statusCode"] == 404
