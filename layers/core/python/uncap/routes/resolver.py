"""GS1-Conformant Resolver behaviour: which form is asked for, the linkset, redirects, the description file.

Source: GS1-Conformant Resolver Standard 1.2, RFC 9264 (linkset). Browsers get the page itself; whoever asks for no HTML
is redirected to where it stands, as the standard has it. Used by `scan_routes.py` and `resolver_routes.py`.
"""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

import msgspec

LINKSET = "application/linkset+json"
JSON = "application/json"
HTML = "text/html"
CONTEXT_LINK = (
    '<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; '
    'type="application/ld+json"'
)
_GS1 = "https://gs1.org/voc/"
_LANGUAGES = ("zh-CN", "en")
# What we have a link for; `all` is the word older resolvers use for the linkset.
_NAMESPACES = ("gs1:", _GS1, "https://www.gs1.org/voc/", "https://ref.gs1.org/voc/", "http://gs1.org/voc/")
_PAGE_TYPES = frozenset({"", *(space + name for space in _NAMESPACES for name in ("pip", "defaultLink"))})
_ABOUT_TYPES = frozenset(space + name for space in _NAMESPACES for name in ("traceability", "safetyInfo"))
_LINKSET_TYPES = frozenset({"linkset", "all"})
# The parameter's name in the standard, and as GS1's own resolver writes it.
_ASKING = frozenset({"linkType", "linktype"})

Form = Literal["page", "redirect", "json", "linkset", "about", "none"]
# Where pages stand: a place of their own, so that a redirect leads somewhere else.
PAGES = "/p"
METHODS = "GET, HEAD, OPTIONS"


class LinkTarget(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9264, 4.2.3. A default link has a title and nothing else to choose by."""

    href: str
    title: str
    type: str = ""
    hreflang: tuple[str, ...] = ()


class LinkContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """The links of one item. Only single items have a way to trace."""

    anchor: str
    item_description: str = msgspec.field(name="itemDescription")
    default_link: tuple[LinkTarget, ...] = msgspec.field(name=_GS1 + "defaultLink")
    pip: tuple[LinkTarget, ...] = msgspec.field(name=_GS1 + "pip")
    traceability: tuple[LinkTarget, ...] = msgspec.field(name=_GS1 + "traceability", default=())
    safety_info: tuple[LinkTarget, ...] = msgspec.field(name=_GS1 + "safetyInfo", default=())


class Linkset(msgspec.Struct, frozen=True):
    """RFC 9264, 4.2."""

    linkset: tuple[LinkContext, ...]


class Namespace(msgspec.Struct, frozen=True):
    """A vocabulary whose link types we know."""

    namespace: str
    prefix: str


class Description(msgspec.Struct, frozen=True, rename="camel"):
    """The resolver description file at /.well-known/gs1resolver."""

    name: str
    resolver_root: str
    supported_primary_keys: tuple[str, ...]
    supported_link_type: tuple[Namespace, ...]
    link_type_default_can_be_linkset: bool


def wanted_form(accept: str, link_type: str, language: str = "") -> Form:
    """What the client asked for; "none" is a link type we have nothing for. `linkType` outweighs Accept.

    A browser names HTML, and a person's client a language; one that says neither is a program, which is redirected.
    """
    if link_type in _LINKSET_TYPES:
        return "linkset"
    if link_type in _ABOUT_TYPES:
        return "about"
    if link_type not in _PAGE_TYPES:
        return "none"
    anything: Form = "page" if language and not link_type else "redirect"
    ranked = sorted(_accepted(accept), key=lambda one: -one[1])
    for media_type, quality in ranked:
        if quality <= 0:
            continue
        if media_type == LINKSET:
            return "linkset"
        if media_type == JSON:
            return "json"
        if media_type in {HTML, "application/xhtml+xml", "text/*"}:
            return "redirect" if link_type else "page"
    return anything


def linkset(base: str, levels: Sequence[tuple[str, str]]) -> Linkset:
    """The links at every level, the finest first: (path, title) each. The page is the default link and the product
    information page, in both languages."""
    return Linkset(tuple(_context(base, path, title) for path, title in levels))


def _context(base: str, path: str, title: str) -> LinkContext:
    page = f"{base}{PAGES}{path}"
    info = LinkTarget(page, title, HTML, _LANGUAGES)
    way = about_path(path)
    about = (LinkTarget(base + way, title, HTML, _LANGUAGES),) if way else ()
    return LinkContext(f"{base}{path}", title, (LinkTarget(page, title),), (info,), about, about)


def about_path(path: str) -> str:
    """Where the product safety page of a code's path stands; "" for a path without a serial."""
    parts = path.split("/")
    return f"/about/{parts[2]}/{parts[4]}" if len(parts) == 5 and parts[1::2] == ["01", "21"] else ""


def open_headers(base: str, path: str) -> dict[str, str]:
    """What any origin may know of an answer, and where the linkset is."""
    link = f'<{base}{path}?linkType=linkset>; rel="linkset"; type="{LINKSET}"; title="all links"'
    return {
        "Link": link,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Expose-Headers": "Link, Location",
    }


def location(base: str, path: str, raw_query: str) -> str:
    """Where the page stands, with the query that came, but for the link type, which has been answered."""
    kept = [part for part in raw_query.split("&") if part and part.partition("=")[0] not in _ASKING]
    query = quote("&".join(kept), safe="=&%+/:;,?@!$'()*~-._")
    return f"{base}{PAGES}{path}" + (f"?{query}" if query else "")


def description(origin: str) -> Description:
    """What this resolver can do; `origin` is scheme://host."""
    return Description("uncap", origin, ("00", "01"), (Namespace(_GS1, "gs1"),), False)


def _accepted(accept: str) -> list[tuple[str, float]]:
    """(media type, quality) in the order given; what cannot be read counts as not given (RFC 9110, 12.5.1)."""
    found = []
    for part in accept[:500].split(","):
        media_type, *parameters = (one.strip().lower() for one in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        found.append((media_type, quality))
    return found
