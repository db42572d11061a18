"""Bounded pages over listings, with opaque cursors. Used by every list of the console."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

import msgspec

from uncap.adapters.documents import DocumentTable
from uncap.domain.errors import InputError

ItemT = TypeVar("ItemT")
MAX_PAGE = 200

Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)]
Cursor = Annotated[str, msgspec.Meta(max_length=400)]


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` entries from `cursor` on (the `next` of the page before)."""

    count: Count = 50
    cursor: Cursor = ""


class Listing(msgspec.Struct, Generic[ItemT], frozen=True):
    """One page; `next` is the cursor of the following one, "" at the end."""

    items: list[ItemT]
    next: str


def list_entries(
    table: DocumentTable,
    pk: str,
    prefix: str,
    kind: type[ItemT],
    page: PageQuery,
    *,
    newest_first: bool = False,
) -> Listing[ItemT]:
    """Documents under `pk` whose sk begins with `prefix`. Raises InputError (`cursor_malformed`)."""
    after = read_cursor(page.cursor, prefix)
    found = table.page(pk, prefix, page.count, after, newest_first=newest_first)
    return Listing(found.values(kind), cursor_of(found.after))


def cursor_of(key: str) -> str:
    """A sort key as a cursor; "" stays ""."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def read_cursor(cursor: str, prefix: str) -> str:
    """The sort key in a cursor. Raises InputError (`cursor_malformed`) if it is not one of this listing's."""
    if not cursor:
        return ""
    try:
        raw = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = base64.b64decode(raw, altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error) as cause:
        raise InputError("cursor_malformed", "this cursor is not ours", where="cursor") from cause
    if not key.startswith(prefix) or len(key) == len(prefix):
        raise InputError("cursor_malformed", "this cursor belongs to another listing", where="cursor")
    return key
