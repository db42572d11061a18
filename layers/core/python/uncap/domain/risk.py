"""Whether a claim's money goes out by itself or waits for people: signals, their weights, the verdict. Pure.

Used by `services/judge_risk.py` before a reward's first put (ADR 0026). A verdict never refuses anybody: it holds the
reward, with its reasons, for a review that two people end.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from uncap.domain.errors import InputError

RISK_REVIEW = "risk_review"
SIGNALS = (
    "fast",
    "scattered",
    "day",
    "crowd",
    "in_order",
    "foreign",
    "unshipped",
    "device",
    "batch",
    "beyond",
    "unreceived",
    "new_outlet",
)
"""Each has a threshold of its name and a weight in RiskRules, and its number in Evidence (`day`: `today`)."""
Weight = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Number = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Window = Annotated[int, msgspec.Meta(ge=1_000, le=7 * 86_400_000)]


class RiskRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds and weights, as data per campaign. A claim is held once its signals weigh `hold_from` together.

    `fast`: so many claims of one person within `fast_ms`. `scattered`: so many in a day, of which at least
    `scattered_percent` come out of cases that the person opened nothing else of. `day`: so many in a day at all.
    `crowd`: so many people at one case within `crowd_ms`. `in_order`: so many neighbouring codes in the order they were
    printed, within `in_order_ms`, whoever claims. `device`: so many people in a day on one device. `batch`: so many
    claims of one batch within `batch_ms` that one container saw, at least `batch_permille` of its units.

    Of cases that outlets open, in a day: `foreign` were sent to another outlet; `beyond` were sent to none, at least
    `beyond_percent` of what an outlet opened to which some were sent; `unreceived` it never received where receipts
    are recorded; `new_outlet` while it was nobody's customer yet: provisional, or registered within `new_outlet_ms`.
    """

    hold_from: Number = 60
    fast: Number = 6
    fast_ms: Window = 20_000
    fast_weight: Weight = 60
    scattered: Number = 12
    scattered_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 60
    scattered_weight: Weight = 60
    day: Number = 100
    day_weight: Weight = 60
    crowd: Number = 8
    crowd_ms: Window = 600_000
    crowd_weight: Weight = 60
    in_order: Number = 5
    in_order_ms: Window = 60_000
    in_order_weight: Weight = 60
    foreign: Number = 6
    foreign_weight: Weight = 60
    unshipped: Number = 6
    unshipped_weight: Weight = 60
    device: Number = 4
    device_weight: Weight = 60
    batch: Number = 60
    batch_ms: Window = 3_600_000
    batch_permille: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 5
    batch_weight: Weight = 30
    beyond: Number = 6
    beyond_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 60
    beyond_weight: Weight = 60
    unreceived: Number = 4
    unreceived_weight: Weight = 30
    new_outlet: Number = 3
    new_outlet_ms: Window = 3_600_000
    new_outlet_weight: Weight = 60
    share_from: Number = 2
    """Of what a container finds odd about a subject, so much is worth telling the others; 1: everything is told."""
    rank_weight: Weight = 20
    """Per level of the rail's own rank (0 to 4), asked for only where the rest weighs something but too little."""


class Evidence(msgspec.Struct, frozen=True):
    """What is known of one claim when it is judged, itself included in every count."""

    fast: int = 0
    today: int = 0
    scattered: int = 0
    crowd: int = 0
    in_order: int = 0
    foreign: int = 0
    unshipped: int = 0
    device: int = 0
    batch: int = 0
    opened: int = 0
    beyond: int = 0
    unreceived: int = 0
    new_outlet: int = 0
    rank: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """`signals`: (name, number) of those that spoke, heaviest first."""

    score: int
    signals: tuple[tuple[str, int], ...]
    held: bool

    @property
    def reason(self) -> str:
        """As the reward keeps it: "risk_review:fast=7,unshipped=6"; "" if nothing is held. At most 100 characters."""
        if not self.held:
            return ""
        return f"{RISK_REVIEW}:" + ",".join(f"{name}={number}" for name, number in self.signals[:4])


NO_RISK = Verdict(0, (), False)


def weigh(seen: Evidence, rules: RiskRules) -> Verdict:
    """The verdict on one claim."""
    found = [(getattr(rules, f"{name}_weight"), name, speaks(name, seen, rules)) for name in SIGNALS]
    found.append((rules.rank_weight * seen.rank, "rank", seen.rank))
    spoke = sorted((one for one in found if one[0] and one[2]), key=lambda one: -one[0])
    score = sum(weight for weight, *_ in spoke)
    return Verdict(score, tuple((name, number) for _, name, number in spoke), score >= rules.hold_from)


def speaks(name: str, seen: Evidence, rules: RiskRules) -> int:
    """The signal's number from its threshold on, 0 below."""
    number = int(getattr(seen, "today" if name == "day" else name))
    if number < getattr(rules, name):
        return 0
    # Many caps, hardly two out of one case: collected somewhere, not opened at a table.
    if name == "scattered" and number * 100 < rules.scattered_percent * seen.today:
        return 0
    if name == "beyond" and number * 100 < rules.beyond_percent * seen.opened:
        return 0
    return number


Rules = Mapping[str, RiskRules | None]
"""By campaign: its id, "spring-*" for all that begin so, "*" for all others; None: nothing is judged."""


def read_rules(text: str) -> Rules:
    """Rules from a setting's JSON, "off" for a campaign that is not judged; "" is the defaults for all.

    Raises InputError (`risk_rules_invalid`) naming the field.
    """
    try:
        given = msgspec.json.decode(text, type=dict[str, RiskRules | Literal["off"]]) if text else {}
    except msgspec.MsgspecError as cause:
        reason, _, place = str(cause).partition(" - at ")
        raise InputError("risk_rules_invalid", reason, where=place.strip("`") or "risk_rules") from cause
    return {"*": RiskRules(), **{name: one if isinstance(one, RiskRules) else None for name, one in given.items()}}


def rules_of(rules: Rules, campaign_id: str) -> RiskRules | None:
    """The rules of this campaign: by its id, else by the longest beginning that fits. None: it is not judged."""
    if campaign_id in rules:
        return rules[campaign_id]
    fitting = [one for one in rules if one.endswith("*") and campaign_id.startswith(one[:-1])]
    return rules[max(fitting, key=len)] if fitting else RiskRules()
