"""Histories with pay-N rights: wallets, outlets that redeem, claims that go up to the brand and down to zero.

`RightsTable` keeps adapters/replenishments.py's conditions: a redemption or a step is one write of all it touches.
"""

from collections.abc import Callable, Sequence

from tests.histories.stores import FakeLedger
from tests.histories.world import World
from uncap.adapters.ledger_items import checked_move, reward_key, values_of
from uncap.adapters.replenishments import Move
from uncap.adapters.wire.dynamodb import Attributes
from uncap.domain.catalog import Party
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import balanced
from uncap.domain.replenishment import Claim, Step
from uncap.domain.rewards.reward import Reward

NAME = {"en": "x"}
PARTIES = {
    one.party_id: one
    for one in (
        Party("brand", "brand", NAME),
        Party("d-1", "distributor", NAME, "brand"),
        Party("d-2", "distributor", NAME, "brand"),
        Party("sub-1", "sub_distributor", NAME, "d-1"),
        Party("s-1", "salesperson", NAME, "sub-1"),
        Party("o-1", "outlet", NAME, "s-1"),
        Party("o-2", "outlet", NAME, "d-1"),
        Party("o-3", "outlet", NAME, "d-2"),
        Party("o-4", "outlet", NAME, "d-1"),
    )
}
OUTLETS = ("o-1", "o-2", "o-3", "o-4")
REGIONS = {"o-1": "510104", "o-2": "510104", "o-3": "500100"}


class RightsTable:
    """What redeeming, replenishing and wallets read and write of the Ledger."""

    def __init__(self, world: World, ledger: FakeLedger, is_stopped: Callable[[Reward], bool]) -> None:
        """`is_stopped`: whether a stop on this reward's money was stored so long ago that everybody knows."""
        self.world, self.ledger, self.is_stopped = world, ledger, is_stopped
        self.codes: dict[str, str] = {}
        self.claims: dict[tuple[str, str], Claim] = {}
        self.steps: dict[str, Step] = {}

    def reward_of(self, key: str) -> str:
        return self.world.call(lambda: self.codes.get(key, ""), "whose code")

    def note_right(self, key: str, reward_id: str) -> None:
        self.world.call(lambda: self.codes.update({key: reward_id}), "note a code of", reward_id)

    def claim(self, claimant: str, upstream: str) -> Claim | None:
        return self.world.call(lambda: self.claims.get((claimant, upstream)), "claim", claimant, upstream)

    def step(self, step_id: str) -> Step | None:
        return self.world.call(lambda: self.steps.get(step_id), "step", step_id)

    def redeem(self, old: Reward, new: Reward, move: Move) -> None:
        checked_move(old, new)
        self.world.call(lambda: self._redeem(old, new, move), "redeem", new.reward_id, "at", move.new.claimant)

    def decide(self, *moves: Move) -> None:
        steps = [f"{one.step.kind} {one.step.pieces} of {one.step.claimant}" for one in moves]
        self.world.call(lambda: self._write(moves), *steps)

    def keys(self, owner: str, limit: int) -> list[str]:
        """As OwnerLists, for a person's rewards."""
        person = owner.removeprefix("person#")
        mine = [one for one in self.ledger.items.values() if "owner" in values_of(one) and one.party == person]
        return [reward_key(one.reward_id) for one in mine[:limit]]

    def items(self, pks: Sequence[str]) -> dict[str, Attributes]:
        found = {reward_key(one.reward_id): one for one in self.ledger.items.values()}
        return {pk: {"doc": {"S": str(values_of(found[pk])["doc"])}} for pk in pks if pk in found}

    def fits(self, move: Move) -> bool:
        """The conditions on a claim, its step and its entry; mutants weaken them."""
        stored = self.claims.get((move.new.claimant, move.new.upstream))
        entered = move.entry is not None and move.entry.entry_id in self.ledger.entries
        unmoved = (stored.rev if stored else 0) == (move.old.rev if move.old else 0)
        return unmoved and move.step.step_id not in self.steps and not entered

    def _redeem(self, old: Reward, new: Reward, move: Move) -> None:
        if not self.ledger.allows(self.ledger.items[old.reward_id], old, new):
            raise ConflictError("reward_moved", "the fake's condition failed")
        self._write((move,))
        if self.is_stopped(old):
            self.world.violated(f"{old.reward_id} was redeemed although money had been stopped")
        self.ledger._replace(old, new)

    def _write(self, moves: tuple[Move, ...]) -> None:
        if not all(self.fits(move) for move in moves):
            raise ConflictError("claim_moved", "the fake's condition failed")
        for move in moves:
            self.claims[move.new.claimant, move.new.upstream] = move.new
            self.steps[move.step.step_id] = move.step
            if move.entry is not None:
                balanced(move.entry.postings)
                self.ledger.entries[move.entry.entry_id] = move.entry
