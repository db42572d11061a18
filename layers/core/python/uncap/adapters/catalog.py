"""The Catalog as values, cached in the container with a bounded age. Every function reads the catalog through this.

The source is whatever can get and query documents: the scan path's wire client or PynamoDB (`CatalogSource`).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from uncap.domain.catalog import Campaign, CodeBatch, Product, Release, Territory
from uncap.domain.diversion.holds import DiversionHold
from uncap.domain.errors import NotFoundError

ValueT = TypeVar("ValueT")
_CACHE_ENTRIES = 4_096


class CatalogSource(Protocol):
    """Reads catalog documents; `doc` is the JSON text of a value in domain/catalog.py."""

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        """The document, or None."""

    def query(self, pk: str, *, consistent: bool = False) -> Sequence[tuple[str, str]]:
        """All (sk, doc) under pk, in order of sk."""


class BatchView(msgspec.Struct, frozen=True):
    """A batch together with its releases, and the diversion cases that stop the channel's money on its goods."""

    batch: CodeBatch
    releases: tuple[Release, ...]
    diversions: tuple[DiversionHold, ...] = ()

    def release_of(self, index: int) -> Release | None:
        """The release that contains this index, activated or not."""
        for release in self.releases:
            if release.start <= index < release.stop:
                return release
        return None


class Catalog:
    """Values by id; each answer is at most `max_age_ms` old. `fresh=True` reads through, strongly consistent.

    Absence is cached too, for the same time. Bounded: at the limit the cache is emptied, which costs one read per key.
    """

    def __init__(self, source: CatalogSource, clock_ms: Callable[[], int], max_age_ms: int) -> None:
        self._source = source
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._cache: dict[tuple[str, str], tuple[int, object]] = {}
        self._lock = threading.Lock()

    def product(self, gtin: str, *, fresh: bool = False) -> Product | None:
        """The product with this GTIN-14, or None."""
        return self._cached(("product", gtin), lambda: self._document(f"product#{gtin}", "meta", Product, fresh), fresh)

    def batch(self, batch_no: int, *, fresh: bool = False) -> BatchView | None:
        """The batch and its releases, or None."""
        return self._cached(("batch", str(batch_no)), lambda: self._read_batch(batch_no, fresh), fresh)

    def campaign_versions(self, campaign_id: str, *, fresh: bool = False) -> tuple[Campaign, ...]:
        """Every version, oldest first; empty if there is no such campaign."""
        found = self._cached(("campaign", campaign_id), lambda: self._read_campaign(campaign_id, fresh), fresh)
        return found or ()

    def campaign(self, campaign_id: str, at_ms: int, *, fresh: bool = False) -> Campaign | None:
        """The version that decides at `at_ms`; before the first takes effect, the first."""
        versions = self.campaign_versions(campaign_id, fresh=fresh)
        deciding = [version for version in versions if version.effective_at_ms <= at_ms]
        return deciding[-1] if deciding else (versions[0] if versions else None)

    def campaign_version(self, campaign_id: str, version: int) -> Campaign:
        """One immutable version. Raises NotFoundError (`campaign_unknown`)."""
        for fresh in (False, True):
            for found in self.campaign_versions(campaign_id, fresh=fresh):
                if found.version == version:
                    return found
        raise NotFoundError("campaign_unknown", f"no version {version} of campaign {campaign_id}", where="campaign")

    def territories(self, *, fresh: bool = False) -> tuple[Territory, ...]:
        """Every distributor's territory."""
        return self._cached(("territories", ""), lambda: self._read_territories(fresh), fresh) or ()

    def allowances(self, *, fresh: bool = False) -> Sequence[tuple[str, str]]:
        """What the brand allows in diversion, as stored: (sk, doc) of `diversion` (domain/diversion/allowances.py)."""
        return (
            self._cached(("diversion", ""), lambda: tuple(self._source.query("diversion", consistent=fresh)), fresh)
            or ()
        )

    def listed(self, pk: str) -> Sequence[tuple[str, str]]:
        """All (sk, doc) under `pk` as stored: short lists whose types the scan path must not load."""
        return self._cached(("listed", pk), lambda: tuple(self._source.query(pk)), fresh=False) or ()

    def pallet_runs(self) -> Sequence[str]:
        """Every run of pallet numbers as stored (adapters/pallet_numbers.py)."""

        def read() -> tuple[str, ...]:
            return tuple(doc for sk, doc in self._source.query("sscc") if sk.startswith("run#"))

        return self._cached(("sscc", ""), read, fresh=False) or ()

    def epoch_state(self, epoch: int, *, fresh: bool = False) -> str:
        """minting | verifying | compromised; "minting" where the console has recorded nothing."""
        return self._cached(("epoch", str(epoch)), lambda: self._read_epoch(epoch, fresh), fresh) or "minting"

    def _read_batch(self, batch_no: int, fresh: bool) -> BatchView | None:
        batch: CodeBatch | None = None
        releases: list[Release] = []
        diversions: list[DiversionHold] = []
        for sk, doc in self._source.query(f"batch#{batch_no}", consistent=fresh):
            if sk == "meta":
                batch = msgspec.json.decode(doc, type=CodeBatch)
            elif sk.startswith("release#"):
                releases.append(msgspec.json.decode(doc, type=Release))
            elif sk.startswith("diversion#"):
                diversions.append(msgspec.json.decode(doc, type=DiversionHold))
        return BatchView(batch, tuple(releases), tuple(diversions)) if batch else None

    def _read_campaign(self, campaign_id: str, fresh: bool) -> tuple[Campaign, ...]:
        rows = self._source.query(f"campaign#{campaign_id}", consistent=fresh)
        return tuple(msgspec.json.decode(doc, type=Campaign) for _, doc in rows)

    def _read_territories(self, fresh: bool) -> tuple[Territory, ...]:
        rows = self._source.query("territories", consistent=fresh)
        return tuple(msgspec.json.decode(doc, type=Territory) for _, doc in rows)

    def _read_epoch(self, epoch: int, fresh: bool) -> str | None:
        doc = self._source.get(f"epoch#{epoch}", "meta", consistent=fresh)
        return str(msgspec.json.decode(doc)["state"]) if doc else None

    def _document(self, pk: str, sk: str, kind: type[ValueT], fresh: bool) -> ValueT | None:
        doc = self._source.get(pk, sk, consistent=fresh)
        return msgspec.json.decode(doc, type=kind) if doc else None

    def _cached(self, key: tuple[str, str], read: Callable[[], ValueT | None], fresh: bool) -> ValueT | None:
        now = self._clock_ms()
        entry = self._cache.get(key)
        if entry and not fresh and now - entry[0] < self._max_age_ms:
            return entry[1]  # type: ignore[return-value]  # the key's first part fixes the type
        value = read()
        with self._lock:
            if len(self._cache) >= _CACHE_ENTRIES:
                self._cache.clear()
            self._cache[key] = (now, value)
        return value
