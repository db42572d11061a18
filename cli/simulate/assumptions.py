"""What a forecast assumes about a launch: a JSON file as values, its schema, and errors that name the field.

Used by `cli/simulate/command.py`. Every field has a default, so a file states only what it knows better; shares are
fractions of one, amounts fen. Samples and the schema are in examples/simulate/.
"""

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cli.given_files import read_given, schema_of
from uncap.domain.errors import InputError

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weight = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Name = Annotated[str, msgspec.Meta(max_length=60)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Fen = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)]
Milliseconds = Annotated[float, msgspec.Meta(gt=0, le=60_000)]
RoleName = Literal["cap_outer", "cap_inner", "case_outer", "case_inner", "box_outer", "box_inner"]
MAX_CODES = 500_000_000
_ALL = 1 + 1e-9


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The codes that are released under the campaign, in `releases` parts of equal size. No `gtin`: the campaign's
    first. `batch_no` and `release_id` matter only to rules that name them."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_CODES)] = 1_000_000
    releases: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    units_per_case: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 24
    role: RoleName = "cap_inner"
    gtin: Annotated[str, msgspec.Meta(max_length=14)] = ""
    batch_no: Count = 1
    release_id: Name = "rel-1"


class Claimed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of all codes that is ever claimed: a triangular guess between the two ends."""

    low: Share = 0.15
    likely: Share = 0.3
    high: Share = 0.5


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When people open: `curve` weighs equal parts of the campaign's time, `hours` the 24 hours of a day. `burst`: how
    much busier than its hour's mean the busiest second is."""

    curve: Annotated[tuple[Weight, ...], msgspec.Meta(min_length=1, max_length=1_100)] = (3, 8, 10, 9, 7, 5, 4, 3, 2, 1)
    hours: Annotated[tuple[Weight, ...], msgspec.Meta(min_length=24, max_length=24)] = (
        *(2, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 9),
        *(10, 8, 6, 6, 7, 10, 15, 18, 17, 14, 9, 4),
    )
    burst: Annotated[float, msgspec.Meta(ge=1, le=1_000)] = 3.0
    zone: Name = "Asia/Shanghai"


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who opens: `bottles_mean` each, unevenly so (`spread`, the sigma of a lognormal). `tiers` share people out,
    `tags` overlap. Whom a person limit refuses comes back on another day with `come_back_share`."""

    bottles_mean: Annotated[float, msgspec.Meta(ge=1, le=10_000)] = 3.0
    spread: Annotated[float, msgspec.Meta(ge=0, le=3)] = 1.0
    tiers: dict[Name, Share] = {}
    tags: dict[Name, Share] = {}
    excluded_share: Share = 0.0
    come_back_share: Share = 0.5
    come_back_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 2


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a share of the cases is sold: `outlets` by name, and `more_outlets` that no rule names."""

    share: Weight = 1.0
    region: Name = "510104"
    distributor: Name = "d-1"
    sub_distributor: Name = ""
    salesperson: Name = "s-1"
    outlets: Annotated[tuple[Name, ...], msgspec.Meta(max_length=10_000)] = ()
    more_outlets: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 50
    invited_share: Share = 0.0
    unshipped_share: Share = 0.0
    """Cases of which nobody uploads where they went: rules about a place never match, the channel's rewards wait."""


class Rail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the payout rail lets through, per merchant account; a limit of 0 is none. `confirmed_share`: transfers that
    the person takes before the deadline."""

    merchants: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    per_second: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = 100.0
    daily_count: Count = 0
    daily_minor: Fen = 50_000_000
    confirmed_share: Share = 0.95


class Aws(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Quotas as an account has them before asking for more, and times as measured (docs/adr/0007)."""

    requests_per_visit: Annotated[float, msgspec.Meta(ge=1, le=100)] = 4.0
    """The page, the claim, two looks at the reward."""
    visits_per_claim: Annotated[float, msgspec.Meta(ge=1, le=100)] = 1.3
    api_requests_per_second: Positive = 10_000
    lambda_concurrency: Positive = 1_000
    request_ms: Milliseconds = 25.0
    table_write_units: Positive = 40_000
    new_table_write_units: Positive = 4_000
    relay_per_second: Positive = 280
    """Claims per relay worker at 4 ms a request."""
    relay_workers: Positive = 16
    """Four shards of a new on-demand table, four workers each (template.yaml)."""


class Fraud(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thieves claim `codes_share` of all codes; of their claims the gate stops `stopped_share` (docs/risk.md)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    codes_share: Share
    stopped_share: Share = 0.0


class Assumptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One launch."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "default"
    about: Annotated[str, msgspec.Meta(max_length=500)] = ""
    codes: Codes = Codes()
    claimed: Claimed = Claimed()
    timing: Timing = Timing()
    people: People = People()
    places: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=1_000)] = (Place(),)
    rail: Rail = Rail()
    aws: Aws = Aws()
    fraud: Annotated[tuple[Fraud, ...], msgspec.Meta(max_length=50)] = (
        Fraud("leaked code package", 0.01),
        Fraud("recycled caps", 0.02),
        Fraud("insiders", 0.005),
    )


def read_assumptions(text: bytes) -> Assumptions:
    """Assumptions from their JSON text.

    Raises InputError (`assumptions_malformed`, `assumptions_invalid`) naming the field, or the place of broken JSON.
    """
    given = read_given(text, Assumptions, "assumptions")
    _check(given)
    return given


def load_assumptions(path: Path) -> Assumptions:
    """The assumptions in a file. Raises InputError as `read_assumptions`, OSError."""
    return read_assumptions(path.read_bytes())


def assumptions_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an assumptions file."""
    return schema_of(Assumptions)


def _check(given: Assumptions) -> None:
    """What types alone do not say."""
    claimed = given.claimed
    outlets = [at for at, place in enumerate(given.places) if not (place.outlets or place.more_outlets)]
    for wrong, reason, where in (
        (not claimed.low <= claimed.likely <= claimed.high, "low <= likely <= high", "claimed"),
        (claimed.likely == 0, "nobody ever claims", "claimed.likely"),
        (given.codes.releases > given.codes.count, "more releases than codes", "codes.releases"),
        (sum(given.timing.curve) <= 0, "the weights are all zero", "timing.curve"),
        (sum(given.timing.hours) <= 0, "the weights are all zero", "timing.hours"),
        (sum(place.share for place in given.places) <= 0, "the weights are all zero", "places"),
        (sum(given.people.tiers.values()) > _ALL, "more than all people have a tier", "people.tiers"),
        (sum(one.codes_share for one in given.fraud) > _ALL, "more than all codes are stolen", "fraud"),
        (bool(outlets), "there is no outlet", f"places[{outlets[0] if outlets else 0}].more_outlets"),
        (not _is_zone(given.timing.zone), "there is no such time zone", "timing.zone"),
    ):
        if wrong:
            raise InputError("assumptions_invalid", reason, where=where)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return False
    return True
