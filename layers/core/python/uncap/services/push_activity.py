"""An activity pushed to named outlets: each finds it in its own list. Called by the campaign and party routes.

Whom a rule is for is said by the rule; this is how those outlets get to know of it.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.catalog import Text
from uncap.domain.errors import InputError
from uncap.services.desk import Actor, Desk, Id, Reason, TimeMs, draft
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

MAX_OUTLETS = 90
_PREFIX = "activity#"


class NewPush(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Outlets to be told of a campaign, until when it is shown to them. Pushing again replaces what they were told."""

    outlets: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=MAX_OUTLETS)]
    until_ms: TimeMs
    reason: Reason


class Activity(msgspec.Struct, frozen=True):
    """A campaign as an outlet's list shows it."""

    campaign_id: str
    name: Text
    rules: Text
    pushed_at_ms: int
    until_ms: int


class Pushed(msgspec.Struct, frozen=True):
    """How many outlets have it now."""

    campaign_id: str
    outlets: int


def push_activity(desk: Desk, actor: Actor, campaign_id: str, given: NewPush) -> Pushed:
    """Raises NotFoundError (`campaign_unknown`, `party_unknown`), InputError (`not_an_outlet`)."""
    campaign = desk.campaign_versions(campaign_id)[-1]
    outlets = tuple(dict.fromkeys(given.outlets))
    for outlet in outlets:
        if desk.party(outlet).role != "outlet":
            raise InputError("not_an_outlet", f"{outlet} is not an outlet", where="outlets")
    activity = Activity(campaign_id, campaign.name, campaign.rules, desk.clock_ms(), given.until_ms)
    desk.writes.commit(
        [DocWrite("parties", f"party#{one}", f"{_PREFIX}{campaign_id}", doc_of(activity), 0) for one in outlets],
        draft(actor, "campaigns.push", campaign_id, reason=given.reason, after=f"{len(outlets)} outlets"),
    )
    return Pushed(campaign_id, len(outlets))


def list_activities(desk: Desk, party_id: str, query: PageQuery) -> Listing[Activity]:
    """What an outlet was told of and is still on, by campaign."""
    after = read_cursor(query.cursor, _PREFIX)
    page = desk.parties.page(f"party#{party_id}", _PREFIX, query.count, after)
    now_ms = desk.clock_ms()
    running = [one for one in page.values(Activity) if now_ms < one.until_ms]
    return Listing(running, cursor_of(page.after))
