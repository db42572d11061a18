"""Parties and the channel tree. Called by `routes/console/parties.py`."""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.catalog import Party, Text
from uncap.domain.errors import InputError
from uncap.services.desk import Actor, Desk, Id, Words, draft
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor
from uncap.services.name_place import GlnText, place_writes, read_gln

MAX_TREE = 500
PARENTS: dict[str, frozenset[str]] = {
    "brand": frozenset(),
    "distributor": frozenset({"brand"}),
    "sub_distributor": frozenset({"distributor", "sub_distributor"}),
    "salesperson": frozenset({"brand", "distributor", "sub_distributor"}),
    "outlet": frozenset({"distributor", "sub_distributor", "salesperson"}),
    "outlet_staff": frozenset({"outlet"}),
}
"""Under whom a party may stand; an empty parent is allowed to everyone but outlet staff."""

PartyRole = Literal["brand", "distributor", "sub_distributor", "salesperson", "outlet", "outlet_staff"]
Cell = Annotated[str, msgspec.Meta(pattern=r"^(8[0-9a-f]{14})?$(?!\n)", max_length=15, description="An H3 cell")]


class NewParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone in the channel. `home_cell` is where an outlet is, as an H3 cell; `provisional`: not visited yet.

    `invited_by` is the party that brought an outlet in; a campaign's rules may reward it (docs/campaigns.md). `gln`: by
    which EPCIS events name it (docs/epcis.md).
    """

    party_id: Id
    role: PartyRole
    name: Words
    parent_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)] = ""
    home_cell: Cell = ""
    provisional: bool = False
    invited_by: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)] = ""
    gln: GlnText = ""


class PartyEntry(msgspec.Struct, frozen=True):
    """A party in a list."""

    party_id: str
    role: str
    name: Text
    parent_id: str = ""


class TreeNode(msgspec.Struct, frozen=True):
    """A party with those under it; `cut` says that more are there than are shown."""

    party: PartyEntry
    children: list["TreeNode"]
    cut: bool = False


class ChildrenQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Parties directly under `parent_id`; without it, those under nobody."""

    parent_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)] = ""


class TreeQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many levels down."""

    depth: Annotated[int, msgspec.Meta(ge=1, le=6)] = 3


def register_party(desk: Desk, actor: Actor, given: NewParty) -> Party:
    """Raises ConflictError (`party_exists`, `gln_taken`), InputError (`parent_invalid`, `gln_invalid`), NotFoundError
    (`party_unknown`)."""
    party = Party(given.party_id, given.role, given.name, given.parent_id, given.home_cell, given.provisional)
    if party.parent_id:
        parent = desk.party(party.parent_id, "parent_id")
        if parent.role not in PARENTS[party.role]:
            raise InputError(
                "parent_invalid", f"a {party.role} does not stand under a {parent.role}", where="parent_id"
            )
    elif party.role == "outlet_staff":
        raise InputError("parent_invalid", "outlet staff belong to an outlet", where="parent_id")
    party = msgspec.structs.replace(party, registered_at_ms=desk.clock_ms(), gln=read_gln(given.gln))
    if given.invited_by:
        party = msgspec.structs.replace(party, invited_by=_inviter(desk, given))
    entry = PartyEntry(party.party_id, party.role, party.name, party.parent_id)
    desk.writes.commit(
        [
            DocWrite("parties", f"party#{party.party_id}", "meta", doc_of(party), 1, "party_exists"),
            DocWrite("parties", f"party#{party.parent_id}", f"child#{party.party_id}", doc_of(entry), 0),
            *place_writes(desk.parties, party.gln, party.party_id),
        ],
        draft(actor, "parties.register", party.party_id, after=f"{party.role} under {party.parent_id or 'nobody'}"),
    )
    return party


def _inviter(desk: Desk, given: NewParty) -> str:
    """Only outlets are invited, and nobody invites themselves: the reward is for a shop that was not there before."""
    if given.role != "outlet" or given.invited_by == given.party_id:
        raise InputError("inviter_invalid", "another party may invite an outlet", where="invited_by")
    return desk.party(given.invited_by, "invited_by").party_id


def list_children(desk: Desk, query: ChildrenQuery) -> Listing[PartyEntry]:
    """One page of the parties directly under another."""
    after = read_cursor(query.cursor, "child#")
    page = desk.parties.page(f"party#{query.parent_id}", "child#", query.count, after)
    # A party that has moved leaves its entry behind, which names its new place.
    here = [one for one in page.values(PartyEntry) if one.parent_id == query.parent_id]
    return Listing(here, cursor_of(page.after))


def read_tree(desk: Desk, party_id: str, depth: int) -> TreeNode:
    """The tree below a party, breadth first, at most 500 parties in all. Raises NotFoundError (`party_unknown`)."""
    party = desk.party(party_id)
    top = TreeNode(PartyEntry(party.party_id, party.role, party.name, party.parent_id), [])
    level, left = [top], MAX_TREE
    for _ in range(depth):
        following: list[TreeNode] = []
        for node in level:
            page = desk.parties.page(f"party#{node.party.party_id}", "child#", left + 1)
            entries = [one for one in page.values(PartyEntry) if one.parent_id == node.party.party_id]
            node.children.extend(TreeNode(entry, []) for entry in entries[:left])
            left -= len(node.children)
            following.extend(node.children)
            if len(entries) > len(node.children):
                return _marked(top)
        level = following
    return top


def _marked(top: TreeNode) -> TreeNode:
    return msgspec.structs.replace(top, cut=True)
