"""What the page says in every situation, and what it reads for it."""

import msgspec
import pytest

from tests.kits.scan_kit import BATCH, CAMPAIGN, GTIN, World
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.catalog import Effect, Role
from uncap.domain.errors import NotFoundError
from uncap.domain.rails import UserAction
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.claim_code import ScanRequest, claim_code, consumer_rewards
from uncap.services.find_code import find_code
from uncap.services.read_reward import read_reward
from uncap.services.view_code import not_issued_view, view_code
from webui.views import ScanPageView


def look(world: World, index: int = 1, person: str = "ann", role: Role = Role.CAP_INNER) -> ScanPageView:
    code = find_code(world.keyring, world.scan_desk.catalog, GTIN, world.serial(index, role), world.now_ms)
    return view_code(world.api_desk.view, world.session(person), code, world.now_ms, back="http://h/01/x")


def claim(world: World, person: str = "ann") -> ScanImage:
    request = ScanRequest(GTIN, world.serial(1), "claim-0001")
    return claim_code(world.scan_desk, world.session(person), request, world.now_ms).image


def reward(world: World, image: ScanImage, state: State, **more: object) -> str:
    (reward_id,) = consumer_rewards(world.scan_desk.catalog, image)
    first = image.first
    assert first is not None
    values = {"party": first.person, "kind": "cash", "prize_id": "p1", "amount_minor": 880, "currency": "CNY", **more}
    base = Reward(reward_id, image.pk, "autumn@1", "r1", 1, "consumer", state, first.at_ms, 2**45)
    world.rewards.items[reward_id] = msgspec.structs.replace(base, **values)
    return reward_id


def test_a_fresh_code_is_claimable_after_one_read() -> None:
    world = World()
    view = look(world)
    assert (view.verdict, view.status, view.reason) == ("issued", "claimable", "")
    assert (view.product["en"], view.lot, view.best_before) == ("Clear Spring Beer", "L1", "2027-11-01")
    assert [(one.win, one.per, one.name["en"]) for one in view.odds] == [(1, 10, "Cap red packet")]
    assert view.claim_until == "2027-01-21"
    assert (world.scans.reads, world.scans.writes) == (1, 0)


def test_odds_of_drawn_prizes_are_shown_too() -> None:
    world = World()
    lucky = Draw("lucky", (DrawShare("p1", 1, 1_000, 5),))
    effects = (*CAMPAIGN.effects, Effect(9, "consumer", "drawn", "lucky"))
    given = msgspec.structs.replace(CAMPAIGN, effects=effects, draws=(lucky,))
    code = find_code(world.keyring, world.scan_desk.catalog, GTIN, world.serial(1), world.now_ms)
    drawn = msgspec.structs.replace(code, campaign=given)
    view = view_code(world.api_desk.view, world.session("ann"), drawn, world.now_ms, back="http://h/01/x")
    assert [(one.win, one.per) for one in view.odds] == [(1, 10), (1, 1_000)]


def test_the_holder_sees_the_reward_and_others_a_day() -> None:
    world = World()
    image = claim(world)
    mine = look(world)
    assert (mine.status, mine.first_scan_on) == ("claimed_by_you", "2026-11-22")
    assert [one.state for one in mine.rewards] == [""]
    reward(world, image, State.PAID)
    (paid,) = look(world).rewards
    assert (paid.state, paid.amount_minor, paid.prize["en"]) == ("PAID", 880, "Cap red packet")
    theirs = look(world, person="bob")
    assert (theirs.status, theirs.first_scan_on, theirs.rewards) == ("claimed", "2026-11-22", ())


def test_a_recall_is_told_to_the_holder_too() -> None:
    world = World()
    claim(world)
    world.put(batch=msgspec.structs.replace(BATCH, hold="recalled"))
    assert (look(world).status, look(world).reason) == ("observed", "recalled")
    assert look(world, person="bob").reason == "recalled"


