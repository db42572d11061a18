"""Rule sets in the Catalog: parts named by their content, compiled once and kept. Used by relay, reconcile and console.

`rules#{digest}` / `meta` holds a part as base64 of its compressed JSON: ten thousand rules are ten items of some 30 KB.
The scan path never reads them.
"""

import base64
import binascii
import hashlib
import threading
import zlib

import msgspec

from uncap.adapters.catalog import CatalogSource
from uncap.domain.campaigns.index import EMPTY, RuleIndex
from uncap.domain.campaigns.reference import RuleSetRef
from uncap.domain.campaigns.rules import RulePart, joined
from uncap.domain.errors import ConflictError, InputError, PoisonError

MAX_PART_BYTES = 300_000
"""Of the stored text; an item takes 400 KB."""
_MAX_JSON_BYTES = 32 * 1024 * 1024
_DIGEST_LENGTH = 32
_KEPT = 8
_ENCODER = msgspec.json.Encoder(order="deterministic")


class CachedRuleSets:
    """`RuleSets` over the Catalog. The last few sets stay compiled; they are named by content and so never grow old."""

    def __init__(self, source: CatalogSource) -> None:
        self._source = source
        self._known: dict[tuple[str, ...], RuleIndex] = {}
        self._lock = threading.Lock()

    def index_of(self, reference: RuleSetRef) -> RuleIndex:
        """See `RuleSets`."""
        if not reference:
            return EMPTY
        known = self._known.get(reference.parts)
        if known is None:
            with self._lock:
                known = self._known.get(reference.parts) or RuleIndex(self.rules_of(reference))
                if len(self._known) >= _KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[reference.parts] = known
        return known

    def rules_of(self, reference: RuleSetRef) -> RulePart:
        """All parts together. Raises ConflictError (`rules_missing`)."""
        return joined(tuple(self.part(digest) for digest in reference.parts))

    def part(self, digest: str) -> RulePart:
        """One part. Raises ConflictError (`rules_missing`), PoisonError (`rules_malformed`)."""
        doc = self._source.get(f"rules#{digest}", "meta")
        if doc is None:
            raise ConflictError("rules_missing", f"no rules are stored as {digest}", where="rule_parts")
        return unpacked(doc)


def packed(part: RulePart) -> tuple[str, str]:
    """(digest, stored text). Raises InputError (`rules_too_large`)."""
    plain = _ENCODER.encode(part)
    text = base64.b64encode(zlib.compress(plain, 6)).decode()
    if len(text) > MAX_PART_BYTES:
        raise InputError("rules_too_large", "give these rules in smaller parts", where="rule_set")
    return hashlib.sha256(plain).hexdigest()[:_DIGEST_LENGTH], text


def unpacked(text: str) -> RulePart:
    """Inverse of `packed`. Raises PoisonError (`rules_malformed`)."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(base64.b64decode(text, validate=True), _MAX_JSON_BYTES)
        return msgspec.json.decode(plain, type=RulePart)
    except (binascii.Error, zlib.error, msgspec.MsgspecError) as cause:
        raise PoisonError("rules_malformed", "stored rules do not read as rules") from cause
