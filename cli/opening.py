"""The supplier's side: an archive is checked, decrypted and written as a plain file, without the lines to skip.

Called by `uncap batch open`, `check` and `skips`, and by `uncap labels` for archives.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so

from cli import archives
from cli.archives import DamagedError, Manifest
from cli.exporting import beside, checked_recipient


class Skips(msgspec.Struct):
    """Lines of the plain file, counted from 1, that must not be printed."""

    export_id: str
    lines: list[int]


def open_into(file: Path, manifest: Manifest, keys: list[Any], skips: Path | None, target: Path | BinaryIO) -> int:
    """Writes the plain file, part by part as each is found right; how many codes. Raises DamagedError, OSError.

    A path gets its file once all is well; a stream has had the parts before a damaged one, each of them whole.
    """
    lines = _plain_lines(file, manifest, keys, read_skips(skips, keys, manifest) if skips else frozenset())
    if not isinstance(target, Path):
        return _copy(lines, target)
    draft = beside(target, "part")
    try:
        with draft.open("wb") as out:
            written = _copy(lines, out)
    except BaseException:
        draft.unlink(missing_ok=True)  # plain codes of an archive that cannot be trusted must not stay behind
        raise
    draft.replace(target)
    return written


def _copy(parts: Iterator[tuple[int, bytes]], out: BinaryIO) -> int:
    written = 0
    for codes, data in parts:
        out.write(data)
        written += codes
    return written


def _plain_lines(file: Path, manifest: Manifest, keys: list[Any], skips: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """(codes, bytes) of each part, without the lines to skip."""
    archives.check_lines(manifest)
    before = 0
    for part, cipher in archives.ciphers(file, manifest):
        plain = archives.decrypted(part, cipher, keys)
        heads = int(manifest.form == "csv" and before == 0)
        inside = {line - before for line in skips if before < line <= before + part.lines}
        if inside:
            rows = plain.splitlines(keepends=True)
            plain = b"".join(row for at, row in enumerate(rows, 1) if at not in inside)
        yield part.lines - heads - len(inside), plain
        before += part.lines


def seal_skips(fetch: Callable[[], Any], recipient: str) -> bytes:
    """The list encrypted to the press. The key is looked at before anything is fetched (and logged)."""
    key = pyrage.x25519.Recipient.from_str(checked_recipient(recipient))
    sealed: bytes = pyrage.encrypt(msgspec.json.encode(fetch()), [key])
    return sealed


def read_skips(file: Path, keys: list[Any], manifest: Manifest) -> frozenset[int]:
    """Raises DamagedError, OSError."""
    try:
        skips = msgspec.json.decode(pyrage.decrypt(file.read_bytes(), keys), type=Skips)
    except pyrage.DecryptError as cause:
        raise DamagedError(f"{file} cannot be opened with this key: {cause}") from cause
    except msgspec.MsgspecError as cause:
        raise DamagedError(f"{file} holds no list of lines") from cause
    if skips.export_id != manifest.export_id:
        raise DamagedError(f"{file} belongs to export {skips.export_id}, the archive to {manifest.export_id}")
    return frozenset(skips.lines)


def check_any(file: Path) -> Manifest:
    """An archive or a plain file as its manifest has it; the manifest. Raises DamagedError, OSError."""
    manifest_file = beside(file, archives.MANIFEST)
    if manifest_file.exists():
        return _check_plain(file, manifest_file)
    manifest = archives.read_manifest(file)
    archives.check_lines(manifest)
    for _ in archives.ciphers(file, manifest):
        pass
    return manifest


def _check_plain(file: Path, manifest_file: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(manifest_file.read_bytes(), type=Manifest)
    except msgspec.MsgspecError as cause:
        raise DamagedError(f"{manifest_file.name} cannot be read: {cause}") from cause
    found = archives.file_sha256(file)
    if [part.plain_sha256 for part in manifest.parts] != [found]:
        raise DamagedError(f"its SHA-256 is {found}, the manifest says otherwise")
    return manifest
