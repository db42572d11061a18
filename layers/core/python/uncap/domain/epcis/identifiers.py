"""One spelling for every GS1 identifier: EPC URIs and foreign Digital Links as `https://id.gs1.org/...`.

The event hash is taken over these, so that an event is the same event whichever syntax wrote it. Sources: GS1 EPC Tag
Data Standard 2.0 chapter 6 (EPC URIs), GS1 Digital Link URI Syntax 1.2 section 4.11 (canonical form), CBV 2.0 (which
qualifiers take part: the finest of serial, lot and extension; attributes and variants do not).
"""

import re
from collections.abc import Callable
from typing import Final

from uncap.domain.codes.links import check_digit

CANONICAL: Final = "https://id.gs1.org/"

_CHAR = r"(?:%[0-9A-Fa-f]{2}|[!'()*+,\-.0-9:;=A-Z_a-z])"
_PART_CHAR = r"(?:%[0-9A-Fa-f]{2}|[0-9A-Z\-])"
_LINK_CHAR = r"""(?:%[0-9A-Fa-f]{2}|[!"'()*+,\-.0-9:;<=>?A-Z_a-z])"""
_ESCAPED: Final = str.maketrans({char: f"%{ord(char):02X}" for char in "!()*+,:"})


def _checked(body: str) -> str:
    return f"{body}{check_digit(body)}"


def _gtin(prefix: str, item: str) -> str:
    return _checked(item[0] + prefix + item[1:])


def _sscc(prefix: str, serial: str) -> str:
    return _checked(serial[0] + prefix + serial[1:])


def _key(prefix: str, reference: str) -> str:
    return _checked(prefix + reference)


def _asset(prefix: str, reference: str) -> str:
    return _checked("0" + prefix + reference)


def _plain(prefix: str, reference: str) -> str:
    return prefix + reference


_Key = Callable[[str, str], str]


def _site(prefix: str, reference: str, extension: str) -> str:
    link = f"414/{_key(prefix, reference)}"
    return link if extension == "0" else f"{link}/254/{extension}"


# scheme → digits of company prefix and reference together, the key they make, and the pattern of what follows. The
# template takes the key as {0} and the rest as {1}, {2}.
_SCHEMES: Final[dict[str, tuple[int, _Key, str, str]]] = {
    "id:sgtin": (13, _gtin, rf"\.({_CHAR}{{1,20}})", "01/{0}/21/{1}"),
    "id:upui": (13, _gtin, rf"\.({_CHAR}{{1,28}})", "01/{0}/235/{1}"),
    "id:itip": (13, _gtin, rf"\.(\d\d)\.(\d\d)\.({_CHAR}{{1,20}})", "8006/{0}{1}{2}/21/{3}"),
    "id:sscc": (17, _sscc, "", "00/{0}"),
    "id:gsrn": (17, _key, "", "8018/{0}"),
    "id:gsrnp": (17, _key, "", "8017/{0}"),
    "id:gsin": (16, _key, "", "402/{0}"),
    "id:pgln": (12, _key, "", "417/{0}"),
    "id:grai": (12, _asset, rf"\.({_CHAR}{{1,16}})", "8003/{0}{1}"),
    "id:gdti": (12, _key, rf"\.({_CHAR}{{1,20}})", "253/{0}{1}"),
    "id:sgcn": (12, _key, r"\.(\d{1,12})", "255/{0}{1}"),
    "class:lgtin": (13, _gtin, rf"\.({_CHAR}{{1,20}})", "01/{0}/10/{1}"),
    "idpat:sgtin": (13, _gtin, r"\.\*", "01/{0}"),
    "idpat:upui": (13, _gtin, r"\.\*", "01/{0}"),
    "idpat:itip": (13, _gtin, r"\.(\d\d)\.(\d\d)\.\*", "8006/{0}{1}{2}"),
    "idpat:grai": (12, _asset, r"\.\*", "8003/{0}"),
    "idpat:gdti": (12, _key, r"\.\*", "253/{0}"),
    "idpat:sgcn": (12, _key, r"\.\*", "255/{0}"),
}
_FREE: Final[dict[str, tuple[str, str, str]]] = {
    "id:giai": (_CHAR, "", "8004/{0}"),
    "id:ginc": (_CHAR, "", "401/{0}"),
    "id:cpi": (_PART_CHAR, r"\.(\d{1,12})", "8010/{0}/8011/{1}"),
    "idpat:cpi": (_PART_CHAR, r"\.\*", "8010/{0}"),
}
_COMPANY = r"(\d{6,12})"
_COMPILED: Final = {
    name: re.compile(rf"{_COMPANY}\.(\d*){tail}", re.ASCII) for name, (_, _, tail, _) in _SCHEMES.items()
}
_COMPILED_FREE: Final = {
    name: re.compile(rf"{_COMPANY}\.({char}+){tail}", re.ASCII) for name, (char, tail, _) in _FREE.items()
}
_SITE: Final = re.compile(rf"{_COMPANY}\.(\d*)\.({_CHAR}{{1,20}})", re.ASCII)
_FREE_LIMIT = 30
_EPC: Final = re.compile(r"urn:epc:(?P<scheme>(?:id|class|idpat):[a-z]+):(?P<rest>.+)", re.ASCII)

