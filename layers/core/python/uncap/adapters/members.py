"""What rules may ask of a person: `member#{person key}` / `meta` in Parties. Read by the relay, one read per claim.

Only for campaigns whose rules name tiers, tags or referrals. Never cached: a tag given now counts from the next claim.
"""

import msgspec
from pynamodb.exceptions import DoesNotExist

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import PartyItem
from uncap.domain.campaigns.ports import Member


class DynamoMembers:
    """`MemberReader` on the Parties table."""

    def member(self, person: str) -> Member | None:
        """See `MemberReader`. Raises TransientError."""
        try:
            with translated():
                item = PartyItem.get(f"member#{person}", "meta", consistent_read=True)
        except DoesNotExist:
            return None
        return msgspec.json.decode(item.doc, type=Member)
