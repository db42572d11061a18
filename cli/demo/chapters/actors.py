"""Who acts in the chapters: two operators, members of parties with phones, and the command line's own functions."""

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console as Terminal
from rich.progress import Progress

from cli import brand
from cli.clients import Console, Phone, send
from cli.demo.world import World
from cli.intake import Order
from cli.intake import send as send_file
from dev.seed.keys import BrandKeys
from dev.seed.main import read_batch
from dev.seed.operators import console
from dev.stack.outputs import StackOutputs
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk
from uncap.domain.codes.links import code_prefix


class Pack(msgspec.Struct, frozen=True):
    """Bottles, the cases they go into and the pallets these go on, by batch number; `first_sscc` names pallet 0."""

    gtin: str
    units: int
    cases: int
    pallets: int
    first_sscc: str


class Cast:
    """One run's actors on one stack."""

    def __init__(self, outputs: StackOutputs, desk: Console, world: World) -> None:
        self.outputs = outputs
        self.desk = desk
        self.second = console(outputs, "second")
        self.world = world
        self.keys = BrandKeys(outputs)

    def links(self, batch_no: int, role: Role) -> list[str]:
        """Every code of a batch as it was printed."""
        batch = read_batch(self.desk, batch_no).batch
        key = self.keys.keyring.key(batch.epoch, batch.gtin, role)
        prefix = code_prefix(self.outputs.scan_base, batch.gtin)
        return b"".join(bulk.lines(key, batch_no, range(batch.size), prefix)).decode("ascii").split()

    def shop(self, name: str, seller: str) -> str:
        """An outlet of this run alone, under a salesperson or distributor; returns its id."""
        party_id = f"{name}-{self.world.run}"
        words = {"zh-CN": f"演示门店 {self.world.run}", "en": f"Demo shop {self.world.run}"}
        brand.declare(
            self.desk, "/parties", {"party_id": party_id, "role": "outlet", "name": words, "parent_id": seller}
        )
        return party_id

    def member(self, party_id: str, name: str) -> Phone:
        """A phone whose owner works for the party: invited once, joined once."""
        code = self.desk.call("POST", f"/parties/{party_id}/invitations", {"note": "demo"})["code"]
        phone = Phone(self.outputs.scan_base, f"demo-{self.world.run}-{name}")
        answer = send(
            phone.client, "POST", f"{phone.base}/v1/memberships", json={"code": code}, headers=phone.headers
        ).json()
        phone.headers = {"Authorization": f"Bearer {answer['token']}"}
        return phone

    def scan(self, phone: Phone, link: str, intent: str) -> dict[str, Any]:
        """One scan as a member; the reply."""
        body = {"link": link, "claim_id": str(uuid.uuid4()), "intent": intent}
        reply: dict[str, Any] = send(
            phone.client, "POST", f"{phone.base}/v1/scans", json=body, headers=phone.headers
        ).json()
        return reply

    def upload(self, name: str, data: bytes, kind: str, mode: str = "rollback") -> dict[str, Any]:
        """A file through the real job, as `uncap associate` and `uncap upload` send it; the finished report."""
        with self._file(name, data) as file, Progress(console=Terminal(quiet=True)) as bar:
            return send_file(self.desk, Order(file, kind, mode), bar)

    @contextlib.contextmanager
    def _file(self, name: str, data: bytes) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(data)
            yield file
