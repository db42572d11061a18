"""What a labelled market is made of: a scenario file as values, its published schema, and errors that name the field.

Used by `cli/diversion/market.py`. Every field has a default, so a scenario states only what it changes; shares are
fractions of one, distances kilometres, times days. Samples and the schema are in examples/diversion/.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec

from cli.given_files import read_given, schema_of
from uncap.domain.errors import InputError

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Km = Annotated[float, msgspec.Meta(ge=0, le=5_000)]
Days = Annotated[float, msgspec.Meta(gt=0, le=365)]
Weight = Annotated[float, msgspec.Meta(gt=0, le=1_000)]
Few = Annotated[int, msgspec.Meta(ge=1, le=100)]
Range = tuple[Share, Share]
"""A share drawn anew for each shipment, uniformly between the two."""
MAX_BOTTLES = 3_000_000


class Land(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grid of round territories, one distributor each; with the defaults neighbours almost touch."""

    rows: Annotated[int, msgspec.Meta(ge=1, le=12)] = 5
    columns: Annotated[int, msgspec.Meta(ge=1, le=12)] = 4
    spacing_km: Annotated[float, msgspec.Meta(ge=20, le=400)] = 95.0
    radius_km: Annotated[float, msgspec.Meta(ge=8, le=150)] = 45.0
    metropolis_pull: Annotated[float, msgspec.Meta(ge=0.1, le=100)] = 4.0
    """How much more one city in the middle draws travellers and parcels than the others do."""


class Trade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is shipped, sold and scanned. A purchase is some bottles of one case by one person."""

    cases: Annotated[tuple[Few, ...], msgspec.Meta(min_length=1, max_length=20)] = (10, 25, 50, 50, 100)
    units_per_case: Annotated[int, msgspec.Meta(ge=2, le=100)] = 24
    bottles_per_purchase: Annotated[tuple[Few, ...], msgspec.Meta(min_length=1, max_length=20)] = (1, 1, 1, 2, 6)
    scanned_share: Range = (0.15, 0.5)
    sale_days: Days = 45.0
    spread_km: Km = 15.0
    """How far (standard deviation) a territory's buyers live from its centre."""


class Phones(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where phones say they are. `accuracies_m`: what they claim, drawn evenly; the true error is normal about it."""

    placed_share: Share = 0.9
    accuracies_m: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=50_000)], ...], msgspec.Meta(min_length=1)] = (
        30,
        30,
        65,
        65,
        200,
        2_500,
    )
    understated_share: Share = 0.0
    """Fixes whose true error is normal about `understated_km` instead of what they claim."""
    understated_km: Km = 12.0
    wrong_share: Share = 0.01
    """Fixes that lie anywhere within `wrong_km`."""
    wrong_km: Km = 900.0


class Travel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Purchases taken along on a journey, whole; nearer places draw more (gravity). A festival draws to one place."""

    share: Share = 0.04
    nobody_share: Share = 0.15
    """Journeys to a region that is nobody's territory."""
    spread_km: Km = 12.0
    festival_share: Share = 0.0
    """Purchases during the festival that go to the distributor's own festival place."""
    festival_from_day: Annotated[float, msgspec.Meta(ge=0, le=365)] = 10.0
    festival_days: Days = 10.0


class Parcels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Online sales and presents: purchases or whole cases sent to one household anywhere; cases carried as presents."""

    purchase_share: Share = 0.01
    case_share: Share = 0.0
    gift_case_share: Share = 0.001
    """Cases a family carries along to a place it travels to."""
    household_people: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    use_days: Days = 20.0


class Feasts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wedding elsewhere takes whole cases along; all bottles are opened on one evening in one hall."""

    shipment_share: Share = 0.05
    cases: Annotated[tuple[Few, ...], msgspec.Meta(min_length=1, max_length=20)] = (1, 1, 1, 2, 4)


class Border(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shops at the border sell to both sides."""

    shipment_share: Share = 0.15
    case_share: Share = 0.2
    """Of such a shipment's cases, those sold by the border shops."""
    across_share: Share = 0.4
    reach_km: Km = 5.0
    """How far across the border (standard deviation) their customers live."""


class Transfers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shipments of which a part is moved to another distributor with the brand's approval, which is on record."""

    shipment_share: Share = 0.0
    cases_share: Range = (0.1, 0.5)


class Diverters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shipments of which whole cases are sold in another territory without approval."""

    shipment_share: Share = 0.15
    cases_share: Range = (0.04, 0.6)
    cases_min: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    places: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    spread_km: Km = 8.0
    loose_share: Share = 0.0
    """Diverters who break cases up: as many bottles, taken from all over the shipment."""
    next_door_share: Share = 0.0
    """Diverters who go to the nearest other territory instead of where gravity draws them."""


class Collusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some distributors divert every shipment, always to the same partner's territory, and try to hide it."""

    distributors: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    cases_share: Range = (0.1, 0.4)
    hidden_share: Share = 0.0
    """Of their diverted bottles, those scanned by accomplices who hide where they are."""
    spoofed_share: Share = 0.0
    """Of their diverted bottles, those scanned by accomplices whose phones claim to be at home."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One market. `shipments` are judged one by one; their truth is known."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "default"
    about: Annotated[str, msgspec.Meta(max_length=500)] = ""
    shipments: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    land: Land = Land()
    trade: Trade = Trade()
    phones: Phones = Phones()
    travel: Travel = Travel()
    parcels: Parcels = Parcels()
    feasts: Feasts = Feasts()
    border: Border = Border()
    transfers: Transfers = Transfers()
    diverters: Diverters = Diverters()
    collusion: Collusion = Collusion()


def read_scenario(text: bytes) -> Scenario:
    """A scenario from its JSON text.

    Raises InputError (`scenario_malformed`, `scenario_invalid`) naming the field, or line and column of broken JSON.
    """
    scenario = read_given(text, Scenario, "scenario")
    _check(scenario)
    return scenario


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises InputError as `read_scenario`, OSError."""
    return read_scenario(path.read_bytes())


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scenario file."""
    return schema_of(Scenario)


def _check(scenario: Scenario) -> None:
    """What types alone do not say."""
    for where, (low, high) in {
        "trade.scanned_share": scenario.trade.scanned_share,
        "transfers.cases_share": scenario.transfers.cases_share,
        "diverters.cases_share": scenario.diverters.cases_share,
        "collusion.cases_share": scenario.collusion.cases_share,
    }.items():
        if low > high:
            raise InputError("scenario_invalid", f"{low} is more than {high}", where=where)
    land = scenario.land
    if land.rows * land.columns < 2:
        raise InputError("scenario_invalid", "goods can only stray between two territories or more", where="land.rows")
    if scenario.collusion.distributors > land.rows * land.columns - 1:
        raise InputError("scenario_invalid", "more than there are distributors", where="collusion.distributors")
    if scenario.collusion.hidden_share + scenario.collusion.spoofed_share > 1:
        raise InputError("scenario_invalid", "with hidden_share this is more than all", where="collusion.spoofed_share")
    if scenario.parcels.case_share + scenario.parcels.gift_case_share > 1:
        raise InputError("scenario_invalid", "with case_share this is more than all", where="parcels.gift_case_share")
    if scenario.travel.share + scenario.parcels.purchase_share + scenario.travel.festival_share > 1:
        raise InputError("scenario_invalid", "with parcels and festival this is more than all", where="travel.share")
    bottles = scenario.shipments * max(scenario.trade.cases) * scenario.trade.units_per_case
    if bottles > MAX_BOTTLES:
        raise InputError("scenario_invalid", f"at most {MAX_BOTTLES} bottles in all", where="shipments")
