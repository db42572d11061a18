"""The scan API's handler over an in-memory world."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dev.build_web import build
from tests.kits.scan_events import event
from tests.kits.scan_kit import World
from uncap.domain.sessions import seal
from uncap.runtime.observability import Observer
from uncap.runtime.wiring_scan import build_handler


class Api:
    """`call(event)` runs the handler; `world` is behind it."""

    def __init__(self) -> None:
        self.world = World()
        self.observer = Observer("scan_api")
        self.run: Callable[[dict[str, Any], Any], dict[str, Any]] = build_handler(
            msgspec.structs.replace(self.world.api_desk, meter=self.observer), self.observer
        )

    def token(self, person: str = "ann") -> str:
        return seal(self.world.keys, self.world.session(person))

    def call(self, event: dict[str, Any]) -> dict[str, Any]:
        return self.run(event, None)

    def sample(self, name: str, *, person: str = "ann", **more: Any) -> dict[str, Any]:
        more.setdefault("serial", self.world.serial(1))
        return self.call(event(name, token=self.token(person), **more))


@pytest.fixture(scope="session", autouse=True)
def _web() -> None:
    build()


@pytest.fixture
def api() -> Api:
    return Api()
