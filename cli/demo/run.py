"""Plays the plan: phones open links and claim, wave by wave, eight at a time. Used by `cli/demo/command.py`."""

import io
import random
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import msgspec
import zxingcpp
from PIL import Image

from cli import qr
from cli.clients import ApiProblemError, Phone
from cli.demo.plan import Visit
from cli.demo.world import World
from dev.seed.keys import BrandKeys
from dev.stack import http
from dev.stack.outputs import StackOutputs
from uncap.adapters.catalog import BatchView
from uncap.domain.codes.crockford import ALPHABET
from uncap.domain.codes.links import build_code_link, parse_code_link

CLIENTS = 8
Progress = Callable[[int], None]


class Played(msgspec.Struct, frozen=True):
    """What one visit came to. `answer` is the scan's outcome, or the reason it was refused or only observed."""

    visit: Visit
    answer: str
    rewards: tuple[str, ...]
    took_ms: float
    at: float  # seconds, time.monotonic()


class Players:
    """The people, their phones and the codes in their hands."""

    def __init__(self, outputs: StackOutputs, world: World, batch: BatchView, seed: int) -> None:
        self._outputs = outputs
        self._world = world
        self.batch = batch
        self._keys = BrandKeys(outputs)
        self._rng = random.Random(seed)
        self._client = http.client(connections=2 * CLIENTS)
        self._phones: dict[int, Phone] = {}
        self._claim_ids: dict[int, str] = {}
        self.won: dict[str, int] = {}
        """Reward id → person, as the claims are answered."""

    def phone(self, person: int) -> Phone:
        """This person's phone; signed in once, before its first scan."""
        if person not in self._phones:
            name = f"demo-{self._world.run}-{person}"
            self._phones[person] = Phone(self._outputs.scan_base, name, client=self._client)
        return self._phones[person]

    def play(self, visits: Sequence[Visit], progress: Progress) -> list[Played]:
        """All visits of one wave. The two of a pair start together."""
        for visit in visits:
            self.phone(visit.person)
            self._claim_ids.setdefault(visit.number, str(uuid.uuid4()))
        links = [self._link(visit) for visit in visits]
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self._visit, visit, link) for visit, link in zip(visits, links, strict=True)]
            return list(_as_told(running, progress))

    def confirm(self, person: int, reward_id: str) -> None:
        """The person's tap on the rail's sheet, if the reward still asks for it. A second tap changes nothing."""
        reward = self.phone(person).reward(reward_id)
        action = reward.get("action") if reward else None
        if not action:
            return
        package = parse_qs(urlsplit(action["url"]).query)["package"][0]
        self._client.post(f"{self._outputs.sim_base}/_sim/confirm", json={"package": package})

    def _visit(self, visit: Visit, link: str) -> Played:
        phone = self._phones[visit.person]
        if visit.by_qr:
            phone.open(link)
        code = parse_code_link(link)
        claim_id = self._claim_ids[visit.retries if visit.retries >= 0 else visit.number]
        place = {**msgspec.structs.asdict(visit.place), "datum": "wgs84"}
        began = time.monotonic()
        try:
            answer = phone.scan(code.gtin, code.serial, claim_id=claim_id, place=place)
        except ApiProblemError as problem:
            return Played(visit, problem.code, (), (time.monotonic() - began) * 1000, began)
        if answer.outcome == "first":
            self.won.update(dict.fromkeys(answer.rewards, visit.person))
        return Played(visit, answer.reason or answer.outcome, answer.rewards, answer.took_ms, began)

    def _link(self, visit: Visit) -> str:
        """The link as the phone learns it: read off a rendered QR, tapped, or made up by a forger."""
        if visit.index < 0:
            return build_code_link(self._outputs.scan_base, self._world.gtin, self._forged_serial())
        link = self._keys.link(self.batch, visit.index)
        return read_back(qr.png(link)) if visit.by_qr else link

    def _forged_serial(self) -> str:
        return "1" + "".join(self._rng.choices(ALPHABET, k=16))


def read_back(image: bytes) -> str:
    """The text of the one symbol in a PNG, by zxing-cpp. Raises ValueError if there is none or more."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(image)))
    if len(found) != 1:
        raise ValueError(f"{len(found)} symbols were read where one was printed")
    return str(found[0].text)


def _as_told(running: Iterable["Future[Played]"], progress: Progress) -> Iterable[Played]:
    for future in running:
        yield future.result()
        progress(1)
