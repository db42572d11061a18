"""All closing draws, each brought as far as it can go: entries collected, winners granted, budgets closed (ADR 0028).

Called by reconcile_job at every run, ahead of its pass. Everything may be killed and repeated.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from uncap.domain.catalog import Campaign
from uncap.domain.errors import ConflictError, InputError, PoisonError
from uncap.domain.prizes.closing import ClosingDraw
from uncap.domain.prizes.entering import ClosingStore
from uncap.domain.rewards.ports import ScanReader
from uncap.services.enter_claims import Entrance, enter_claims
from uncap.services.grant_closing import Prizes, grant_closing
from uncap.services.grant_rewards import Granter
from uncap.services.reserve_budget import close_budget, reserve_closing


@dataclass(frozen=True)
class Closings:
    """What the job needs. `draws` lists them all, `salt_of` gives a campaign's."""

    granter: Granter
    scans: ScanReader
    store: ClosingStore
    draws: Callable[[], Iterable[ClosingDraw]]
    salt_of: Callable[[str], bytes] = field(repr=False)


@dataclass
class Closed:
    """What a run did. `failed`: campaigns whose draw cannot go on, with why; the others did."""

    complete_lists: int = 0
    rewards: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def run_closings(tools: Closings, time_is_up: Callable[[], bool]) -> Closed:
    """One step of every draw. TransientError: nothing was decided, the next run goes on."""
    done = Closed()
    for draw in tools.draws():
        if time_is_up():
            break
        try:
            _go_on(draw, tools, time_is_up, done)
        except (ConflictError, InputError, PoisonError) as cause:
            done.failed.append((draw.campaign_id, cause.code))
    return done


def _go_on(draw: ClosingDraw, tools: Closings, time_is_up: Callable[[], bool], done: Closed) -> None:
    catalog, now_ms = tools.granter.catalog, tools.granter.clock_ms()
    versions = catalog.campaign_versions(draw.campaign_id, fresh=True)
    if draw.state == "planned":
        entrance = Entrance(tools.scans, tools.store, catalog, tools.salt_of(draw.campaign_id))
        entering = enter_claims(versions[-1], entrance, now_ms, time_is_up)
        done.complete_lists += entering is not None and entering.is_complete
    elif draw.state in ("drawn", "published"):
        reserve_closing(tools.granter.ledger, versions, now_ms)
        version = draw.settled_terms.campaign_version
        _grant(draw, next(one for one in versions if one.version == version), tools, time_is_up, done)


def _grant(
    draw: ClosingDraw, campaign: Campaign, tools: Closings, time_is_up: Callable[[], bool], done: Closed
) -> None:
    outcome = tools.store.outcome(draw.campaign_id)
    if outcome is not None and outcome.settled:
        return
    if tools.granter.drawing is None:
        raise PoisonError("drawing_missing", "this function has no key for drawn prizes", where="campaign")
    prizes = Prizes(draw, campaign, tools.granter, tools.granter.drawing, tools.scans, tools.store)
    rewards = grant_closing(prizes, time_is_up)
    done.rewards += len(rewards)
    outcome = tools.store.outcome(draw.campaign_id)
    if outcome is None or not outcome.given or time_is_up() or any(not one.is_final for one in rewards):
        return
    close_budget(tools.granter.ledger, draw.campaign_id, tools.granter.clock_ms())
    tools.store.save_outcome(draw.campaign_id, msgspec.structs.replace(outcome, settled=True, rev=outcome.rev + 1))
