"""The counter that numbers code batches. Used by `services/create_batch.py` through the desk."""

from pynamodb.exceptions import PynamoDBException

from uncap.adapters.models import CatalogItem
from uncap.domain.codes.scheme import BATCH_LIMIT
from uncap.domain.errors import ConflictError, TransientError


def next_batch_no() -> int:
    """The counter's next number; one taken by hand may come again, the caller then draws once more.

    Raises ConflictError (`batch_numbers_exhausted`), TransientError.
    """
    counter = CatalogItem("index", "counter#batch")
    try:
        counter.update(actions=[CatalogItem.v.add(1)])
    except PynamoDBException as cause:
        raise TransientError("table_unavailable", "no batch number could be drawn") from cause
    number = counter.v or 0
    if not 1 <= number < BATCH_LIMIT:
        raise ConflictError("batch_numbers_exhausted", "all batch numbers have been used")
    return number
