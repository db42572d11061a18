"""What a brand has declared: products, code batches, releases, campaigns, territories. Values only.

JSON documents of the Catalog, read by every scan: imports nothing but msgspec. Indices are 0-based, ranges half open.
"""

from enum import IntEnum

import msgspec

from uncap.domain.campaigns.draws import ClosingTerms, Draw
from uncap.domain.campaigns.reference import PauseScope, PayN, RuleSetRef

Text = dict[str, str]
"""One human text in several languages: {"zh-CN": …, "en": …}."""


class Role(IntEnum):
    """What a code is printed on; the number is part of the FF1 tweak (see domain/codes)."""

    CAP_OUTER = 0
    CAP_INNER = 1
    CASE_OUTER = 2
    CASE_INNER = 3
    BOX_OUTER = 4
    BOX_INNER = 5

    @property
    def is_inner(self) -> bool:
        """Inner codes are hidden until the pack is opened; money is paid on these only."""
        return self in (Role.CAP_INNER, Role.CASE_INNER, Role.BOX_INNER)


class IndexRange(msgspec.Struct, frozen=True):
    """Half-open range of unit indices, with the reason where one is due."""

    start: int
    stop: int
    reason: str = ""

    def __contains__(self, index: int) -> bool:
        return self.start <= index < self.stop


class Pack(msgspec.Struct, frozen=True, omit_defaults=True):
    """One level of packing: one `level` thing holds `holds` things of the level below. A pallet has no `gtin`."""

    level: str  # box | case | pallet
    holds: int
    gtin: str = ""
    layout: str = ""  # "6x4", "12x1": how they lie in it; multiplies to `holds`


