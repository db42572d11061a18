"""What must hold once everything has settled, read from the tables and the rail's statement. Called by `runner.py`.

`Evidence` is what was read; `problems` are plain functions of it, so they are tested without a stack.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tests.chaos.arena import DRAWN_TOTAL, PER_PERSON
from uncap.domain.catalog import Campaign
from uncap.domain.errors import NotFoundError
from uncap.domain.rewards.granting import unconditional
from uncap.domain.rewards.ids import of_bill, reward_id
from uncap.domain.rewards.reward import FINAL, Case, Reward, State
from uncap.domain.scans import ScanImage
from uncap.services.trial_balance import TrialBalance

RIGHT_AMOUNT = {"cash-888": 888, "cash-88": 88, "points-50": 50, "rebate-5": 5, "": 0}
Problem = tuple[str, str]
"""(what is wrong, the reward it is about or "")."""


class Told(msgspec.Struct, frozen=True):
    """What a phone was told about a code: `sees` whether it is shown the reward it was promised."""

    index: int
    person: int
    outcome: str
    claim_id: str = ""
    sees: bool = True


class Evidence(msgspec.Struct, frozen=True):
    """`rewards` are all of the Ledger, `ours` those of this campaign; `lines` are the rail's whole statement."""

    campaign: Campaign
    claims: tuple[ScanImage, ...]
    told: tuple[Told, ...]
    rewards: dict[str, Reward]
    lines: tuple[dict[str, Any], ...]
    trial: TrialBalance
    places: dict[str, int]  # drawn prizes' counters that this campaign's rewards name
    cases: tuple[Case, ...]
    parked: tuple[str, ...]  # reasons of what is parked now
    dead: int
    laid: dict[int, str]  # index → the prize that only the keys can tell
    owners: dict[int, str]  # index → distributor

    @property
    def ours(self) -> list[Reward]:
        name = self.campaign.campaign_id
        return [one for one in self.rewards.values() if one.campaign_id == name]


def problems(seen: Evidence) -> list[Problem]:
    """Everything that is wrong; nothing, if the promises hold."""
    checks = (told_problems, grant_problems, state_problems, money_problems, draw_problems, rest_problems)
    return [problem for check in checks for problem in check(seen)]


def told_problems(seen: Evidence) -> Iterable[Problem]:
    """One person at most was told to be first, and is; nobody has more claims than the limit allows."""
    claimed = {image.ref.index: image for image in seen.claims}
    first: dict[int, set[tuple[int, str]]] = {}
    for one in seen.told:
        if one.outcome == "first":
            first.setdefault(one.index, set()).add((one.person, one.claim_id))
            if not one.sees:
                yield f"bottle {one.index}: who was told to be first is not shown the reward", ""
        elif not one.outcome:
            yield f"bottle {one.index}: person {one.person} never got an answer", ""
    for index, people in first.items():
        if len(people) > 1:
            yield f"bottle {index}: {len(people)} were told to be first", ""
        if index not in claimed:
            yield f"bottle {index}: told to be claimed, and the table knows of no claim", ""
    winners = Counter(image.first.person for image in seen.claims if image.first)
    yield from ((f"a person has {n} claims of {PER_PERSON}", "") for n in winners.values() if n > PER_PERSON)


def grant_problems(seen: Evidence) -> Iterable[Problem]:
    """Each claim has exactly one reward per effect, of the prize and for the party that are right."""
    found = {one.reward_id: one for one in seen.ours}
    wanted: set[str] = set()
    for image in seen.claims:
        for pick in unconditional(seen.campaign):
            key = reward_id(image.ref, seen.campaign.campaign_id, pick.no, pick.beneficiary)
            wanted.add(key)
            reward = found.get(key)
            if reward is None:
                yield f"claim {image.pk} has no reward for effect {pick.no}", key
            else:
                yield from ((text, key) for text in _wrong_grant(seen, image, reward))
    yield from (("rewards no claim", key) for key in found.keys() - wanted)


