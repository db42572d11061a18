"""Sessions for pages and programs: made, kept, renewed, refused."""

import pytest

from tests.kits.scan_kit import World, payee_keys
from uncap.adapters.identity import Identity, PayeeKeys, identity_provider
from uncap.domain.errors import AuthError, InputError
from uncap.domain.identity import open_payee
from uncap.domain.sessions import LIFETIME_S, new_session, seal, unseal
from uncap.services.open_session import SessionDesk, open_by_credential, require_session, session_for_page


class NeedsSignIn:
    """As WeChat will be: a device alone is nobody."""

    app_id = "wx1"

    def of_device(self, device: str) -> Identity | None:
        return None

    def of_credential(self, credential: str) -> Identity:
        return Identity("p_" + credential, "v1.x")


def test_a_new_visitor_gets_a_device_and_at_once_a_person() -> None:
    world = World()
    opened = session_for_page(world.session_desk, "", world.now_ms)
    session = opened.session
    assert len(bytes.fromhex(session.device)) == 16
    assert session.person.startswith("p_")
    openid = open_payee(bytes.fromhex(world.payees.seal), session.person, session.payee)
    assert openid == f"local-{session.device}"
    assert unseal(world.keys, opened.token, "local", world.now_ms) == session


def test_a_good_session_is_left_alone_and_renewed_in_time() -> None:
    world = World()
    first = session_for_page(world.session_desk, "", world.now_ms)
    again = session_for_page(world.session_desk, first.token, world.now_ms)
    assert (again.session, again.token) == (first.session, "")
    world.now_ms += LIFETIME_S * 600
    renewed = session_for_page(world.session_desk, first.token, world.now_ms)
    assert renewed.token
    assert (renewed.session.device, renewed.session.person) == (first.session.device, first.session.person)


@pytest.mark.parametrize("token", ["junk", "v1.1.a.b", "v1.2.W10.x"])
def test_a_bad_cookie_starts_anew(token: str) -> None:
    world = World()
    assert session_for_page(world.session_desk, token, world.now_ms).token


def test_an_expired_cookie_starts_anew() -> None:
    world = World()
    first = session_for_page(world.session_desk, "", world.now_ms)
    world.now_ms += LIFETIME_S * 1000
    assert session_for_page(world.session_desk, first.token, world.now_ms).session.device != first.session.device


def test_where_a_device_is_nobody_a_page_opens_but_nothing_is_claimed() -> None:
    world = World()
    desk = SessionDesk(lambda: world.keys, NeedsSignIn(), "wechat", lambda size: bytes(size))
    opened = session_for_page(desk, "", world.now_ms)
    assert opened.session.person == ""
    assert session_for_page(desk, opened.token, world.now_ms).session.device == opened.session.device
    with pytest.raises(AuthError, match="session_required"):
        require_session(desk, opened.token, world.now_ms)


def test_claims_need_a_valid_session() -> None:
    world = World()
    session = world.session()
    assert require_session(world.session_desk, seal(world.keys, session), world.now_ms) == session
    for token, code in (("", "session_required"), ("junk", "session_invalid")):
        with pytest.raises(AuthError, match=code):
            require_session(world.session_desk, token, world.now_ms)
    other_app = new_session("wx1", "00" * 16, world.now_ms, person="p_x")
    with pytest.raises(AuthError, match="session_invalid"):
        require_session(world.session_desk, seal(world.keys, other_app), world.now_ms)


def test_a_credential_is_always_the_same_person() -> None:
    world = World()
    one, two, other = (
        open_by_credential(world.session_desk, "local", name, world.now_ms).session for name in ("ann", "ann", "bob")
    )
    assert one.person == two.person != other.person
    assert one.payee != two.payee  # sealed anew each time


@pytest.mark.parametrize("credential", ["", "a b", "x" * 65, "é", "a\n"])
def test_local_credentials_are_plain_names(credential: str) -> None:
    world = World()
    with pytest.raises(AuthError, match="credential_invalid"):
        open_by_credential(world.session_desk, "local", credential, world.now_ms)


def test_only_the_deployments_provider_is_offered() -> None:
    world = World()
    with pytest.raises(InputError, match="identity_provider_unknown"):
        open_by_credential(world.session_desk, "wechat", "code", world.now_ms)


def test_a_provider_that_is_not_built_in_is_a_configuration_error() -> None:
    with pytest.raises(InputError, match="UNCAP_IDENTITY_PROVIDER") as caught:
        identity_provider("alipay", lambda: PayeeKeys.parse(payee_keys()), bytes)
    assert "'alipay' is not built into this release" in str(caught.value)


@pytest.mark.parametrize("document", ["", "{}", '{"hash":"00","seal":"00"}', '{"hash":"x","seal":"y"}'])
def test_unreadable_payee_keys(document: str) -> None:
    with pytest.raises(InputError, match="payee_keys_malformed"):
        PayeeKeys.parse(document)