@pytest.mark.parametrize(
    ("index", "role", "reason"),
    [(1, Role.CAP_OUTER, "outer_code"), (6, Role.CAP_INNER, "line_rejected"), (1_100, Role.CAP_INNER, "not_activated")],
)
def test_reasons(index: int, role: Role, reason: str) -> None:
    view = look(World(), index, role=role)
    assert (view.status, view.reason) == ("observed", reason)


def test_a_withdrawn_code() -> None:
    world = World()
    ref = CodeRef(7, 1, Role.CAP_INNER)
    tombstone = Mark("system", 1, "tombstone", reason="replaced")
    world.scans.items[ref.key()] = ScanImage(ref.key(), tombstone, 1, tombstone)
    view = look(world)
    assert (view.status, view.reason, view.first_scan_on) == ("observed", "replaced", "")


def test_a_copied_outer_code_is_warned_of() -> None:
    world = World()
    ref = CodeRef(7, 1, Role.CAP_OUTER)
    for count, warned in ((9, False), (10, True)):
        world.scans.items[ref.key()] = ScanImage(ref.key(), Mark("c", 1, "observe"), count)
        assert look(world, role=Role.CAP_OUTER).clone_warning is warned
    inner = CodeRef(7, 2, Role.CAP_INNER)
    world.scans.items[inner.key()] = ScanImage(inner.key(), Mark("c", 1, "observe"), 50)
    assert not look(world, 2).clone_warning


def test_a_code_without_campaign() -> None:
    world = World()
    world.put(campaigns=[])
    view = look(world)
    assert (view.reason, view.odds, view.campaign, view.claim_until) == ("no_campaign", (), {}, "")


def test_nothing_is_known_of_what_nobody_issued() -> None:
    view = not_issued_view(GTIN, "1" * 17)
    assert (view.verdict, view.product, view.scans) == ("not_issued", {}, 0)


def test_a_reward_is_its_owners_only() -> None:
    world = World()
    reward_id = reward(world, claim(world), State.PENDING)
    assert read_reward(world.api_desk.reward, world.session("ann"), reward_id).state == "PENDING"
    for person, asked in (("bob", reward_id), ("ann", "X" * 26), ("ann", "../" + reward_id), ("ann", "")):
        with pytest.raises(NotFoundError, match="reward_not_ready"):
            read_reward(world.api_desk.reward, world.session(person), asked)


def test_what_is_shown_is_what_arrives() -> None:
    world = World()
    reward_id = reward(world, claim(world), State.PAID, withheld_minor=176)
    assert read_reward(world.api_desk.reward, world.session(), reward_id).amount_minor == 704


def test_a_payout_that_waits_for_a_tap_says_where() -> None:
    world = World()
    image = claim(world)
    waits = UserAction(kind="confirm", package="a+b/c=")
    reward_id = reward(world, image, State.WAIT_USER, action=waits)
    action = read_reward(world.api_desk.reward, world.session(), reward_id).action
    assert action is not None
    assert (action.kind, action.url) == ("confirm", "http://127.0.0.1:9/confirm?package=a%2Bb%2Fc%3D")
    (shown,) = look(world).rewards
    assert shown.confirm_url == "http://127.0.0.1:9/confirm?package=a%2Bb%2Fc%3D&back=http%3A%2F%2Fh%2F01%2Fx"
    elsewhere = msgspec.structs.replace(world.api_desk.reward, confirm_url="")
    action = read_reward(elsewhere, world.session(), reward_id).action
    assert action is not None
    assert action.url == ""
    reward(world, image, State.PAID, action=waits)
    assert read_reward(elsewhere, world.session(), reward_id).action is None


def test_a_reward_without_prize_has_no_name() -> None:
    world = World()
    reward_id = reward(world, claim(world), State.NONE, prize_id="", kind="", amount_minor=0, currency="")
    reply = read_reward(world.api_desk.reward, world.session(), reward_id)
    assert (reply.state, reply.prize, reply.amount_minor) == ("NONE", {}, 0)