def state_problems(seen: Evidence) -> Iterable[Problem]:
    """Everything is final, with its settlement; what the rail could not harm is with nobody."""
    for one in seen.ours:
        if one.state not in FINAL:
            yield f"is {one.state} ({one.reason or 'without a reason'})", one.reward_id
        elif one.state is State.PAID and not (one.granted and one.settled):
            yield "is PAID without its two entries", one.reward_id
        elif one.state is State.RELEASED:
            yield f"was released ({one.reason})", one.reward_id


def money_problems(seen: Evidence) -> Iterable[Problem]:
    """Each cash reward is paid exactly once, the right amount; nothing else is; the books say the same."""
    paid: dict[str, list[int]] = {}
    for line in seen.lines:
        try:
            paid.setdefault(of_bill(line["bill_no"])[0], []).append(line["amount_minor"])
        except NotFoundError:
            yield f"the rail paid {line['bill_no']}, no bill of ours", ""
    yield from (("was paid by the rail and is no reward", key) for key in paid.keys() - seen.rewards.keys())
    for one in seen.ours:
        due = [one.net_minor] if one.kind == "cash" and one.state is State.PAID else []
        if paid.get(one.reward_id, []) != due:
            yield f"the rail paid {paid.get(one.reward_id, [])}, due was {due}", one.reward_id
    ours = {one.reward_id for one in seen.ours}
    stated = sum(sum(amounts) for key, amounts in paid.items() if key in ours)
    booked = -sum(x.amount_minor for one in seen.ours for x in one.settled if x.account.startswith("clearing:wechat"))
    if stated != booked:
        yield f"the rail states {stated}, the ledger {booked}", ""
    if not seen.trial.is_balanced:
        yield f"the ledger sums to {seen.trial.totals}", ""
    yield from ((f"over budget: {name} by {minor}", "") for name, minor in seen.trial.overdrawn().items())


def draw_problems(seen: Evidence) -> Iterable[Problem]:
    """No more drawn prizes than there are, nor to one person; every place is held by a reward that stands."""
    drawn = [one for one in seen.ours if one.holds]
    if len(drawn) > DRAWN_TOTAL:
        yield f"{len(drawn)} prizes were drawn of {DRAWN_TOTAL}", ""
    [draw] = seen.campaign.draws
    people = Counter(one.party for one in drawn)
    yield from ((f"someone won {n} drawn prizes", "") for n in people.values() if n > draw.per_person)
    standing = Counter(key for one in drawn if one.state is not State.RELEASED for key in one.holds)
    held = {key: n for key, n in seen.places.items() if n}
    if held != standing:
        yield f"places say {held}, rewards {dict(standing)}", ""


def rest_problems(seen: Evidence) -> Iterable[Problem]:
    """No case about our rewards, nothing parked, no dead letter left: an operator has nothing more to do."""
    ours = {one.reward_id for one in seen.ours}
    yield from ((f"has a case: {case.kind}", case.reward_id) for case in seen.cases if case.reward_id in ours)
    yield from ((f"something is parked: {reason or 'without a reason'}", "") for reason in seen.parked)
    if seen.dead:
        yield f"{seen.dead} dead letters are left", ""


def _wrong_grant(seen: Evidence, image: ScanImage, reward: Reward) -> Sequence[str]:
    wrong, index = [], image.ref.index
    if reward.prize_id and RIGHT_AMOUNT[reward.prize_id] != reward.amount_minor:
        wrong.append(f"{reward.prize_id} is worth {reward.amount_minor}")
    if reward.effect_no == 1 and reward.prize_id != seen.laid[index]:
        wrong.append(f"{reward.prize_id!r} was granted, {seen.laid[index]!r} was laid")
    if (reward.state is State.NONE) != (not reward.prize_id):
        wrong.append(f"is {reward.state} with prize {reward.prize_id!r}")
    owner = seen.owners[index] if reward.beneficiary == "distributor" else image.first and image.first.person
    if reward.party != owner:
        wrong.append("is somebody else's")
    return wrong
