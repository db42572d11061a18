"""Who is judged and who is not: only consumers, only shipped goods, only distributors with a territory."""

from datetime import UTC

import h3  # type: ignore[import-untyped]
import msgspec
import pytest

from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import CodeBatch, Party, Role, Shipment, Territory
from uncap.domain.diversion.cases import summarise
from uncap.domain.diversion.evidence import CASE_BITS, gathered
from uncap.domain.errors import PoisonError
from uncap.domain.read_models import ScanFact
from uncap.services.check_diversion import DiversionCheck

WUHAN, SHANGHAI = (h3.latlng_to_cell(*at, 7) for at in ((30.6, 114.3), (31.2, 121.5)))
ABROAD = ScanFact("e1", 2_000, "7.49.1", "claim", True, True, person="p_1", cell=SHANGHAI, accuracy_m=65)
PARTIES = {
    "d": Party("d", "distributor", {}),
    "w": Party("w", "outlet", {}, parent_id="d"),
    "loop": Party("loop", "outlet", {}, parent_id="loop"),
}


class Documents:
    """A catalog of one batch, its cases and one territory; `version` moves the territory."""

    def __init__(self) -> None:
        self.cells: tuple[str, ...] = tuple(h3.grid_disk(WUHAN, 8))
        self.version = 1

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        return None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        roles = (Role.CAP_INNER,)
        held: dict[str, object] = {
            "batch#7": CodeBatch(7, "gtin", 100, 1, roles, units_per_case=24, case_batch_no=8),
            "batch#8": CodeBatch(8, "case", 5, 1, (Role.CASE_OUTER,), units_per_case=24, unit_batch_no=7),
            "territories": Territory("d", "Wuhan", self.cells, version=self.version),
        }
        return [("meta", msgspec.json.encode(held[pk]).decode())] if pk in held else []


class Channel:
    """One shipment of everything to `to`."""

    def __init__(self, to: str, shipped_at_ms: int = 1_000) -> None:
        self._shipped = Shipment("s1", 7, 0, 72, to, shipped_at_ms) if to else None

    def shipment_of(self, batch_no: int, index: int, at_ms: int | None = None) -> Shipment | None:
        unit = index if batch_no == 7 else 24 * index
        one = self._shipped
        covered = one is not None and one.start <= unit < one.stop and (at_ms is None or one.shipped_at_ms <= at_ms)
        return one if covered else None

    def party(self, party_id: str) -> Party | None:
        return PARTIES.get(party_id)


def check(to: str = "d", shipped_at_ms: int = 1_000, documents: Documents | None = None) -> DiversionCheck:
    channel = Channel(to, shipped_at_ms)
    return DiversionCheck(Catalog(documents or Documents(), lambda: 0, 0), channel, channel, UTC, 5_000)


def test_goods_far_outside_are_sighted() -> None:
    seen = check().observe(ABROAD)
    assert seen.sighting is not None
    assert (seen.sighting.case_no, seen.sighting.party_id, seen.sighting.day) == (2, "d", "1970-01-01")
    assert seen.sighting.place == "h3:" + h3.cell_to_parent(SHANGHAI, 3)
    assert ("shipment#s1", "scans") in seen.counters
    assert ("day#1970-01-01", "gtin#elsewhere#signal.outside_territory") in seen.counters


@pytest.mark.parametrize(
    "fact",
    [
        msgspec.structs.replace(ABROAD, cell=WUHAN),
        msgspec.structs.replace(ABROAD, cell=""),
        msgspec.structs.replace(ABROAD, person=""),
        msgspec.structs.replace(ABROAD, outlet="w"),
        msgspec.structs.replace(ABROAD, intent="inspect"),
        msgspec.structs.replace(ABROAD, form="tombstone", counted=False),
        msgspec.structs.replace(ABROAD, counted=False, first=False),
        msgspec.structs.replace(ABROAD, accuracy_m=80_000),
        msgspec.structs.replace(ABROAD, at_ms=500),
        msgspec.structs.replace(ABROAD, code="7.80.1"),
        msgspec.structs.replace(ABROAD, code="99.1.1"),
    ],
)
def test_who_is_not_judged(fact: ScanFact) -> None:
    assert check().observe(fact).sighting is None


