"""People who claim at a steady, modest rate while everything around them breaks, and remember what they were told."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from cli.clients import ApiProblemError, Phone
from tests.chaos.arena import PER_PERSON, Arena

HANDS = 4
_TURNS = (("claim", 80), ("race", 8), ("repeat", 6), ("retry", 6))


@dataclass
class Claim:
    """One person's try at one code under one claim id. `outcome` "": no answer was had yet."""

    person: int
    index: int
    claim_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcome: str = ""
    rewards: tuple[str, ...] = ()


class Crowd:
    """A third as many people as bottles, so that some reach their limit."""

    def __init__(self, arena: Arena, seed: int) -> None:
        self._arena = arena
        self._random = random.Random(seed)
        run = uuid.uuid4().hex[:8]
        self.names = [f"chaos-person-{run}-{number}" for number in range(max(2, arena.units // PER_PERSON + 2))]
        self._phones: dict[int, Phone] = {}
        self._signing_in = threading.Lock()
        self._fresh = list(range(arena.units))
        self._random.shuffle(self._fresh)
        self.claims: list[Claim] = []

    @property
    def told(self) -> Counter[str]:
        """How often each answer was given."""
        return Counter(one.outcome or "no answer" for one in self.claims)

    @property
    def touched(self) -> set[int]:
        """Bottles somebody tried."""
        return {one.index for one in self.claims}

    def phone(self, person: int) -> Phone:
        """Signed in once, however often signing in fails at first."""
        with self._signing_in:
            if person not in self._phones:
                self._phones[person] = self._arena.market.phone(self.names[person])
            return self._phones[person]

    def claim_while(self, lasts: Callable[[], bool], rate_per_s: float) -> None:
        """Evenly spread turns; one that takes longer delays nobody else's, as long as hands are free."""
        with ThreadPoolExecutor(HANDS) as pool:
            running = []
            while lasts() and self._fresh:
                now = time.monotonic()
                running += [pool.submit(self.send, one) for one in self._turn()]
                time.sleep(max(0.0, now + 1 / rate_per_s - time.monotonic()))
            for one in running:
                one.result()

    def send(self, claim: Claim) -> None:
        """Ask; what is not answered, or refused for now, stays open and may be sent again unchanged."""
        try:
            answer = self._arena.claim(self.phone(claim.person), claim.index, claim.claim_id)
            claim.outcome, claim.rewards = answer.outcome, answer.rewards
        except ApiProblemError as problem:
            if problem.code == "person_limit_reached":
                claim.outcome = problem.code
        except httpx.TransportError:
            return  # the client has tried eight times: a person would press again later, and so do we

    def ask_again(self) -> int:
        """Send what was not answered; how many still are not."""
        open_ones = [one for one in self.claims if not one.outcome]
        with ThreadPoolExecutor(HANDS) as pool:
            list(pool.map(self.send, open_ones))
        return sum(not one.outcome for one in open_ones)

    def _turn(self) -> list[Claim]:
        kind = self._random.choices([name for name, _ in _TURNS], [share for _, share in _TURNS])[0]
        known = [one for one in self.claims if one.outcome == "first"]
        if kind == "retry" and known:
            old = self._random.choice(known)
            claims = [Claim(old.person, old.index, old.claim_id)]
        elif kind == "repeat" and known:
            claims = [Claim(self._somebody(), self._random.choice(known).index)]
        else:
            index = self._fresh.pop()
            claims = [Claim(self._somebody(), index) for _ in range(2 if kind == "race" else 1)]
        self.claims += claims
        return claims

    def _somebody(self) -> int:
        return self._random.randrange(len(self.names))


class Tapper:
    """Taps "confirm" for everybody whom the rail asks to, while its block lasts. Some people take their time."""

    def __init__(self, crowd: Crowd, arena: Arena, pause_s: float = 1.0) -> None:
        self._crowd = crowd
        self._arena = arena
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tapper")
        self.failures: Counter[str] = Counter()

    def __enter__(self) -> "Tapper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        done: set[str] = set()
        while not self._stop.wait(self._pause_s):
            winners = {reward: one.person for one in list(self._crowd.claims) for reward in one.rewards}
            for reward_id, person in winners.items():
                if reward_id not in done and not self._stop.is_set() and self._tap(person, reward_id):
                    done.add(reward_id)

    def _tap(self, person: int, reward_id: str) -> bool:
        """True if there is nothing more to tap."""
        market = self._arena.market
        try:
            reward = self._crowd.phone(person).reward(reward_id)
            if reward and reward["state"] == "WAIT_USER":
                market.confirm(self._crowd.phone(person), reward_id)
        except (ApiProblemError, httpx.HTTPError, AssertionError) as problem:
            self.failures[type(problem).__name__] += 1  # the rail or the page is away: tapped again later
            return False
        return bool(reward and reward["state"] in ("PAID", "NONE", "RELEASED"))
