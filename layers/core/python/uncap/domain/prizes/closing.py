"""The draw at a campaign's close: what is fixed before the beacon speaks, who wins, and who follows. Pure (ADR 0028).

Called by the console's steps (`services/plan_closing.py`), the job's (`enter_closing.py`, `grant_closing.py`), and by
`published_closing.py`, which checks. Every hash opens with its own line of text, so that none can stand in for another.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from uncap.domain.campaigns.draws import ClosingTerms
from uncap.domain.errors import ConflictError
from uncap.domain.prizes import merkle
from uncap.domain.prizes.permutation import permutation
from uncap.domain.scans import CodeRef

ID_BYTES = TAG_BYTES = 16
ENTRY_BYTES = ID_BYTES + TAG_BYTES
NOBODY = -1
"""The runner-up of a prize for which none is left."""


class Fixed(msgspec.Struct, frozen=True):
    """All that is committed to before the beacon's round: the list of entries, the terms, the seed by its hash."""

    campaign_id: str
    campaign_version: int
    terms: ClosingTerms
    entry_count: int
    entries_root: str
    seed_hash: str
    beacon_source: str
    beacon_round: str


class ClosingDraw(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a campaign's closing draw stands: planned → committed → drawn → published. All of it may be known.

    Planned: the seed's hash is out. Committed: `fixed` and its commitment are. Drawn: the beacon's value is recorded
    and the seed revealed. Published: `result` binds the winners. Stored in the Catalog under `closing` / campaign.
    """

    campaign_id: str
    seed_hash: str
    beacon_source: str
    planned_at_ms: int
    state: str = "planned"
    fixed: Fixed | None = None
    commitment: str = ""
    committed_at_ms: int = 0
    beacon_value: str = ""
    seed: str = ""
    drawn_at_ms: int = 0
    result: str = ""
    published_at_ms: int = 0
    version: int = 1

    @property
    def settled_terms(self) -> Fixed:
        """What was committed to. Raises ConflictError (`closing_not_committed`)."""
        if self.fixed is None:
            raise ConflictError("closing_not_committed", "the entries are not committed yet", where="campaign_id")
        return self.fixed


class Replaced(msgspec.Struct, frozen=True, array_like=True):
    """Prize number `slot` (from 0, dearest first) passed on to runner-up number `runner`, NOBODY if none was left."""

    slot: int
    runner: int
    reason: str


def closing_secret(master: bytes, campaign_id: str, purpose: str) -> bytes:
    """32 bytes of HKDF-SHA256 of the DrawKeys master, `purpose` "seed" or "salt". The salt is never revealed."""
    info = f"uncap closing {purpose} v1\n{campaign_id}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)


def entry_id(salt: bytes, ref: CodeRef) -> bytes:
    """16 bytes that name a code's claim in the published list and tell a stranger nothing of it."""
    return hmac.digest(salt, f"uncap entry v1\n{ref.key()}".encode(), hashlib.sha256)[:ID_BYTES]


def person_tag(salt: bytes, person: str) -> bytes:
    """16 bytes, the same in all of a person's entries of one draw and different in every other draw."""
    return hmac.digest(salt, f"uncap entrant v1\n{person}".encode(), hashlib.sha256)[:TAG_BYTES]


def entries_root(entries: Iterable[bytes]) -> str:
    """Hex Merkle root (RFC 6962 hashing, `merkle.py`) over place in the list, entry id and tag; one pass."""
    return merkle.root(merkle.leaf_hash(at, entry) for at, entry in enumerate(entries)).hex()


def closing_commitment(fixed: Fixed) -> str:
    """Hex SHA-256 over every line of `fixed`: the one line to publish and note down before the beacon's round."""
    terms = fixed.terms
    lines = [
        "uncap closing draw v1",
        fixed.campaign_id,
        str(fixed.campaign_version),
        str(fixed.entry_count),
        fixed.entries_root,
        fixed.seed_hash,
        fixed.beacon_source,
        fixed.beacon_round,
        f"{terms.no} {terms.per_person} {terms.runners_up} {terms.take_days}",
        *(f"{prize.prize_id} {prize.count}" for prize in terms.prizes),
    ]
    return _digest(lines)


def closing_key(seed: bytes, commitment: str, beacon_value: str) -> bytes:
    """The permutation's 32-byte key: SHA-256 of "uncap closing key v1", commitment, beacon value, seed.

    Raises ConflictError (`beacon_not_known`).
    """
    if not beacon_value:
        raise ConflictError("beacon_not_known", "nobody wins before the public beacon value is recorded")
    text = f"uncap closing key v1\n{commitment}\n{beacon_value}\n".encode()
    return hashlib.sha256(text + seed).digest()


def drawing_order(key: bytes, count: int) -> Iterator[int]:
    """Every entry's place in the list exactly once, in the order in which they are drawn."""
    if count:
        shuffled = permutation(key, count)
        yield from (shuffled.rank(at) for at in range(count))


def drawn_entries(key: bytes, count: int, tag_of: Callable[[int], bytes], terms: ClosingTerms) -> tuple[int, ...]:
    """Places in the list: the winners in the order of `prizes_in_order`, then the runners-up.

    Whoever stands among them `per_person` times is passed over. Fewer where there are not enough entries.
    """
    wanted, taken = terms.total + terms.runners_up, Counter[bytes]()
    found: list[int] = []
    for place in drawing_order(key, count):
        if len(found) == wanted:
            break
        if terms.per_person:
            tag = tag_of(place)
            if taken[tag] >= terms.per_person:
                continue
            taken[tag] += 1
        found.append(place)
    return tuple(found)


def prizes_in_order(terms: ClosingTerms) -> tuple[str, ...]:
    """The prize of each slot."""
    return tuple(prize.prize_id for prize in terms.prizes for _ in range(prize.count))


def holder(terms: ClosingTerms, drawn: tuple[int, ...], replaced: Iterable[Replaced], slot: int) -> int:
    """Whose prize number `slot` is now: a place in the list, NOBODY where there is no one (left)."""
    runner = next((one.runner for one in reversed(tuple(replaced)) if one.slot == slot), None)
    if runner is None:
        return drawn[slot] if slot < len(drawn) else NOBODY
    return drawn[terms.total + runner] if runner != NOBODY else NOBODY


def next_runner(terms: ClosingTerms, drawn: tuple[int, ...], replaced: Iterable[Replaced]) -> int:
    """Number of the first runner-up who has not been called, NOBODY if none is left."""
    called = sum(one.runner != NOBODY for one in replaced)
    return called if terms.total + called < len(drawn) else NOBODY


def closing_result(
    commitment: str, seed: str, beacon_value: str, drawn: tuple[int, ...], replaced: Iterable[Replaced]
) -> str:
    """Hex SHA-256 that binds the outcome to all it came from: no character of a published draw can change unseen."""
    lines = ["uncap closing result v1", commitment, seed, beacon_value, *map(str, drawn)]
    return _digest([*lines, *(f"{one.slot} {one.runner} {one.reason}" for one in replaced)])


def _digest(lines: Iterable[str]) -> str:
    text = "".join(line.replace("\\", "\\\\").replace("\n", "\\n") + "\n" for line in lines)
    return hashlib.sha256(text.encode()).hexdigest()