_ALIASES: Final = {
    "gtin": "01",
    "lot": "10",
    "ser": "21",
    "cpv": "22",
    "itip": "8006",
    "cpid": "8010",
    "gln": "414",
    "party": "417",
    "gsrn": "8018",
    "gsrnp": "8017",
    "gcn": "255",
    "sscc": "00",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
    "grai": "8003",
    "giai": "8004",
}
_LINK: Final = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^/?#\s]+(?P<path>/[^?#\s]*)(?:\?[^#\s]*)?", re.ASCII)
_PRIMARY: Final = {
    "00": r"\d{18}",
    "01": r"\d{14}",
    "253": rf"\d{{13}}{_LINK_CHAR}{{0,17}}",
    "255": r"\d{13,25}",
    "401": rf"{_LINK_CHAR}{{1,30}}",
    "402": r"\d{17}",
    "414": r"\d{13}",
    "417": r"\d{13}",
    "8003": rf"\d{{14}}{_LINK_CHAR}{{0,16}}",
    "8004": rf"{_LINK_CHAR}{{1,30}}",
    "8006": r"\d{18}",
    "8010": r"(?:%23|%2F|[#\-0-9A-Z]){1,30}",
    "8017": r"\d{18}",
    "8018": r"\d{18}",
}
_QUALIFIERS: Final = {
    ("01", "21"): 20,
    ("01", "10"): 20,
    ("01", "235"): 28,
    ("414", "254"): 20,
    ("8006", "21"): 20,
    ("8006", "10"): 20,
    ("8010", "8011"): 12,
}
_WITH_CHECK_DIGIT: Final = {"00": 18, "01": 14, "253": 13, "255": 13, "402": 17, "414": 13, "417": 13} | {
    "8003": 14,
    "8017": 18,
    "8018": 18,
}


def canonical(text: str) -> str:
    """The one spelling of the identifier in `text`: `https://id.gs1.org/` and the key with its finest qualifier. Text
    that is no EPC URI and no Digital Link, or a malformed one, comes back as it is."""
    if text.startswith("urn:epc:"):
        return _from_epc(text) or text
    if text[:4] in {"http", "HTTP"}:
        return _from_link(text) or text
    return text


def is_malformed_epc(text: str) -> bool:
    """An EPC URI of a scheme we know, whose digits or length are not what the scheme asks."""
    found = _EPC.fullmatch(text)
    if found is None:
        return text.startswith(("urn:epc:id:", "urn:epc:idpat:", "urn:epc:class:"))
    known = found["scheme"] in _SCHEMES or found["scheme"] in _FREE or found["scheme"] == "id:sgln"
    return known and _from_epc(text) is None


def has_wrong_check_digit(text: str) -> bool:
    """A Digital Link whose key carries a check digit that does not follow from its other digits."""
    link = _from_link(text) if text[:4] in {"http", "HTTP"} else None
    if link is None:
        return False
    key, value = link.removeprefix(CANONICAL).split("/")[:2]
    digits = value[: _WITH_CHECK_DIGIT.get(key, 0)]
    return bool(digits) and check_digit(digits[:-1]) != int(digits[-1])


def _from_epc(text: str) -> str | None:
    found = _EPC.fullmatch(text)
    if found is None:
        return None
    scheme, rest = found["scheme"], found["rest"]
    if scheme == "id:sgln":
        site = _SITE.fullmatch(rest)
        if site is None or len(site[1]) + len(site[2]) != 12:
            return None
        return CANONICAL + _site(site[1], site[2], site[3].translate(_ESCAPED))
    if scheme in _FREE:
        free = _COMPILED_FREE[scheme].fullmatch(rest)
        if free is None or len(free[1]) + len(re.sub("%..", "%", free[2])) > _FREE_LIMIT:
            return None
        return CANONICAL + _FREE[scheme][2].format((free[1] + free[2]).translate(_ESCAPED), *free.groups()[2:])
    if scheme not in _SCHEMES:
        return None
    total, key, _, template = _SCHEMES[scheme]
    parts = _COMPILED[scheme].fullmatch(rest)
    if parts is None or len(parts[1]) + len(parts[2]) != total:
        return None
    tail = [part.translate(_ESCAPED) for part in parts.groups()[2:]]
    return CANONICAL + template.format(key(parts[1], parts[2]), *tail)


def _from_link(text: str) -> str | None:
    found = _LINK.fullmatch(text)
    if found is None:
        return None
    segments = [_ALIASES.get(part, part) for part in found["path"].strip("/").split("/")]
    for at, key in enumerate(segments[:-1]):
        if key in _PRIMARY and re.match(r"\d{4}.", segments[at + 1], re.ASCII):
            return _link_of(key, segments[at + 1], segments[at + 2 :])
    return None


def _link_of(key: str, value: str, rest: list[str]) -> str | None:
    """Canonical link of one key and the path behind it; None when the path is not qualifiers we know."""
    if key == "01" and re.fullmatch(r"\d{8}|\d{12,13}", value, re.ASCII):
        value = value.zfill(14)
    if len(rest) % 2 or not re.fullmatch(_PRIMARY[key], value, re.ASCII):
        return None
    qualifiers = dict(zip(rest[::2], rest[1::2], strict=True))
    qualifiers.pop("22", None)
    if "21" in qualifiers:
        qualifiers.pop("10", None)
    link = f"{CANONICAL}{key}/{value.translate(_ESCAPED)}"
    if not qualifiers:
        return link
    if len(qualifiers) > 1:
        return None
    [(name, text)] = qualifiers.items()
    limit = _QUALIFIERS.get((key, name))
    if limit is None or not re.fullmatch(rf"{_LINK_CHAR}{{1,{limit}}}", text):
        return None
    return f"{link}/{name}/{text.translate(_ESCAPED)}"
