"""Parties by id over the wire client, cached for a bounded time: the tree upwards, for the channel API."""

from collections.abc import Callable

import msgspec

from uncap.adapters.wire.dynamodb import Caller, get_item
from uncap.domain.catalog import Party

_ENTRIES = 4_096
_PARTY = msgspec.json.Decoder(Party)


class WireParties:
    """`party#` items only: the role allows no others (infra/access.yaml)."""

    def __init__(self, client: Caller, table: str, clock_ms: Callable[[], int], max_age_ms: int) -> None:
        self._client = client
        self._table = table
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._known: dict[str, tuple[int, Party | None]] = {}

    def party(self, party_id: str) -> Party | None:
        """The party, or None. Raises TransientError."""
        now_ms = self._clock_ms()
        known = self._known.get(party_id)
        if known and now_ms - known[0] < self._max_age_ms:
            return known[1]
        key = {"pk": f"party#{party_id}", "sk": "meta"}
        item = get_item(self._client, self._table, key, consistent=False, attributes={"#d": "doc"})
        party = _PARTY.decode(item["doc"]["S"]) if item else None
        if len(self._known) >= _ENTRIES:
            self._known.clear()
        self._known[party_id] = (now_ms, party)
        return party
