"""The chain: in order it is intact, and any change, swap, gap or insertion shows where."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.audit import GENESIS, AuditDraft, AuditEntry, AuditHead, check_chain, link_entry


def chain(count: int, day: str = "2026-11-22", head: AuditHead | None = None) -> list[AuditEntry]:
    head = head or AuditHead()
    entries = []
    for at in range(count):
        draft = AuditDraft("anna", "admin", "products.create", f"p{at}", before="", after="x")
        entry = link_entry(head, draft, day, 1_000 + at)
        head = AuditHead(entry.day, entry.seq, entry.hash, head.version + 1)
        entries.append(entry)
    return entries


def test_a_chain_is_intact() -> None:
    entries = chain(5)
    assert entries[0].previous == GENESIS
    assert check_chain(entries, GENESIS).intact
    assert check_chain(entries[2:], entries[1].hash).intact
    assert check_chain([]).intact


@given(st.integers(0, 5), st.sampled_from(["who", "action", "target", "reason", "before", "after", "previous", "hash"]))
def test_any_edit_shows(at: int, field: str) -> None:
    entries = chain(6)
    entries[at] = msgspec.structs.replace(entries[at], **{field: "forged"})
    check = check_chain(entries, GENESIS)
    assert not check.intact
    assert check.broken_at == at + 1


@given(st.integers(1, 4))
def test_removing_and_swapping_show(at: int) -> None:
    entries = chain(6)
    assert not check_chain(entries[:at] + entries[at + 1 :], GENESIS).intact
    swapped = [*entries]
    swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    assert not check_chain(swapped, GENESIS).intact


def test_days_restart_numbers_and_not_hashes() -> None:
    first = chain(2)
    head = AuditHead("2026-11-22", 2, first[-1].hash, 2)
    second = chain(2, "2026-11-23", head)
    assert [entry.seq for entry in second] == [1, 2]
    assert second[0].previous == first[-1].hash


def test_a_clock_that_runs_behind_does_not_break_the_chain() -> None:
    head = AuditHead("2026-11-22", 7, "ab", 7)
    entry = link_entry(head, AuditDraft("a", "b", "c", "d"), "2026-11-21", 1)
    assert (entry.day, entry.seq) == ("2026-11-22", 8)


def test_summaries_are_bounded() -> None:
    entry = link_entry(AuditHead(), AuditDraft("a", "b", "c", "d", after="x" * 5_000), "2026-11-22", 1)
    assert len(entry.after) == 2_000
