"""GS1 Digital Link URIs built: from identifiers and values, or from a link already taken apart. Pure.

Used by the `link` command. Everything but letters, digits and `-._~` is percent-encoded (RFC 3986, 2.3), so that a
value comes back unchanged from every reader, also from those that take `+` for a space.
"""

from collections.abc import Sequence
from typing import Final

from uncap.domain.errors import InputError
from uncap.domain.gs1.elements import Element, pairing_notes, without_repeats
from uncap.domain.gs1.parsing import DigitalLink
from uncap.domain.gs1.path import check_path, check_query, encoded
from uncap.domain.gs1.table import IDENTIFIERS

CANONICAL_STEM: Final = "https://id.gs1.org"


def build_link(elements: Sequence[Element], stem: str = CANONICAL_STEM) -> DigitalLink:
    """The link of these elements, checked ones, in any order: the first primary key leads the path.

    Of alternative paths that leave nothing without a place, the one with most qualifiers is taken.
    Raises InputError: `link_key_missing`, `gs1_ai_repeated`, `gs1_too_many`, and those of `path.py`.
    """
    given = without_repeats(elements)
    key = next((one for one in given if IDENTIFIERS[one.ai].is_key), None)
    if key is None:
        raise InputError("link_key_missing", "a link needs a primary key, such as (01) or (00)", where="elements")
    refusals: list[InputError] = []
    links: list[DigitalLink] = []
    for path in IDENTIFIERS[key.ai].paths:
        try:
            links.append(_arrange(key, given, path, stem.rstrip("/")))
        except InputError as refusal:
            refusals.append(refusal)
    if not links:
        raise refusals[0]
    return max(links, key=lambda link: len(link.qualifiers))


def link_uri(link: DigitalLink) -> str:
    """The link on its own stem, foreign parameters last."""
    return _uri(link.stem, link, link.attributes, link.other)


def canonical_uri(link: DigitalLink) -> str:
    """What all links to the same thing share: on id.gs1.org, attributes sorted, no foreign parameters."""
    return _uri(CANONICAL_STEM, link, sorted(link.attributes, key=lambda one: one.ai), ())


def _arrange(key: Element, given: Sequence[Element], path: Sequence[str], stem: str) -> DigitalLink:
    by_ai = {one.ai: one for one in given}
    qualifiers = tuple(by_ai[ai] for ai in path if ai in by_ai)
    order = [one.ai for one in qualifiers]
    check_path(key.ai, order)
    rest = [one for one in given if one != key and one not in qualifiers]
    for one in rest:
        check_query(key.ai, order, one.ai)
    # Identifiers of predefined length go first, as in a barcode, where they need no separator.
    rest.sort(key=lambda one: not IDENTIFIERS[one.ai].predefined_length)
    return DigitalLink(stem, key, qualifiers, tuple(rest), notes=tuple(pairing_notes((key, *qualifiers, *rest))))


def _uri(stem: str, link: DigitalLink, attributes: Sequence[Element], other: Sequence[str]) -> str:
    path = "".join(f"/{one.ai}/{encoded(one.value)}" for one in (link.key, *link.qualifiers))
    query = "&".join([*(f"{one.ai}={encoded(one.value)}" for one in attributes), *other])
    return stem + path + (f"?{query}" if query else "")
