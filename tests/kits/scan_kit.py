"""A brand small enough to hold in one's head, and fakes behind the scan path's protocols. Used by the scan tests.

One product, batch 7 of 1,200 codes under epoch 1: 0..1000 released and activated, 1000..1200 not; 5..8 rejected on the
line, 20..22 decommissioned. Serials are made with a key drawn anew in every run.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.adapters.identity import LocalIdentity, PayeeKeys
from uncap.domain.catalog import (
    Campaign,
    CodeBatch,
    Effect,
    IndexRange,
    LaidPrize,
    PersonLimit,
    PoolShare,
    Prize,
    Product,
    Release,
    Role,
)
from uncap.domain.codes.scheme import Keyring, encode
from uncap.domain.memberships import Invitation, Membership
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.domain.sessions import Session, SessionKeys, new_session
from uncap.routes.scan_desk import ApiDesk
from uncap.services.claim_code import ScanDesk
from uncap.services.hot_codes import HotCodes
from uncap.services.join_party import MemberDesk
from uncap.services.open_session import SessionDesk
from uncap.services.read_reward import RewardDesk
from uncap.services.view_code import ViewDesk

GTIN = "09520123456788"
OTHER_GTIN = "09520123456795"
BATCH_NO = 7
NOON_MS = 1_795_320_000_000  # 2026-11-22 12:00 in Shanghai
DAY_MS = 86_400_000
ZONE = ZoneInfo("Asia/Shanghai")

PRODUCT = Product(GTIN, {"zh-CN": "清泉啤酒", "en": "Clear Spring Beer"}, (Role.CAP_OUTER, Role.CAP_INNER))
BATCH = CodeBatch(
    batch_no=BATCH_NO,
    gtin=GTIN,
    size=1_200,
    epoch=1,
    roles=(Role.CAP_OUTER, Role.CAP_INNER),
    state="commissioned",
    lot="L1",
    produced_on="2026-11-01",
    best_before="2027-11-01",
    rejected=(IndexRange(5, 8, "cracked"),),
    decommissioned=(IndexRange(20, 22, "sample"),),
)
PRIZE = Prize("p1", "cash", 880, {"zh-CN": "开盖红包", "en": "Cap red packet"})
CAMPAIGN = Campaign(
    campaign_id="autumn",
    version=1,
    effective_at_ms=0,
    name={"zh-CN": "秋日开盖", "en": "Autumn caps"},
    rules={"zh-CN": "规则", "en": "Rules"},
    starts_at_ms=NOON_MS - DAY_MS,
    ends_at_ms=NOON_MS + 30 * DAY_MS,
    claim_until_ms=NOON_MS + 60 * DAY_MS,
    gtins=(GTIN,),
    prizes=(PRIZE,),
    pool=(PoolShare("p1", 1, 10),),
    effects=(Effect(1, "consumer", "laid"), Effect(2, "distributor", "fixed", "p1")),
)
RELEASE = Release(
    release_id="r1",
    batch_no=BATCH_NO,
    campaign_id="autumn",
    campaign_version=1,
    start=0,
    stop=1_000,
    eligible_count=997,
    eligible_hash="00" * 32,
    prize_table=(LaidPrize("p1", 100),),
    seed_hash="00" * 32,
    beacon_source="drand",
    beacon_round="1",
    claim_until_ms=NOON_MS + 60 * DAY_MS,
    excluded=(IndexRange(5, 8),),
    state="activated",
)


def code_keys() -> str:
    """A fresh CodeKeys secret."""
    return json.dumps({"epochs": {"1": {"state": "minting", "key": secrets.token_hex(32)}}})


def session_keys() -> str:
    """A fresh SessionKeys secret."""
    return json.dumps({"current": "1", "keys": {"1": secrets.token_hex(32)}})


def payee_keys() -> str:
    """A fresh PayeeKeys secret."""
    return json.dumps({"hash": secrets.token_hex(32), "seal": secrets.token_hex(32)})


def serial_of(keyring: Keyring, index: int, role: Role = Role.CAP_INNER, batch_no: int = BATCH_NO) -> str:
    """A genuine serial."""
    return encode(keyring.key(1, GTIN, role), batch_no, index)


def documents(
    *, batch: CodeBatch = BATCH, release: Release = RELEASE, campaigns: Sequence[Campaign] = (CAMPAIGN,)
) -> dict[tuple[str, str], str]:
    """The Catalog table's documents by (pk, sk)."""

    def text(value: object) -> str:
        return msgspec.json.encode(value).decode()

    return {
        (f"product#{GTIN}", "meta"): text(PRODUCT),
        (f"batch#{batch.batch_no}", "meta"): text(batch),
        (f"batch#{batch.batch_no}", f"release#{release.release_id}"): text(release),
    } | {(f"campaign#{one.campaign_id}", f"v#{one.version:06d}"): text(one) for one in campaigns}


class FakeSource:
    """A CatalogSource over a dict; counts its reads."""

    def __init__(self, docs: dict[tuple[str, str], str]) -> None:
        self.docs = docs
        self.reads = 0

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        self.reads += 1
        return self.docs.get((pk, sk))

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        self.reads += 1
        return sorted((sk, doc) for (own, sk), doc in self.docs.items() if own == pk)


