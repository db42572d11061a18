"""GS1 Digital Links read: the standard's examples, what it allows, what it forbids, and the notes between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.codes.links import build_code_link, build_pallet_link, check_digit
from uncap.domain.errors import InputError
from uncap.domain.gs1.building import canonical_uri, link_uri
from uncap.domain.gs1.elements import bracketed
from uncap.domain.gs1.parsing import parse_link

_GTIN = "09520123456788"
_HOSTS = [
    "a",
    "a.",
    "id.gs1.org",
    "xn--fsq.xn--0zwm56d",
    "a:65535",
    "192.0.2.1",
    "3232235777",
    "[2001:db8::1]",
    "0xC0.0xA8.0x01.0x01",
]
_VALID = [
    ("https://id.gs1.org/01/09520123456788", "(01)09520123456788"),
    ("https://brand.example.com/some-extra/pathinfo/01/9520123456788", "(01)09520123456788"),
    ("https://id.gs1.org/01/09520123456788/22/2A", "(01)09520123456788(22)2A"),
    (
        "https://id.gs1.org/01/09520123456788/10/ABC1/21/12345?17=180426",
        "(01)09520123456788(10)ABC1(21)12345(17)180426",
    ),
    ("https://id.gs1.org/01/09520123456788?3103=000195", "(01)09520123456788(3103)000195"),
    (
        "https://example.com/01/9520123456788?3103=000195&3922=0299&17=201225",
        "(01)09520123456788(3103)000195(3922)0299(17)201225",
    ),
    (
        "https://example.com/01/9520123456788?3103=000195;3922=0299;17=201225",
        "(01)09520123456788(3103)000195(3922)0299(17)201225",
    ),
    ("https://id.gs1.org/00/952012345678912345", "(00)952012345678912345"),
    (
        "https://id.gs1.org/00/952012345678912345?02=09520123456788&37=25&10=ABC123",
        "(00)952012345678912345(02)09520123456788(37)25(10)ABC123",
    ),
    ("https://id.gs1.org/414/9520123456788/254/32a%2Fb", "(414)9520123456788(254)32a/b"),
    ("https://id.gs1.org/414/9520123456788/7040/1ab9", "(414)9520123456788(7040)1ab9"),
    ("https://id.gs1.org/417/9520123456788/7040/1abC", "(417)9520123456788(7040)1abC"),
    ("https://example.com/8004/9520614141234567?01=9520123456788", "(8004)9520614141234567(01)09520123456788"),
    ("https://a/253/1231231231232TEST5678901234567", "(253)1231231231232TEST5678901234567"),
    ("https://a/255/1231231231232012345", "(255)1231231231232012345"),
    ("https://a/401/12345678?99=ABC", "(401)12345678(99)ABC"),
    ("https://a/402/95201234567891235", "(402)95201234567891235"),
    ("https://a/415/9520123456788/8020/RF18", "(415)9520123456788(8020)RF18"),
    ("https://a/8003/09520123456788ABC", "(8003)09520123456788ABC"),
    ("https://a/8006/095201234567880102/21/X", "(8006)095201234567880102(21)X"),
    ("https://a/8010/9520ABC-1/8011/7", "(8010)9520ABC-1(8011)7"),
    ("https://a/8013/1987654Ad4X4bL5ttr2310c2K", "(8013)1987654Ad4X4bL5ttr2310c2K"),
    ("https://a/8017/123456789012345675", "(8017)123456789012345675"),
    ("https://a/8018/123456789012345675/8019/123", "(8018)123456789012345675(8019)123"),
    ("https://a/01/09520123456788/235/XYZ?10=ABC", "(01)09520123456788(235)XYZ(10)ABC"),
    ("https://a/00/faux/00/006141411234567890", "(00)006141411234567890"),
    ("https://a/01/12312312312333/22/ABC+1%2d2", "(01)12312312312333(22)ABC+1-2"),
    ("https://a/01/02345673", "(01)00000002345673"),
    ("https://a/01/416000336108", "(01)00416000336108"),
    ("https://a/gtin/12312312312333/ser/ABC123?exp=301231", "(01)12312312312333(21)ABC123(17)301231"),
]
_LOOSE_QUERIES = [
    "?",
    "?#",
    "#part",
    "?linkType=gs1:pip",
    "?&&&",
    "?single",
    "?x=1&single&y=%E4%B8%AD",
    "?lot=7",
    "?4g=1",
]
_REFUSED = {
    "": "link_scheme",
    "ftp://a/01/09520123456788": "link_scheme",
    "HtTp://a/01/09520123456788": "link_scheme",
    "id.gs1.org/01/09520123456788": "link_scheme",
    "http:///01/09520123456788": "link_host",
    "https://a$/01/09520123456788": "link_host",
    "https://u@a/01/09520123456788": "link_host",
    "https://[fe80::1%25lo]/01/09520123456788": "link_host",
    "http://a": "link_key_missing",
    "http://a/b/": "link_key_missing",
    "https://00/006141411234567890": "link_key_missing",
    "https://a/00/006141411234567890/": "link_key_missing",
    "https://a/21/A": "link_key_missing",
    "https://a/GTIN/09520123456788": "link_key_missing",
    "https://a/01/09520123456788 ": "link_characters",
    "https://a/01/09520123456788/10/中": "link_characters",
    "https://a/01/09520123456788/21/" + "A" * 4096: "link_too_long",
    "https://a/01/09520123456788/89/ABC": "gs1_ai_unknown",
    "https://a/01/09520123456788?999=faux": "gs1_ai_unknown",
    "https://a/01/09520123456788?3106=000001": "gs1_ai_unknown",
    "https://dlnkd.tn.gg/ARHKVAdpQ-": "link_compressed",
    "https://dlnkd.tn.gg/Some-Page_9": "link_compressed",
    "https://a/01/09520123456788/21/X/10/Y": "link_qualifier_order",
    "https://a/01/09520123456788/10/A/10/A": "link_qualifier_order",
    "https://a/01/09520123456788/22/A/235/B": "link_qualifier_order",
    "https://a/414/9520123456788/254/A/7040/1abc": "link_qualifier_order",
    "https://a/00/952012345678912345/21/X": "link_qualifier_foreign",
    "https://a/01/09520123456788/17/201225": "link_qualifier_foreign",
    "https://a/415/9520123456788": "link_qualifier_missing",
    "https://a/01/09520123456788?10=ABC": "link_belongs_in_path",
    "https://a/01/09520123456788?37=1": "gs1_pair_excluded",
    "https://a/01/09520123456788?02=09520123456788&37=1": "gs1_pair_excluded",
    "https://a/01/09520123456788?3101=000001&3102=000001": "gs1_pair_excluded",
    "https://a/255/1231231231232?3940=0100&8111=0001": "gs1_pair_excluded",
    "https://a/8010/9520A?8011=1": "link_belongs_in_path",
    "https://a/01/09520123456788/22/A?235=B": "link_not_in_query",
    "https://a/01/09520123456788?8200=http%3A%2F%2Fa": "link_not_in_query",
    "https://a/01/09520123456788?99=A&99=A": "gs1_ai_repeated",
    "https://a/8004/9520A?8004=9520A": "gs1_ai_repeated",
    "https://a/01/09520123456788?99=": "link_value_empty",
    "https://a/01//10/A": "link_value_empty",
    "https://a/01/09520123456788/10/A%2": "link_percent",
    "https://a/01/09520123456788/10/A%g1": "link_percent",
    "https://a/01/09520123456788?" + "&".join(f"p{n}=1" for n in range(65)): "link_parameters",
    "https://a/01/09520123456788?98=XYZ+987": "gs1_value_characters",
    "https://a/01/09520123456788/10/A%00": "gs1_value_characters",
    "https://a/01/0952012345678A": "gs1_value_characters",
    "https://a/01/09520123456789": "gs1_check_digit",
    "https://a/01/9520123456789": "gs1_check_digit",
    "https://a/01/123": "gs1_value_length",
}


@pytest.mark.parametrize(("uri", "elements"), _VALID)
def test_valid_links_give_their_elements(uri: str, elements: str) -> None:
    assert bracketed(parse_link(uri).elements) == elements


@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https", "HTTP", "HTTPS"])
def test_any_host_and_both_schemes(scheme: str, host: str) -> None:
    link = parse_link(f"{scheme}://{host}/p/01/{_GTIN}")
    assert link.stem == f"{scheme}://{host}/p"
    assert link.key.value == _GTIN


@pytest.mark.parametrize("query", _LOOSE_QUERIES)
def test_parameters_that_are_no_identifiers_are_the_brands_own(query: str) -> None:
    link = parse_link(f"https://a/01/{_GTIN}{query}")
    assert link.attributes == ()
    assert canonical_uri(link) == f"https://id.gs1.org/01/{_GTIN}"


def test_foreign_parameters_are_kept_as_they_are() -> None:
    assert parse_link(f"https://a/01/{_GTIN}?x=%E4&17=301200&single").other == ("x=%E4", "single")


@pytest.mark.parametrize(("uri", "code"), _REFUSED.items())
def test_refusals(uri: str, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_link(uri)
    assert refusal.value.code == code
    assert refusal.value.where
    assert refusal.value.message


def test_a_refused_value_names_its_identifier() -> None:
    with pytest.raises(InputError) as refusal:
        parse_link(f"https://a/01/{_GTIN}/10/A?17=301301")
    assert (refusal.value.code, refusal.value.where) == ("gs1_date", "(17)")


@pytest.mark.parametrize(
    ("rest", "codes"),
    [
        (f"01/{_GTIN}/21/A", []),
        ("01/9520123456788", ["gtin_short"]),
        (f"gtin/{_GTIN}/lot/A", ["link_word_deprecated", "link_word_deprecated"]),
        (f"01/{_GTIN}?expdt=3012312359", ["link_word_deprecated"]),
        (f"8003/{_GTIN}?240=A", ["gs1_pair_missing"]),
        (f"01/{_GTIN}?250=A", ["gs1_pair_missing"]),
        (f"01/{_GTIN}/21/A?250=A", []),
        ("253/1231231231232?8017=123456789012345675", []),
    ],
)
def test_notes(rest: str, codes: list[str]) -> None:
    assert sorted(note.code for note in parse_link(f"https://a/{rest}").notes) == sorted(codes)


def test_our_own_links_are_links() -> None:
    serial = "1E5ZNQ38SXZSYYC86"
    link = parse_link(build_code_link("https://q.uncap.cn", _GTIN, serial))
    assert (link.stem, link.key.value, link.qualifiers[0].value, link.notes) == (
        "HTTPS://Q.UNCAP.CN",
        _GTIN,
        serial,
        (),
    )
    sscc = "95201234567891234"
    pallet = parse_link(build_pallet_link("https://q.uncap.cn", f"{sscc}{check_digit(sscc)}"))
    assert (pallet.key.ai, pallet.notes) == ("00", ())


_PIECES = [
    "https://",
    "a",
    "/",
    "01",
    "09520123456788",
    "10",
    "21",
    "8007",
    "7258",
    "?",
    "&",
    ";",
    "=",
    "%",
    "%2F",
    "#",
    "1/2",
]


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=14).map("".join) | st.text())
def test_any_text_is_read_or_refused(rest: str) -> None:
    for uri in (rest, f"https://a/01/{_GTIN}/21/{rest}", f"https://a/01/{_GTIN}?8007={rest}"):
        try:
            link = parse_link(uri)
        except InputError as refusal:
            assert refusal.code.startswith(("link_", "gs1_"))  # noqa: PT017 - either outcome is fine
        else:
            assert parse_link(link_uri(link)).elements == link.elements
