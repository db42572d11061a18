"""A campaign version as it is sent in: the shape behind the published JSON schema, and its value.

Used by `create_campaign.py`, `keep_drafts.py`, GET /campaigns/schema and `uncap campaign`.
"""

from typing import Annotated, Any, Literal

import msgspec

from uncap.domain.campaigns.draws import ClosingPrize, ClosingTerms, Draw, DrawShare
from uncap.domain.campaigns.index import slots_in
from uncap.domain.campaigns.pay_n import MAX_ADD_MINOR
from uncap.domain.campaigns.reference import PayN, RuleSetRef
from uncap.domain.campaigns.rules import RulePart, needs_of
from uncap.domain.catalog import Campaign, PersonLimit, PoolShare, Prize
from uncap.domain.codes.links import check_gtin
from uncap.services.create_product import Gtin
from uncap.services.desk import Id, TimeMs, Words
from uncap.services.rule_forms import NewEffect, NewExclusion, NewRule
from uncap.services.split_forms import NewSplit

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", max_length=32, description="As POST /rule-parts")]
MAX_PARTS = 40
SCHEMA_ID = "https://uncap.example/schemas/campaign.json"

Limit = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class NewPayN(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For `add_minor` the winner gets one more of `gtin`, by `redeem_until_ms`, at an outlet of the goods' region
    (or of their distributor, or anywhere). The outlet gets a goods voucher and `fee_minor` of trade credit."""

    gtin: Gtin
    add_minor: Annotated[int, msgspec.Meta(ge=1, le=MAX_ADD_MINOR)]
    redeem_until_ms: TimeMs
    fee_minor: Annotated[int, msgspec.Meta(ge=0, le=MAX_ADD_MINOR)] = 0
    where: Literal["region", "distributor", "anywhere"] = "region"
    per_day: Annotated[int, msgspec.Meta(ge=1, le=100, description="Per person, day and outlet")] = 3
    excluded_outlets: Annotated[tuple[Id, ...], msgspec.Meta(max_length=200)] = ()

    def value(self) -> PayN:
        """As it is stored. Raises InputError (`gtin_invalid`)."""
        return msgspec.convert(msgspec.structs.asdict(self) | {"gtin": check_gtin(self.gtin)}, PayN)


class NewPrize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount_minor`: fen for cash and trade credit, a physical prize's market value in fen, whole points, pieces of
    goods. `pay_n` with kind pay_n."""

    prize_id: Id
    kind: Literal["cash", "points", "trade_credit", "goods_voucher", "pay_n", "physical"]
    amount_minor: Count
    name: Words
    tax_class: Literal["none", "incidental"] = "none"
    pay_n: NewPayN | None = None

    def value(self) -> Prize:
        """As it is stored."""
        terms = self.pay_n.value() if self.pay_n else None
        return Prize(self.prize_id, self.kind, self.amount_minor, self.name, self.tax_class, terms)


class NewShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of every `per` codes, `win` carry the prize."""

    prize_id: Id
    win: Count
    per: Count


class NewDrawShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of every `per` claims, `win` are drawn for the prize while any of `total` is left; 0: no limit."""

    prize_id: Id
    win: Count
    per: Count
    total: Count
    per_day: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    per_region: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0


class NewDraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prizes drawn claim by claim, dearest first, within hard counts. `fall_back`: a prize that is gone makes way for
    the next one in the list. `per_person`: prizes of this draw one person may win, 0 for any."""

    draw_id: Id
    shares: Annotated[tuple[NewDrawShare, ...], msgspec.Meta(min_length=1, max_length=20)]
    fall_back: bool = False
    per_person: Limit = 0

    def value(self) -> Draw:
        """As it is stored."""
        shares = tuple(msgspec.convert(one, DrawShare, from_attributes=True) for one in self.shares)
        return Draw(self.draw_id, shares, self.fall_back, self.per_person)


class NewClosingPrize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of a prize."""

    prize_id: Id
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class NewClosing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prizes drawn once, after the last claim, among all consumers' claims: dearest first, in a slot of their own.

    `runners_up` follow where a winner cannot or does not take the prize within `take_days`. `per_person` 0: any."""

    no: Annotated[int, msgspec.Meta(ge=1, le=99)]
    prizes: Annotated[tuple[NewClosingPrize, ...], msgspec.Meta(min_length=1, max_length=20)]
    per_person: Limit = 1
    runners_up: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 0
    take_days: Annotated[int, msgspec.Meta(ge=7, le=366)] = 30

    def value(self) -> ClosingTerms:
        """As it is stored."""
        prizes = tuple(ClosingPrize(one.prize_id, one.count) for one in self.prizes)
        return ClosingTerms(self.no, prizes, self.per_person, self.runners_up, self.take_days)


class NewLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Claims per person; 0: no limit."""

    per_day: Limit = 0
    per_campaign: Limit = 0


class NewCampaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version. `version` is its number: 1 for a new campaign, the latest + 1 for a change.

    Without `effective_at_ms` it takes effect as soon as every container is sure to know it. Its rules are those of the
    parts in `rule_parts`, stored before, and those in `rule_set`.
    """

    campaign_id: Id
    name: Words
    rules: Words
    starts_at_ms: TimeMs
    ends_at_ms: TimeMs
    claim_until_ms: TimeMs
    gtins: Annotated[tuple[Gtin, ...], msgspec.Meta(min_length=1, max_length=200)]
    prizes: Annotated[tuple[NewPrize, ...], msgspec.Meta(min_length=1, max_length=100)]
    effects: Annotated[tuple[NewEffect, ...], msgspec.Meta(max_length=16)] = ()
    pool: Annotated[tuple[NewShare, ...], msgspec.Meta(max_length=100)] = ()
    draws: Annotated[tuple[NewDraw, ...], msgspec.Meta(max_length=20)] = ()
    closing: NewClosing | None = None
    splits: Annotated[tuple[NewSplit, ...], msgspec.Meta(max_length=10)] = ()
    limit: NewLimit = NewLimit()
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)] = "CNY"
    version: Annotated[int, msgspec.Meta(ge=1, le=999_999)] = 1
    effective_at_ms: TimeMs | None = None
    rule_set: Annotated[tuple[NewRule, ...], msgspec.Meta(max_length=1_000)] = ()
    rule_parts: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=MAX_PARTS)] = ()
    excluded: NewExclusion = NewExclusion()


def rules_in(given: NewCampaign) -> RulePart:
    """The rules and exclusions that came with the campaign itself. Raises InputError (`gtin_invalid`)."""
    return RulePart(tuple(one.value() for one in given.rule_set), given.excluded.value())


def campaign_of(given: NewCampaign, effective_at_ms: int, rule_set: RuleSetRef) -> Campaign:
    """The version as a value. Raises InputError (`gtin_invalid`)."""
    return Campaign(
        campaign_id=given.campaign_id,
        version=given.version,
        effective_at_ms=effective_at_ms,
        name=given.name,
        rules=given.rules,
        starts_at_ms=given.starts_at_ms,
        ends_at_ms=given.ends_at_ms,
        claim_until_ms=given.claim_until_ms,
        gtins=tuple(check_gtin(gtin) for gtin in given.gtins),
        prizes=(*(one.value() for one in given.prizes), *(prize for one in given.splits for prize in one.prizes())),
        pool=tuple(PoolShare(s.prize_id, s.win, s.per) for s in given.pool),
        effects=(*(one.value() for one in given.effects), *(part for one in given.splits for part in one.effects())),
        currency=given.currency,
        limit=PersonLimit(given.limit.per_day, given.limit.per_campaign),
        rule_set=rule_set,
        draws=tuple(one.value() for one in given.draws),
        closing=given.closing.value() if given.closing else None,
    )


def reference_to(rules: RulePart, parts: tuple[str, ...]) -> RuleSetRef:
    """What a version says of its rules; nothing where it has none."""
    if not parts:
        return RuleSetRef()
    return RuleSetRef(parts, len(rules.rules), slots_in(rules.rules), needs_of(rules))


def campaign_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a campaign version, as POST /campaigns takes it."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    return described | msgspec.json.schema(NewCampaign)