class FakeScans:
    """The Scans table with the update's semantics; counts requests."""

    def __init__(self) -> None:
        self.items: dict[str, ScanImage] = {}
        self.writes = 0
        self.reads = 0

    def claim(self, ref: CodeRef, mark: Mark) -> ScanImage:
        return self._write(ref, mark, sets_first=True)

    def observe(self, ref: CodeRef, mark: Mark) -> ScanImage:
        return self._write(ref, mark, sets_first=False)

    def get(self, ref: CodeRef) -> ScanImage | None:
        self.reads += 1
        return self.items.get(ref.key())

    def _write(self, ref: CodeRef, mark: Mark, *, sets_first: bool) -> ScanImage:
        self.writes += 1
        old = self.items.get(ref.key())
        first = old.first if old else None
        last = msgspec.structs.replace(mark, payee="")
        image = ScanImage(ref.key(), last, (old.count if old else 0) + 1, first or (mark if sets_first else None))
        self.items[ref.key()] = image
        return image


class FakeLimits:
    """Counters as sets of slots; counts requests."""

    def __init__(self) -> None:
        self.slots: dict[str, set[str]] = {}
        self.requests = 0

    def take(self, counter: str, slot: str, limit: int, expires_at_s: int) -> bool:
        self.requests += 1
        held = self.slots.setdefault(counter, set())
        if slot not in held and len(held) >= limit:
            return False
        held.add(slot)
        return True

    def give_back(self, counter: str, slot: str) -> None:
        self.requests += 1
        self.slots.get(counter, set()).discard(slot)


class FakeRewards:
    """Rewards by id."""

    def __init__(self) -> None:
        self.items: dict[str, Reward] = {}

    def get(self, reward_id: str) -> Reward | None:
        return self.items.get(reward_id)


class FakeMemberships:
    """Invitations and memberships by key; counts its reads."""

    def __init__(self) -> None:
        self.invitations: dict[str, Invitation] = {}
        self.members: dict[str, Membership] = {}
        self.reads = 0

    def membership(self, person: str) -> Membership | None:
        self.reads += 1
        return self.members.get(person)

    def invitation(self, key: str) -> Invitation | None:
        return self.invitations.get(key)

    def join(self, used: Invitation, membership: Membership) -> None:
        self.invitations[used.key] = used
        self.members[membership.person] = membership


class FakeMeter:
    """Counts, by name."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


@dataclass
class World:
    """Everything a scan needs, in memory; `now_ms` is the clock."""

    limit: PersonLimit = field(default_factory=PersonLimit)
    now_ms: int = NOON_MS
    scans: FakeScans = field(default_factory=FakeScans)
    limits: FakeLimits = field(default_factory=FakeLimits)
    rewards: FakeRewards = field(default_factory=FakeRewards)
    memberships: FakeMemberships = field(default_factory=FakeMemberships)
    meter: FakeMeter = field(default_factory=FakeMeter)
    keyring: Keyring = field(default_factory=lambda: Keyring.parse(code_keys()))
    keys: SessionKeys = field(default_factory=lambda: SessionKeys.parse(session_keys()))
    payees: PayeeKeys = field(default_factory=lambda: PayeeKeys.parse(payee_keys()))

    def clock(self) -> int:
        return self.now_ms

    @cached_property
    def source(self) -> FakeSource:
        return FakeSource(documents(campaigns=(msgspec.structs.replace(CAMPAIGN, limit=self.limit),)))

    def put(self, **parts: Any) -> None:
        """Replaces catalog documents; they are seen at once, as the cache is emptied."""
        self.source.docs = documents(**parts)
        self.now_ms += 5_001

    @cached_property
    def scan_desk(self) -> ScanDesk:
        catalog = Catalog(self.source, self.clock, 5_000)
        return ScanDesk(lambda: self.keyring, catalog, self.scans, self.limits, HotCodes(self.clock), ZONE)

    @cached_property
    def session_desk(self) -> SessionDesk:
        provider = LocalIdentity(lambda: self.payees, secrets.token_bytes)
        return SessionDesk(lambda: self.keys, provider, "local", secrets.token_bytes)

    @cached_property
    def api_desk(self) -> ApiDesk:
        reward = RewardDesk(self.rewards, self.scan_desk.catalog, "http://127.0.0.1:9/confirm")
        view = ViewDesk(self.scan_desk, reward, 10)
        members = MemberDesk(self.scan_desk, self.session_desk, self.memberships)
        return ApiDesk(self.scan_desk, self.session_desk, reward, view, self.meter, self.clock, members=members)

    def session(self, name: str = "ann") -> Session:
        """A person's session."""
        identity = self.session_desk.provider.of_credential(name)
        return new_session("local", "00" * 16, self.now_ms, person=identity.person, payee=identity.payee)

    def serial(self, index: int, role: Role = Role.CAP_INNER) -> str:
        return serial_of(self.keyring, index, role)
