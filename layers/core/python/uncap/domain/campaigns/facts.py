"""What is known of a claim when its rules are decided, and the decision that keeps it. Pure values.

Gathered by `services/decide_claims.py`, or made up for a dry run; frozen in the Ledger as `decision#…` at the first
evaluation, so that a replay after the tree, a count or the code itself changed decides the same (ADR 0017).
"""

import datetime

import msgspec

from uncap.domain.campaigns.reference import Place, Slot


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One claim as rules see it; empty or 0 where unknown. `shipped`: the channel is known and will not be asked again.

    `weekday` is 1 Monday to 7 Sunday and `hour` 0 to 23, in the brand's zone. `person_nth`, `outlet_nth`, `case_nth`:
    this opening is the nth of the person, outlet, case. `*_days`: days in the unbroken run, 0 unless this opening is
    the first of its day; `*_row`: openings in that run.
    """

    role: int = 0
    gtin: str = ""
    batch_no: int = 0
    release_id: str = ""
    day: str = ""
    weekday: int = 0
    hour: int = 0
    scanner: str = "consumer"
    shipped: bool = False
    region: str = ""
    distributor: str = ""
    sub_distributor: str = ""
    salesperson: str = ""
    outlet: str = ""
    outlet_staff: str = ""
    inviter: str = ""
    invited: bool = False
    tier: str = ""
    tags: tuple[str, ...] = ()
    excluded: bool = False
    person_nth: int = 0
    person_days: int = 0
    person_row: int = 0
    outlet_nth: int = 0
    outlet_days: int = 0
    outlet_row: int = 0
    case_nth: int = 0

    @property
    def place(self) -> Place:
        """Where the goods stand in the channel."""
        return Place(self.region, self.distributor, self.outlet)

    def party(self, beneficiary: str) -> str:
        """The party of this class behind the goods, "" if unknown (a consumer is not in the channel)."""
        return "" if beneficiary == "consumer" else str(getattr(self, beneficiary, ""))


class Pick(msgspec.Struct, frozen=True, array_like=True):
    """What fills a slot: rule number (0: an unconditional effect; -1: nothing matched), effect kind and prize."""

    no: int
    beneficiary: str
    rule_no: int
    kind: str = ""
    prize_id: str = ""

    @property
    def slot(self) -> Slot:
        return Slot(self.no, self.beneficiary)


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one claim came to, once and for all. `open`: slots that wait for the goods' place in the channel."""

    ref: str  # CodeRef.key()
    campaign: str  # "campaign_id@version"
    facts: Facts
    picks: tuple[Pick, ...]
    open: tuple[Slot, ...] = ()
    rev: int = 1

    @property
    def campaign_id(self) -> str:
        return self.campaign.rpartition("@")[0]


def moment(at_ms: int, zone: datetime.tzinfo) -> tuple[str, int, int]:
    """(day, weekday, hour) of an instant where the brand is."""
    local = datetime.datetime.fromtimestamp(at_ms / 1000, zone)
    return local.date().isoformat(), local.isoweekday(), local.hour
