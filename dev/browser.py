"""How this project starts Chromium: the system's own, headless, talking to nobody. Used by tests and bench/page.py."""

import os
import shutil

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
# Root may not use Chromium's sandbox; the rest keeps it from asking anyone but the page's own server.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}


def browser_path() -> str | None:
    """UNCAP_BROWSER, or the system's Chromium, or None for the one that Playwright itself installed."""
    named = os.environ.get("UNCAP_BROWSER", "")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
