"""The channel tree, walked upwards: who stands below whom. Pure; parties are read through the function given."""

from collections.abc import Callable, Iterator

from uncap.domain.catalog import Party

MAX_DEPTH = 8
"""Deeper than any trade; a cycle in bad data ends here too."""

PartyOf = Callable[[str], Party | None]


def upwards(party_of: PartyOf, party_id: str) -> Iterator[Party]:
    """The party, then the one it stands under, and so on; each once."""
    seen: set[str] = set()
    while party_id and party_id not in seen and len(seen) < MAX_DEPTH:
        seen.add(party_id)
        party = party_of(party_id)
        if party is None:
            return
        yield party
        party_id = party.parent_id


def stands_below(party_of: PartyOf, party_id: str, above: str) -> bool:
    """Does `party_id` stand under `above`, at any depth? Nobody stands below itself."""
    return any(one.party_id != party_id and one.party_id == above for one in upwards(party_of, party_id))
