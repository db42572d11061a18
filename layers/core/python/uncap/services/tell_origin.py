"""What anyone with a product in hand may know: lot, dates, recall, and its way as finely as the brand allows.

Called by `routes/about_page.py`. The setting is the product's (`Product.origin`); outlets, staff and papers never show.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from uncap.adapters.catalog import Catalog
from uncap.adapters.flow import DynamoFlow
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Party, Text
from uncap.domain.channel import upwards
from uncap.domain.codes.scheme import Keyring
from uncap.domain.days import day_of
from uncap.domain.lifecycle import is_recalled, item_facts, notice_of
from uncap.domain.movements import Story
from uncap.services.find_code import IssuedCode, find_code
from webui.about_page import AboutView, WayStep

NONE, REGION, DISTRIBUTOR = "none", "region", "distributor"
_DISTRIBUTORS = frozenset({"distributor", "sub_distributor"})


@dataclass(frozen=True, slots=True)
class OriginDesk:
    """What telling the origin needs from outside. Parties and catalog are as old as their caches allow."""

    catalog: Catalog
    flow: DynamoFlow
    party_of: Callable[[str], Party | None]
    zone: tzinfo
    clock_ms: Callable[[], int]
    keyring: Callable[[], Keyring] = field(repr=False)


def tell_origin(desk: OriginDesk, gtin: str, serial: str) -> AboutView:
    """`gtin` has 14 digits. Raises CodeForgedError, TransientError."""
    code = find_code(desk.keyring(), desk.catalog, gtin, serial, desk.clock_ms())
    facts = item_facts(code.batch, code.index)
    product = desk.catalog.product(facts.gtin or code.gtin)
    return AboutView(
        issued=True,
        gtin=facts.gtin or code.gtin,
        path=f"/about/{code.gtin}/{code.serial}",
        back=f"/01/{code.gtin}/21/{code.serial}",
        product=product.name if product else {},
        lot=facts.lot,
        produced_on=facts.produced_on,
        best_before=facts.best_before,
        recalled=is_recalled(code.batch, code.index),
        notice=notice_of(code.batch, code.index),
        way=_way(desk, code, product.origin if product else NONE),
    )


def _way(desk: OriginDesk, code: IssuedCode, origin: str) -> tuple[WayStep, ...]:
    if origin == NONE:
        return ()
    index = code.release.drawn_as(code.index) if code.release else code.index
    story = desk.flow.story_of(UnitRef(code.ref.batch_no, index))
    return way_of(desk, story, origin)


def way_of(desk: OriginDesk, story: Story, origin: str) -> tuple[WayStep, ...]:
    """The legs a brand shows: neighbouring ones at the same place are one, from the day of the first."""
    steps: list[WayStep] = []
    for one in story.steps[1:]:
        back = one.status == "returned"
        place = {} if back and not one.shipment else _place(desk, one.party, origin)
        if not place and not back:
            continue
        step = WayStep("back" if back else "out", day_of(one.since_ms, desk.zone), place)
        if not steps or (steps[-1].kind, steps[-1].place) != (step.kind, step.place):
            steps.append(step)
    return tuple(steps)


def _place(desk: OriginDesk, party_id: str, origin: str) -> Text:
    """The region or the name of the nearest distributor at or above this party; empty where there is none."""
    above = list(upwards(desk.party_of, party_id))
    if origin == DISTRIBUTOR:
        return next((one.name for one in above if one.role in _DISTRIBUTORS), {})
    regions = {one.party_id: one.region for one in desk.catalog.territories()}
    region = next((regions[one.party_id] for one in above if one.party_id in regions), "")
    return {"zh-CN": region, "en": region} if region else {}
