"""GS1 Digital Link URIs read: of any brand, by the URI Syntax standard. Pure.

Used by the `link` command and by whatever meets foreign links. The path is read from its end: the last primary key
starts the identifiers, and all before it is the brand's own stem. Older habits are accepted with a note: GTINs of fewer
than 14 digits, words for identifiers (`/gtin/…/lot/…`), and compressed links, whole or after their key.
"""

import re
from typing import Final

import msgspec

from uncap.domain.errors import InputError
from uncap.domain.gs1.compressed import unpack
from uncap.domain.gs1.elements import Element, Note, element, pairing_notes
from uncap.domain.gs1.path import check_path, check_query, encoded
from uncap.domain.gs1.table import IDENTIFIERS, PATH_WORDS, QUERY_WORDS

_LENGTH_LIMIT: Final = 4096
_PARAMETERS_LIMIT: Final = 64
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
# http or https, all in one case (RFC 3986 would fold a mix, GS1's own engine refuses it); no user, no IPv6 zone.
_URI: Final = re.compile(
    r"(?P<stem>(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/?#]*))(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.ASCII,
)
_SCHEMES: Final = frozenset(("http", "https", "HTTP", "HTTPS"))
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})|%")
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_COMPRESSED: Final = re.compile(r"(?=.*[A-Z])(?=.*[a-z0-9_-])[A-Za-z0-9_-]{8,}", re.ASCII)


_COMPRESSED_NOTE: Final = Note("link_compressed", "compression is no longer part of the standard", "path")


class DigitalLink(msgspec.Struct, frozen=True):
    """A link taken apart. `stem` is scheme, host and the brand's own path; `other`: foreign parameters, raw."""

    stem: str
    key: Element
    qualifiers: tuple[Element, ...] = ()
    attributes: tuple[Element, ...] = ()
    other: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def elements(self) -> tuple[Element, ...]:
        return (self.key, *self.qualifiers, *self.attributes)


def parse_link(uri: str) -> DigitalLink:
    """Raises InputError: `link_too_long`, `link_characters`, `link_scheme`, `link_host`, `link_percent`,
    `link_key_missing`, `link_compressed`, `link_value_empty`, `link_parameters`, those of `path.py` and of a value."""
    match = _match(uri)
    notes: list[Note] = []
    try:
        prefix, pairs = _split_path(match["path"], notes)
    except InputError as none:
        return _from_compressed(match, none)
    in_path = [_read(ai, text, notes, plus_is_space=False) for ai, text in pairs]
    key, qualifiers = in_path[0], tuple(in_path[1:])
    order = [one.ai for one in qualifiers]
    check_path(key.ai, order)
    attributes, other = _read_query(match["query"] or "", notes)
    for at, one in enumerate(attributes):
        if one.ai in {before.ai for before in (*in_path, *attributes[:at])}:
            raise InputError("gs1_ai_repeated", "this identifier is given twice", where=f"({one.ai})")
        check_query(key.ai, order, one.ai)
    elements = (*in_path, *attributes)
    notes += pairing_notes(elements)
    return DigitalLink(match["stem"] + prefix, key, qualifiers, tuple(attributes), tuple(other), tuple(notes))


def _match(uri: str) -> re.Match[str]:
    if len(uri) > _LENGTH_LIMIT:
        raise InputError("link_too_long", f"a link has at most {_LENGTH_LIMIT} characters", where="link")
    unsafe = _UNSAFE.search(uri)
    if unsafe is not None:
        message = f"{unsafe[0]!r} must be percent-encoded in a link"
        raise InputError("link_characters", message, where=f"character {unsafe.start() + 1}")
    match = _URI.fullmatch(uri)
    if match is None or match["scheme"] not in _SCHEMES:
        raise InputError("link_scheme", "a link starts with https:// or http://", where="scheme")
    if not _HOST.fullmatch(match["host"]):
        raise InputError("link_host", "not a host name or address", where="host")
    return match


def _split_path(path: str, notes: list[Note]) -> tuple[str, list[tuple[str, str]]]:
    """The brand's own part of the path, and the pairs of identifier and raw value from the primary key on."""
    segments = path.split("/")
    pairs: list[tuple[str, str]] = []
    at = len(segments) - 2
    while at > 0:
        ai = PATH_WORDS.get(segments[at], segments[at])
        if ai not in IDENTIFIERS:
            break
        if ai != segments[at]:
            notes.append(Note("link_word_deprecated", f"the word {segments[at]} stands for ({ai})", f"({ai})"))
        pairs.insert(0, (ai, segments[at + 1]))
        if IDENTIFIERS[ai].is_key:
            return "/".join(segments[:at]), pairs
        at -= 2
    raise _no_key(segments, at)


