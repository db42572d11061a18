"""`python -m dev.page_server`: every face of the scan page on 127.0.0.1, with a scripted stand-in for the scan API.

For looking at the page while working on it, for its browser tests and for bench/page.py. Not part of the product.
"""

import gzip
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from dev.about_gallery import ABOUT
from dev.build_web import build
from dev.campaign_gallery import CAMPAIGNS
from dev.page_gallery import GALLERY, GTIN, REWARD_ID
from uncap.domain.errors import NotFoundError
from webui import about_page, assets, campaign_page, scan_page, security
from webui.i18n import locale_of

Reply = tuple[int, dict[str, str], object]
FIRST: Reply = (200, {}, {"outcome": "first", "reason": "", "claim_id": "c", "rewards": [REWARD_ID], "scans": 1})
NOT_READY: Reply = (404, {"Retry-After": "1"}, {"code": "reward_not_ready", "status": 404})


def reward_reply(state: str, url: str = "") -> Reply:
    """`GET /v1/rewards/{id}` for a cash reward of ¥8.80."""
    action = {"kind": "confirm", "url": url} if url else None
    names = {"zh-CN": "开盖红包", "en": "Cap red packet"} if state != "NONE" else {}
    body = {"reward_id": REWARD_ID, "state": state, "kind": "cash", "amount_minor": 880, "currency": "CNY"}
    return 200, {}, {**body, "prize": names, "reason": "", "action": action}


class PageServer(ThreadingHTTPServer):
    """Pages by serial (`/01/{GTIN}/21/{name in GALLERY}`); the API's replies are taken from the scripts in turn.

    The last reply of a script repeats. A reply of None breaks the connection. `seen` records (method, path, body).
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.scans: list[Reply | None] = [FIRST]
        self.rewards: list[Reply | None] = [NOT_READY, reward_reply("PENDING"), reward_reply("PAID")]
        self.faces = dict(GALLERY)
        self.form_answer = "YOURS-CONFIRMING"
        self.seen: list[tuple[str, str, bytes]] = []
        self.links_sheet = False  # the peer in bench/page.py: what a linked stylesheet costs

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def page(self, name: str) -> str:
        """The address of one face."""
        return f"{self.origin}/01/{GTIN}/21/{name}"

    def start(self) -> "PageServer":
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._note(b"")
        parts = urlsplit(self.path).path.split("/")
        if parts[1] == "static":
            self._static(parts[-1])
        elif parts[1] == "01":
            self._page(parts[-1])
        elif parts[1] == "about":
            html = about_page.render(ABOUT[parts[-1]], self._locale()).encode()
            self._html(html, security.page_headers(style_sources=(about_page.style_source(),)))
        elif parts[1] == "campaigns":
            html = campaign_page.render(CAMPAIGNS[parts[-1]], self._locale()).encode()
            self._html(html, security.page_headers(style_sources=(campaign_page.style_source(),)))
        elif parts[1:3] == ["v1", "rewards"]:
            self._json(self.server.rewards)
        else:
            body = "".join(f'<p><a href="/01/{GTIN}/21/{name}">{name}</a>' for name in self.server.faces)
            self._send(200, {"Content-Type": "text/html; charset=utf-8"}, body.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._note(body)
        if self.headers["Content-Type"].startswith("application/json"):
            self._json(self.server.scans)
        else:
            self._page(self.server.form_answer)

    def _note(self, body: bytes) -> None:
        self.server.seen.append((self.command, self.path, body))

    def _page(self, name: str) -> None:
        html = scan_page.render(self.server.faces[name.upper()], self._locale()).encode()
        if self.server.links_sheet:
            html = re.sub(
                rb"<style>.*</style>", b'<link rel="stylesheet" href="/static/scan.css">', html, flags=re.DOTALL
            )
        self._html(html)

    def _locale(self) -> str:
        return locale_of(parse_qs(urlsplit(self.path).query).get("lang", [self.headers.get("Accept-Language", "")])[0])

    def _html(self, html: bytes, headers: dict[str, str] | None = None) -> None:
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        headers = (headers or security.page_headers()) | ({"Content-Encoding": "gzip"} if packed else {})
        self._send(200, headers, gzip.compress(html, 9, mtime=0) if packed else html)

    def _static(self, name: str) -> None:
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        try:
            if name == "scan.css":
                sheet = assets.style(name)[0].encode()
                found = assets.Asset(gzip.compress(sheet, mtime=0) if packed else sheet, "text/css")
            else:
                found = assets.asset(name, compressed=packed)
        except NotFoundError:
            self._send(404, {}, b"")
            return
        self._send(200, assets.asset_headers(compressed=packed) | {"Content-Type": found.content_type}, found.body)

    def _json(self, script: list[Reply | None]) -> None:
        reply = script.pop(0) if len(script) > 1 else script[0]
        if reply is None:
            self.close_connection = True
            return
        status, headers, body = reply
        kind = "application/json" if status < 400 else "application/problem+json"
        self._send(status, {"Content-Type": kind, **headers}, json.dumps(body).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        """Requests are recorded in `seen`; the terminal stays quiet."""


def main() -> None:
    """Serves until interrupted."""
    build()
    server = PageServer(int(sys.argv[1]) if len(sys.argv) > 1 else 8040)
    sys.stdout.write(f"{server.origin}\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
