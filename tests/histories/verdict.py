"""What is wrong with a world once a history is over: states, parties, money, books. Called by `history.py`."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from tests.histories.parts import BLOCKED
from tests.histories.people import People
from tests.histories.rail import FakeRail
from tests.histories.stores import FakeLedger
from uncap.domain.catalog import Campaign
from uncap.domain.rewards.holds import counted
from uncap.domain.rewards.reward import FINAL, Reward, State
from uncap.domain.scans import ScanImage
from uncap.services.trial_balance import trial_balance

RIGHT = {
    "distributor": ("d-1", "d-2", ""),
    "outlet": ("o-1", "o-2", ""),
    "salesperson": ("s-1", ""),
    "outlet_staff": ("",),
    "inviter": ("o-2", ""),
}


def money_problems(ledger: FakeLedger, rail: FakeRail) -> list[str]:
    """At most one success per reward, everything final or with a person, balanced books equal to the statement."""
    wrong = [f"{one} was paid and is no reward" for one in rail.successes if one not in ledger.items]
    wrong += _double_problems(ledger, rail)
    wrong += [problem for one in ledger.items.values() if (problem := _state_problem(one, rail))]
    balance = trial_balance(ledger)
    stated = sum(line.amount_minor for line in rail.lines) - _with_people(ledger, rail)
    if not balance.is_balanced:
        wrong.append(f"the ledger sums to {balance.totals}")
    if balance.overdrawn():
        wrong.append(f"over budget: {balance.overdrawn()}")
    kept = -balance.of("clearing", rail.capabilities.name, "CNY")
    if kept != stated:
        wrong.append(f"the ledger says {kept}, the rail {stated}")
    budget = balance.of("budget", "rel-1", "CNY")
    if budget:
        wrong.append(f"{budget} of the budget is neither owed nor breakage after its deadline")
    return wrong


def claim_problems(images: Mapping[str, ScanImage], ledger: FakeLedger, campaign: Campaign) -> list[str]:
    """Every claim has exactly its campaign's rewards, and each is still whose it was."""
    rewards = ledger.items
    wrong = [
        f"{one.reward_id} went from {first.party} to {one.party}"
        for one in rewards.values()
        if (first := ledger.born[one.reward_id]).party not in ("", one.party)
    ]
    claimed = {pk: image for pk, image in images.items() if image.first is not None}
    for pk, image in claimed.items():
        mine = [one for one in rewards.values() if one.ref == pk]
        if not campaign.rule_set and len(mine) != len(campaign.effects):
            wrong.append(f"claim {pk} has {len(mine)} rewards")
        wrong += [f"{one.reward_id} changed hands" for one in mine if not _right_party(one, image)]
    return wrong + [f"{one.reward_id} rewards no claim" for one in rewards.values() if one.ref not in claimed]


def draw_problems(ledger: FakeLedger, campaign: Campaign) -> list[str]:
    """No drawn prize is given more often than its budget says, to nobody twice, and no place is lost or leaked."""
    wrong: list[str] = []
    for draw in campaign.draws:
        numbers = {one.no for one in campaign.effects if one.kind == "drawn" and one.prize_id == draw.draw_id}
        won = [one for one in ledger.items.values() if one.effect_no in numbers and one.holds]
        standing = [one for one in won if one.state is not State.RELEASED]
        for share in draw.shares:
            count = sum(one.prize_id == share.prize_id for one in standing)
            if count > share.total:
                wrong.append(f"{share.prize_id} was drawn {count} times, its budget is {share.total}")
        people = Counter(one.party for one in standing)
        wrong += [f"{who} won {n} drawn prizes" for who, n in people.items() if draw.per_person and n > draw.per_person]
        wrong += [f"{one.reward_id} was won by someone blocked" for one in won if one.party == BLOCKED]
    places = {key: n for key, n in ledger.counts.items() if n}
    if places != counted(ledger.items.values()):
        wrong.append(f"places hold {places}, rewards {counted(ledger.items.values())}")
    return wrong


def people_problems(people: People, campaign: Campaign) -> list[str]:
    """Limits are exact, and whoever was told to be first is."""
    wrong = people.wrong_slots(campaign.limit.per_day, campaign.limit.per_campaign)
    for pk, bound in people.first.items():
        image = people.scans.images.get(pk)
        if image is None or image.first is None or image.first.claim_id != bound:
            wrong.append(f"the table does not know the claim of {pk} that was told to be first")
    return wrong


def stolen_problems(rewards: Iterable[Reward], after_ms: int, cleared: Collection[str]) -> list[str]:
    """Nothing claimed after the stolen key was known (0: none was) is paid, but for what two people have cleared."""
    late = [one for one in rewards if 0 < after_ms < one.claimed_at_ms]
    paid = [one for one in late if one.state is State.PAID and one.reward_id not in cleared]
    return [f"{one.reward_id} was paid on a stolen key" for one in paid]


def _double_problems(ledger: FakeLedger, rail: FakeRail) -> list[str]:
    """Paid more than once only where the rail broke its word, and what the ledger did not book, people know of."""
    wrong = []
    stated = {case.bill_no for case in ledger.cases.values()}
    told = {case.bill_no for case in ledger.cases.values() if not case.kind.startswith("statement_")}
    for one, bills in rail.successes.items():
        honest = [bill for bill in bills if bill not in rail.broke_its_word]
        if len(honest) > 1 or len(set(bills)) < len(bills):
            wrong.append(f"{one} was paid {len(bills)} times")
        booked = _booked(ledger.items.get(one))
        if len([bill for bill in bills if bill not in stated]) > booked:
            wrong.append(f"{one}: nobody knows of all of {bills}")
        if len([bill for bill in bills if bill in rail.heard and bill not in told]) > booked:
            wrong.append(f"{one}: told of {bills}, nobody did anything about it")
    return wrong


def _with_people(ledger: FakeLedger, rail: FakeRail) -> int:
    """Payments the ledger has not booked: second ones, and those after the reward was released."""
    amounts = {line.bill_no: line.amount_minor for line in rail.lines}
    return sum(
        sum(sorted(amounts[bill] for bill in bills)[_booked(ledger.items.get(one)) :])
        for one, bills in rail.successes.items()
    )


def _booked(reward: Reward | None) -> int:
    return int(reward is not None and any(posting.account.startswith("clearing:") for posting in reward.settled))


def _state_problem(reward: Reward, rail: FakeRail) -> str:
    bills = rail.successes.get(reward.reward_id, [])
    paid = bool(bills)
    if not rail.broke_its_word.isdisjoint(bills) and reward.state in (State.PAID, State.RELEASED, State.HELD):
        return ""
    if reward.state not in FINAL and reward.state is not State.HELD:
        return f"{reward.reward_id} is stuck in {reward.state}"
    if reward.state in (State.PAID, State.RELEASED) and not reward.settled:
        return f"{reward.reward_id} is {reward.state} without a settlement"
    if reward.kind == "cash" and paid != (reward.state is State.PAID):
        return f"{reward.reward_id} is {reward.state}, the rail paid: {paid}"
    return ""


def _right_party(reward: Reward, image: ScanImage) -> bool:
    if reward.beneficiary == "consumer" or (
        reward.beneficiary == "outlet_staff" and image.first and image.first.outlet
    ):
        return image.first is not None and reward.party == image.first.person
    if reward.beneficiary == "outlet" and image.first is not None and image.first.outlet:
        return reward.party == image.first.outlet
    return reward.party in RIGHT[reward.beneficiary]
