"""What the payout worker does with a message: pay one reward, or look at rewards that were left at the rail.

After a batch, `look_later` sees to it that every payout that now waits at the rail is asked about once more, whatever
becomes of the callback. Called by functions/payout_worker.
"""

from collections.abc import Callable, Iterable

from uncap.adapters.reward_queue import message_of
from uncap.domain.errors import TransientError
from uncap.domain.rail_schedule import Later
from uncap.domain.rewards import states
from uncap.domain.rewards.ports import DelayedQueue, RewardQueue
from uncap.domain.rewards.reward import Reward
from uncap.services.pay_reward import LONGEST_DELAY_MS, pay
from uncap.services.schedule_payouts import PostponedError
from uncap.services.settle_payout import Payouts, poll

OUT_OF_TIME = "out_of_time"


def take_message(body: str, payouts: Payouts, time_is_up: Callable[[], bool] = lambda: False) -> list[Reward]:
    """The rewards as they then are; those of a look that nobody has to look at any more are left out.

    PoisonError (`message_malformed`, `message_version_unknown`, `reward_unknown`), TransientError: the message comes
    back, and whatever of it was done is found done. Where `time_is_up`, nothing of it is begun: a worker that is ended
    in the middle would make a whole batch come back, what was done of it included, one step nearer to the dead letters.
    """
    message = message_of(body)
    if time_is_up():
        if message.reward_id:
            raise PostponedError(message.reward_id, Later(payouts.clock_ms(), OUT_OF_TIME))
        raise TransientError(OUT_OF_TIME, "the worker ends before it could look at these rewards")
    if message.reward_id:
        return [pay(message.reward_id, payouts)]
    # What is final stays final, so an old reading of it is as good as a new one; the rest is read as it is now.
    known = payouts.ledger.get_many(message.look, consistent=False)
    undecided = [one for one in message.look if one not in known or not known[one].is_final]
    found = payouts.ledger.get_many(undecided) if undecided else {}
    return [poll(one, payouts) for one in found.values() if states.unwatched(one)]


def send_back(postponed: Iterable[PostponedError], queue: DelayedQueue, now_ms: int) -> None:
    """Send these messages anew, each delivered when its account may be asked again. TransientError: keep the old ones.

    A new message and not the old one left in the queue: every receive counts towards the dead-letter queue.
    """
    delays: dict[int, list[str]] = {}
    for one in postponed:
        delay_s = -(-min(max(one.at_ms - now_ms, 1_000), LONGEST_DELAY_MS) // 1000)
        delays.setdefault(delay_s, []).append(one.reward_id)
    for delay_s, reward_ids in delays.items():
        queue.later(reward_ids, delay_s)


def look_later(rewards: Iterable[Reward], queue: RewardQueue, delay_s: int) -> list[str]:
    """Schedule the look at what was left at the rail; the ids. To be called before the messages are acknowledged.

    A crash before it loses nothing: the messages are delivered again, and what waits unwatched is asked about then.
    """
    waiting = [one.reward_id for one in rewards if states.unwatched(one)]
    if waiting:
        queue.look(waiting, delay_s)
    return waiting
