"""`GET /campaigns/{campaign_id}`: a campaign's public page, as HTML or JSON; `…/draw`: its published closing draw.

Mounted by `runtime/wiring_about.py`.
"""

import re

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response

from uncap.domain.errors import NotFoundError
from uncap.routes.requests import Request
from uncap.routes.resolver import wanted_form
from uncap.routes.scan_replies import OPEN_HEADERS, Meter, json_reply
from uncap.services.tell_campaign import CampaignDesk, published_draw, tell_campaign
from webui.campaign_page import render, style_source
from webui.i18n import locale_of
from webui.security import page_headers

PATH = "/campaigns/<campaign_id>"
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def show_campaign(desk: CampaignDesk, meter: Meter, request: Request, campaign_id: str) -> Response[str]:
    """The page; programs that ask for JSON get its facts. Raises NotFoundError (`campaign_unknown`)."""
    _check(campaign_id)
    language = request.query("lang") or request.headers.get("accept-language", "")
    view = tell_campaign(desk, campaign_id)
    meter.count("CampaignViewed")
    if wanted_form(request.headers.get("accept", ""), "", language) == "json":
        return json_reply(view, headers=OPEN_HEADERS)
    headers = {**page_headers(style_sources=(style_source(),)), "Vary": "Accept, Accept-Language, Accept-Encoding"}
    return Response(200, body=render(view, locale_of(language)), headers=headers, compress=True)


def show_draw(desk: CampaignDesk, meter: Meter, campaign_id: str) -> Response[str]:
    """The file that `uncap draw verify` reads. Raises NotFoundError (`closing_not_published`, `campaign_unknown`)."""
    _check(campaign_id)
    text = published_draw(desk, campaign_id)
    meter.count("DrawFetched")
    saved = {"Content-Disposition": f'attachment; filename="{campaign_id}.json"'}
    return Response(200, "application/json", text, OPEN_HEADERS | saved, compress=True)


def _check(campaign_id: str) -> None:
    if not _ID.fullmatch(campaign_id):
        raise NotFoundError("campaign_unknown", "There is no such campaign.", where="campaign_id")


def mount_campaigns(app: APIGatewayHttpResolver, desk: CampaignDesk, meter: Meter) -> None:
    """Adds the routes; errors are handled where the product safety page's are."""

    def run(campaign_id: str) -> Response[str]:
        return show_campaign(desk, meter, Request(app.current_event.raw_event), campaign_id)

    def fetch(campaign_id: str) -> Response[str]:
        return show_draw(desk, meter, campaign_id)

    app.route(PATH, method="GET")(run)
    app.route(f"{PATH}/draw", method="GET")(fetch)
