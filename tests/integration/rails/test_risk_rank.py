"""WeChat's rank of a person, asked of the simulator over HTTP: what it says, and all that makes it say nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from dev.rail_simulator.app import SimulatorConfig
from dev.rail_simulator.inprocess import serve
from dev.rail_simulator.keys import ensure_rail_keys
from uncap.adapters.wechat_identity import WeChatApp
from uncap.adapters.wechat_rank import PAUSE_MS, HttpsPost, WeChatRank
from uncap.domain.errors import TransientError
from uncap.domain.scans import Mark


@dataclass
class Counter:
    """A `Post` that counts."""

    post: HttpsPost
    paths: list[str] = field(default_factory=list)

    def __call__(self, path: str, document: Any) -> bytes:
        self.paths.append(path.partition("?")[0])
        return self.post(path, document)


@dataclass
class Desk:
    """The simulator, and a WeChatRank that asks it."""

    base: str
    appid: str
    now_ms: int = 1_000_000
    kind: Any = "mini"

    def __post_init__(self) -> None:
        self.post = Counter(HttpsPost(self.base, 0.4))
        self.ranks = WeChatRank(self.app, lambda claim: f"openid-{claim.person}", "203.0.113.7", self.post, self.clock)

    def app(self) -> WeChatApp:
        return WeChatApp(self.appid, "s" * 32, self.kind)

    def clock(self) -> int:
        return self.now_ms

    def told(self, path: str, **document: Any) -> None:
        httpx.post(f"{self.base}/_sim/ranks{path}", json=document).raise_for_status()

    def rank(self, person: str) -> int:
        return self.ranks.rank(Mark("c", 1, "claim", person, payee="v1.sealed"))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder: Path = tmp_path_factory.mktemp("rail")
    with serve(SimulatorConfig(state_dir=folder)) as base:
        yield base, ensure_rail_keys(folder)["appid"]


@pytest.fixture
def desk(simulator: tuple[str, str]) -> Iterator[Desk]:
    desk = Desk(*simulator)
    yield desk
    desk.told("/mood")


def test_what_it_says_is_believed_for_an_hour(desk: Desk) -> None:
    desk.told("", openid="openid-bad", rank=4)
    desk.told("", openid="openid-good", rank=0)
    assert [desk.rank("bad"), desk.rank("good"), desk.rank("bad")] == [4, 0, 4]
    assert desk.post.paths == ["/cgi-bin/stable_token", "/wxa/getuserriskrank", "/wxa/getuserriskrank"]
    asked = httpx.get(f"{desk.base}/_sim/ranks").json()["asked"][-2]
    assert asked == {"appid": desk.appid, "openid": "openid-bad", "scene": 1, "client_ip": "203.0.113.7"}
    desk.told("", openid="openid-bad", rank=1)
    desk.now_ms += 3_600_000
    assert desk.rank("bad") == 1


def test_whom_it_does_not_know_or_has_not_seen_lately_has_no_rank(desk: Desk) -> None:
    desk.told("", openid="openid-gone", rank=4, ago_s=7_200)
    assert [desk.rank("gone"), desk.rank("never")] == [0, 0]
    desk.told("", openid="openid-after", rank=2)
    assert desk.rank("after") == 2, "an answer like that silences nobody"


def test_a_token_that_was_taken_over_is_fetched_anew(desk: Desk) -> None:
    desk.told("", openid="openid-a", rank=1)
    desk.told("", openid="openid-b", rank=3)
    assert desk.rank("a") == 1
    httpx.delete(f"{desk.base}/_sim/ranks/tokens").raise_for_status()
    assert desk.rank("b") == 3


@pytest.mark.parametrize("mood", [{"wait_ms": 900}, {"busy": True}])
def test_no_answer_in_time_is_no_rank_and_silence_for_a_while(desk: Desk, mood: dict[str, Any]) -> None:
    desk.told("", openid="openid-slow", rank=4)
    desk.told("/mood", **mood)
    assert desk.rank("slow") == 0
    asked = len(desk.post.paths)
    assert [desk.rank("slow"), desk.rank("other")] == [0, 0]
    assert len(desk.post.paths) == asked, "the stream is not kept waiting again"
    desk.told("/mood")
    desk.now_ms += PAUSE_MS
    assert desk.rank("slow") == 4


def test_who_may_not_ask_does_not(simulator: tuple[str, str]) -> None:
    page = Desk(*simulator, kind="page")
    assert page.rank("p") == 0
    assert page.post.paths == []
    stranger = Desk(simulator[0], "wx0000")
    assert stranger.rank("p") == 0
    assert stranger.post.paths == ["/cgi-bin/stable_token"]
    assert stranger.ranks.rank(Mark("c", 1, "claim", "nobody")) == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"errcode": 48001}', b'{"errcode": 0, "risk_rank": 9}', b'{"risk_rank": "4"}']
)
def test_an_answer_that_makes_no_sense_is_no_rank(body: bytes) -> None:
    def post(path: str, document: Mapping[str, Any]) -> bytes:
        assert path
        return b'{"access_token": "t", "expires_in": 7200}' if "secret" in document else body

    ranks = WeChatRank(lambda: WeChatApp("wx1", "s", "mini"), lambda _: "o", "203.0.113.7", post, lambda: 1_000_000)
    assert ranks.rank(Mark("c", 1, "claim", "p", payee="v1.x")) == 0


def test_nobody_there() -> None:
    with pytest.raises(TransientError):
        HttpsPost("http://127.0.0.1:9", 0.2)("/x", {})


@pytest.mark.parametrize(
    ("document", "errcode"),
    [({}, 44002), ({"scene": 7}, 40129), ({"appid": "wx-other"}, 43104), ({"client_ip": ""}, 44002)],
)
def test_the_simulator_refuses_as_the_interface_does(desk: Desk, document: dict[str, Any], errcode: int) -> None:
    token = msgspec.json.decode(
        HttpsPost(desk.base)(
            "/cgi-bin/stable_token", {"grant_type": "client_credential", "appid": desk.appid, "secret": "x"}
        ),
        type=dict[str, Any],
    )["access_token"]
    good = {"appid": desk.appid, "openid": "o", "scene": 1, "client_ip": "203.0.113.7"}
    wanted = good | document if document else {}
    path = f"/wxa/getuserriskrank?access_token={token}"
    assert msgspec.json.decode(HttpsPost(desk.base)(path, wanted))["errcode"] == errcode
    assert msgspec.json.decode(HttpsPost(desk.base)("/wxa/getuserriskrank?access_token=no", good))["errcode"] == 40001
