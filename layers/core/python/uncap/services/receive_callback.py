"""A rail's webhook: believed only once it is proven, written only if it is news. Called by payout_callback."""

from collections.abc import Mapping

from uncap.domain.errors import InputError, NotFoundError
from uncap.domain.rails import Books, FailedFinal, Paid, RailOutcome
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import Reward, State
from uncap.services.settle_payout import Payouts, settle


def receive_callback(headers: Mapping[str, str], body: bytes, rail: Books, payouts: Payouts) -> Reward:
    """The reward after the notice; a duplicate or an older attempt's failure changes nothing.

    Refused without a write: AuthError (forged, stale), InputError (`amount_differs`, malformed), NotFoundError
    (`bill_unknown`). TransientError: the rail shall call again.
    """
    notice = rail.verify_callback(headers, body)
    reward_id, attempt_no = ids.of_bill(notice.bill_no)
    reward = _as_it_waits(reward_id, attempt_no, notice.outcome, payouts) or payouts.ledger.get(reward_id)
    if reward is None or reward.attempt is None or not 1 <= attempt_no <= reward.attempt.no:
        raise NotFoundError("bill_unknown", "we never sent this bill", where="bill_no")
    newest = reward.attempt if reward.attempt.no == attempt_no else None
    if newest and newest.account and notice.account not in ("", newest.account):
        raise NotFoundError("bill_unknown", "we never sent this bill through that account", where="bill_no")
    if notice.amount_minor != reward.net_minor:
        raise InputError("amount_differs", "the notice is about another amount than we sent", where="amount_minor")
    return settle(reward, attempt_no, notice.outcome, payouts)


def _as_it_waits(reward_id: str, attempt_no: int, outcome: RailOutcome, payouts: Payouts) -> Reward | None:
    """The reward at half the price of certainty, where it waits for just this word; None: read it as it is now.

    What it waits for is then written on the condition that it was read as it is, so an old reading changes nothing.
    """
    found = payouts.ledger.get_many([reward_id], consistent=False).get(reward_id)
    attempt = found.attempt if found else None
    if found is None or attempt is None or attempt.no != attempt_no or not attempt.is_open:
        return None
    expected = found.state in (State.ACCEPTED, State.WAIT_USER) and isinstance(outcome, Paid | FailedFinal)
    return found if expected and not found.settled else None
