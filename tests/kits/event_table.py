"""The Events table in memory: DynamoDB's answers to what `adapters/event_store.py` asks, for tests and benchmarks."""

import bisect
import json
from collections import defaultdict
from typing import Any

from uncap.adapters.wire.client import RefusedError


class MemoryTable:
    """`adapters.wire.dynamodb.Caller` over sorted lists. `refuse_next` batch writes come back unprocessed."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self._sorted: dict[str, list[str]] = defaultdict(list)
        self.requests: list[str] = []
        self.refuse_next = 0
        self.fail_after = -1
        self._answers = {
            "PutItem": self._put_item,
            "GetItem": self._get_item,
            "DeleteItem": self._delete_item,
            "BatchWriteItem": self._batch_write_item,
            "BatchGetItem": self._batch_get_item,
            "Query": self._query,
        }

    def call(self, operation: str, body: bytes) -> bytes:
        """One operation."""
        self.requests.append(operation)
        answer = self._answers[operation](json.loads(body))
        return json.dumps(answer).encode()

    def put(self, item: dict[str, Any]) -> None:
        """Puts one item."""
        key = (item["pk"]["S"], item["sk"]["S"])
        if key not in self.items:
            bisect.insort(self._sorted[key[0]], key[1])
        self.items[key] = item

    def _put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        item = request["Item"]
        if "ConditionExpression" in request and (item["pk"]["S"], item["sk"]["S"]) in self.items:
            raise RefusedError("PutItem", "ConditionalCheckFailedException", "exists", b"{}")
        self.put(item)
        return {}

    def _get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self.items.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))
        return {"Item": found} if found else {}

    def _delete_item(self, request: dict[str, Any]) -> dict[str, Any]:
        key = (request["Key"]["pk"]["S"], request["Key"]["sk"]["S"])
        if self.items.pop(key, None):
            self._sorted[key[0]].remove(key[1])
        return {}

    def _batch_write_item(self, request: dict[str, Any]) -> dict[str, Any]:
        [(table, writes)] = request["RequestItems"].items()
        assert 0 < len(writes) <= 25
        assert len(
            {(one["PutRequest"]["Item"]["pk"]["S"], one["PutRequest"]["Item"]["sk"]["S"]) for one in writes}
        ) == len(writes), "DynamoDB refuses a batch that names one item twice"
        if self.fail_after >= 0 and self.requests.count("BatchWriteItem") > self.fail_after:
            raise RefusedError("BatchWriteItem", "ProvisionedThroughputExceededException", "slow down", b"{}")
        if self.refuse_next:
            self.refuse_next -= 1
            return {"UnprocessedItems": {table: writes}}
        for one in writes:
            self.put(one["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _batch_get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        [(table, asked)] = request["RequestItems"].items()
        assert 0 < len(asked["Keys"]) <= 100
        found = [self.items.get((key["pk"]["S"], key["sk"]["S"])) for key in asked["Keys"]]
        return {"Responses": {table: [item for item in found if item]}, "UnprocessedKeys": {}}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        values = {name: one["S"] for name, one in request["ExpressionAttributeValues"].items()}
        assert values[":l"] <= values[":h"], "DynamoDB refuses an empty range"
        held = self._sorted.get(values[":p"], [])
        span = held[bisect.bisect_left(held, values[":l"]) : bisect.bisect_right(held, values[":h"])]
        if not request["ScanIndexForward"]:
            span = span[::-1]
        page = [self.items[values[":p"], sk] for sk in span[: request["Limit"]]]
        answer: dict[str, Any] = {"Items": page}
        if len(span) >= request["Limit"]:
            answer["LastEvaluatedKey"] = {"pk": {"S": values[":p"]}, "sk": page[-1]["sk"]}
        return answer
