"""Fetching an order's codes page by page into an archive or a small plain file. Called by `uncap batch export`.

Resumable: FILE.part holds whole parts only and FILE.part.json says which; what is there is not fetched (and logged)
again. A file is complete when it has its name.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from cli import archives
from cli.archives import CSV_HEAD, DamagedError, Manifest, Unfinished
from cli.clients import Console, send
from uncap.domain.errors import InputError
from uncap.domain.exports import check_recipient

PAGE_CODES = 20_000

Order = dict[str, Any]
"""An export order as the console shows it."""


def manifest_of(order: Order, lines: int, made_by: str, file: str, now_ms: int) -> Manifest:
    """The manifest of a file about to be made; `file` is the archive's name."""
    stem = file.removesuffix(".tar") if order.get("recipient") else file
    return Manifest(
        export_id=order["export_id"],
        file=stem if stem.endswith(f".{order['form']}") else f"{stem}.{order['form']}",
        batch_no=order["batch_no"],
        gtin=order["gtin"],
        role=order["role"],
        form=order["form"],
        lines=lines,
        made_for=order["made_for"],
        made_by=made_by,
        made_at_ms=now_ms,
        expires_at_ms=order["expires_at_ms"],
        recipient=order.get("recipient", ""),
        parts=[],
    )


def fetch(console: Console, order: Order, manifest: Manifest, out: Path, advance: Callable[[int], None]) -> Manifest:
    """The finished file at `out` and its manifest. Raises ApiProblemError, DamagedError, OSError."""
    part, notes = beside(out, "part"), beside(out, "part.json")
    state = archives.resume(part, notes, manifest) if manifest.recipient else None
    if state is None:
        state = Unfinished(manifest, order["start"])
        part.write_bytes(b"")
    manifest = state.manifest
    advance(sum(one.lines for one in manifest.parts))
    with part.open("ab") as file:
        while state.at < order["stop"]:
            _next_part(console, order, state, file, advance)
            _write(notes, state)
        archives.check_lines(manifest)
        if manifest.recipient:
            file.write(archives.ending(manifest))
        else:
            _write(beside(out, archives.MANIFEST), manifest)
    part.replace(out)
    notes.unlink(missing_ok=True)
    return manifest


def _next_part(
    console: Console, order: Order, state: Unfinished, file: BinaryIO, advance: Callable[[int], None]
) -> None:
    manifest = state.manifest
    page = fetch_page(console, order, state.at)
    number = len(manifest.parts) + 1
    head = CSV_HEAD if manifest.form == "csv" and number == 1 else b""
    name = f"codes-{number:06d}.{manifest.form}" if manifest.recipient else manifest.file
    entry, data = archives.part_of(name, head + page, manifest.recipient)
    file.write(archives.member(entry.name, data, manifest.made_at_ms) if manifest.recipient else data)
    file.flush()
    manifest.parts.append(entry)
    state.at = min(state.at + PAGE_CODES, order["stop"])
    advance(page.count(b"\r\n"))


def fetch_page(console: Console, order: Order, at: int) -> bytes:
    """One page, checked against the digest it came with and for the number of its lines. Raises DamagedError."""
    count = min(PAGE_CODES, order["stop"] - at)
    url = f"{console.base}/exports/{order['export_id']}/codes"
    response = send(console.client, "GET", url, params={"start": at, "count": count})
    body = response.content
    if hashlib.sha256(body).hexdigest() != response.headers.get("x-uncap-sha256", ""):
        raise DamagedError(f"the page from code {at} on did not arrive whole")
    lines = body.count(b"\r\n")
    if str(lines) != response.headers.get("x-uncap-lines", "") or lines < count:
        raise DamagedError(f"the page from code {at} on has {lines} lines")
    return body


def checked_recipient(text: str) -> str:
    """An age public key as it is. Raises DamagedError."""
    try:
        check_recipient(text)
    except InputError as error:
        raise DamagedError(error.message) from error
    return text


def beside(file: Path, suffix: str) -> Path:
    """FILE.suffix."""
    return file.with_name(f"{file.name}.{suffix}")


def _write(path: Path, value: Manifest | Unfinished) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))
    draft.replace(path)
