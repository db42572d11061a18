"""One move of a reward as an UpdateItem over the wire client, conditional on what was read. Items: `ledger_items.py`.

Used by `ledger_hot.py`, by `replenishments.py` in a transaction, and by channel_api for a move of its owner's.
"""

from typing import Any

from uncap.adapters.ledger_items import Values, attempt_no, changes_of, checked_move, reward_key
from uncap.adapters.ledger_wire import WireLedger
from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.rewards.reward import Reward

CONDITION_FAILED = "ConditionalCheckFailedException"


def typed(values: Values) -> Attributes:
    """As DynamoDB's JSON."""
    return {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in values.items()}


def update_of(table: str, old: Reward, new: Reward) -> dict[str, Any]:
    """The request. Its condition: the revision and attempt of `old`, and no settlement where `new` brings one.

    Raises ConflictError (`reward_moved`, `entry_unbalanced`) for a move no write may make.
    """
    settles = checked_move(old, new)
    values, removed = changes_of(old, new)
    sets = ", ".join(f"#{name} = :{name}" for name in values)
    removes = f" REMOVE {', '.join(f'#{name}' for name in removed)}" if removed else ""
    unsettled = " AND attribute_not_exists(#settled)" if settles else ""
    given = typed(values | {"old_rev": old.rev, "old_att": attempt_no(old)})
    return {
        "TableName": table,
        "Key": {"pk": {"S": reward_key(new.reward_id)}},
        "UpdateExpression": f"SET {sets}{removes}",
        "ConditionExpression": f"#rev = :old_rev AND #att = :old_att{unsettled}",
        "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *removed)},
        "ExpressionAttributeValues": {f":{name}": value for name, value in given.items()},
    }


class WireRewards(WireLedger):
    """Rewards read and moved over the wire client; nothing is settled or created here."""

    def replace(self, old: Reward, new: Reward) -> None:
        """ConflictError (`reward_moved`) if the reward is not what was read. Raises TransientError."""
        try:
            self._client.call("UpdateItem", ENCODE(update_of(self._table, old, new)))
        except RefusedError as refused:
            if refused.service_code == CONDITION_FAILED:
                raise ConflictError("reward_moved", "the item is not in the state this write expects") from refused
            raise TransientError("table_unavailable", f"the table did not answer ({refused.service_code})") from refused
