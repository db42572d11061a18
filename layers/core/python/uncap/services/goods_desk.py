"""What recording movements needs: a part of the console's desk, which the intake job has too. Used by both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from uncap.adapters.audited_writes import AuditedWrites
from uncap.adapters.catalog import BatchView, Catalog
from uncap.adapters.documents import DocumentTable
from uncap.domain.association.ports import AssociationReader
from uncap.domain.catalog import Party
from uncap.domain.codes.scheme import Keyring
from uncap.services.desk import found


class GoodsDesk(Protocol):
    """Kept by `services.desk.Desk` and by `PaperDesk`."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def catalog_docs(self) -> DocumentTable: ...

    @property
    def parties(self) -> DocumentTable: ...

    @property
    def flow(self) -> DocumentTable: ...

    @property
    def writes(self) -> AuditedWrites: ...

    @property
    def association(self) -> AssociationReader: ...

    @property
    def clock_ms(self) -> Callable[[], int]: ...

    @property
    def keyring(self) -> Callable[[], Keyring]: ...

    def batch(self, batch_no: int) -> BatchView:
        """Raises NotFoundError (`batch_unknown`)."""
        ...

    def party(self, party_id: str, where: str = "party_id") -> Party:
        """Raises NotFoundError (`party_unknown`) that names the field `where`."""
        ...


@dataclass(frozen=True, slots=True)
class PaperDesk:
    """The desk of files of movements. What a file names is read once in a while: batches and parties do not change
    while it is read; movements always are."""

    catalog: Catalog
    catalog_docs: DocumentTable
    parties: DocumentTable
    flow: DocumentTable
    writes: AuditedWrites
    association: AssociationReader
    clock_ms: Callable[[], int]
    party_of: Callable[[str], Party | None]
    keyring: Callable[[], Keyring] = field(repr=False)

    def batch(self, batch_no: int) -> BatchView:
        """See `GoodsDesk`."""
        return found(self.catalog.batch(batch_no), "batch_unknown", f"there is no batch {batch_no}", "batch_no")

    def party(self, party_id: str, where: str = "party_id") -> Party:
        """See `GoodsDesk`."""
        return found(self.party_of(party_id), "party_unknown", f"there is no party {party_id}", where)
