"""Entering claims into a closing draw: whatever pages, kills and times come, the list is every claim once, in order."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.catalog import Campaign, Role
from uncap.domain.errors import ConflictError
from uncap.domain.prizes import entering as lists
from uncap.domain.prizes.closing import entries_root
from uncap.domain.prizes.entering import ROW_BYTES, Entering, public_entry, ref_of, split
from uncap.domain.rewards.ports import ScanPage
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services import enter_claims as module
from uncap.services.enter_claims import SEGMENTS, Entrance, enter_claims

SALT, END = bytes(32), 1_000_000
CHUNK = 8
TEXT = {"en": "Spring"}
CAMPAIGN = Campaign("spring", 1, 0, TEXT, TEXT, 0, END, END, ("09520123456788",), (), (), ())
OVER = END + module.SETTLE_MS


class Batch:
    size = 1_000


class View:
    batch = Batch()


class Catalog:
    def batch(self, batch_no: int) -> View:
        return View()


class Killed(BaseException):
    """Not even a service's last words."""


class Scans:
    """Claims in segments, a few a page; what was given out at most at once is kept in `most`."""

    def __init__(self, claims: list[tuple[int, bool]], size: int) -> None:
        self.size, self.segments = size, [list[ScanImage]() for _ in range(SEGMENTS)]
        for number, (person, mine) in enumerate(claims):
            mark = Mark(f"i{number}", 1, "claim", f"p{person}", campaign="spring@1" if mine else "other@1")
            image = ScanImage(CodeRef(7, number, Role.CAP_INNER).key(), mark, 1, mark)
            self.segments[number % SEGMENTS].append(image)

    def get(self, pk: str) -> ScanImage | None:
        raise AssertionError(pk)

    def page(self, segment: int, segments: int, start: str) -> ScanPage:
        at = int(start or 0)
        images = self.segments[segment][at : at + self.size]
        following = str(at + self.size) if at + self.size < len(self.segments[segment]) else ""
        return ScanPage(images, following)

    @property
    def mine(self) -> list[str]:
        wanted = [one for segment in self.segments for one in segment]
        return [one.pk for one in wanted if one.first is not None and one.first.campaign == "spring@1"]


class Store:
    """All or nothing, on the revision before; `kill` says at which write the process dies, before or after it."""

    def __init__(self) -> None:
        self.stored: Entering | None = None
        self.chunks: dict[int, bytes] = {}
        self.kill: tuple[int, bool] | None = None

    def entering(self, campaign_id: str) -> Entering | None:
        return self.stored

    def save_entering(self, campaign_id: str, entering: Entering, chunks: Mapping[int, bytes]) -> None:
        at, after = self.kill or (0, False)
        self.kill = (at - 1, after) if at else None
        if at == 1 and not after:
            raise Killed
        if entering.rev != (self.stored.rev if self.stored else 0) + 1:
            raise ConflictError("closing_moved", "another run goes on")
        self.stored = msgspec.json.decode(msgspec.json.encode(entering), type=Entering)
        self.chunks |= chunks
        if at == 1:
            raise Killed

    def rows(self, campaign_id: str, number: int) -> bytes:
        return self.chunks[number]

    def outcome(self, campaign_id: str) -> Any: ...

    def save_outcome(self, campaign_id: str, outcome: Any) -> None: ...


class Blind(Store):
    """Read before the other had written."""

    def entering(self, campaign_id: str) -> Entering | None:
        return None


def always() -> bool:
    return True


def never() -> bool:
    return False


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "CHUNK", CHUNK)
    monkeypatch.setattr(module, "CHUNK", CHUNK)
    monkeypatch.setattr(module, "PAGES", 3)


def entrance(scans: Scans, store: Store) -> Entrance:
    return Entrance(scans, store, Catalog(), SALT)  # type: ignore[arg-type]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=70),
    st.integers(1, 7),
    st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.booleans()), max_size=8),
)
def test_every_claim_once_in_order_whatever_is_killed(
    claims: list[tuple[int, bool]], size: int, lives: list[tuple[int, bool, bool]]
) -> None:
    scans, store = Scans(claims, size), Store()
    for at, after, hurried in [*lives, (0, False, False)]:
        store.kill = (at, after) if at else None
        try:
            enter_claims(CAMPAIGN, entrance(scans, store), OVER, always if hurried else never)
        except Killed:
            continue
    done = store.stored
    assert done is not None
    assert done.is_complete
    rows = [row for number in range(-(-done.count // CHUNK)) for row in split(store.chunks[number])]
    assert [ref_of(row).key() for row in rows] == scans.mine
    assert done.count == len(rows)
    assert done.root == entries_root(public_entry(SALT, row) for row in rows)
    assert all(len(chunk) <= CHUNK * ROW_BYTES for chunk in store.chunks.values())
    again = enter_claims(CAMPAIGN, entrance(scans, store), OVER, lambda: False)
    assert again == done


def test_nothing_is_collected_while_claims_may_still_come() -> None:
    store = Store()
    assert enter_claims(CAMPAIGN, entrance(Scans([(1, True)], 5), store), OVER - 1, lambda: False) is None
    assert store.stored is None


def test_a_list_of_before_a_longer_deadline_is_made_anew() -> None:
    scans, store = Scans([(1, True)] * 20, 5), Store()
    enter_claims(CAMPAIGN, entrance(scans, store), OVER, lambda: False)
    longer = msgspec.structs.replace(CAMPAIGN, claim_until_ms=END + 1)
    more = Scans([(1, True)] * 30, 5)
    assert enter_claims(longer, entrance(more, store), OVER, lambda: False) is None
    done = enter_claims(longer, entrance(more, store), OVER + 1, lambda: False)
    assert done is not None
    assert (done.count, done.until_ms) == (30, END + 1)


def test_of_two_runs_the_slower_gives_up() -> None:
    store = Store()
    enter_claims(CAMPAIGN, entrance(Scans([(1, True)] * 20, 5), store), OVER, lambda: True)
    late = Blind()
    late.stored, late.chunks = store.stored, dict(store.chunks)
    with pytest.raises(ConflictError, match="closing_moved"):
        enter_claims(CAMPAIGN, entrance(Scans([(1, True)] * 20, 5), late), OVER, lambda: False)
    assert late.chunks == store.chunks
