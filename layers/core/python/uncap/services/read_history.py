"""Everything that ever happened to a code, and where it stands now. Called by `routes/console/lifecycle.py`; the trace
uses it too.

Reads: the batch and its acts per link of the chain, the movements, and one item of Scans per role.
"""

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from uncap.adapters.catalog import BatchView
from uncap.adapters.flow_rows import EveryMovement
from uncap.domain.association.ports import UnitRef, chain_of
from uncap.domain.audit import Act
from uncap.domain.catalog import Campaign
from uncap.domain.claims import decide_claim
from uncap.domain.codes.sscc import sscc_of
from uncap.domain.errors import InputError, NotFoundError
from uncap.domain.history import HistoryEvent, Thing, history_of
from uncap.domain.lifecycle import assignment_of, item_facts, recalls_of
from uncap.domain.scans import CodeRef
from uncap.domain.whereabouts import movements_on
from uncap.services.desk import Desk
from uncap.services.select_units import thing_of

_KEY = re.compile(r"([1-9][0-9]{0,7})\.([0-9]{1,9})(?:\.[0-5])?", re.ASCII)
CodeKey = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([1-9][0-9]{0,7}\.[0-9]{1,9}(\.[0-5])?|[0-9]{18})$(?!\n)",
        max_length=20,
        description="batch.index of a thing at any level, or an SSCC",
    ),
]


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code as it was scanned: its link, or an SSCC. Sent in a body, so that no log keeps it."""

    link: Annotated[str, msgspec.Meta(min_length=18, max_length=320)]


class CodeName(msgspec.Struct, frozen=True):
    """The thing behind a code, under the name that reveals no serial."""

    code: str
    batch_no: int
    index: int
    level: str


class CodeStatus(msgspec.Struct, frozen=True):
    """What a scan of each role says now: "claimable", or the reason why it would only be observed; "claimed" if so."""

    role: str
    says: str
    scans: int


class CodeHistory(msgspec.Struct, frozen=True):
    """`packed_in`: the packs it lies in now, nearest first, as batch.index."""

    code: str
    level: str
    sscc: str
    gtin: str
    lot: str
    market: str
    recalls: tuple[str, ...]
    packed_in: tuple[str, ...]
    status: list[CodeStatus]
    events: list[HistoryEvent]


def name_code(desk: Desk, given: Named) -> CodeName:
    """Raises CodeForgedError, NotFoundError (`sscc_unknown`), InputError (links' own)."""
    link = given.link.strip()
    if "/" not in link and not link.isdecimal():
        raise InputError("link_malformed", "give the whole link, or an SSCC", where="link")
    ref = thing_of(desk, link)
    return CodeName(f"{ref.batch_no}.{ref.index}", ref.batch_no, ref.index, desk.batch(ref.batch_no).batch.level)


def read_history(desk: Desk, code: str) -> CodeHistory:
    """Raises NotFoundError (`batch_unknown`, `code_unknown`, `sscc_unknown`), InputError (`sscc_…`)."""
    ref = ref_of(desk, code)
    view = desk.batch(ref.batch_no)
    batch = view.batch
    if ref.index >= batch.drawn:
        raise NotFoundError("code_unknown", f"batch {ref.batch_no} has {batch.size} codes", where="code")
    chain = chain_of(desk.association, ref)
    things = [_thing(desk, link, scans=link == ref) for link in chain]
    movements = movements_on(ref, desk.association, EveryMovement(lambda pk, prefix: _rows(desk, pk, prefix)))
    assigned = assignment_of(batch, ref.index)
    facts = item_facts(batch, ref.index)
    return CodeHistory(
        code=f"{ref.batch_no}.{ref.index}",
        level=batch.level,
        sscc=sscc_of(batch.sscc_first, ref.index) if batch.sscc_first else "",
        gtin=facts.gtin,
        lot=facts.lot,
        market=assigned.market if assigned else "",
        recalls=recalls_of(batch, ref.index),
        packed_in=tuple(f"{one.batch_no}.{one.index}" for one in chain[1:]),
        status=_status(desk, view, things[0]),
        events=history_of(things, movements),
    )


def ref_of(desk: Desk, code: str) -> UnitRef:
    """The thing behind batch.index, an SSCC or a link. Raises NotFoundError, CodeForgedError, InputError."""
    match = _KEY.fullmatch(code)
    return UnitRef(int(match[1]), int(match[2])) if match else thing_of(desk, code)


def _thing(desk: Desk, ref: UnitRef, *, scans: bool) -> Thing:
    batch = desk.batch(ref.batch_no).batch
    acts = [msgspec.json.decode(doc, type=Act) for _, doc in desk.catalog_docs.query(f"acts#{ref.batch_no}")]
    codes = [CodeRef(ref.batch_no, ref.index, role) for role in batch.roles] if scans else []
    images = desk.scan_ranges.images(codes, consistent=True) if codes else []
    return Thing(ref, batch.level, acts, images, desk.association.history_of(ref))


def _status(desk: Desk, view: BatchView, thing: Thing) -> list[CodeStatus]:
    batch, index, now_ms = view.batch, thing.ref.index, desk.clock_ms()
    release = view.release_of(index)
    campaign: Campaign | None = desk.catalog.campaign(release.campaign_id, now_ms) if release else None
    images = {image.ref.role: image for image in thing.scans}
    out = []
    for role in batch.roles:
        decision = decide_claim(batch, release, campaign, index, role, now_ms)
        image = images.get(role)
        first = image.first if image else None
        says = decision.reason or "claimable"
        if first is not None and says != "recalled":
            says = "claimed" if first.form == "claim" else (first.reason or "decommissioned")
        out.append(CodeStatus(role.name.lower(), says, image.count if image else 0))
    return out


def _rows(desk: Desk, pk: str, prefix: str) -> Iterator[tuple[str, str]]:
    after = ""
    while True:
        page = desk.flow.page(pk, prefix, 500, after)
        yield from page.rows
        after = page.after
        if not after:
            return
