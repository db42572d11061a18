"""A closing draw as the brand publishes it, and the check that anyone can make of it without a key (ADR 0028).

`publish_closing` is called by `services/publish_closing.py`; `verify_closing` by `uncap draw verify`.
"""

from collections import Counter

import msgspec

from uncap.domain.campaigns.draw_rules import MAX_CLOSING
from uncap.domain.errors import ConflictError
from uncap.domain.prizes.closing import (
    ENTRY_BYTES,
    ID_BYTES,
    NOBODY,
    ClosingDraw,
    Fixed,
    Replaced,
    closing_commitment,
    closing_key,
    closing_result,
    drawn_entries,
    entries_root,
    next_runner,
    prizes_in_order,
)
from uncap.domain.prizes.commitment import SEED_BYTES, seed_hash
from uncap.domain.prizes.published import NOTHING_NOTED, Check, DrawReport, Mismatch, Noted

FORMAT = "uncap-closing-1"


class ClosingWinner(msgspec.Struct, frozen=True, array_like=True):
    """`[place in the list of entries, from 0; prize_id]`."""

    place: int
    prize_id: str


class PublishedClosing(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole of a closing draw as one JSON document.

    `entries`: 64 lower-case hexadecimal digits for each entry, its id and its person's tag; a long list is in a file of
    raw bytes beside the document. `winners` in the order of prizes, `runners_up` are places; `replaced` says which
    winners' prizes went to which of them.
    """

    format: str
    fixed: Fixed
    commitment: str
    beacon_value: str
    seed: str
    winners: tuple[ClosingWinner, ...]
    runners_up: tuple[int, ...]
    replaced: tuple[Replaced, ...]
    result: str
    entries: str = ""
    entries_file: str = ""


def publish_closing(
    draw: ClosingDraw, entries: bytes, drawn: tuple[int, ...], replaced: tuple[Replaced, ...]
) -> PublishedClosing:
    """The document; `entries` may be left out of it. Raises ConflictError (`closing_not_committed`)."""
    fixed = draw.settled_terms
    prizes = prizes_in_order(fixed.terms)
    return PublishedClosing(
        format=FORMAT,
        fixed=fixed,
        commitment=draw.commitment,
        beacon_value=draw.beacon_value,
        seed=draw.seed,
        winners=tuple(ClosingWinner(place, prize) for place, prize in zip(drawn, prizes, strict=False)),
        runners_up=drawn[len(prizes) :],
        replaced=replaced,
        result=closing_result(draw.commitment, draw.seed, draw.beacon_value, drawn, replaced),
        entries=entries.hex(),
    )


def require_true(published: PublishedClosing) -> None:
    """Raises ConflictError with the first fault's code if the document does not keep to its own commitment."""
    faults = verify_closing(published).mismatches
    if faults:
        raise ConflictError(faults[0].code, faults[0].message, where=faults[0].where)


def verify_closing(draw: PublishedClosing, noted: Noted = NOTHING_NOTED) -> DrawReport:
    """Recomputes all of it, without a key. A list that is in a file must have been put into `entries`.

    Faults are not raised, they are in the report.
    """
    fixed, entries = draw.fixed, _entries(draw.entries)
    groundwork = (
        Check("seed", f"seed hash {fixed.seed_hash}", tuple(_seed_faults(draw))),
        Check("beacon", f"{fixed.beacon_source} {fixed.beacon_round}", tuple(_beacon_faults(draw, noted))),
        Check("prizes", f"{fixed.terms.total} prizes", tuple(_term_faults(fixed))),
        Check("entries", f"Merkle root {fixed.entries_root}", tuple(_entry_faults(fixed, entries))),
        Check("commitment", draw.commitment, tuple(_commitment_faults(draw, noted))),
    )
    if any(check.mismatches for check in groundwork) or entries is None:
        note = "not recomputed, since what it is computed from is already refuted"
        rest = (Check("winners", note, made=False), Check("result", note, made=False))
    else:
        drawn = _recomputed(draw, entries)
        rest = (
            Check("winners", f"{len(drawn)} recomputed", tuple(_winner_faults(draw, drawn))),
            Check("result", draw.result, tuple(_result_faults(draw, drawn))),
        )
    return DrawReport(
        release_id=fixed.campaign_id,
        commitment=draw.commitment,
        beacon=f"{fixed.beacon_source} {fixed.beacon_round}: {draw.beacon_value}",
        eligible_count=fixed.entry_count,
        prizes=dict(Counter(winner.prize_id for winner in draw.winners)),
        checks=(*groundwork, *rest),
        kind="campaign's close",
    )


def _entries(text: str) -> bytes | None:
    """None for what is not lower-case hexadecimal of whole entries: one list has one spelling."""
    try:
        entries = bytes.fromhex(text)
    except ValueError:
        return None
    return entries if entries.hex() == text and len(entries) % ENTRY_BYTES == 0 else None


def _at(entries: bytes, place: int) -> bytes:
    return entries[place * ENTRY_BYTES : (place + 1) * ENTRY_BYTES]


def _recomputed(draw: PublishedClosing, entries: bytes) -> tuple[int, ...]:
    key = closing_key(bytes.fromhex(draw.seed), draw.commitment, draw.beacon_value)
    terms, count = draw.fixed.terms, draw.fixed.entry_count
    return drawn_entries(key, count, lambda place: _at(entries, place)[ID_BYTES:], terms)


def _seed_faults(draw: PublishedClosing) -> list[Mismatch]:
    try:
        seed = bytes.fromhex(draw.seed)
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        return [Mismatch("seed_not_revealed", "there is no seed of 64 hexadecimal digits", "seed")]
    if seed_hash(seed) != draw.fixed.seed_hash:
        return [Mismatch("seed_mismatch", "the revealed seed does not have the committed hash", "seed")]
    return []


def _beacon_faults(draw: PublishedClosing, noted: Noted) -> list[Mismatch]:
    if not draw.beacon_value:
        return [Mismatch("beacon_not_known", "the beacon value is missing", "beacon_value")]
    if noted.beacon_value and noted.beacon_value != draw.beacon_value:
        return [Mismatch("beacon_mismatch", "the beacon value is not the one noted", "beacon_value")]
    return []


def _term_faults(fixed: Fixed) -> list[Mismatch]:
    terms = fixed.terms
    counts = [prize.count for prize in terms.prizes]
    if not counts or min(counts) < 1 or max(terms.total, terms.runners_up) > MAX_CLOSING or terms.runners_up < 0:
        return [Mismatch("prizes_malformed", "the prizes cannot be drawn as they are listed", "fixed.terms")]
    return []


def _entry_faults(fixed: Fixed, entries: bytes | None) -> list[Mismatch]:
    if entries is None:
        return [Mismatch("entries_malformed", "the entries are not 64 lower-case hexadecimal digits each", "entries")]
    count = len(entries) // ENTRY_BYTES
    if count != fixed.entry_count:
        message = f"{fixed.entry_count} entries were committed to, {count} are there"
        return [Mismatch("entry_count_mismatch", message, "entries")]
    faults: list[Mismatch] = []
    if len({_at(entries, place)[:ID_BYTES] for place in range(count)}) != count:
        faults.append(Mismatch("entry_repeated", "an entry stands in the list twice", "entries"))
    if entries_root(_at(entries, place) for place in range(count)) != fixed.entries_root:
        faults.append(Mismatch("entries_root_mismatch", "the entries do not have the committed root", "entries"))
    return faults


def _commitment_faults(draw: PublishedClosing, noted: Noted) -> list[Mismatch]:
    if closing_commitment(draw.fixed) != draw.commitment:
        return [Mismatch("commitment_mismatch", "what was fixed does not have this commitment", "commitment")]
    if noted.commitment and noted.commitment.lower() != draw.commitment:
        return [Mismatch("commitment_mismatch", f"noted before the draw: {noted.commitment}", "commitment")]
    return []


def _winner_faults(draw: PublishedClosing, drawn: tuple[int, ...]) -> list[Mismatch]:
    prizes = prizes_in_order(draw.fixed.terms)
    due = [ClosingWinner(place, prize) for place, prize in zip(drawn, prizes, strict=False)]
    faults: list[Mismatch] = []
    for slot in range(max(len(due), len(draw.winners))):
        want = due[slot] if slot < len(due) else None
        have = draw.winners[slot] if slot < len(draw.winners) else None
        if want != have:
            message = f"prize {slot} goes to {_named(want)}, the list says {_named(have)}"
            code = "winner_missing" if have is None else "winner_false" if want is None else "winner_wrong"
            faults.append(Mismatch(code, message, f"winners[{slot}]"))
    if drawn[len(prizes) :] != draw.runners_up:
        faults.append(Mismatch("runners_up_wrong", "the runners-up are not those drawn, in their order", "runners_up"))
    return faults + _replacement_faults(draw, drawn)


def _named(winner: ClosingWinner | None) -> str:
    return "nobody" if winner is None else f"entry {winner.place} ({winner.prize_id})"


def _replacement_faults(draw: PublishedClosing, drawn: tuple[int, ...]) -> list[Mismatch]:
    """Runners-up are called in their order, each once, for prizes that someone had."""
    faults: list[Mismatch] = []
    terms, closed = draw.fixed.terms, set[int]()
    for at, one in enumerate(draw.replaced):
        due = next_runner(terms, drawn, draw.replaced[:at])
        if not 0 <= one.slot < min(terms.total, len(drawn)) or one.slot in closed:
            faults.append(Mismatch("replacement_false", f"prize {one.slot} was nobody's to lose", f"replaced[{at}]"))
        elif one.runner != due:
            faults.append(
                Mismatch("replacement_wrong", f"runner-up {due} is next, not {one.runner}", f"replaced[{at}]")
            )
        if one.runner == NOBODY:
            closed.add(one.slot)
    return faults


def _result_faults(draw: PublishedClosing, drawn: tuple[int, ...]) -> list[Mismatch]:
    if closing_result(draw.commitment, draw.seed, draw.beacon_value, drawn, draw.replaced) != draw.result:
        return [Mismatch("result_mismatch", "the winners and replacements do not have this result", "result")]
    return []
