"""From a GTIN and a serial to the code, its batch and its release. Used by `claim_code` and `view_code`.

A serial nobody issued costs no read at all: only one that decrypts leads to the (cached) catalog.
"""

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import Campaign, CodeBatch, Release, Role
from uncap.domain.codes.canaries import stands_at
from uncap.domain.codes.scheme import Keyring
from uncap.domain.errors import CodeForgedError
from uncap.domain.scans import CodeRef

# Every role, whatever the product carries: to ask the catalog first would let strangers' GTINs cost reads. Money is on
# the inner codes, so these come first.
_ROLES = (Role.CAP_INNER, Role.CAP_OUTER, Role.CASE_INNER, Role.CASE_OUTER, Role.BOX_INNER, Role.BOX_OUTER)


class IssuedCode(msgspec.Struct, frozen=True):
    """A code we issued. `campaign` is the version that decides now, None where its release names none.

    `index` is where in the batch it stands: `ref.index`, or for a canary the place it pretends to (ADR 0018). What is
    decided or said about a code goes by `index`, what is recorded by `ref`.
    """

    ref: CodeRef
    gtin: str
    serial: str
    batch: CodeBatch
    release: Release | None
    campaign: Campaign | None
    index: int


def find_code(keyring: Keyring, catalog: Catalog, gtin: str, serial: str, now_ms: int) -> IssuedCode:
    """The code behind `serial`; `gtin` has 14 digits. Raises CodeForgedError, which never says why.

    A code's epoch must be its batch's: a leaked key of one epoch mints nothing for the batches of another.
    """
    found = keyring.identify(gtin, serial, _ROLES)
    if found is None:
        raise CodeForgedError
    view = catalog.batch(found.ref.batch_no)
    if view is None or not _issued(view.batch, gtin, found.ref, found.epoch):
        raise CodeForgedError
    index = stands_at(view.batch, found.ref, keyring)
    release = view.release_of(index)
    campaign = catalog.campaign(release.campaign_id, now_ms) if release and release.campaign_id else None
    return IssuedCode(found.ref, gtin, serial, view.batch, release, campaign, index)


def _issued(batch: CodeBatch, gtin: str, ref: CodeRef, epoch: int) -> bool:
    return batch.gtin == gtin and ref.role in batch.roles and ref.index < batch.drawn and epoch == batch.epoch
