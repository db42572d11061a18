"""Serials: made by the million and verified one by one, against fastfpe (Rust) on the same scheme and keys."""

import uuid
from collections.abc import Iterator

from fastfpe import ff1 as fastfpe  # type: ignore[import-untyped]

from bench.report import Row, median_seconds, paired, row
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk, crockford, links
from uncap.domain.codes.scheme import CodeKey, Keyring, encode

_GTIN = "09520123456788"
_BASE = "https://v.uncap.cn"
_BATCH = 7
_OWN = 1_000_000
_PEER = 20_000
_ROLES = (Role.CAP_OUTER, Role.CAP_INNER)
_MASTER = bytes(range(32))


def codes_generate() -> Iterator[Row]:
    """Codes per second on one core, as rows of text: bare, and as the lines a printer gets."""
    key = CodeKey.derive(_MASTER, 1, _GTIN, Role.CAP_INNER)
    hex_key, hex_tweak = key.key.hex(), key.tweak.hex()
    plain = [crockford.encode((_BATCH << 28 | index) << 28, 16) for index in range(_PEER)]

    def own() -> None:
        bulk.serials(key, _BATCH, range(_OWN))

    def by_fastfpe() -> None:
        for text in plain:
            fastfpe.encrypt(hex_key, hex_tweak, crockford.ALPHABET, text)

    def by_uuid() -> None:
        for _ in range(_PEER):
            str(uuid.uuid4())

    scale = _OWN / _PEER
    pair = paired(own, by_fastfpe, scale=scale)
    yield _rate("codes_generate", pair.own_s, "fastfpe", pair.peer_s, pair.ratio, budget="ratio >= 30")
    pair = paired(own, by_uuid, scale=scale)
    yield _rate("codes_generate.uuid4", pair.own_s, "uuid4", pair.peer_s, pair.ratio)
    prefix = links.code_prefix(_BASE, _GTIN)
    printed_s = median_seconds(lambda: sum(len(block) for block in bulk.lines(key, _BATCH, range(_OWN), prefix)))
    yield row("codes_generate.lines", _OWN / printed_s, "lines/s", budget=">= 5e6", bytes_per_line=len(prefix) + 19)
    rows = bulk.serials(key, _BATCH, range(_OWN))
    yield row("codes_generate.decode", _OWN / median_seconds(lambda: bulk.decode(key, rows)), "codes/s")


def code_verify() -> Iterator[Row]:
    """Microseconds for one code whose role is the second to be tried, keys warm; and for a forged one under all six."""
    keyring = Keyring({1: ("minting", _MASTER)})
    count = 5_000
    key = keyring.key(1, _GTIN, Role.CAP_INNER)
    genuine = [encode(key, _BATCH, index) for index in range(count)]
    forged = [code[:-1] + ("0" if code[-1] != "0" else "1") for code in genuine]
    peers = [keyring.key(1, _GTIN, role) for role in _ROLES]
    peer_keys = [(peer.key.hex(), peer.tweak.hex()) for peer in peers]

    def own() -> None:
        for code in genuine:
            keyring.identify(_GTIN, code, _ROLES)

    def refuse() -> None:
        for code in forged:
            keyring.identify(_GTIN, code, tuple(Role))

    def by_fastfpe() -> None:
        for code in genuine:
            for hex_key, hex_tweak in peer_keys:
                fastfpe.decrypt(hex_key, hex_tweak, crockford.ALPHABET, code[1:])

    pair = paired(own, by_fastfpe)
    micro = 1e6 / count
    yield row(
        "code_verify",
        pair.own_s * micro,
        "us",
        peer="fastfpe",
        peer_value=pair.peer_s * micro,
        ratio=pair.ratio,
        budget="<= 25 us",
        roles=len(_ROLES),
    )
    yield row("code_verify.forged", median_seconds(refuse) * micro, "us", roles=len(Role))


def _rate(name: str, own_s: float, peer: str, peer_s: float, ratio: float, **more: object) -> Row:
    return row(name, _OWN / own_s, "codes/s", peer=peer, peer_value=_PEER / peer_s, ratio=ratio, **more)
