"""`python -m dev.build_web`: makes of the web sources what the web layer ships (layers/web/python/webui_built/).

Compiles templates and catalogues, puts the texts into scan.js per language, hashes names. `build()` is called by
`make`, by tests and by the local stack: it returns at once when nothing has changed since the last time.
"""

import base64
import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import jinja2
from babel.messages.mofile import write_mo
from babel.support import Translations

ROOT = Path(__file__).parents[1]
LAYER = ROOT / "layers/web/python"
sys.path[:0] = [path for path in (str(LAYER), str(ROOT / "layers/core/python")) if path not in sys.path]

from dev.messages import LOCALES, po_path, read_catalogue  # noqa: E402
from webui.built import BUILT, SOURCES  # noqa: E402 -- the layers are not installed; Lambda finds them in the same way
from webui.render import make_environment  # noqa: E402
from webui.texts import client_texts  # noqa: E402

SCAN = ROOT / "web/scan"
CHANNEL = ROOT / "web/channel"
MODULES = ROOT / "web/node_modules"  # by `npm ci` (web/package.json); without it only the browser's own reader is used
JSQR_NOTICE = "/*! jsQR 1.4.0, Apache-2.0, Cosmo Wolfe and Jefff Nelson; github.com/cozmo/jsQR; LICENSE beside it */\n"
STAMP = "stamp"
WORDS_SLOT = "const words = {};"


def build() -> Path:
    """Brings `webui_built` up to date and returns its path. Quick and harmless to repeat, or to run twice at once."""
    stamp = _digest_of_sources()
    current = BUILT / STAMP
    if current.exists() and current.read_text() == stamp:
        return BUILT
    with tempfile.TemporaryDirectory(dir=LAYER.parent, prefix=".webui-built-") as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        _catalogues(fresh / "locales")
        _templates(fresh / "templates")
        _assets(fresh)
        (fresh / STAMP).write_text(stamp)
        _swap(fresh, Path(scratch) / "old")
    return BUILT


def _swap(fresh: Path, old: Path) -> None:
    """Puts the new folder in the old one's place by renaming, so that no reader finds half of it."""
    if BUILT.exists():
        BUILT.rename(old)
    try:
        fresh.rename(BUILT)
    except OSError:
        if not BUILT.exists():
            raise
        # Another process built the same sources in the meantime; its result is as good as ours.
        shutil.rmtree(fresh)


def _digest_of_sources() -> str:
    digest = hashlib.sha256(jinja2.__version__.encode())
    sources = [*SOURCES.rglob("*.html"), *SCAN.iterdir(), *CHANNEL.iterdir(), *(po_path(locale) for locale in LOCALES)]
    sources += [LAYER / "webui/texts.py", LAYER / "webui/render.py", Path(__file__), *_vendored()]
    for path in sorted(sources):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _vendored() -> list[Path]:
    """jsQR's script and licence, where `npm ci` has brought them."""
    found = [MODULES / "jsqr/dist/jsQR.js", MODULES / "jsqr/LICENSE"]
    return found if all(path.exists() for path in found) else []


def _catalogues(into: Path) -> None:
    into.mkdir()
    for locale in LOCALES:
        with (into / f"{locale}.mo").open("wb") as file:
            write_mo(file, read_catalogue(locale))


def _templates(into: Path) -> None:
    """Templates as Python modules, one per file, with the white space between tags made small."""
    environment = make_environment(jinja2.FileSystemLoader(SOURCES))
    environment.compile_templates(into, extensions=["html"], zip=None, ignore_errors=False)


def _assets(into: Path) -> None:
    static = into / "static"
    static.mkdir()
    files, types = {}, {}
    script = minify_js((SCAN / "scan.js").read_text())
    if script.count(WORDS_SLOT) != 1:
        raise ValueError(f"scan.js must hold {WORDS_SLOT!r} once")
    for locale in LOCALES:
        words = json.dumps(_words(locale), ensure_ascii=False, separators=(",", ":"))
        body = script.replace(WORDS_SLOT, f"const words = {words};").encode()
        name = f"scan.{locale}.{hashlib.sha256(body).hexdigest()[:12]}.js"
        (static / name).write_bytes(body)
        files[f"scan.{locale}.js"], types[name] = name, "text/javascript; charset=utf-8"
    scripts = {"channel": minify_js((CHANNEL / "channel.js").read_text())}
    if found := _vendored():
        scripts["jsqr"] = JSQR_NOTICE + minify_js(found[0].read_text())
        shutil.copy(found[1], into / "jsqr.LICENSE")
    for stem, text in scripts.items():
        body = text.encode()
        name = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.js"
        (static / name).write_bytes(body)
        files[f"{stem}.js"], types[name] = name, "text/javascript; charset=utf-8"
    sheet = minify_css((SCAN / "scan.css").read_text())
    source = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    manifest = {"files": files, "types": types, "styles": {"scan.css": [sheet, f"'sha256-{source}'"]}}
    (into / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1))


def _words(locale: str) -> dict[str, object]:
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(locale))
    compiled.seek(0)
    return client_texts(Translations(compiled).gettext, locale)


def minify_css(text: str) -> str:
    """Without comments and needless white space. For our own sheets: they hold no strings with braces in them."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" ?([{};,>]) ?", r"\1", text)
    return re.sub(r"(?<=[a-z-]): ", ":", text).replace(";}", "}").strip()


def minify_js(text: str) -> str:
    """Without comment lines and indentation; line ends stay, so no statement can change its meaning."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


if __name__ == "__main__":
    sys.stdout.write(f"{build().relative_to(ROOT)}\n")