def _from_compressed(match: re.Match[str], none: InputError) -> DigitalLink:
    """The link that a compressed one stands for; raises `none` where nothing is compressed."""
    plain = _uncompressed(match)
    if plain is None:
        raise none
    try:
        found = parse_link(plain)
    except InputError as inner:
        # Any word can be taken for a few bits of something: the reason is told only where it looks compressed.
        raise inner if none.code == "link_compressed" else none from inner
    return msgspec.structs.replace(found, notes=(_COMPRESSED_NOTE, *found.notes))


def _uncompressed(match: re.Match[str]) -> str | None:
    """A compressed link written out, its identifiers still to be checked; None where nothing is packed.

    The key may stand before what is packed, in it, or (some writers) in both places.
    """
    *before, packed = match["path"].split("/")
    unpacked = unpack(packed)
    if unpacked is None:
        return None
    held = {ai: f"{ai}/{encoded(value)}" for ai, value in unpacked.pairs}
    if len(held) < len(unpacked.pairs):
        return None
    key = next((ai for ai in held if IDENTIFIERS[ai].is_key), None)
    if len(before) > 2 and IDENTIFIERS.get(before[-2]) and IDENTIFIERS[before[-2]].is_key and key is None:
        *before, key, value = before
        held[key] = f"{key}/{value}"
    elif key is not None and before[-2:] == held[key].split("/"):
        del before[-2:]
    if key is None:
        return None
    order = max(([ai for ai in path if ai in held] for path in IDENTIFIERS[key].paths), key=len)
    path = "/".join([*before, held.pop(key), *(held.pop(ai) for ai in order)])
    stored = [*(pair.replace("/", "=", 1) for pair in held.values()), *map(_parameter, unpacked.other)]
    query = "&".join(stored + [match["query"]] * bool(match["query"]))
    return f"{match['stem']}{path}" + (f"?{query}" if query else "")


def _parameter(stored: tuple[str, str]) -> str:
    name, value = stored
    return f"{name}={encoded(value)}"


def _no_key(segments: list[str], at: int) -> InputError:
    """Why no primary key was found, as helpfully as can be told; `at` is the segment that was no identifier."""
    if segments[-1] == "":
        return InputError("link_key_missing", "the path ends in a slash, or is empty", where="path")
    if _COMPRESSED.fullmatch(segments[-1]):
        return InputError("link_compressed", "this looks like a compressed link, and holds none", where="path")
    if at > 0 and _DIGITS.fullmatch(segments[at]) and any(s in IDENTIFIERS for s in segments[1:at]):
        return InputError("gs1_ai_unknown", "there is no such application identifier", where=f"({segments[at]})")
    return InputError("link_key_missing", "the path holds no GS1 primary key with its value", where="path")


def _read_query(query: str, notes: list[Note]) -> tuple[list[Element], list[str]]:
    """Identifiers of the query, and the parameters that are none: GS1 leaves every name that is not all digits free."""
    attributes: list[Element] = []
    other: list[str] = []
    parameters = [parameter for parameter in re.split("[&;]", query) if parameter]
    if len(parameters) > _PARAMETERS_LIMIT:
        raise InputError("link_parameters", f"more than {_PARAMETERS_LIMIT} parameters", where="query")
    for parameter in parameters:
        name, equals, text = parameter.partition("=")
        ai = QUERY_WORDS.get(name, name)
        if not equals or not _DIGITS.fullmatch(ai):
            other.append(parameter)
            continue
        if ai != name:
            notes.append(Note("link_word_deprecated", f"the word {name} stands for ({ai})", f"({ai})"))
        attributes.append(_read(ai, text, notes, plus_is_space=True))
    return attributes, other


def _read(ai: str, text: str, notes: list[Note], *, plus_is_space: bool) -> Element:
    """`+` is itself in a path; in a query it is a space, as browsers write forms."""
    if not text:
        raise InputError("link_value_empty", "the value is empty", where=f"({ai})")
    value = _ESCAPE.sub(lambda escape: _octet(ai, escape), text.replace("+", " ") if plus_is_space else text)
    one = element(ai, value)
    if one.value != value:
        notes.append(Note("gtin_short", f"GTIN of {len(value)} digits; links should carry all 14", f"({ai})"))
    return one


def _octet(ai: str, escape: re.Match[str]) -> str:
    if escape[1] is None:
        raise InputError("link_percent", "a % must be followed by two hexadecimal digits", where=f"({ai})")
    return chr(int(escape[1], 16))
