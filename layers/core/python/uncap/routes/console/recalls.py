"""Recalls: order, look at, tell people, lift. Mounted by `table.py`."""

from uncap.domain.recalls import Recall
from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk, Id
from uncap.services.list_entries import Listing, PageQuery, list_entries
from uncap.services.recall_codes import Lift, NewRecall, RecallEntry, lift_recall, read_recall, recall_codes
from uncap.services.recalled_people import PeopleQuery, RecalledPeople, recalled_people

RECALLS = Area("recalls")


@RECALLS.post("/recalls", status=201)
def post_recall(desk: Desk, actor: Actor, body: NewRecall) -> Recall:
    """Recall a lot, a range or a shipment: from now on none of it pays."""
    return recall_codes(desk, actor, body)


@RECALLS.get("/recalls")
def list_recalls(desk: Desk, query: PageQuery) -> Listing[RecallEntry]:
    """Recalls by id."""
    return list_entries(desk.catalog_docs, "index", "recall#", RecallEntry, query)


@RECALLS.get("/recalls/{recall_id}")
def get_recall(desk: Desk, recall_id: Id) -> Recall:
    """One recall with all it covers."""
    return read_recall(desk, recall_id)


@RECALLS.get("/recalls/{recall_id}/people", action="export")
def get_recalled_people(desk: Desk, actor: Actor, recall_id: Id, query: PeopleQuery) -> RecalledPeople:
    """Who has scanned recalled codes, as pseudonymous keys, part by part; audited with the reason given."""
    return recalled_people(desk, actor, recall_id, query)


# Not `write`: letting recalled goods go is a graver act than stopping them.
@RECALLS.post("/recalls/{recall_id}/lift", action="approve")
def post_lift(desk: Desk, actor: Actor, recall_id: Id, body: Lift) -> Recall:
    """End a recall: codes that no other recall covers can be claimed again."""
    return lift_recall(desk, actor, recall_id, body)
