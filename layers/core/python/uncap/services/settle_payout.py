"""A rail's word about one attempt becomes the reward's state and its ledger entry, in one conditional update.

Called by worker, callback and sweeper with whatever the rail answered; the rules are in `domain/rewards/outcomes.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from uncap.adapters.catalog import Catalog
from uncap.domain.errors import ConflictError, NotFoundError, TransientError
from uncap.domain.rails import Rail, RailOutcome
from uncap.domain.rewards import ids
from uncap.domain.rewards.outcomes import Change, apply_outcome
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Reward
from uncap.services.schedule_payouts import Scheduler
from uncap.services.stop_money import Brakes

RACES = 5


@dataclass(frozen=True)
class Payouts:
    """What paying needs. `rails`: by prize kind. `open_payee` gives the rail's name for the person, in clear.

    `accounts`: the merchant accounts by name, where attempts name one; `scheduler` chooses among them and paces calls.
    """

    ledger: LedgerStore
    catalog: Catalog
    brakes: Brakes
    rails: Mapping[str, Rail]
    open_payee: Callable[[Reward], str]
    clock_ms: Callable[[], int]
    notify_url: str = ""
    open_name: Callable[[Reward], str] = lambda _: ""
    accounts: Mapping[str, Rail] = field(default_factory=dict)
    scheduler: Scheduler | None = None

    def rail_of(self, reward: Reward) -> Rail:
        """The account of the reward's newest attempt, or the rail of its kind. NotFoundError (`rail_unknown`).

        An attempt is never taken to another account: only its own knows whether the bill may still be paid.
        """
        account = reward.attempt.account if reward.attempt else ""
        try:
            return self.accounts[account] if account else self.rails[reward.kind]
        except KeyError:
            raise NotFoundError("rail_unknown", f"nothing pays {account or reward.kind!r}", where="kind") from None


def settle(
    known: Reward, attempt_no: int, outcome: RailOutcome, payouts: Payouts, *, submitted: bool = False
) -> Reward:
    """Apply the outcome to the reward as the caller knows it; lost races are read and judged again.

    The case is opened before the write: a crash in between opens it once more under the same id, which is once.
    NotFoundError (`reward_unknown`), ConflictError (`attempt_unknown`), TransientError (`reward_contended`).
    """
    reward: Reward | None = known
    for _ in range(RACES):
        if reward is None:
            raise NotFoundError("reward_unknown", "the ledger has no such reward", where="reward_id")
        change = apply_outcome(reward, attempt_no, outcome, payouts.clock_ms(), submitted=submitted)
        if _written(reward, change, payouts.ledger):
            return _stop_newer(change, payouts)
        reward = payouts.ledger.get(known.reward_id)
    raise TransientError("reward_contended", f"reward {known.reward_id} keeps moving")


def poll(reward: Reward, payouts: Payouts, *, cancel: bool = False) -> Reward:
    """Ask the rail what became of the newest attempt (or to stop it), and adopt the answer."""
    if reward.attempt is None:
        return reward
    rail = payouts.rail_of(reward)
    bill = ids.bill_no(reward.reward_id, reward.attempt.no)
    outcome = rail.cancel(bill) if cancel else rail.query(bill)
    return settle(reward, reward.attempt.no, outcome, payouts)


def _written(old: Reward, change: Change, ledger: LedgerStore) -> bool:
    if change.case is not None:
        ledger.open_case(change.case)
    if change.reward is old:
        return True
    try:
        ledger.replace(old, change.reward)
    except ConflictError:
        return False
    return True


def _stop_newer(change: Change, payouts: Payouts) -> Reward:
    """A frozen reward's open bill is cancelled at once; if that is lost, the sweeper cancels it again."""
    return poll(change.reward, payouts, cancel=True) if change.cancel_bill else change.reward