@pytest.mark.parametrize(
    ("to", "judged"), [("d", True), ("w", True), ("loop", False), ("stranger", False), ("", False)]
)
def test_the_nearest_distributor_with_a_territory_answers(to: str, *, judged: bool) -> None:
    seen = check(to).observe(ABROAD)
    assert (seen.sighting is not None) is judged
    parties = {pk for pk, _ in seen.counters if pk.startswith("party#")}
    assert parties == {f"party#{party}" for party in ({to, "d"} if judged else {to}) - {""}}


def test_the_code_of_a_case_stands_for_its_bottles() -> None:
    seen = check().observe(msgspec.structs.replace(ABROAD, code="8.1.2"))
    assert seen.sighting is not None
    assert (seen.sighting.gtin, seen.sighting.batch_no, seen.sighting.case_no) == ("case", 7, 1)


def test_scans_before_shipment_are_signalled() -> None:
    assert ("day#1970-01-01", "gtin#elsewhere#signal.before_shipment") in check("").observe(ABROAD).counters
    assert ("day#1970-01-01", "gtin#elsewhere#signal.before_shipment") in check("d", 9_000).observe(ABROAD).counters


def test_an_unknown_batch_is_still_counted() -> None:
    seen = check().observe(msgspec.structs.replace(ABROAD, code="99.1.1"))
    assert ("day#1970-01-01", "unknown#elsewhere#first") in seen.counters


def test_a_changed_territory_is_taken_up() -> None:
    documents = Documents()
    judge = check(documents=documents)
    assert judge.observe(ABROAD).sighting is not None
    documents.cells, documents.version = (SHANGHAI,), 2
    assert judge.observe(ABROAD).sighting is None


def test_no_cell_is_poison() -> None:
    with pytest.raises(PoisonError, match="cell_malformed"):
        check().observe(msgspec.structs.replace(ABROAD, cell="nowhere"))


class Papers(Channel):
    """Units 0 to 29 and 30 to 71 of batch 7 as two parts of one paper: the second case is in both."""

    def shipment_of(self, batch_no: int, index: int, at_ms: int | None = None) -> Shipment | None:
        if super().shipment_of(batch_no, index, at_ms) is None:
            return None
        part = Shipment("s1-1", 7, 0, 30, "d", 1_000, document="s1")
        return part if index < 30 else msgspec.structs.replace(part, shipment_id="s1-2", start=30, stop=72)


def test_parts_of_one_paper_are_judged_as_one() -> None:
    papers = Papers("d")
    judge = DiversionCheck(Catalog(Documents(), lambda: 0, 0), papers, papers, UTC, 5_000)
    first, second, third = (
        judge.observe(msgspec.structs.replace(ABROAD, event_id=f"e{unit}", code=f"7.{unit}.1")) for unit in (25, 40, 50)
    )
    seen = [one.sighting for one in (first, second, third) if one.sighting]
    assert [one.shipment_id for one in seen] == ["s1", "s1", "s1"]
    assert [one.part_id for one in seen] == ["s1-1", "s1-2", "s1-2"]
    assert seen[0].case_no == seen[1].case_no == 7 << CASE_BITS | 1, "one case, whichever part its bottle came with"
    assert seen[2].case_no == 7 << CASE_BITS | 2
    assert ("shipment#s1", "scans") in second.counters
    assert all(one.is_fresh for one in seen)
    home = judge.observe(msgspec.structs.replace(ABROAD, code="7.41.1", cell=WUHAN))
    assert ("shipment#s1", f"home#{7 << CASE_BITS | 1}") in home.counters
    summary = summarise(gathered(seen))
    assert summary.cases == (1, 2)
    old = judge.observe(msgspec.structs.replace(ABROAD, at_ms=1_000 + 3 * 86_400_000))
    assert old.sighting
    assert not old.sighting.is_fresh
