"""The Jinja2 environment, one per language. Used by the page modules (`webui.scan_page`).

On Lambda the templates are Python modules, compiled by `python -m dev.build_web`: nothing is parsed at run time.
Without that build they are read from their sources, which is what one wants while editing them.
"""

from functools import lru_cache

from jinja2 import BaseLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined

from webui.built import BUILT, SOURCES
from webui.i18n import catalogue

# Compiled templates and their environment must agree on these.
OPTIONS = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}


def make_environment(loader: BaseLoader) -> Environment:
    """An environment with our options; also what the build compiles with."""
    return Environment(loader=loader, auto_reload=False, **OPTIONS)  # type: ignore[arg-type]  # noqa: S701


@lru_cache(maxsize=4)
def environment(locale: str) -> Environment:
    """The environment that speaks `locale`. Templates call `_`; what it gives is escaped like any other text."""
    compiled = BUILT / "templates"
    made = make_environment(ModuleLoader(compiled) if compiled.is_dir() else FileSystemLoader(SOURCES))
    words = catalogue(locale)

    def translate(message: str, **values: object) -> str:
        return words.gettext(message) % values if values else words.gettext(message)

    made.globals["_"] = translate
    return made
