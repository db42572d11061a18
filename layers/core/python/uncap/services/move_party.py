"""A party moves to another place in the channel tree: an outlet changes its distributor. Cycles are refused.

Called by `routes/console/parties.py`. A guard item orders racing moves: two that are each right could close a circle.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.catalog import Party
from uncap.domain.channel import MAX_DEPTH
from uncap.domain.errors import ConflictError, InputError
from uncap.services.desk import Actor, Desk, Reason, draft
from uncap.services.register_party import PARENTS, PartyEntry


class PartyMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under whom it is to stand, and why."""

    parent_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)]
    reason: Reason


def move_party(desk: Desk, actor: Actor, party_id: str, given: PartyMove) -> Party:
    """The party where it stands now. Rewards already granted stay with whom they were granted to.

    Raises NotFoundError (`party_unknown`), InputError (`parent_invalid`), ConflictError (`channel_cycle`,
    `channel_too_deep`, `changed_meanwhile`).
    """
    # The guard is read before the tree: whoever moves something after this read makes our own write fail.
    guard = desk.parties.value("tree", "guard", int) or 0
    party = desk.party(party_id)
    if party.parent_id == given.parent_id:
        return party
    _check_place(desk, party, given.parent_id)
    moved = msgspec.structs.replace(party, parent_id=given.parent_id, version=party.version + 1)
    entry = doc_of(PartyEntry(moved.party_id, moved.role, moved.name, moved.parent_id))
    desk.writes.commit(
        [
            DocWrite("parties", "tree", "guard", doc_of(guard + 1), guard + 1),
            DocWrite("parties", f"party#{party_id}", "meta", doc_of(moved), moved.version),
            # Under the old parent the entry says where the party has gone; lists leave it out.
            DocWrite("parties", f"party#{party.parent_id}", f"child#{party_id}", entry, 0),
            DocWrite("parties", f"party#{given.parent_id}", f"child#{party_id}", entry, 0),
        ],
        draft(
            actor,
            "parties.move",
            party_id,
            reason=given.reason,
            before=f"under {party.parent_id or 'nobody'}",
            after=f"under {given.parent_id or 'nobody'}",
        ),
    )
    return moved


def _check_place(desk: Desk, party: Party, parent_id: str) -> None:
    if not parent_id:
        if party.role == "outlet_staff":
            raise InputError("parent_invalid", "outlet staff belong to an outlet", where="parent_id")
        return
    above = desk.party(parent_id, "parent_id")
    seen = 0
    at: Party | None = above
    while at is not None:
        if at.party_id == party.party_id:
            raise ConflictError("channel_cycle", f"{parent_id} stands under {party.party_id}", where="parent_id")
        seen += 1
        if seen >= MAX_DEPTH:
            raise ConflictError("channel_too_deep", f"at most {MAX_DEPTH} stand over one another", where="parent_id")
        at = desk.party(at.parent_id) if at.parent_id else None
    if above.role not in PARENTS[party.role]:
        raise InputError("parent_invalid", f"a {party.role} does not stand under a {above.role}", where="parent_id")
