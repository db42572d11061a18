"""Codes that ring when they are scanned: they lie in an export's file, are never printed and never win (ADR 0018).

Their indices follow the batch's own, so that nothing else in uncap knows of them. Each pretends to stand where a keyed
draw puts it among the order's codes: its line in the file is there, and whoever looks it up is told what a code there
would be told. The scan path, the console and the projector use this module; it imports nothing heavy.
"""

from uncap.domain.catalog import CanaryRun, CodeBatch
from uncap.domain.codes.ff1 import SerialCipher
from uncap.domain.codes.scheme import INDEX_BITS, TAG_BITS, Keyring
from uncap.domain.scans import CodeRef

MAX_PER_ORDER = 100
MAX_RUNS = 40
"""Orders of one batch that carry canaries: the list rides in the batch, which the scan path reads."""
_DOMAIN = 1
"""In place of the zero tag: no printed serial has it, so that a place says nothing about any serial."""


def run_of(batch: CodeBatch, index: int) -> CanaryRun | None:
    """The order whose canary this index is; None for a code of the batch itself and for one never drawn."""
    first = batch.size
    for run in batch.canaries:
        if first <= index < first + run.count:
            return run
        first += run.count
    return None


def indices_of(batch: CodeBatch, order: str) -> range:
    """The indices drawn for this order; empty if it has none."""
    first = batch.size
    for run in batch.canaries:
        if run.order == order:
            return range(first, first + run.count)
        first += run.count
    return range(0)


def place(cipher: SerialCipher, batch_no: int, index: int, run: CanaryRun) -> int:
    """Where in the order's range the canary pretends to stand: `run.start <= place < run.stop`, even over the range.

    `cipher` is that of the role the order is for; whoever lacks the key cannot tell one place from another.
    """
    drawn = cipher.encrypt((batch_no << INDEX_BITS | index) << TAG_BITS | _DOMAIN)
    return run.start + drawn % (run.stop - run.start)


def stands_at(batch: CodeBatch, ref: CodeRef, keyring: Keyring) -> int:
    """The index to judge a code by: its own, or for a canary its pretended place."""
    run = run_of(batch, ref.index)
    if run is None:
        return ref.index
    return place(keyring.key(batch.epoch, batch.gtin, ref.role).cipher(), batch.batch_no, ref.index, run)


def placed(batch: CodeBatch, order: str, cipher: SerialCipher) -> list[tuple[int, int]]:
    """(place, index) of every canary of this order, in the order of their lines: each is written before its place."""
    found = indices_of(batch, order)
    if not found:
        return []
    run = next(one for one in batch.canaries if one.order == order)
    return sorted((place(cipher, batch.batch_no, index, run), index) for index in found)
