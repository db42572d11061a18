"""Reads the evidence: tables with the stack's root caller, queues, the rail's statement; and one reward's story."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from dev.seed.operators import caller_of
from tests.chaos.arena import Arena
from tests.chaos.audit import Evidence, Told
from tests.chaos.load import HANDS, Claim, Crowd
from uncap.adapters.ledger import CASE, DynamoLedger
from uncap.adapters.ledger_holds import HOLD
from uncap.adapters.models import LedgerItem, ScanItem, open_tables
from uncap.adapters.reward_queue import ParkedMessage
from uncap.adapters.scan_items import image_of
from uncap.domain.rewards.reward import Case, Reward
from uncap.domain.scans import ScanImage
from uncap.services.trial_balance import trial_balance

_SEGMENTS = 2
_LONGEST_STORY = 60


class Reader:
    """Evidence about one arena."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._market = arena.market

    def rewards(self) -> dict[str, Reward]:
        """All rewards of the Ledger, by id."""
        with self._tables() as ledger:
            found = [one for segment in range(_SEGMENTS) for one in ledger.rewards(segment, _SEGMENTS)]
        return {one.reward_id: one for one in found}

    def open_rewards(self) -> dict[str, int]:
        """How many of the campaign's rewards are in which state that is not final; `missing` counts slots without."""
        states: dict[str, int] = {}
        ours = [one for one in self.rewards().values() if one.campaign_id == self._arena.campaign_id]
        for one in ours:
            if not one.is_final:
                states[one.state.value] = states.get(one.state.value, 0) + 1
        missing = 3 * len(self.claims()) - len(ours)
        return states | ({"missing": missing} if missing else {})

    def claims(self) -> tuple[ScanImage, ...]:
        """Every claimed code of the batch."""
        prefix = f"{self._arena.batch_no}."
        with caller_of(self._market.outputs):
            open_tables({ScanItem: self._market.outputs.scans_table})
            images = [image_of(item.serialize()) for item in ScanItem.scan(ScanItem.pk.startswith(prefix))]
        return tuple(image for image in images if image.first is not None)

    def evidence(self, crowd: Crowd) -> Evidence:
        """Everything `audit.problems` wants, as of now."""
        arena, market = self._arena, self._market
        rewards, claims = self.rewards(), self.claims()
        touched = {image.ref.index for image in claims}
        ours = [one for one in rewards.values() if one.campaign_id == arena.campaign_id]
        with self._tables() as ledger:
            trial = trial_balance(ledger)
            holds = [LedgerItem.get(HOLD + key) for key in sorted({key for one in ours for key in one.holds})]
            found = LedgerItem.scan(LedgerItem.pk.startswith(CASE))
            cases = tuple(msgspec.json.decode(item.doc, type=Case) for item in found)
        return Evidence(
            campaign=arena.campaign(),
            claims=claims,
            told=self._told(crowd),
            rewards=rewards,
            lines=tuple(market.bills()),
            trial=trial,
            places={item.pk[len(HOLD) :]: int(item.n) for item in holds},
            cases=cases,
            parked=tuple(one.reason for one in self._parked()),
            dead=self.depth(market.outputs.reward_dlq_url),
            laid={index: arena.prize(index) for index in touched},
            owners={index: arena.distributor(index) for index in touched},
        )

    def depth(self, url: str) -> int:
        """Messages in a queue, seen or not, delayed ones too."""
        names = ("", "NotVisible", "Delayed")
        wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
        found = self._market.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
        return sum(int(value) for value in found.values())

    def _parked(self) -> list[ParkedMessage]:
        url, found = self._market.outputs.parked_queue_url, []
        for _ in range(self.depth(url)):
            got = self._market.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=20)
            found += [msgspec.json.decode(one["Body"], type=ParkedMessage) for one in got.get("Messages", [])]
        return found

    def _told(self, crowd: Crowd) -> tuple[Told, ...]:
        def told(one: Claim) -> Told:
            promised = one.outcome == "first" and one.rewards
            sees = not promised or crowd.phone(one.person).reward(one.rewards[0]) is not None
            return Told(one.index, one.person, one.outcome, one.claim_id, sees)

        with ThreadPoolExecutor(HANDS) as pool:
            return tuple(pool.map(told, crowd.claims))

    def _tables(self) -> Any:
        return _Ledger(self._arena)


class _Ledger:
    """The Ledger as the root caller has it, within a block."""

    def __init__(self, arena: Arena) -> None:
        self._outputs = arena.market.outputs
        self._caller = caller_of(self._outputs)

    def __enter__(self) -> DynamoLedger:
        self._caller.__enter__()
        open_tables({LedgerItem: self._outputs.ledger_table})
        return DynamoLedger()

    def __exit__(self, *error: Any) -> None:
        self._caller.__exit__(*error)


def story(state_dir: str, reward_id: str, seen: Evidence, journal: Iterable[tuple[float, str]]) -> list[str]:
    """All that is known of a reward, in the order of time: what it is, what was logged about it, what befell it."""
    reward = seen.rewards.get(reward_id)
    lines = [f"reward {reward_id}: " + (_shown(reward) if reward else "does not exist")]
    bills = [one for one in seen.lines if one["bill_no"].startswith(reward_id)]
    lines += [f"  at the rail: {one['bill_no']}, {one['amount_minor']} fen, {one['paid_at']}" for one in bills]
    log = Path(state_dir) / "ministack.log"
    logged = [text for text in log.read_text(errors="replace").splitlines() if reward_id in text]
    events = [_logged(text) for text in logged]
    if not reward:
        return lines + [text for _, text in sorted(events)][-_LONGEST_STORY:]
    since = reward.claimed_at_ms / 1000
    events += [(_clock(at), f"  ill {_clock(at)} {what}") for at, what in journal if at >= since]
    return lines + [text for _, text in sorted(events)][-_LONGEST_STORY:]


def _shown(reward: Reward) -> str:
    """Without the sealed payee."""
    return msgspec.json.encode(msgspec.structs.replace(reward, payee="", name="")).decode()


def _logged(text: str) -> tuple[str, str]:
    """(time as HH:MM:SS,mmm, what a log line says): a function's own lines are JSON, the emulator's are not."""
    start = text.find('{"level"')
    try:
        line = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        line = {}  # cut by the emulator
    if not line:
        return text[11:23], f"  log {text[:240]}"
    told = {name: line[name] for name in ("state", "reason", "exception_name") if line.get(name)}
    at = str(line.get("timestamp", ""))[11:23]
    return at, f"  log {at} {line.get('service')}: {line.get('message')} {told or ''}".rstrip()


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S,%f")[:12]
