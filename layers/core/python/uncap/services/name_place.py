"""A party's GLN: set by people, one party each, found again by the number. For `routes/console/parties.py` and EPCIS.

`gln#{gln}` / `meta` in Parties says whose it is (docs/adr/0001).
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.documents import DocumentTable
from uncap.domain.catalog import Party
from uncap.domain.epcis.goods import gln_of
from uncap.domain.errors import ConflictError, InputError
from uncap.services.desk import Actor, Desk, Reason, draft

GlnText = Annotated[str, msgspec.Meta(max_length=120, description="13 digits, or an SGLN or PGLN as URN or link")]


class Place(msgspec.Struct, frozen=True):
    """Item `gln#{gln}` / `meta`: whose it is, "" after it was given up."""

    party_id: str
    version: int = 1


class PartyGln(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The party's number, "" for none any more; and why."""

    gln: GlnText
    reason: Reason


def set_gln(desk: Desk, actor: Actor, party_id: str, given: PartyGln) -> Party:
    """Raises NotFoundError (`party_unknown`), InputError (`gln_invalid`), ConflictError (`gln_taken`,
    `changed_meanwhile`)."""
    party, gln = desk.party(party_id), read_gln(given.gln)
    if party.gln == gln:
        return party
    moved = msgspec.structs.replace(party, gln=gln, version=party.version + 1)
    writes = [DocWrite("parties", f"party#{party_id}", "meta", doc_of(moved), moved.version)]
    writes += place_writes(desk.parties, gln, party_id) + place_writes(desk.parties, party.gln, "")
    act = draft(actor, "parties.gln", party_id, reason=given.reason, before=party.gln, after=gln)
    desk.writes.commit(writes, act)
    return moved


def read_gln(text: str) -> str:
    """13 digits, or "" for "". Raises InputError (`gln_invalid`)."""
    gln = gln_of(text)
    if text and not gln:
        raise InputError("gln_invalid", "is no GLN: 13 digits with their check digit, or an SGLN or PGLN", where="gln")
    return gln


def place_writes(parties: DocumentTable, gln: str, party_id: str) -> list[DocWrite]:
    """The number's new owner, none for no number. Raises ConflictError (`gln_taken`)."""
    if not gln:
        return []
    held = parties.value(f"gln#{gln}", "meta", Place) or Place("", 0)
    if party_id and held.party_id:
        raise ConflictError("gln_taken", f"this GLN is {held.party_id}'s", where="gln")
    place = Place(party_id, held.version + 1)
    return [DocWrite("parties", f"gln#{gln}", "meta", doc_of(place), place.version, "gln_taken")]


def party_of_gln(parties: DocumentTable, gln: str) -> str:
    """Whose number it is; "" for nobody's."""
    held = parties.value(f"gln#{gln}", "meta", Place)
    return held.party_id if held else ""
