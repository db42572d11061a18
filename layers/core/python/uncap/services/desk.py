"""What an operator's use case works with: the console's adapters in one parameter, and who is asking.

Wired once by `runtime/wiring_console.py`, handed by the routes to every console service.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec

from uncap.adapters.account_books import AccountBooks
from uncap.adapters.account_months import AccountMonths
from uncap.adapters.association import StoredAssociation
from uncap.adapters.audited_writes import AuditedWrites, DocWrite
from uncap.adapters.catalog import BatchView, Catalog
from uncap.adapters.claim_records import ClaimRecords
from uncap.adapters.documents import DocumentTable
from uncap.adapters.event_store import EventStore
from uncap.adapters.insights import Insights
from uncap.adapters.money_cases import MoneyCases
from uncap.adapters.replenishments import Replenishments
from uncap.adapters.reward_lists import RewardLists
from uncap.adapters.scan_ranges import ScanRanges
from uncap.adapters.scan_tombstones import ScanTombstones
from uncap.adapters.tax_payments import TaxPayments
from uncap.adapters.uploads import IntakeQueue, UploadStore, UploadTable
from uncap.domain.association.ports import AssociationReader, UnitSpan
from uncap.domain.audit import AuditDraft
from uncap.domain.catalog import Campaign, Party, Product
from uncap.domain.codes.scheme import Keyring
from uncap.domain.errors import NotFoundError
from uncap.domain.rewards.ports import LedgerStore, RewardQueue
from uncap.services.alert_desk import AlertDesk
from uncap.services.event_acts import MakeActs

ValueT = TypeVar("ValueT")

CLOCK_SKEW_MS = 5_000
"""How far two containers' clocks may be apart; a new campaign version waits this long beyond the cache's age."""

# `$` alone would let a trailing newline pass in Python.
ID_PATTERN = r"^[A-Za-z0-9_-]{1,40}$(?!\n)"
Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN, max_length=40, description="Letters, digits, _ and -")]
Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=300, description="Why; kept in the audit trail")]
BatchNo = Annotated[int, msgspec.Meta(ge=1, lt=1 << 24)]
Index = Annotated[int, msgspec.Meta(ge=0, lt=1 << 28)]
Stop = Annotated[int, msgspec.Meta(ge=1, le=1 << 28)]
TimeMs = Annotated[int, msgspec.Meta(ge=1_500_000_000_000, le=4_102_444_800_000, description="Epoch milliseconds")]
Words = Annotated[
    dict[
        Annotated[str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$(?!\n)", max_length=5)],
        Annotated[str, msgspec.Meta(min_length=1, max_length=4000)],
    ],
    msgspec.Meta(min_length=1, max_length=10, description="One text in several languages"),
]


class Actor(msgspec.Struct, frozen=True):
    """The signed-in operator."""

    login: str
    role: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The console's collaborators. Secrets are reached through callables and read on first use.

    `packing` makes a reader for one act that walks over many packs: it reads each thing once, as of then.
    """

    catalog: Catalog
    catalog_docs: DocumentTable
    parties: DocumentTable
    flow: DocumentTable
    writes: AuditedWrites
    ledger: LedgerStore
    reward_lists: RewardLists
    reward_queue: Callable[[], RewardQueue]
    uploads: UploadTable
    upload_store: Callable[[], UploadStore]
    intake_queue: Callable[[], IntakeQueue]
    event_store: Callable[[], EventStore]
    insights: Insights
    tombstones: ScanTombstones
    scan_ranges: ScanRanges
    claim_records: ClaimRecords
    association: StoredAssociation
    packing: Callable[[], AssociationReader]
    clock_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    next_batch_no: Callable[[], int]
    keyring: Callable[[], Keyring] = field(repr=False)
    operator_keys: Callable[[], tuple[str, Mapping[str, bytes]]] = field(repr=False)
    draw_master: Callable[[], bytes] = field(repr=False)
    alerts: AlertDesk = field(kw_only=True)
    replenishments: Callable[[], Replenishments] = field(kw_only=True)
    address_key: Callable[[], bytes] = field(kw_only=True, repr=False)
    event_goods: MakeActs = field(kw_only=True)
    link_base: str = ""
    cache_age_ms: int = 5_000
    accounts: AccountBooks = field(default_factory=AccountBooks)
    months: AccountMonths = field(default_factory=AccountMonths)
    taxes: TaxPayments = field(default_factory=TaxPayments)
    money_cases: MoneyCases = field(default_factory=MoneyCases)

    def product(self, gtin: str) -> Product:
        """Raises NotFoundError (`product_unknown`)."""
        return found(self.catalog.product(gtin, fresh=True), "product_unknown", f"there is no product {gtin}", "gtin")

    def batch(self, batch_no: int) -> BatchView:
        """Raises NotFoundError (`batch_unknown`)."""
        view = self.catalog.batch(batch_no, fresh=True)
        return found(view, "batch_unknown", f"there is no batch {batch_no}", "batch_no")

    def party(self, party_id: str, where: str = "party_id") -> Party:
        """Raises NotFoundError (`party_unknown`) that names the field `where`."""
        party = self.parties.value(f"party#{party_id}", "meta", Party)
        return found(party, "party_unknown", f"there is no party {party_id}", where)

    def party_or_none(self, party_id: str) -> Party | None:
        """The party, None where there is none: the tree is walked with it."""
        return self.parties.value(f"party#{party_id}", "meta", Party)

    def campaign_versions(self, campaign_id: str) -> tuple[Campaign, ...]:
        """Oldest first. Raises NotFoundError (`campaign_unknown`)."""
        versions = self.catalog.campaign_versions(campaign_id, fresh=True)
        return found(versions or None, "campaign_unknown", f"there is no campaign {campaign_id}", "campaign_id")

    def audit(self, actor: Actor, action: str, target: str, about: Sequence[UnitSpan] = (), **summary: str) -> None:
        """An entry without a change: a download, a request that was only looked at."""
        self.writes.commit([], draft(actor, action, target, about=about, **summary))


def draft(
    actor: Actor,
    action: str,
    target: str,
    *,
    reason: str = "",
    before: str = "",
    after: str = "",
    about: Sequence[UnitSpan] = (),
) -> AuditDraft:
    """An audit entry in the making; `before` and `after` are short summaries, never secrets or serials.

    `about`: the units it happens to, whose history it joins (`services/read_history.py`).
    """
    return AuditDraft(actor.login, actor.role, action, target, reason, before, after, tuple(about))


def found(value: ValueT | None, code: str, message: str, where: str) -> ValueT:
    """`value`, or NotFoundError with this code."""
    if value is None:
        raise NotFoundError(code, message, where=where)
    return value


def catalog_write(pk: str, sk: str, doc: str, version: int, conflict: str = "changed_meanwhile") -> DocWrite:
    """A conditional put into the Catalog table."""
    return DocWrite("catalog", pk, sk, doc, version, conflict)
