"""GS1-Conformant Resolver behaviour of `/01/{gtin}/21/{serial}`: which form is asked for, linkset, description file.

Source: GS1-Conformant Resolver Standard 1.2, RFC 9264 (linkset). Our page is the default link and answers by itself
instead of redirecting. Used by `scan_routes.py`.
"""

from typing import Literal

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
_PAGE_TYPES = frozenset({"", "gs1:pip", "gs1:defaultLink", _GS1 + "pip", _GS1 + "defaultLink"})
_LINKSET_TYPES = frozenset({"linkset", "all"})

Form = Literal["page", "json", "linkset", "none"]


class LinkTarget(msgspec.Struct, frozen=True):
    """RFC 9264, 4.2.3."""

    href: str
    title: str
    type: str
    hreflang: tuple[str, ...]


class LinkContext(msgspec.Struct, frozen=True):
    """The links of one item."""

    anchor: str
    item_description: str = msgspec.field(name="itemDescription")
    default_link: tuple[LinkTarget, ...] = msgspec.field(name=_GS1 + "defaultLink")
    pip: tuple[LinkTarget, ...] = msgspec.field(name=_GS1 + "pip")


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


def wanted_form(accept: str, link_type: str) -> Form:
    """What the client asked for; "none" is a link type we have nothing for. `linkType` outweighs Accept."""
    if link_type in _LINKSET_TYPES:
        return "linkset"
    if link_type not in _PAGE_TYPES:
        return "none"
    ranked = sorted(_accepted(accept), key=lambda one: -one[1])
    for media_type, quality in ranked:
        if quality <= 0:
            continue
        if media_type == LINKSET:
            return "linkset"
        if media_type == JSON:
            return "json"
        if media_type in {HTML, "application/xhtml+xml", "text/*", "*/*"}:
            return "page"
    return "page"


def linkset(anchor: str, title: str) -> Linkset:
    """The page is the default link and the product information page, in both languages."""
    target = (LinkTarget(anchor, title, HTML, _LANGUAGES),)
    return Linkset((LinkContext(anchor, title, target, target),))


def description(origin: str) -> Description:
    """What this resolver can do; `origin` is scheme://host."""
    return Description("uncap", origin, ("01",), (Namespace(_GS1, "gs1"),), False)


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
