"""What a run is told as: numbers, what is wrong, and the stories of the rewards it is wrong with."""

from collections import Counter
from collections.abc import Iterator
from statistics import median

from tests.chaos.reading import story
from tests.chaos.run import Outcome
from uncap.domain.rewards.reward import State

_STORIES = 5


def lines_of(outcome: Outcome, state_dir: str) -> Iterator[str]:
    """Everything a person wants to know, last what is wrong."""
    seen, ours = outcome.evidence, outcome.evidence.ours
    cash = [one for one in ours if one.kind == "cash" and one.state is State.PAID]
    yield f"seed {outcome.plan.seed}, {outcome.plan.seconds:.0f} s of ills, settled {outcome.settled_s:.0f} s later"
    yield f"  told         {_counts(outcome.told)}"
    yield f"  ills         {_counts(outcome.ills)}"
    yield f"  table calls  {_counts(outcome.requests)}"
    yield f"  claims       {len(seen.claims)}, rewards {_counts(Counter(one.state.value for one in ours))}"
    took = [one.paid_at_ms - one.claimed_at_ms for one in cash]
    waited = f", median {median(took) / 1000:.1f} s, longest {max(took) / 1000:.0f} s after the claim" if took else ""
    yield f"  cash         {len(cash)} payments, {sum(one.net_minor for one in cash)} fen{waited}"
    yield f"  attempts     {_counts(Counter(str(one.attempt.no) for one in cash if one.attempt))} (number: rewards)"
    yield f"  drawn        {sum(bool(one.holds) for one in ours)} of the scarce prize"
    yield f"  books        sums {seen.trial.totals}, over budget {seen.trial.overdrawn() or 'nothing'}"
    yield from (f"  by hand      {line}" for line in outcome.redriven)
    yield f"{len(outcome.problems) or 'nothing'} wrong"
    yield from (f"  WRONG {reward_id} {text}" for text, reward_id in outcome.problems)
    about = dict.fromkeys(reward_id for _, reward_id in outcome.problems if reward_id)
    for reward_id in list(about)[:_STORIES]:
        yield from story(state_dir, reward_id, seen, outcome.journal)


def _counts(counts: "Counter[str] | dict[str, int]") -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"
