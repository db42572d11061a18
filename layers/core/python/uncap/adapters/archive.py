"""Every scan event in S3, as gzipped JSON lines without claim id, payee or serial: what Insights is rebuilt from.

Written by `services/project_scans.py` before anything is counted, read by `services/rebuild_insights.py`. An event lies
under the hour (UTC) of its scan, so all copies of one event, however batches were cut, lie under one prefix.
"""

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from uncap.domain.errors import TransientError
from uncap.domain.read_models import ScanFact

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ROOT = "scans/"
_ENCODER = msgspec.json.Encoder()
_FACT = msgspec.json.Decoder(ScanFact)


class ScanArchive:
    """One bucket; objects `scans/{yyyy}/{mm}/{dd}/{hh}/{first event id}-{digest}.jsonl.gz`."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def write(self, facts: Sequence[ScanFact]) -> list[str]:
        """One object per hour that the batch touches; the keys. The same batch again is the same objects again.

        The digest over the event ids keeps a batch that was cut differently from replacing another.
        Raises TransientError (`archive_unavailable`).
        """
        keys = []
        for hour, group in groupby(sorted(facts, key=_hour_of), key=_hour_of):
            members = sorted(group, key=lambda fact: fact.event_id)
            digest = hashlib.sha256("|".join(fact.event_id for fact in members).encode()).hexdigest()[:12]
            key = f"{ROOT}{hour}/{members[0].event_id}-{digest}.jsonl.gz"
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=pack(members), ContentType="application/gzip")
            except (BotoCoreError, ClientError) as cause:
                raise TransientError("archive_unavailable", "the scan archive did not take a batch") from cause
            keys.append(key)
        return keys

    def hours(self, since_ms: int = 0) -> Iterator[list[ScanFact]]:
        """Each hour's facts, oldest hour first; every event of the hour once. From the hour of `since_ms` on."""
        for _, keys in groupby(self._keys(since_ms), key=lambda key: key.rsplit("/", 1)[0]):
            facts = {fact.event_id: fact for key in keys for fact in self._read(key)}
            yield sorted(facts.values(), key=lambda fact: (fact.at_ms, fact.event_id))

    def _keys(self, since_ms: int) -> Iterator[str]:
        begin = ROOT + _hour_at(since_ms) if since_ms else ""  # sorts before every key of that hour
        for page in self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=ROOT, StartAfter=begin
        ):
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def _read(self, key: str) -> list[ScanFact]:
        return unpack(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())


def pack(facts: Iterable[ScanFact]) -> bytes:
    """Gzipped JSON lines; the same facts give the same bytes."""
    return gzip.compress(b"".join(_ENCODER.encode(fact) + b"\n" for fact in facts), mtime=0)


def unpack(body: bytes) -> list[ScanFact]:
    """Inverse of `pack`."""
    return [_FACT.decode(line) for line in gzip.decompress(body).splitlines()]


def _hour_of(fact: ScanFact) -> str:
    return _hour_at(fact.at_ms)


def _hour_at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y/%m/%d/%H")
