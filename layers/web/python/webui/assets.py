"""Static files under names that carry their content's hash, so that caches may keep them for ever.

Served by `GET /static/{file}` (routes) out of the layer; the manifest is made by `python -m dev.build_web`.
"""

import gzip
from functools import lru_cache
from typing import NamedTuple

import msgspec

from uncap.domain.errors import NotFoundError
from webui.built import BUILT


class Asset(NamedTuple):
    """A static file's bytes and its content type."""

    body: bytes
    content_type: str


class Manifest(msgspec.Struct, frozen=True):
    """`files`: logical name → hashed name. `types`: hashed name → content type. `styles`: name → (text, CSP hash)."""

    files: dict[str, str]
    types: dict[str, str]
    styles: dict[str, tuple[str, str]]


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """What the build made. Raises FileNotFoundError before `python -m dev.build_web` has run."""
    return msgspec.json.decode((BUILT / "manifest.json").read_bytes(), type=Manifest)


def url(name: str) -> str:
    """The address of a file by its logical name ("scan.en.js"). KeyError for a name the build does not make."""
    return f"/static/{manifest().files[name]}"


def has(name: str) -> bool:
    """Whether the build made this file: what comes from npm may be missing."""
    return name in manifest().files


@lru_cache(maxsize=32)
def asset(name: str, *, compressed: bool = False) -> Asset:
    """A file by its hashed name; `compressed` gives its gzip form. NotFoundError (`asset_not_found`).

    The name is looked up in the manifest, never joined to a path unseen.
    """
    content_type = manifest().types.get(name)
    if content_type is None:
        raise NotFoundError("asset_not_found", "There is no such file.", where="file")
    body = (BUILT / "static" / name).read_bytes()
    return Asset(gzip.compress(body, 9, mtime=0) if compressed else body, content_type)


def asset_headers(*, compressed: bool = False) -> dict[str, str]:
    """Headers for a file by its hashed name: it never changes, so it may be kept for a year without asking."""
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Encoding",
    }
    return headers | ({"Content-Encoding": "gzip"} if compressed else {})


def style(name: str) -> tuple[str, str]:
    """A stylesheet small enough to travel inside the page, and its CSP source ("'sha256-…'")."""
    return manifest().styles[name]
