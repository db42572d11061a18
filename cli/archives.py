"""The archive a supplier gets: a tar of age-encrypted parts and a manifest, written part by part so that it can go on.

Called by `cli/batches.py`. Plain text lives in memory only, one part at a time: what is on the disk is cipher text from
the first byte on. Each part is a whole age file (`age -d` opens it); tar and age are all a recipient needs.
"""

import hashlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so

FORMAT = "uncap-export-1"
MANIFEST = "manifest.json"
CSV_HEAD = b"\xef\xbb\xbfseq,code,url,parent\r\n"
_BLOCK = 512
_MAX_PART = 16 << 20
_MAX_MANIFEST = 64 << 20


class DamagedError(Exception):
    """What arrived, or what lies on the disk, is not what its hash says."""


class Part(msgspec.Struct, frozen=True):
    """One member of the archive; hashes are hex SHA-256. A plain file has one part without a cipher."""

    name: str
    lines: int
    plain_bytes: int
    plain_sha256: str
    cipher_bytes: int = 0
    cipher_sha256: str = ""


class Manifest(msgspec.Struct):
    """What the archive says of itself. `lines` counts every code in it; `file` is the plain file's name."""

    export_id: str
    file: str
    batch_no: int
    gtin: str
    role: str
    form: str
    lines: int
    made_for: str
    made_by: str
    made_at_ms: int
    expires_at_ms: int
    recipient: str
    parts: list[Part]
    format: str = FORMAT


class Unfinished(msgspec.Struct):
    """Beside FILE.part: its manifest so far, and the place in the batch to go on from."""

    manifest: Manifest
    at: int


def part_of(name: str, data: bytes, recipient: str) -> tuple[Part, bytes]:
    """The part's entry and the bytes to write: encrypted to `recipient`, or as they are if that is empty."""
    entry = Part(name, data.count(b"\r\n"), len(data), _sha256(data))
    if not recipient:
        return entry, data
    cipher = pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(recipient)])
    sealed = msgspec.structs.replace(entry, name=f"{name}.age", cipher_bytes=len(cipher), cipher_sha256=_sha256(cipher))
    return sealed, cipher


def member(name: str, data: bytes, made_at_ms: int) -> bytes:
    """One tar member (POSIX ustar): header, data, padding."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), made_at_ms // 1000
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % _BLOCK)


def ending(manifest: Manifest) -> bytes:
    """The manifest's member and the end of the archive."""
    return member(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1), manifest.made_at_ms) + bytes(
        2 * _BLOCK
    )


def resume(part: Path, notes: Path, order: Manifest) -> Unfinished | None:
    """What is there to go on from, each part read back and checked; whatever follows the last whole part is cut off.

    None if there is nothing. Raises DamagedError.
    """
    if not notes.exists() or not part.exists():
        return None
    before = read_notes(notes)
    if (before.manifest.export_id, before.manifest.recipient) != (order.export_id, order.recipient):
        raise DamagedError("the unfinished file is of another export; remove it first")
    with part.open("r+b") as file:
        for one in before.manifest.parts:
            file.seek(_BLOCK, os.SEEK_CUR)
            if _sha256(file.read(one.cipher_bytes)) != one.cipher_sha256:
                raise DamagedError(f"the unfinished file is damaged at {one.name}; remove it first")
            file.seek(-one.cipher_bytes % _BLOCK, os.SEEK_CUR)
        file.truncate(file.tell())
    return before


def read_notes(notes: Path) -> Unfinished:
    """Raises DamagedError."""
    try:
        return msgspec.json.decode(notes.read_bytes(), type=Unfinished)
    except msgspec.MsgspecError as cause:
        raise DamagedError(f"{notes.name} cannot be read; remove it and the .part file") from cause


def read_manifest(archive: Path) -> Manifest:
    """Raises DamagedError, OSError."""
    try:
        with tarfile.open(archive, "r:") as tar:
            info = tar.getmember(MANIFEST)
            stream = tar.extractfile(info)
            if stream is None or info.size > _MAX_MANIFEST:
                raise DamagedError("the manifest is not a file of reasonable size")
            manifest = msgspec.json.decode(stream.read(), type=Manifest)
    except (tarfile.TarError, KeyError, EOFError) as cause:
        raise DamagedError("this is not a whole archive of uncap: its manifest is missing") from cause
    except msgspec.MsgspecError as cause:
        raise DamagedError(f"the manifest cannot be read: {cause}") from cause
    if manifest.format != FORMAT:
        raise DamagedError(f"the archive is of format {manifest.format!r}, this program reads {FORMAT!r}")
    return manifest


def ciphers(archive: Path, manifest: Manifest) -> Iterator[tuple[Part, bytes]]:
    """Every part in order, its cipher text checked against the manifest. Raises DamagedError, OSError."""
    expected = [part.name for part in manifest.parts]
    try:
        with tarfile.open(archive, "r:") as tar:
            for part, info in zip(manifest.parts, tar, strict=False):
                stream = tar.extractfile(info)
                if info.name != part.name or stream is None or info.size > _MAX_PART:
                    raise DamagedError(f"{part.name} is not where the manifest has it")
                cipher = stream.read()
                if _sha256(cipher) != part.cipher_sha256:
                    raise DamagedError(f"{part.name} is damaged: its SHA-256 is not the manifest's")
                yield part, cipher
            names = tar.getnames()
    except (tarfile.TarError, EOFError) as cause:
        raise DamagedError(f"the archive is damaged: {cause}") from cause
    if names != [*expected, MANIFEST]:
        raise DamagedError("the archive holds other files than its manifest says")


def check_lines(manifest: Manifest) -> None:
    """Raises DamagedError if the parts do not add up to the codes that were ordered."""
    lines = sum(part.lines for part in manifest.parts)
    if lines != manifest.lines + (manifest.form == "csv"):
        raise DamagedError(f"the parts hold {lines} lines, the manifest says {manifest.lines}")


def decrypted(part: Part, cipher: bytes, identities: list[pyrage.x25519.Identity]) -> bytes:
    """The plain text of a part. Raises DamagedError: another's key, or not what the manifest says."""
    try:
        plain: bytes = pyrage.decrypt(cipher, identities)
    except pyrage.DecryptError as cause:
        raise DamagedError(f"{part.name} cannot be opened with this key: {cause}") from cause
    if _sha256(plain) != part.plain_sha256 or plain.count(b"\r\n") != part.lines:
        raise DamagedError(f"{part.name} holds something else than its manifest says")
    return plain


def read_identities(file: Path) -> list[pyrage.x25519.Identity]:
    """The age identities in a key file; lines that begin with # are comments. Raises DamagedError, OSError."""
    found = []
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(pyrage.x25519.Identity.from_str(line.strip()))
            except pyrage.IdentityError as cause:
                raise DamagedError(f"{file}: line {number} is not an age key") from cause
    if not found:
        raise DamagedError(f"{file} holds no age key")
    return found


def file_sha256(file: Path) -> str:
    """Hex SHA-256 of a file of any size."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