class Product(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trade item, its units with codes of `roles`. `packs`, next level first; `units_per_case`, `case_gtin` agree.

    `blank`: a technical GTIN, whose codes are given a commercial product later (docs/adr/0012)."""

    gtin: str
    name: Text
    roles: tuple[Role, ...]
    level: str = "unit"  # unit | box | case
    units_per_case: int = 0
    case_gtin: str = ""
    best_before_days: int = 0
    packs: tuple[Pack, ...] = ()
    blank: bool = False
    origin: str = "none"  # none | region | distributor: how finely its page shows its way
    version: int = 1


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What blank codes start..stop have become: the product, and where and under what they are sold."""

    start: int
    stop: int
    gtin: str
    market: str = ""  # the administrative code or name of where they are to be sold
    campaign_id: str = ""  # only this campaign may release them; "" for any
    lot: str = ""
    produced_on: str = ""
    best_before: str = ""


class CanaryRun(msgspec.Struct, frozen=True):
    """`count` canaries drawn for one export order, which pretend to stand among its codes `start..stop` (ADR 0018)."""

    order: str
    start: int
    stop: int
    count: int


class CodeBatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run of codes: `size` indices under one GTIN. No row exists per code.

    `rejected` never left the line; `decommissioned` were withdrawn by range; `hold` stops the whole batch
    ("", "frozen", "recalled"). A batch at any `level` names the batch one level up in `case_batch_no` (how many go into
    one of them: `units_per_case`) and the batch one level down in `unit_batch_no`; in roll order, case index = unit
    index // units_per_case. Pallets carry SSCCs from `sscc_first` on and have neither GTIN nor roles.
    `recalled`, `active` and `assigned` are disjoint and in order (read with `domain/lifecycle.py`); a recalled range's
    reason names its recalls, `notices` holds what each says to people.
    `canaries` were drawn for export orders; their indices follow `size`, run after run (`domain/codes/canaries.py`).
    """

    batch_no: int
    gtin: str
    size: int
    epoch: int
    roles: tuple[Role, ...]
    state: str = "created"  # created | commissioned
    lot: str = ""
    produced_on: str = ""
    best_before: str = ""
    units_per_case: int = 0
    case_batch_no: int = 0
    unit_batch_no: int = 0
    hold: str = ""
    rejected: tuple[IndexRange, ...] = ()
    decommissioned: tuple[IndexRange, ...] = ()
    created_at_ms: int = 0
    level: str = "unit"  # unit | box | case | pallet
    sscc_first: str = ""
    blank: bool = False
    assigned: tuple[Assignment, ...] = ()
    activation: str = "release"  # release: with its release; range: also needs its index in `active`
    active: tuple[IndexRange, ...] = ()
    recalled: tuple[IndexRange, ...] = ()
    notices: dict[str, Text] = {}
    canaries: tuple[CanaryRun, ...] = ()
    version: int = 1

    @property
    def drawn(self) -> int:
        """How many indices name codes that exist: those of the batch, and the canaries that follow them."""
        return self.size + sum(run.count for run in self.canaries)


class Prize(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kind of prize. `amount_minor`: fen for cash, trade credit and physical prizes, whole points, pieces."""

    prize_id: str
    kind: str  # cash | points | trade_credit | goods_voucher | pay_n | physical
    amount_minor: int
    name: Text
    tax_class: str = "none"  # none | incidental
    pay_n: PayN | None = None  # with kind pay_n, and only then


class PoolShare(msgspec.Struct, frozen=True):
    """Of every `per` codes in a release, `win` carry this prize: exact, equal in every release."""

    prize_id: str
    win: int
    per: int


class Effect(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a claim gives to whom: a prize `laid` on the code, the `fixed` one, or by the odds of a draw (`drawn`)."""

    no: int  # the slot: per slot and beneficiary a claim founds at most one reward (ADR 0017)
    beneficiary: str  # one of campaigns.rules.BENEFICIARIES
    kind: str  # laid | fixed | drawn
    prize_id: str = ""  # with drawn: the draw's id


class PersonLimit(msgspec.Struct, frozen=True, omit_defaults=True):
    """At most this many claims per person; 0 means no limit. A day is a day in the brand's time zone."""

    per_day: int = 0
    per_campaign: int = 0


class Campaign(msgspec.Struct, frozen=True, omit_defaults=True):
    """One immutable version of a campaign. A change is a new version.

    It decides claims from `effective_at_ms` on: at least a cache age and clock skew after it was written (ADR 0017).
    """

    campaign_id: str
    version: int
    effective_at_ms: int
    name: Text
    rules: Text
    starts_at_ms: int
    ends_at_ms: int
    claim_until_ms: int
    gtins: tuple[str, ...]
    prizes: tuple[Prize, ...]
    pool: tuple[PoolShare, ...]
    effects: tuple[Effect, ...]
    currency: str = "CNY"
    limit: PersonLimit = PersonLimit()
    paused: bool = False
    rule_set: RuleSetRef = RuleSetRef()
    paused_for: PauseScope = PauseScope()
    draws: tuple[Draw, ...] = ()
    closing: ClosingTerms | None = None

    def prize(self, prize_id: str) -> Prize:
        """The prize with this id; KeyError if the version does not have it."""
        if (found := next((one for one in self.prizes if one.prize_id == prize_id), None)) is None:
            raise KeyError(prize_id)
        return found


class LaidPrize(msgspec.Struct, frozen=True):
    """`count` codes of a release carry `prize_id`; the order of a release's table is part of the commitment."""

    prize_id: str
    count: int


class Replacement(msgspec.Struct, frozen=True):
    """The spare `new` stands in for the spoilt `old`: it takes over its prize and its place in the channel."""

    old: int
    new: int


class Release(msgspec.Struct, frozen=True, omit_defaults=True):
    """An activated part of a batch with its laid prizes and their published commitment (docs/adr/0003).

    Eligible indices are `start..stop` minus `excluded`; `eligible_count` of them. State: committed (seed hash
    published, beacon named) → activated (beacon known, prizes laid, codes redeemable) → closed (seed revealed).
    """

    release_id: str
    batch_no: int
    campaign_id: str
    campaign_version: int
    start: int
    stop: int
    eligible_count: int
    eligible_hash: str
    prize_table: tuple[LaidPrize, ...]
    seed_hash: str
    beacon_source: str
    beacon_round: str
    claim_until_ms: int
    excluded: tuple[IndexRange, ...] = ()
    beacon_value: str = ""
    merkle_root: str = ""
    state: str = "committed"
    activated_at_ms: int = 0
    seed: str = ""
    replaced: tuple[Replacement, ...] = ()
    version: int = 1

    def __contains__(self, index: int) -> bool:
        if any(index == one.old for one in self.replaced):
            return False
        if any(index == one.new for one in self.replaced):
            return True
        return self.start <= index < self.stop and not any(index in gap for gap in self.excluded)

    def drawn_as(self, index: int) -> int:
        """The index that took part in the draw in this one's place: its own, unless it replaces another."""
        olds = {one.new: one.old for one in self.replaced}
        while index in olds:
            index = olds[index]
        return index


class Territory(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a distributor may sell: compacted H3 cells, finest resolution `resolution`."""

    party_id: str
    region: str  # the administrative code or the name shown to people
    cells: tuple[str, ...]
    resolution: int = 7
    version: int = 1


class Party(msgspec.Struct, frozen=True, omit_defaults=True):
    """Anyone in the channel: brand, distributor, salesperson, outlet, outlet staff. `parent_id` makes the tree."""

    party_id: str
    role: str
    name: Text
    parent_id: str = ""
    home_cell: str = ""
    provisional: bool = False
    version: int = 1
    invited_by: str = ""
    registered_at_ms: int = 0
    gln: str = ""


class Shipment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A range of one batch, of any level, sent to a party; `document`: the paper its parts share, "" for its own."""

    shipment_id: str
    batch_no: int
    start: int
    stop: int
    to_party: str
    shipped_at_ms: int
    version: int = 1
    from_party: str = ""  # who sent it, where that was said
    document: str = ""
