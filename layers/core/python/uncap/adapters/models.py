"""The tables as PynamoDB models (docs/adr/0001), for every function off the scan path; `open_tables` binds their names.

All models share one connection with short time-outs: one client, one pool, whatever the number of tables.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import Attribute, BinaryAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.connection import Connection
from pynamodb.constants import NUMBER
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0
RETRIES = 3
POOL_CONNECTIONS = 32


class IntegerAttribute(Attribute[int]):
    """A whole number. PynamoDB's own NumberAttribute lets floats through; money and counts must not."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} takes whole numbers only")
        return str(value)

    def deserialize(self, value: Any) -> int:
        return int(value)


class CatalogItem(Model):
    """Products, batches, releases, campaigns, territories, epochs; `doc` is JSON of a value in domain/catalog.py."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    doc = UnicodeAttribute()
    v = IntegerAttribute(null=True)


class PartyItem(Model):
    """Parties, the channel tree, operators and the audit chain."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    doc = UnicodeAttribute()
    v = IntegerAttribute(null=True)


class FlowItem(Model):
    """Shipments, by batch range and by id; and the association, whose items carry packed columns in `body`."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    doc = UnicodeAttribute()
    v = IntegerAttribute(null=True)
    body = BinaryAttribute(legacy_encoding=False, null=True)


class DueIndex(GlobalSecondaryIndex["LedgerItem"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it untyped
    """Rewards that wait for something, by the time they are next looked at. Sparse: the attributes exist only then."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = IntegerAttribute(range_key=True)


class WaitingIndex(GlobalSecondaryIndex["LedgerItem"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it untyped
    """Open rewards that stand still, by state, campaign and time (`reward_lists.py`). Sparse."""

    class Meta:
        index_name = "waiting"
        projection = KeysOnlyProjection()

    wait_shard = UnicodeAttribute(hash_key=True)
    wait_key = UnicodeAttribute(range_key=True)


class OwnerIndex(GlobalSecondaryIndex["LedgerItem"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it untyped
    """What somebody has, by time (`owner_lists.py`). Sparse."""

    class Meta:
        index_name = "owner"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)
    owner_at = IntegerAttribute(range_key=True)


class LedgerItem(Model):
    """`reward#`, `entry#`, `case#` and `cursor#` items; see docs/adr/0001 for what each carries."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    doc = UnicodeAttribute()
    st = UnicodeAttribute(null=True)
    rev = IntegerAttribute(null=True)
    att = IntegerAttribute(null=True)
    granted = UnicodeAttribute(null=True)
    settled = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = IntegerAttribute(null=True)
    n = IntegerAttribute(null=True)  # hold# items: how many rewards hold the place
    wait_shard = UnicodeAttribute(null=True)
    wait_key = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    owner_at = IntegerAttribute(null=True)
    due = DueIndex()
    waiting = WaitingIndex()
    by_owner = OwnerIndex()


class InsightItem(Model):
    """Read models and diversion evidence; `n` counts, `ttl` lets de-duplication marks go (seconds)."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    doc = UnicodeAttribute(null=True)
    n = IntegerAttribute(null=True)
    v = IntegerAttribute(null=True)
    ttl = IntegerAttribute(null=True)


class ScanItem(Model):
    """A scanned code: first mark, last mark, number of writes (marks as text, adapters/scan_items.py)."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    f = UnicodeAttribute(null=True)
    l = UnicodeAttribute(null=True)  # noqa: E741  # the stored name (domain/scans.py)
    n = IntegerAttribute(null=True)


class LimitItem(Model):
    """A person's claims in a campaign, per day or in all."""

    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    n = IntegerAttribute(null=True)
    ids = UnicodeSetAttribute(null=True)
    ttl = IntegerAttribute(null=True)


def open_tables(names: Mapping[type[Model], str]) -> Connection:
    """Bind each model to its table over one new shared connection, and return that. Region and endpoint: botocore's.

    Binding again replaces the earlier binding; a process speaks to one deployment.
    """
    connection = Connection(
        connect_timeout_seconds=CONNECT_TIMEOUT_S,
        read_timeout_seconds=READ_TIMEOUT_S,
        max_retry_attempts=RETRIES,
        max_pool_connections=POOL_CONNECTIONS,
    )
    for model, name in names.items():
        model.Meta.table_name = name
        model._connection = None
        table = model._get_connection()
        connection.add_meta_table(table.get_meta_table())
        table.connection = connection  # PynamoDB would make one client per model
    return connection
