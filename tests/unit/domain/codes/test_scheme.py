"""Serials one by one: known answers, keys, and that nothing but the very code of the very key is accepted."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from fastfpe import ff1 as fastfpe  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.catalog import Role
from uncap.domain.codes import crockford, scheme
from uncap.domain.codes.scheme import CodeKey, Keyring
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.scans import CodeRef

GTIN = "09520123456788"
OTHER_GTIN = "06901234567892"
FIXED = CodeKey(1, int(GTIN), Role.CAP_OUTER, bytes(range(16)))
MASTER = bytes(range(32))
RING = Keyring({1: ("minting", MASTER), 2: ("verifying", bytes(32))})

batches = st.integers(0, scheme.BATCH_LIMIT - 1)
indices = st.integers(0, scheme.INDEX_LIMIT - 1)
roles = st.sampled_from(list(Role))


@pytest.mark.parametrize(("index", "serial"), [(0, "1E5ZNQ38SXZSYYC86"), (1, "12SW21A4VTQ6478CA")])
def test_known_answers(index: int, serial: str) -> None:
    assert FIXED.tweak.hex() == f"{9520123456788:012x}0100"
    assert scheme.encode(FIXED, 7, index) == serial
    assert scheme.decode(FIXED, serial) == (7, index)


def test_derived_keys_stay_what_they_are() -> None:
    """Changing the derivation would orphan every printed code."""
    key = CodeKey.derive(MASTER, 1, GTIN, Role.CAP_INNER)
    assert key.key.hex() == "d90506037869c3035db12c8c960a98a2"
    assert scheme.encode(key, 7, 0) == "1N6FFZNKQVM4WDG40"


def test_a_key_depends_on_master_gtin_and_role_but_not_on_how_the_gtin_is_written() -> None:
    made = {
        CodeKey.derive(master, 1, gtin, role).key
        for master in (MASTER, bytes(32))
        for gtin in (GTIN, OTHER_GTIN)
        for role in Role
    }
    assert len(made) == 2 * 2 * len(Role)
    assert CodeKey.derive(MASTER, 1, GTIN.lstrip("0"), Role.CAP_OUTER) == CodeKey.derive(
        MASTER, 1, GTIN, Role.CAP_OUTER
    )


def test_a_key_does_not_show_in_its_repr() -> None:
    assert str(FIXED.key) not in repr(FIXED)


@settings(max_examples=60)
@given(batch_no=batches, index=indices, role=roles)
def test_round_trip_and_agreement_with_fastfpe(batch_no: int, index: int, role: Role) -> None:
    key = RING.key(1, GTIN, role)
    serial = scheme.encode(key, batch_no, index)
    plain = crockford.encode((batch_no << 28 | index) << 28, 16)
    assert serial[1:] == fastfpe.encrypt(key.key.hex(), key.tweak.hex(), crockford.ALPHABET, plain)
    assert scheme.decode(key, serial) == scheme.decode(key, serial.lower()) == (batch_no, index)
    assert RING.identify(GTIN, serial, list(Role)) == (CodeRef(batch_no, index, role), 1)


@settings(max_examples=40)
@given(index=indices, at=st.integers(0, scheme.SERIAL_LENGTH - 1), to=st.sampled_from(crockford.ALPHABET))
def test_any_other_character_is_refused(index: int, at: int, to: str) -> None:
    serial = scheme.encode(RING.key(1, GTIN, Role.CAP_INNER), 7, index)
    changed = serial[:at] + to + serial[at + 1 :]
    found = RING.identify(GTIN, changed, list(Role))
    assert (found is not None) == (changed == serial)


@settings(max_examples=40)
@given(batch_no=batches, index=indices, role=roles, other=roles)
def test_a_code_is_worth_nothing_under_another_gtin_role_or_epoch(
    batch_no: int, index: int, role: Role, other: Role
) -> None:
    serial = scheme.encode(RING.key(1, GTIN, role), batch_no, index)
    assert RING.identify(OTHER_GTIN, serial, list(Role)) is None
    assert (RING.identify(GTIN, serial, [other]) is None) == (other is not role)
    assert RING.identify(GTIN, "2" + serial[1:], list(Role)) is None
    assert RING.identify(GTIN, "3" + serial[1:], list(Role)) is None


@pytest.mark.parametrize(
    "serial",
    [
        "",
        "1",
        "1E5ZNQ38SXZSYYC8",
        "1E5ZNQ38SXZSYYC866",
        *("1E5ZNQ38SXZSYYC8" + char for char in "ILOUſ _"),
        "1E5ZNQ38SXZSYYC８6",
        "1E5ZNQ38SXZS_YC86",
        "+1E5ZNQ38SXZSYYC8",
    ],
)
def test_junk_is_refused(serial: str) -> None:
    assert scheme.decode(FIXED, serial) is None
    assert RING.identify(GTIN, serial, list(Role)) is None


@pytest.mark.parametrize(("batch_no", "index"), [(-1, 0), (1 << 24, 0), (0, -1), (0, 1 << 28)])
def test_numbers_that_do_not_fit_are_refused(batch_no: int, index: int) -> None:
    with pytest.raises(InputError) as caught:
        scheme.encode(FIXED, batch_no, index)
    assert caught.value.code == "code_out_of_range"


def test_an_epoch_is_one_character() -> None:
    with pytest.raises(InputError) as caught:
        CodeKey.derive(MASTER, 32, GTIN, Role.CAP_OUTER)
    assert caught.value.code == "epoch_out_of_range"


def test_keyring_from_the_secret() -> None:
    keys = {str(n): {"state": state, "key": secrets.token_hex(32)} for n, state in ((1, "compromised"), (4, "minting"))}
    ring = Keyring.parse(json.dumps({"epochs": keys}))
    assert (ring.state(1), ring.state(4), ring.minting_epoch) == ("compromised", "minting", 4)
    serial = scheme.encode(ring.key(1, GTIN, Role.CASE_INNER), 9, 5)
    found = ring.identify(GTIN, serial, (Role.CASE_OUTER, Role.CASE_INNER))
    assert found == (CodeRef(9, 5, Role.CASE_INNER), 1), "a compromised epoch still identifies"
    with pytest.raises(NotFoundError):
        ring.key(2, GTIN, Role.CAP_INNER)
    with pytest.raises(ConflictError):
        _ = Keyring({1: ("verifying", MASTER)}).minting_epoch


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{}",
        '{"epochs": {"1": {"state": "minting", "key": "zz"}}}',
        '{"epochs": {"1": {"state": "minting", "key": "0011"}}}',
        '{"epochs": {"x": {"state": "minting", "key": "0011"}}}',
        '{"epochs": {"32": {"state": "minting", "key": "' + "00" * 32 + '"}}}',
        '{"epochs": {"1": {"state": "lost", "key": "' + "00" * 32 + '"}}}',
    ],
)
def test_a_broken_secret_is_named_without_being_shown(document: str) -> None:
    with pytest.raises(InputError) as caught:
        Keyring.parse(document)
    assert caught.value.code == "code_keys_malformed"
    assert "00" not in str(caught.value)


def test_the_cache_is_bounded_and_forgets_nothing_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheme, "_CACHE_LIMIT", 2)
    ring = Keyring({1: ("minting", MASTER)})
    for _ in range(2):
        for role in Role:
            serial = scheme.encode(ring.key(1, GTIN, role), 1, 2)
            assert ring.identify(GTIN, serial, [role]) == (CodeRef(1, 2, role), 1)
    assert len(ring._ciphers) == 2


def test_strangers_do_not_push_out_the_keys_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheme, "_CACHE_LIMIT", 3)
    ring = Keyring({1: ("minting", MASTER)})
    serial = scheme.encode(ring.key(1, GTIN, Role.CAP_INNER), 1, 2)
    for stranger in range(10):
        assert ring.identify(GTIN, serial, [Role.CAP_INNER]) is not None
        kept = ring._ciphers[1, GTIN, Role.CAP_INNER]
        for more in range(2):
            assert ring.identify(f"{stranger}{more}".zfill(14), serial, [Role.CAP_INNER]) is None
        assert ring._ciphers[1, GTIN, Role.CAP_INNER] is kept


@pytest.mark.parametrize(
    "module", ["uncap.domain.codes.scheme", "uncap.domain.codes.links", "uncap.domain.prizes.laying"]
)
def test_imported_on_the_request_path_without_heavy_packages(module: str) -> None:
    probe = f"import sys, {module}; print(*sorted({{'numpy', 'boto3', 'pynamodb', 'pydantic'}} & set(sys.modules)))"
    core = str(Path(scheme.__file__).parents[3])
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=core)
    assert done.stdout.strip() == ""
