"""An uploaded document: whole or in its right parts, resumable after any slice, and no code in its faults."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.services.test_capture_events import World, body, event
from uncap.adapters.intake.sources import BytesSource
from uncap.domain.epcis.faults import Fault
from uncap.domain.errors import InputError
from uncap.domain.intake.uploads import Upload
from uncap.services import take_events
from uncap.services.event_acts import Acted, Acting
from uncap.services.run_upload import Step, Work
from uncap.services.take_events import Events


class Acts:
    """Goods whose events, by their number from 0, cannot be checked, packed or moved; `noted` does not fit."""

    def __init__(self, unchecked: int = -1, unpacked: int = -1, unmoved: int = -1, noted: int = -1) -> None:
        self.wrong = unchecked, unpacked, unmoved, noted
        self.moved: list[str] = []

    def check(self, events: Sequence[Acting]) -> list[Fault]:
        return self._at(events, 0)

    def pack(self, events: Sequence[Acting], *, proceed: bool) -> list[Fault]:
        return self._at(events, 1)

    def move(self, events: Sequence[Acting]) -> Acted:
        faults = self._at(events, 2)
        self.moved += [
            one.pointer[-1] for one in events if not any(fault.pointer[:-8] == one.pointer for fault in faults)
        ]
        return Acted(faults, self._at(events, 3, grave=False))

    def act(self, events: Sequence[Acting], *, proceed: bool) -> Acted:
        raise AssertionError("an upload packs once for all and moves slice by slice")

    def _at(self, events: Sequence[Acting], which: int, *, grave: bool = True) -> list[Fault]:
        pointer = f"/epcisBody/eventList/{self.wrong[which]}"
        return [Fault(f"{pointer}/epcList", f"no_{which}", "so", grave) for one in events if one.pointer == pointer]


def steps(world: World, data: bytes, mode: str = "rollback", acts: Acts | None = None, **stood: Any) -> list[Step]:
    upload = Upload("U", "epcis", "00", len(data), "x.json", mode, "erp", "erp", 1, **stood)
    work = Work(upload, BytesSource(data), world.clock, lambda _number, _faults: None)
    return list(Events(lambda: world.store, (lambda _upload: acts) if acts else None)(work))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(take_events, "SLICE_EVENTS", 2)
    return World()


def test_slice_by_slice(world: World) -> None:
    made = steps(world, body(*(event(n) for n in range(5))))
    assert [(one.place, one.permille, one.verdict) for one in made] == [
        ("2", 400, ""),
        ("4", 800, ""),
        ("5", 1000, "done"),
    ]
    assert made[-1].result == {"stored": 5, "repeated": 0}
    assert len(world.all()) == 5


def test_going_on_from_a_saved_place(world: World) -> None:
    data = body(*(event(n) for n in range(5)))
    first = steps(world, data)[0]
    [second, last] = steps(world, data, place=first.place, result=dict(first.result))
    assert (second.place, last.result) == ("4", {"stored": 2, "repeated": 3})
    [over] = steps(world, data, place="5", result={"stored": 5, "repeated": 0})
    assert over.verdict == "done"
    assert len(world.all()) == 5


def test_rollback_and_proceed(world: World) -> None:
    wrong = event(2, epcList=["no uri at all: 1E5ZNQ38SXZSYYC86"])
    data = body(event(1), wrong, event(3))
    [failed] = steps(world, data)
    assert (failed.verdict, failed.counts, world.all()) == ("failed", {"uri_malformed": 1}, [])
    [fault] = failed.faults
    assert (fault.line, fault.code) == (2, "uri_malformed")
    assert "1E5ZNQ38SXZSYYC86" not in fault.words
    made = steps(world, data, "proceed")
    assert made[-1].result == {"stored": 2, "repeated": 0}
    assert [one.line for step in made for one in step.faults] == [2]
    [failed] = steps(world, body(event(1), creationDate=None), "proceed")
    assert (failed.verdict, failed.faults[0].line) == ("failed", 0)


def test_an_empty_document_is_done_and_what_is_none_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    [over] = steps(world, body())
    assert (over.verdict, over.result) == ("done", {"stored": 0, "repeated": 0})
    for data, code in ((b"[]", "epcis_not_document"), (b'[{"type": "ObjectEvent"}]', "epcis_not_document")):
        with pytest.raises(InputError) as caught:
            steps(world, data)
        assert caught.value.code == code
    monkeypatch.setattr("uncap.domain.epcis.document.MAX_BYTES", 10)
    with pytest.raises(InputError) as caught:
        steps(world, body(event(1)))
    assert caught.value.code == "epcis_too_large"


@pytest.mark.parametrize(("wrong", "code"), [({"unchecked": 1}, "no_0"), ({"unpacked": 1}, "no_1")])
def test_events_that_cannot_act_fail_the_document_or_are_left_out(world: World, wrong: Any, code: str) -> None:
    data = body(*(event(n) for n in range(4)))
    acts = Acts(**wrong)
    [failed] = steps(world, data, acts=acts)
    assert (failed.verdict, failed.counts, world.all(), acts.moved) == ("failed", {code: 1}, [], [])
    made = steps(world, data, "proceed", acts)
    assert (made[-1].verdict, made[-1].result, acts.moved) == ("done", {"stored": 3, "repeated": 0}, ["0", "2", "3"])
    assert [(one.line, one.field) for step in made for one in step.faults] == [(2, "epcList")]


def test_what_somebody_was_quicker_with_is_left_out_and_what_does_not_fit_is_noted(world: World) -> None:
    acts = Acts(unmoved=2, noted=3)
    made = steps(world, body(*(event(n) for n in range(4))), acts=acts)
    assert (made[-1].verdict, made[-1].result, acts.moved) == ("done", {"stored": 3, "repeated": 0}, ["0", "1", "3"])
    found = [(one.line, one.code, one.grave) for step in made for one in step.faults]
    assert found == [(3, "no_2", True), (4, "no_3", False)]
