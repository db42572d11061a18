"""Who is told about diversion: webhooks for a party, a region, or all. Called by `routes/console/diversion.py`.

Kept in the Catalog under `alert_routes`. A route's signing key is shown when it is set, and derived again whenever it
is needed; setting a route with a higher `key_no` changes the key.
"""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.adapters.webhook import check_url
from uncap.domain.alerts import ROUTES_PK, AlertRoute, route_key
from uncap.domain.errors import ConflictError
from uncap.services.desk import Actor, Desk, catalog_write, draft
from uncap.services.list_entries import Listing, PageQuery, list_entries

MAX_ROUTES = 200
Kind = Literal["case_opened", "case_moved", "signal"]
OptionalId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)]


class NewRoute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook. `party_id`, `region`: only about that distributor, only in that region; "" for all. No kinds: all."""

    url: Annotated[str, msgspec.Meta(min_length=10, max_length=500)]
    party_id: OptionalId = ""
    region: Annotated[str, msgspec.Meta(max_length=60)] = ""
    kinds: Annotated[tuple[Kind, ...], msgspec.Meta(max_length=3)] = ()
    key_no: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    disabled: bool = False
    version: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] = 0


class SetRoute(AlertRoute, frozen=True):
    """The route as stored, with the key its alerts are signed with."""

    signing_key: str = ""


def set_route(desk: Desk, actor: Actor, route_id: str, given: NewRoute) -> SetRoute:
    """Raises InputError (`webhook_refused`), NotFoundError (`party_unknown`), ConflictError (`changed_meanwhile`,
    `too_many_routes`, `alerts_not_configured`)."""
    check_url(given.url, allow_loopback=desk.alerts.allow_loopback)
    if given.party_id:
        desk.party(given.party_id)
    if not given.version and len(desk.catalog_docs.query(ROUTES_PK)) >= MAX_ROUTES:
        raise ConflictError("too_many_routes", f"at most {MAX_ROUTES} routes")
    route = AlertRoute(
        route_id,
        given.url,
        given.party_id,
        given.region,
        given.kinds,
        given.key_no,
        given.disabled,
        given.version + 1,
    )
    key = route_key(desk.alerts.master(), route)
    about = f"{given.party_id or 'all parties'}, {given.region or 'all regions'}, key {given.key_no}"
    desk.writes.commit(
        [catalog_write(ROUTES_PK, route_id, doc_of(route), route.version)],
        draft(actor, "diversion.route", route_id, after=about + (", disabled" if given.disabled else "")),
    )
    return SetRoute(**{field: getattr(route, field) for field in route.__struct_fields__}, signing_key=key)


def list_routes(desk: Desk, query: PageQuery) -> Listing[AlertRoute]:
    """One page, by id; without keys."""
    return list_entries(desk.catalog_docs, ROUTES_PK, "", AlertRoute, query)
