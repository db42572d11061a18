"""What DynamoDB's refusals mean to us: a failed condition is a ConflictError, everything else may be tried again."""

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from uncap.domain.errors import ConflictError, TransientError

CONDITION_FAILED = "ConditionalCheckFailedException"


@contextmanager
def translated(conflict: str = "condition_failed") -> Iterator[None]:
    """ConflictError with code `conflict` for a failed condition, TransientError (`table_unavailable`) otherwise.

    After a time-out nobody knows whether the write happened; callers read again, and every write here is conditional.
    """
    try:
        yield
    except DoesNotExist:
        raise  # an answer, not a fault; PynamoDB derives it from the same base
    except PynamoDBException as cause:
        code = response_code(cause)
        if code == CONDITION_FAILED:
            raise ConflictError(conflict, "the item is not in the state this write expects") from cause
        raise TransientError("table_unavailable", f"the table did not answer ({code or 'no reply'})") from cause


def response_code(cause: PynamoDBException) -> str:
    """DynamoDB's own code for the refusal, "" if no reply came.

    PynamoDB's `cause_response_code` fails with AttributeError on a time-out: botocore's carries `response = None`.
    """
    response = getattr(cause.cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
