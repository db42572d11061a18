"""How the page is delivered: headers, hashed files, the build."""

import gzip
import json
import re
import subprocess
import sys

import pytest

from dev import build_web
from uncap.domain.errors import NotFoundError
from webui import assets, render
from webui.built import BUILT, SOURCES
from webui.i18n import LOCALES
from webui.security import page_headers


def policy(headers: dict[str, str]) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


def test_the_policy_admits_nothing_unsafe() -> None:
    rules = policy(page_headers())
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["script-src"] == rules["connect-src"] == rules["form-action"] == ["'self'"]
    assert rules["img-src"] == ["'self'", "data:"]
    assert rules["style-src"] == ["'self'", assets.style("scan.css")[1]]
    text = page_headers()["Content-Security-Policy"]
    assert "unsafe" not in text
    assert "*" not in text
    assert "http" not in text


def test_further_headers() -> None:
    headers = page_headers()
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "geolocation=(self)" in headers["Permissions-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]
    assert policy(page_headers("https://pay.test"))["form-action"] == ["'self'", "https://pay.test"]
    assert policy(page_headers(style_sources=()))["style-src"] == ["'self'"]


@pytest.mark.parametrize("locale", LOCALES)
def test_files_are_named_by_their_content_and_kept_for_ever(locale: str) -> None:
    name = assets.url(f"scan.{locale}.js").removeprefix("/static/")
    plain, packed = assets.asset(name), assets.asset(name, compressed=True)
    assert re.fullmatch(rf"scan\.{locale}\.[0-9a-f]{{12}}\.js", name)
    assert plain.content_type == "text/javascript; charset=utf-8"
    assert gzip.decompress(packed.body) == plain.body
    assert "immutable" in assets.asset_headers()["Cache-Control"]
    assert assets.asset_headers(compressed=True)["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("name", ["", "nothing.js", "../manifest.json", "../../webui/views.py", "/etc/passwd"])
def test_no_other_file_is_given_away(name: str) -> None:
    with pytest.raises(NotFoundError):
        assets.asset(name)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_scripts_words_are_the_pages(locale: str) -> None:
    script = assets.asset(assets.url(f"scan.{locale}.js").removeprefix("/static/")).body.decode()
    (words,) = re.findall(r"^const words = (.*);$", script, re.MULTILINE)
    table = json.loads(words)
    assert table["lang"] == locale
    assert table["rewards"]["PAID"][3] == 1
    assert set(re.findall(r"\bwords\.(\w+)", script)) <= set(table)
    assert set(re.findall(r"\bwords\.errors\.(\w+)", script)) <= set(table["errors"])


def test_the_build_is_quick_to_repeat_and_heals() -> None:
    before = (BUILT / "manifest.json").stat().st_mtime_ns
    build_web.build()
    assert (BUILT / "manifest.json").stat().st_mtime_ns == before
    (BUILT / build_web.STAMP).write_text("older sources")
    build_web.build()
    assert (BUILT / build_web.STAMP).read_text() != "older sources"


def test_the_sheet_and_the_script_survive_being_made_small() -> None:
    sheet = '/* x\n y */ a:hover , b > c { margin: -1px calc(1px + 2px) ; }\n\n.d::before { content: ""; }'
    assert build_web.minify_css(sheet) == 'a:hover,b>c{margin:-1px calc(1px + 2px)}.d::before{content:""}'
    script = "// why\nconst a = 1\n\n  // more\n  const b = `//kept`;\n"
    assert build_web.minify_js(script) == "const a = 1\nconst b = `//kept`;\n"


def test_templates_are_compiled_for_lambda() -> None:
    names = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.html")}
    environment = render.environment("en")
    assert environment.loader is not None
    assert type(environment.loader).__name__ == "ModuleLoader"
    for name in names:
        environment.get_template(name)


def test_the_page_needs_nothing_that_builds_it() -> None:
    """What `import webui.scan_page` loads, in a process of its own."""
    code = (
        "import sys, webui.scan_page, webui.views; "
        "webui.scan_page.render(webui.views.ScanPageView('not_issued', '/'), 'en'); "
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    path = ":".join((str(build_web.LAYER), str(build_web.ROOT / "layers/core/python")))
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert not {"babel", "boto3", "numpy", "pydantic", "dev", "cli"} & set(re.findall(r"'(\w+)'", done.stdout))
