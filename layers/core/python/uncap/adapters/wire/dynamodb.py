"""The few shapes of DynamoDB's JSON the scan path speaks, typed for msgspec. Used by the `*_wire` adapters."""

from typing import Any, Protocol

import msgspec

Attributes = dict[str, dict[str, Any]]
"""{"name": {"S" | "N" | "SS": value}}."""

ENCODE = msgspec.json.Encoder().encode


class Caller(Protocol):
    """What the adapters need of `WireClient`."""

    def call(self, operation: str, body: bytes) -> bytes: ...


class ItemReply(msgspec.Struct):
    """GetItem."""

    item: Attributes | None = msgspec.field(name="Item", default=None)


class UpdateReply(msgspec.Struct):
    """UpdateItem with ReturnValues ALL_NEW."""

    attributes: Attributes = msgspec.field(name="Attributes")


class QueryReply(msgspec.Struct):
    """One page of Query."""

    items: list[Attributes] = msgspec.field(name="Items")
    last_key: Attributes | None = msgspec.field(name="LastEvaluatedKey", default=None)


_ITEM = msgspec.json.Decoder(ItemReply)
_UPDATE = msgspec.json.Decoder(UpdateReply)


def get_item(
    client: Caller, table: str, key: dict[str, str], *, consistent: bool, attributes: dict[str, str] | None = None
) -> Attributes | None:
    """One item by its string key, or None. `attributes` maps expression names to the attributes wanted."""
    request: dict[str, object] = {
        "TableName": table,
        "Key": {name: {"S": value} for name, value in key.items()},
        "ConsistentRead": consistent,
    }
    if attributes:
        request["ProjectionExpression"] = ",".join(attributes)
        request["ExpressionAttributeNames"] = attributes
    return _ITEM.decode(client.call("GetItem", ENCODE(request))).item


def update_item(client: Caller, request: dict[str, object]) -> Attributes:
    """The item after the update; `request` asks for ALL_NEW. Raises RefusedError as the client does."""
    return _UPDATE.decode(client.call("UpdateItem", ENCODE(request))).attributes
