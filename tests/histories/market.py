"""The wing of pay-N rights: wallets are opened, outlets redeem, parties approve and replace (`rights.py`)."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple, cast

from tests.histories.campaigns import TERMS
from tests.histories.rights import OUTLETS, PARTIES, REGIONS, RightsTable
from tests.histories.scans import FakeLimits
from tests.histories.wings import Wing
from uncap.domain.days import day_of
from uncap.domain.errors import ConflictError, TransientError, UncapError
from uncap.domain.memberships import Membership
from uncap.domain.replenishment import APPROVE, RAISE, Claim
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.rights import PIECES
from uncap.domain.sessions import Session
from uncap.services.claim_code import Scans
from uncap.services.read_reward import RewardDesk
from uncap.services.read_wallet import WalletDesk, collect_again, read_wallet
from uncap.services.redeem_right import Receipt, RedeemDesk, Wanted, redeem_right
from uncap.services.replenish import Act, ReplenishDesk, decide_claim
from uncap.services.trial_balance import TrialBalance, trial_balance

if TYPE_CHECKING:
    from tests.histories.history import History

WORKS_AT = {"p1": Membership("p1", "o-1", "outlet_staff", "i", 0)}
CREDIT_MINOR = 300
CALLED_AT = ("o-1", "o-1", "o-2", "o-2", "o-3", "o-4")


class Try(NamedTuple):
    """A redemption as an outlet sends it, the same for every retry."""

    outlet: str
    person: str
    wanted: Wanted


class Decided(NamedTuple):
    """A step as whoever is claimed of sends it, the same for every retry."""

    claimant: str
    upstream: str
    act: Act


class RightsWing(Wing):
    """Rights won, shown, redeemed and replenished."""

    crowd = 6

    def __init__(self, history: "History") -> None:
        super().__init__(history)
        self.table = RightsTable(self.world, history.ledger, self._is_stopped)
        self.shown: dict[str, str] = {}
        """Codes that their owners have seen, with the rewards they stand for."""
        self.tries: list[Try] = []
        self.steps: list[Decided] = []
        self.handed: dict[str, tuple[str, str]] = {}
        """Whom a receipt was given to: outlet and key, by reward."""
        self.agreed: dict[str, Decided] = {}
        self._number = 0
        catalog, limits = history.payouts.catalog, FakeLimits(self.world)
        self.desk = RedeemDesk(
            history.ledger, self.table, catalog, history.payouts.brakes, limits, PARTIES.get, WORKS_AT.get, UTC
        )
        self.replenish = ReplenishDesk(self.table, PARTIES.get)
        reading = RewardDesk(history.ledger, catalog)
        scans = cast("Scans", history.scans)
        self.wallet = WalletDesk(self.table, reading, catalog, scans, self.table, lambda: bytes(32), UTC)

    def happenings(self) -> list[Callable[[], object]]:
        claiming = [self.history._claim, self.history._relay] * 6
        return [*claiming, *[self._look] * 8, *[self._redeem] * 12, *[self._decide] * 8]

    def calm(self) -> None:
        while self.tries:
            self._send(self.tries[0])
        while self.steps:
            self._step(self.steps[0])

    def finish(self) -> None:
        """Everything that was claimed is approved and replaced, from the outlets up."""
        while found := next((one for one in self.table.claims.values() if one.open), None):
            line = found.line(TERMS.gtin)
            if line.approved < line.raised:
                self._step(self._new_step(found, "approve", line.raised - line.approved))
            else:
                self._step(self._new_step(found, "goods", line.open))

    def _look(self) -> None:
        """Somebody opens their wallet, and collects what has expired there."""
        won = {one.party for one in self.history.ledger.items.values() if one.state is State.CLAIMABLE}
        if not won:
            return
        me = Session("h5", "d", 0, 0, self.world.random.choice(sorted(won)), "sealed")
        for entry in read_wallet(self.wallet, me, self.world.now_ms):
            if entry.code:
                self.shown[entry.code] = entry.reward_id
            elif entry.section == "again":
                collect_again(self.wallet, me, entry.reward_id, self.world.now_ms)

    def _redeem(self) -> None:
        if not self.shown:
            return
        if self.tries and self.world.chance(0.4):
            self._send(self.world.random.choice(self.tries))
            return
        codes = list(self.shown)  # a code that was just shown goes round
        code = codes[-1] if self.world.chance(0.5) else self.world.random.choice(codes)
        outlet = self.world.random.choice(CALLED_AT)
        person = self.world.random.choice([f"staff-{outlet}", f"staff-{outlet}", "p1"])
        self._number += 1
        self._send(Try(outlet, person, Wanted(code, f"k{self._number}")))

    def _send(self, one: Try) -> None:
        if one not in self.tries:
            self.tries.append(one)
        now_ms = self.world.now_ms
        session = Session("h5", "d", 0, 0, one.person, "", one.outlet, "outlet", now_ms // 1000 + 60)
        try:
            receipt = redeem_right(self.desk, session, one.wanted, now_ms)
        except TransientError:
            raise
        except UncapError as refused:
            self._answered(one)
            told = self.handed.get(self.shown[one.wanted.code])
            if told == (one.outlet, one.wanted.key):
                self.world.violated(f"a redemption was taken back on a retry: {refused.code}")
            return
        self._answered(one)
        self._judge(one, receipt)

    def _answered(self, one: Try) -> None:
        if one in self.tries:  # two retries may be under way at once
            self.tries.remove(one)

    def _judge(self, one: Try, receipt: Receipt) -> None:
        me = (one.outlet, one.wanted.key)
        if self.handed.setdefault(receipt.reward_id, me) != me:
            self.world.violated(f"{receipt.reward_id} was redeemed twice")

    def _decide(self) -> None:
        if self.steps and self.world.chance(0.6):
            self._step(self.world.random.choice(self.steps))
        elif self.table.claims:
            claim = self.world.random.choice(list(self.table.claims.values()))
            kind = self.world.random.choice(["approve", "approve", "goods", "credit"])
            self._step(self._new_step(claim, kind, self.world.random.randrange(1, 3)))

    def _new_step(self, claim: Claim, kind: str, pieces: int) -> Decided:
        self._number += 1
        amount = CREDIT_MINOR if kind == "credit" else 0
        reference = "" if kind == "approve" else f"paper-{self._number}"
        act = Act(kind, TERMS.gtin, pieces, f"s{self._number}", reference, amount)  # type: ignore[arg-type]
        return Decided(claim.claimant, claim.upstream, act)

    def _step(self, one: Decided) -> None:
        if one not in self.steps:
            self.steps.append(one)
        try:
            decide_claim(self.replenish, one.claimant, one.upstream, one.act, "somebody", self.world.now_ms)
            self.agreed[one.act.key] = one
        except ConflictError as refused:
            if one.act.key in self.agreed:
                self.world.violated(f"a step was taken back on a retry: {refused.code}")
        if one in self.steps:
            self.steps.remove(one)

    def _is_stopped(self, reward: Reward) -> bool:
        stopped_ms = self.history.rail.no_new_bills_after_ms
        return 0 < stopped_ms < self.world.now_ms and not self.history._let_go(reward.reward_id)

    def problems(self) -> list[str]:
        redeemed = [one for one in self.history.ledger.items.values() if one.redeemed]
        wrong = [problem for one in redeemed if (problem := self._wrong_about(one))]
        paid = {one.reward_id for one in redeemed}
        wrong += [f"{one} was handed over and is not recorded" for one in self.handed.keys() - paid]
        rights = [one for one in self.history.ledger.items.values() if one.kind == "pay_n"]
        wrong += [f"{one.reward_id} is paid and nobody redeemed it" for one in rights if _is_loose(one)]
        days = Counter((one.party, *_where(one)) for one in redeemed)
        wrong += [f"{n} were redeemed on {who}" for who, n in days.items() if n > TERMS.per_day]
        balance = trial_balance(self.history.ledger)
        return wrong + self._claims_wrong(redeemed) + self._books_wrong(redeemed, balance)

    def _wrong_about(self, reward: Reward) -> str:
        made, place = reward.redeemed, reward.place
        if made is None:
            return ""
        if self.handed.get(reward.reward_id) != (made.outlet, made.key):
            return f"{reward.reward_id} was redeemed and its outlet was not told"
        if place is not None and place.region and REGIONS.get(made.outlet) != place.region:
            return f"{reward.reward_id} of {place.region} was redeemed by {made.outlet}"
        if made.outlet in TERMS.excluded_outlets:
            return f"{made.outlet} does not take part and redeemed {reward.reward_id}"
        if reward.party == made.person or (reward.party in WORKS_AT and made.outlet == WORKS_AT[reward.party].party_id):
            return f"{reward.reward_id} was redeemed by its owner"
        return f"{reward.reward_id} was redeemed too late" if made.at_ms >= reward.claimable_until_ms else ""

    def _claims_wrong(self, redeemed: list[Reward]) -> list[str]:
        """What each claim counts is what was raised, and what was agreed to once each."""
        wrong, outlets = [], Counter(one.redeemed.outlet for one in redeemed if one.redeemed)
        for (claimant, upstream), claim in self.table.claims.items():
            mine = [one for one in self.table.steps.values() if (one.claimant, one.upstream) == (claimant, upstream)]
            said = [one.act for one in self.agreed.values() if (one.claimant, one.upstream) == (claimant, upstream)]
            raised = sum(one.pieces for one in mine if one.kind == RAISE)
            approved = sum(one.pieces for one in said if one.kind == APPROVE)
            settled = sum(one.pieces for one in said if one.kind != APPROVE)
            line = claim.line(TERMS.gtin)
            if (line.raised, line.approved, line.settled) != (raised, approved, settled):
                wrong.append(f"{claimant} on {upstream} counts {line}, agreed were {(raised, approved, settled)}")
            if claimant in OUTLETS and raised != outlets[claimant]:
                wrong.append(f"{claimant} redeemed {outlets[claimant]} and claims {raised}")
        return wrong

    def _books_wrong(self, redeemed: list[Reward], balance: TrialBalance) -> list[str]:
        """All is settled: nobody holds a voucher, and the brand has replaced every piece once."""
        held = {name: n for name, n in balance.accounts.items() if name.startswith("voucher:") and n}
        ways = ("replenishment", "credit_note")
        replaced = -sum(balance.of("clearing", way, PIECES) for way in ways)
        wrong = [f"vouchers are left: {held}"] if held else []
        if replaced != len(redeemed):
            wrong.append(f"{len(redeemed)} were redeemed, {replaced} replaced")
        owed = Counter(dict.fromkeys(PARTIES, 0))
        for one in redeemed:
            owed[_where(one)[0]] += one.fee_minor
        for said in self.agreed.values():  # what others than the brand credit is between the two of them
            owed[said.claimant] += said.act.amount_minor if said.upstream == "brand" else 0
        credited = {one: -balance.of("credit", one, "CNY") for one in PARTIES}
        wrong += [f"{one} was credited {n}, not {owed[one]}" for one, n in credited.items() if n != owed[one]]
        if left := balance.of("budget", "rel-1", PIECES):
            wrong.append(f"{left} pieces of the budget are neither owed nor breakage")
        return wrong


def _is_loose(reward: Reward) -> bool:
    return reward.state is State.PAID and reward.redeemed is None


def _where(reward: Reward) -> tuple[str, str]:
    made = reward.redeemed
    return (made.outlet, str(day_of(made.at_ms, UTC))) if made else ("", "")
