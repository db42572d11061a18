"""A scan as DynamoDB attributes and back: `pk` S, `f` and `l` S (JSON text of a Mark), `n` N.

The one codec for the Scans table: written by `adapters/scans_wire.py`, read by whoever consumes its stream or pages.
Text rather than a map: smaller, one decode, and `f` stays a leaf that stream filters can test for existence.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from uncap.domain.errors import PoisonError
from uncap.domain.scans import Mark, ScanImage

_ENCODER = msgspec.json.Encoder()
_MARK = msgspec.json.Decoder(Mark)


def mark_text(mark: Mark) -> str:
    """The JSON text of a mark, defaults left out."""
    return _ENCODER.encode(mark).decode()


def mark_of(text: str) -> Mark:
    """Inverse of `mark_text`. Raises msgspec.ValidationError or DecodeError."""
    return _MARK.decode(text)


def image_of(attributes: Mapping[str, Mapping[str, Any]]) -> ScanImage:
    """A typed image from low-level attributes ({"pk": {"S": …}, …}). Raises PoisonError (`scan_image_malformed`)."""
    try:
        first = attributes.get("f")
        return ScanImage(
            pk=attributes["pk"]["S"],
            last=_MARK.decode(attributes["l"]["S"]),
            count=int(attributes["n"]["N"]),
            first=_MARK.decode(first["S"]) if first else None,
        )
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as cause:
        raise PoisonError("scan_image_malformed", "the image is not a scan", where="image") from cause
