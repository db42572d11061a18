"""GS1 keys without a serial, other spellings of a link, and where pages stand: whatever `scan_table.py` has no row for.

`scan_routes.py` hands requests here that no route took. What is read: the product, or the runs of pallet numbers; a
code is the code routes' own affair. Source: GS1-Conformant Resolver Standard 1.2.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response

from uncap.domain.codes.sscc import body_of
from uncap.domain.errors import InputError, NotFoundError
from uncap.routes import resolver
from uncap.routes.requests import Request
from uncap.routes.scan_desk import ApiDesk
from uncap.routes.scan_replies import OPEN_HEADERS, json_reply
from uncap.services.view_code import link_path
from webui.i18n import locale_of, text_in
from webui.key_page import pallet_page, product_page
from webui.security import page_headers

if TYPE_CHECKING:
    from uncap.domain.gs1.parsing import DigitalLink

_KEYS = ("/01/", "/00/", "/gtin/", "/sscc/")
# A whole link compressed: GS1's test suite asks for it, the shortest key (a GTIN) takes ten characters.
_PACKED: Final = re.compile(r"/[A-Za-z0-9_-]{10,200}", re.ASCII)
_STEM: Final = "https://link.invalid"
ShowCode = Callable[[Request, str, str], Response[str]]


class _Run(msgspec.Struct, frozen=True):
    """Pallet numbers from `first_body` on (`adapters/pallet_numbers.py`)."""

    first_body: int
    size: int


class KeyRoutes:
    """`show_code` answers for a link with a serial, `show_page` for where its page stands."""

    def __init__(self, desk: ApiDesk, show_code: ShowCode, show_page: ShowCode) -> None:
        self._desk = desk
        self._show_code = show_code
        self._show_page = show_page

    def answer(self, request: Request) -> Response[str] | None:
        """None for what is no link of ours. Raises InputError (the link's) for a link that is written wrongly."""
        path = request.path.rstrip("/")
        stands = path.startswith(f"{resolver.PAGES}/")
        path = path.removeprefix(resolver.PAGES) if stands else path
        if request.method == "OPTIONS" and path.startswith(_KEYS):
            return options()
        link = _link_at(path) if request.method in ("GET", "HEAD", "OPTIONS") else None
        if link is None or request.method == "OPTIONS":
            return None if link is None else options()
        reply = self._page(request, link) if stands else self._link(request, link)
        if any(note.code == "link_compressed" for note in link.notes):
            _tell_uncompressed(reply, self._desk.link_base or request.origin, link)
        if request.method == "HEAD":
            reply.body, reply.compress = "", False
        return reply

    def _link(self, request: Request, link: "DigitalLink") -> Response[str]:
        serial = _serial(link)
        if serial:
            return self._show_code(request, link.key.value, serial)
        title, path = self._named(request, link), f"/{link.key.ai}/{link.key.value}"
        base = self._desk.link_base or request.origin
        form = wanted(request)
        if form in ("none", "about"):
            raise NotFoundError("link_type_unknown", "There is no link of this type.", where="linkType")
        if form in ("linkset", "json"):
            return linkset_reply(base, [(path, title)])
        return redirect(request, base, path)

    def _page(self, request: Request, link: "DigitalLink") -> Response[str]:
        serial = _serial(link)
        if serial:
            return self._show_page(request, link.key.value, serial)
        title, locale = self._named(request, link), language(request)
        body = product_page(title, link.key.value, locale) if link.key.ai == "01" else pallet_page(title, locale)
        headers = {**page_headers(style_sources=()), "Vary": "Accept-Language"}
        return Response(200, body=body, headers=headers, compress=True)

    def _named(self, request: Request, link: "DigitalLink") -> str:
        """What the thing is called. Raises NotFoundError (`product_unknown`, `pallet_unknown`)."""
        if link.key.ai == "01":
            product = self._desk.scan.catalog.product(link.key.value)
            if product is None:
                raise NotFoundError("product_unknown", "There is nothing behind this GTIN here.", where="gtin")
            return text_in(product.name, language(request))
        body = body_of(link.key.value)
        runs = (msgspec.json.decode(doc, type=_Run) for doc in self._desk.scan.catalog.pallet_runs())
        if not any(run.first_body <= body < run.first_body + run.size for run in runs):
            raise NotFoundError("pallet_unknown", "There is nothing behind this SSCC here.", where="sscc")
        return link.key.value


def _link_at(path: str) -> "DigitalLink | None":
    """None where no link of ours can stand. Raises InputError (the link's) for one that is written wrongly."""
    if path.startswith(_KEYS):
        return link_of(path)
    if _PACKED.fullmatch(path) is None:
        return None
    try:
        return link_of(path)
    except InputError:
        return None  # any other word, as likely as not


def _tell_uncompressed(reply: Response[str], base: str, link: "DigitalLink") -> None:
    from uncap.domain.gs1.building import link_uri

    same = f'<{base}{link_uri(link).removeprefix(_STEM)}>; rel="owl:sameAs"'
    reply.headers["Link"] = ", ".join(filter(None, (str(reply.headers.get("Link", "")), same)))


def link_of(path: str) -> "DigitalLink":
    """The link at this path. Raises InputError as the reader of GS1 links does, and `link_key_missing`."""
    # Read by programs only: the page's way never comes here, and need not load the tables of identifiers.
    from uncap.domain.gs1.parsing import parse_link

    link = parse_link(f"{_STEM}{path}")
    if link.stem != _STEM or link.key.ai not in ("00", "01"):
        raise InputError("link_key_missing", "the path begins with a GTIN or an SSCC", where="path")
    return link


def wanted(request: Request) -> resolver.Form:
    """The form that this request asks for."""
    language_named = request.query("lang") or request.headers.get("accept-language", "")
    link_type = request.query("linkType") or request.query("linktype")
    return resolver.wanted_form(request.headers.get("accept", ""), link_type, language_named)


def redirect(request: Request, base: str, path: str, form: resolver.Form = "redirect") -> Response[str]:
    """To where the page, or the page about the item, stands; the same request may be sent there (307)."""
    headers = {**OPEN_HEADERS, **resolver.open_headers(base, path), "Vary": "Accept, Accept-Language"}
    about = resolver.about_path(path) if form == "about" else ""
    headers["Location"] = base + about if about else resolver.location(base, path, request.raw_query)
    return Response(307, body="", headers=headers)


def linkset_reply(base: str, levels: list[tuple[str, str]]) -> Response[str]:
    """The links at every level, the finest first."""
    headers = {**OPEN_HEADERS, **resolver.open_headers(base, levels[0][0])}
    headers["Link"] = f"{resolver.CONTEXT_LINK}, {headers['Link']}"
    return json_reply(resolver.linkset(base, levels), headers=headers, media_type=resolver.LINKSET)


def options() -> Response[str]:
    """Methods, and that any origin may read."""
    cors = {"Access-Control-Allow-Methods": resolver.METHODS, "Access-Control-Allow-Headers": "Accept, Accept-Language"}
    return Response(204, body="", headers={**OPEN_HEADERS, **cors, "Allow": resolver.METHODS})


def language(request: Request) -> str:
    """One of the languages we speak."""
    return locale_of(request.query("lang") or request.headers.get("accept-language", ""))


def levels_of(gtin: str, serial: str, title: str) -> list[tuple[str, str]]:
    """A code, then the product it is one of."""
    return [(link_path(gtin, serial), title), (f"/01/{gtin}", title)]


def _serial(link: "DigitalLink") -> str:
    return next((one.value for one in link.qualifiers if one.ai == "21"), "")
