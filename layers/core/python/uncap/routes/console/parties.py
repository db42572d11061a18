"""Parties, the channel tree and territories. Mounted by `table.py`."""

from uncap.domain.admin_areas import AdminCode
from uncap.domain.catalog import Party, Territory
from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk, Id
from uncap.services.invite_member import (
    InvitationId,
    IssuedInvitation,
    Member,
    MembershipEnd,
    NewInvitation,
    end_membership,
    invite_member,
    list_members,
)
from uncap.services.list_entries import Listing, PageQuery
from uncap.services.move_party import PartyMove, move_party
from uncap.services.name_place import PartyGln, set_gln
from uncap.services.register_party import (
    ChildrenQuery,
    NewParty,
    PartyEntry,
    TreeNode,
    TreeQuery,
    list_children,
    read_tree,
    register_party,
)
from uncap.services.set_territory import (
    AreaEntry,
    NewArea,
    NewTerritory,
    TerritorySet,
    list_areas,
    read_territory,
    set_area,
    set_territory,
)

PARTIES = Area("parties")


@PARTIES.post("/parties", status=201)
def post_party(desk: Desk, actor: Actor, body: NewParty) -> Party:
    """Register a distributor, salesperson, outlet or member of its staff."""
    return register_party(desk, actor, body)


@PARTIES.get("/parties")
def list_parties(desk: Desk, query: ChildrenQuery) -> Listing[PartyEntry]:
    """Parties directly under another."""
    return list_children(desk, query)


@PARTIES.put("/parties/{party_id}/gln")
def put_party_gln(desk: Desk, actor: Actor, party_id: Id, body: PartyGln) -> Party:
    """The number by which EPCIS events name the party."""
    return set_gln(desk, actor, party_id, body)


@PARTIES.get("/parties/{party_id}")
def read_party(desk: Desk, party_id: Id) -> Party:
    """One party."""
    return desk.party(party_id)


@PARTIES.get("/parties/{party_id}/tree")
def read_party_tree(desk: Desk, party_id: Id, query: TreeQuery) -> TreeNode:
    """The channel tree below a party."""
    return read_tree(desk, party_id, query.depth)


@PARTIES.post("/parties/{party_id}/parent")
def post_party_parent(desk: Desk, actor: Actor, party_id: Id, body: PartyMove) -> Party:
    """Move a party to another place in the channel tree; a cycle is refused."""
    return move_party(desk, actor, party_id, body)


@PARTIES.post("/parties/{party_id}/invitations", status=201)
def post_invitation(desk: Desk, actor: Actor, party_id: Id, body: NewInvitation) -> IssuedInvitation:
    """Invite one person to work for a party; the code is shown this once."""
    return invite_member(desk, actor, party_id, body)


@PARTIES.get("/parties/{party_id}/members")
def get_members(desk: Desk, party_id: Id, query: PageQuery) -> Listing[Member]:
    """A party's invitations and members."""
    return list_members(desk, party_id, query)


@PARTIES.post("/parties/{party_id}/members/{invitation_id}/end")
def post_membership_end(
    desk: Desk, actor: Actor, party_id: Id, invitation_id: InvitationId, body: MembershipEnd
) -> Member:
    """Withdraw an invitation, or end the membership it led to."""
    return end_membership(desk, actor, party_id, invitation_id, body)


@PARTIES.put("/parties/{party_id}/territory")
def put_territory(desk: Desk, actor: Actor, party_id: Id, body: NewTerritory) -> TerritorySet:
    """Set where a distributor may sell, by codes and shapes, which become H3 cells; says with whose it overlaps."""
    return set_territory(desk, actor, party_id, body)


@PARTIES.get("/parties/{party_id}/territory")
def get_territory(desk: Desk, party_id: Id) -> Territory:
    """A distributor's territory."""
    return read_territory(desk, party_id)


@PARTIES.put("/areas/{code}")
def put_area(desk: Desk, actor: Actor, code: AdminCode, body: NewArea) -> AreaEntry:
    """Supply the approved geometry of an administrative code; it becomes H3 cells and is not kept."""
    return set_area(desk, actor, code, body)


@PARTIES.get("/areas")
def get_areas(desk: Desk, query: PageQuery) -> Listing[AreaEntry]:
    """Administrative codes for which geometry was supplied."""
    return list_areas(desk, query)
