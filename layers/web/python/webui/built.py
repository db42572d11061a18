"""Where `python -m dev.build_web` puts what it makes of the sources; shipped in the web layer beside this package."""

from pathlib import Path

BUILT = Path(__file__).parents[1] / "webui_built"
SOURCES = Path(__file__).parent / "templates"
