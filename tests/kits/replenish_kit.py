"""A channel, a pay-N campaign and the redemption store in memory, with crashes before or after any write."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from tests.kits.scan_kit import CAMPAIGN, DAY_MS, GTIN, NOON_MS, PRODUCT, FakeLimits, FakeSource
from uncap.adapters.catalog import Catalog
from uncap.adapters.ledger_items import checked_move
from uncap.adapters.replenishments import Move
from uncap.domain.campaigns.reference import PayN, Place
from uncap.domain.catalog import Campaign, Effect, Party, PoolShare, Prize, Role, Territory
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, balanced, balances
from uncap.domain.memberships import Membership
from uncap.domain.replenishment import Claim, Step
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.rights import code_of, granted_right, lookup_key
from uncap.domain.scans import CodeRef
from uncap.domain.sessions import Session, new_session
from uncap.services.redeem_right import RedeemDesk
from uncap.services.replenish import ReplenishDesk

KEY = secrets.token_bytes(32)
TERMS = PayN(GTIN, 100, NOON_MS + 90 * DAY_MS, fee_minor=20, excluded_outlets=("o-bad",))
RIGHT = Prize("one-more", "pay_n", 1, {"zh-CN": "加1元再来一瓶", "en": "Add ¥1 for one more"}, pay_n=TERMS)
WITH_RIGHT: Campaign = msgspec.structs.replace(
    CAMPAIGN, prizes=(RIGHT,), pool=(PoolShare("one-more", 1, 2),), effects=(Effect(1, "consumer", "laid"),)
)
NAME = {"en": "x"}
PARTIES = {
    one.party_id: one
    for one in (
        Party("brand", "brand", NAME),
        Party("d-1", "distributor", NAME, "brand"),
        Party("s-1", "sub_distributor", NAME, "d-1"),
        Party("v-1", "salesperson", NAME, "s-1"),
        Party("o-1", "outlet", NAME, "v-1"),
        Party("o-2", "outlet", NAME, "d-1"),
        Party("o-3", "outlet", NAME),
        Party("o-bad", "outlet", NAME, "d-1"),
        Party("d-2", "distributor", NAME, "brand"),
        Party("o-far", "outlet", NAME, "d-2"),
    )
}
TERRITORIES = (Territory("d-1", "510100", ()), Territory("d-2", "440100", ()))


class FakeStore:
    """Rewards, claims and steps: one atomic act each. `fault` is asked before and after each; True is a crash."""

    def __init__(self) -> None:
        self.rewards: dict[str, Reward] = {}
        self.codes: dict[str, str] = {}
        self.claims: dict[tuple[str, str], Claim] = {}
        self.steps: dict[str, Step] = {}
        self.entries: dict[str, JournalEntry] = {}
        self.fault: Callable[[], bool] = lambda: False

    def get(self, reward_id: str) -> Reward | None:
        return self.rewards.get(reward_id)

    def replace(self, old: Reward, new: Reward) -> None:
        checked_move(old, new)
        self._crash()
        if self.rewards.get(old.reward_id) != old:
            raise ConflictError("reward_moved", "the fake's condition failed")
        self.rewards[new.reward_id] = new
        self._crash()

    def reward_of(self, key: str) -> str:
        return self.codes.get(key, "")

    def note_right(self, key: str, reward_id: str) -> None:
        self.codes[key] = reward_id

    def claim(self, claimant: str, upstream: str) -> Claim | None:
        return self.claims.get((claimant, upstream))

    def step(self, step_id: str) -> Step | None:
        return self.steps.get(step_id)

    def claims_of(self, claimant: str) -> list[Claim]:
        return [one for (owner, _), one in self.claims.items() if owner == claimant]

    def claims_on(self, upstream: str) -> list[Claim]:
        return [one for (_, above), one in self.claims.items() if above == upstream]

    def steps_of(self, claimant: str, limit: int = 50) -> list[Step]:
        return [one for one in self.steps.values() if one.claimant == claimant][:limit]

    def redeem(self, old: Reward, new: Reward, move: Move) -> None:
        checked_move(old, new)
        self._crash()
        if self.rewards[old.reward_id] != old or old.settled:
            raise ConflictError("reward_moved", "the fake's condition failed")
        self._write((move,))
        self.rewards[new.reward_id] = new
        self._crash()

    def decide(self, *moves: Move) -> None:
        self._crash()
        self._write(moves)
        self._crash()

    def _write(self, moves: tuple[Move, ...]) -> None:
        for move in moves:
            names = (move.new.claimant, move.new.upstream)
            if self.claims.get(names) != move.old or move.step.step_id in self.steps:
                raise ConflictError("claim_moved", "the fake's condition failed")
        for move in moves:
            self.claims[move.new.claimant, move.new.upstream] = move.new
            self.steps[move.step.step_id] = move.step
            if move.entry is not None:
                balanced(move.entry.postings)
                self.entries[move.entry.entry_id] = move.entry

    def _crash(self) -> None:
        if self.fault():
            raise TransientError("storage_unavailable", "killed here")

    def balance(self) -> dict[str, int]:
        """The trial balance."""
        entries = [entry.postings for entry in self.entries.values()]
        for reward in self.rewards.values():
            entries += [entry for entry in (reward.granted, reward.settled) if entry]
        return balances(entries)


class FakeBrakes:
    """Why nothing may be given out."""

    why = ""

    def reason(self, reward: Reward) -> str:
        return self.why


@dataclass
class Market:
    """Everything redeeming needs, in memory."""

    now_ms: int = NOON_MS
    store: FakeStore = field(default_factory=FakeStore)
    limits: FakeLimits = field(default_factory=FakeLimits)
    brakes: FakeBrakes = field(default_factory=FakeBrakes)
    members: dict[str, Membership] = field(default_factory=dict)
    parties: dict[str, Party] = field(default_factory=lambda: dict(PARTIES))
    campaign: Campaign = WITH_RIGHT
    made: int = 0

    @property
    def catalog(self) -> Catalog:
        docs = {("campaign#autumn", "v#000001"): self.campaign, (f"product#{GTIN}", "meta"): PRODUCT}
        docs |= {("territories", one.party_id): one for one in TERRITORIES}
        source = FakeSource({key: msgspec.json.encode(value).decode() for key, value in docs.items()})
        return Catalog(source, lambda: self.now_ms, 5_000)

    @property
    def desk(self) -> RedeemDesk:
        return RedeemDesk(
            self.store,
            self.store,
            self.catalog,
            self.brakes,
            self.limits,
            self.parties.get,
            self.members.get,
            ZoneInfo("Asia/Shanghai"),
        )

    @property
    def replenish(self) -> ReplenishDesk:
        return ReplenishDesk(self.store, self.parties.get)

    def win(self, person: str = "p_ann", place: Place | None = None) -> str:
        """A right that may be redeemed; its code."""
        self.made += 1
        ref = CodeRef(7, self.made, Role.CAP_INNER)
        bare = Reward(
            reward_id=ids.reward_id(ref, "autumn", 1, "consumer"),
            ref=ref.key(),
            campaign="autumn@1",
            release_id="r1",
            effect_no=1,
            beneficiary="consumer",
            state=State.PENDING,
            claimed_at_ms=self.now_ms,
            claimable_until_ms=TERMS.redeem_until_ms,
            party=person,
            kind="pay_n",
            prize_id="one-more",
            amount_minor=1,
            currency="VCH",
            place=place or Place("510100", "d-1", "o-1"),
            fee_minor=20,
            fee_currency="CNY",
        )
        reward = states.issue(msgspec.structs.replace(bare, granted=granted_right(bare)))
        self.store.rewards[reward.reward_id] = reward
        code = code_of(KEY, reward.reward_id)
        self.store.codes[lookup_key(code)] = reward.reward_id
        return code

    def member(self, party: str = "o-1", person: str = "p_staff") -> Session:
        """A session of someone who works there."""
        role = self.parties[party].role if party in self.parties else "outlet"
        session = new_session("local", "00" * 16, self.now_ms, person=person)
        until = self.now_ms // 1000 + 3_600
        return msgspec.structs.replace(session, party=party, party_role=role, member_until_s=until)
