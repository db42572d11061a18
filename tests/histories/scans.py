"""What people write and where goods are, in the harness: the Scans table with its stream, counters, the channel."""

from collections import defaultdict

import msgspec

from tests.histories.world import World
from uncap.domain.rewards.ports import Channel, ScanPage
from uncap.domain.scans import CodeRef, Mark, ScanChange, ScanImage

INVITED = {"o-1": "o-2"}


class FakeScans:
    """Scans and its stream: every record at least once, batches repeated until taken, some lost for good.

    The stream has shards, read side by side; a code's records are in one of them, in order.

    `claim` and `observe` are adapters/scans_wire.py's one unconditional update: `first` only if there is none.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.images: dict[str, ScanImage] = {}
        self.shards: list[list[ScanChange]] = [[], []]
        self.positions = [0, 0]

    def claim(self, ref: CodeRef, mark: Mark) -> ScanImage:
        return self.world.call(lambda: self._record(ref, mark, claims=True), "claim", ref.key(), mark.person)

    def observe(self, ref: CodeRef, mark: Mark) -> ScanImage:
        return self.world.call(lambda: self._record(ref, mark, claims=False), "observe", ref.key(), mark.reason)

    def get(self, ref: CodeRef | str) -> ScanImage | None:
        """By reference for the scan path, by key for the jobs."""
        return self.images.get(ref if isinstance(ref, str) else ref.key())

    def batch(self, shard: int) -> tuple[list[ScanChange], int]:
        """Some next records of a shard, perhaps with earlier ones before them, and the position behind them."""
        stop = min(self.positions[shard] + self.world.random.randrange(1, 5), len(self.shards[shard]))
        start = max(0, self.positions[shard] - (2 if self.world.chance(self.world.rates.repeated) else 0))
        return self.shards[shard][start:stop], stop

    def taken(self, shard: int, position: int) -> None:
        """The records before this position need not be delivered any more."""
        self.positions[shard] = max(self.positions[shard], position)

    @property
    def waiting(self) -> list[int]:
        """Shards with records that nobody has taken."""
        return [number for number, records in enumerate(self.shards) if self.positions[number] < len(records)]

    def page(self, segment: int, segments: int, start: str) -> ScanPage:
        """A key stays in its segment, whatever is written beside it."""
        keys = [pk for pk in sorted(self.images) if sum(pk.encode()) % segments == segment and pk > start]
        images = self.world.call(lambda: [self.images[pk] for pk in keys[:3]])
        return ScanPage(images, keys[2] if len(keys) > 3 else "")

    def restore(self, images: dict[str, ScanImage]) -> None:
        """The table as it was a while ago, as a restore from a backup leaves it: later scans are gone."""
        self.images = dict(images)

    def _record(self, ref: CodeRef, mark: Mark, *, claims: bool) -> ScanImage:
        old = self.images.get(ref.key())
        first = old.first if old else None
        if claims and first is None:
            first = mark
        last = msgspec.structs.replace(mark, payee="")
        image = ScanImage(ref.key(), last, (old.count if old else 0) + 1, first)
        self.images[image.pk] = image
        if not self.world.chance(self.world.rates.lost):  # the relay was down past the stream's memory
            shard = self.shards[ref.index % len(self.shards)]
            shard.append(ScanChange(f"e{len(shard)}", self.world.now_ms, old, image))
        return image


class OutletScans(FakeScans):
    """Now and then it is an outlet's own phone that claims."""

    def claim(self, ref: CodeRef, mark: Mark) -> ScanImage:
        outlet = self.world.random.choice(["", "", "o-1"])
        return super().claim(ref, msgspec.structs.replace(mark, outlet=outlet))


class FakeLimits:
    """`services.claim_limits.Limits`: counters with named slots, as adapters/limits_wire.py keeps them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: dict[str, set[str]] = defaultdict(set)
        self.limits: dict[str, int] = {}

    def take(self, counter: str, slot: str, limit: int, expires_at_s: int) -> bool:
        return self.world.call(lambda: self._take(counter, slot, limit), "take a slot of", counter)

    def give_back(self, counter: str, slot: str) -> None:
        self.world.call(lambda: self.held[counter].discard(slot), "give back a slot of", counter)

    def _take(self, counter: str, slot: str, limit: int) -> bool:
        held, self.limits[counter] = self.held[counter], limit
        if slot not in held and len(held) >= limit:
            return False
        held.add(slot)
        return True


class FakeChannel:
    """Shipments and the tree, which change under the relay's feet. Outlet o-1 was invited by o-2."""

    def __init__(self) -> None:
        self.shipped = False
        self.distributor, self.outlet, self.salesperson = "d-1", "", ""

    def channel_of(self, batch_no: int, index: int) -> Channel:
        if not self.shipped:
            return Channel()
        inviter = INVITED.get(self.outlet, "")
        return Channel(True, self.distributor, self.outlet, self.salesperson, inviter=inviter)

    def tree_of(self, party_id: str) -> Channel:
        return Channel(outlet=party_id, salesperson=self.salesperson, inviter=INVITED.get(party_id, ""))

    def shipped_to(self, batch_no: int, index: int) -> str:
        return self.distributor if self.shipped else ""
