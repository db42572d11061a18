"""From a page to WeChat and back: the device keeps its session, and only its own sign-in fits it."""

import msgspec
import pytest

from tests.kits.scan_kit import World
from uncap.adapters.identity import Identity
from uncap.domain.errors import AuthError, InputError
from uncap.domain.sessions import new_session, seal
from uncap.services.open_session import SessionDesk
from uncap.services.sign_in_person import finish_sign_in, sign_in_address

PAGE = "/01/09520123456788/21/1E5ZNQ38SXZSYYC86"
ORIGIN = "https://q.example"


class Elsewhere:
    app_id = "wx1"

    def of_device(self, device: str) -> Identity | None:
        return None

    def of_credential(self, credential: str) -> Identity:
        return Identity("p_" + credential, "v1.x")

    def sign_in_url(self, return_url: str, state: str) -> str:
        return f"{return_url}#{state}"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def desk(world: World) -> SessionDesk:
    return msgspec.structs.replace(world.session_desk, provider=Elsewhere(), provider_name="wechat")


def visitor(world: World, device: str = "aa" * 16) -> str:
    return seal(world.keys, new_session("wx1", device, world.now_ms))


def test_a_visitor_comes_back_as_someone_on_the_same_device(world: World, desk: SessionDesk) -> None:
    token = visitor(world)
    address = sign_in_address(desk, token, ORIGIN, PAGE, world.now_ms)
    back, _, state = address.partition("#")
    assert back == f"{ORIGIN}/v1/sign-in/return?to=%2F01%2F09520123456788%2F21%2F1E5ZNQ38SXZSYYC86"
    assert len(state) <= 128
    assert state.isalnum()
    opened = finish_sign_in(desk, token, "someone", state, PAGE, world.now_ms)
    assert (opened.session.person, opened.session.device) == ("p_someone", "aa" * 16)
    assert opened.token


def test_another_browsers_sign_in_does_not_fit(world: World, desk: SessionDesk) -> None:
    state = sign_in_address(desk, visitor(world), ORIGIN, PAGE, world.now_ms).partition("#")[2]
    with pytest.raises(AuthError, match="sign_in_state_invalid"):
        finish_sign_in(desk, visitor(world, "bb" * 16), "someone", state, PAGE, world.now_ms)
    with pytest.raises(AuthError, match="sign_in_state_invalid"):
        finish_sign_in(desk, visitor(world), "someone", state, "/wallet", world.now_ms)
    with pytest.raises(AuthError, match="sign_in_state_invalid"):
        finish_sign_in(desk, visitor(world), "someone", "ü", PAGE, world.now_ms)


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example", "/01/1/21/A", PAGE + "/../..", PAGE + "\n", ""]
)
def test_nobody_is_sent_to_another_site(world: World, desk: SessionDesk, page: str) -> None:
    with pytest.raises(InputError, match="page_not_ours"):
        sign_in_address(desk, visitor(world), ORIGIN, page, world.now_ms)
    with pytest.raises(InputError, match="page_not_ours"):
        finish_sign_in(desk, visitor(world), "someone", "state", page, world.now_ms)


def test_where_devices_are_people_there_is_nothing_to_sign_in_to(world: World) -> None:
    with pytest.raises(InputError, match="sign_in_not_offered"):
        sign_in_address(world.session_desk, visitor(world), ORIGIN, PAGE, world.now_ms)


def test_without_the_pages_session_nothing_begins(world: World, desk: SessionDesk) -> None:
    with pytest.raises(AuthError, match="session_invalid"):
        sign_in_address(desk, "junk", ORIGIN, PAGE, world.now_ms)
