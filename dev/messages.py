"""`python -m dev.messages` (make messages): brings locales/ up to date with the texts in webui's code and templates.

English is the message id, so its catalogue fills itself; what is new in Chinese is listed, to be translated by hand.
"""

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

WEBUI = Path(__file__).parents[1] / "layers/web/python/webui"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {**DEFAULT_KEYWORDS, "msg": None, "say": None}
# Header lines that say nothing, or that would change the file when no text has changed.
UNWANTED = tuple(
    f'"{name}'.encode()
    for name in ("POT-Creation", "PO-Revision", "Report-Msgid", "Last-Trans", "Language-Team", "Generated-By")
)
LOCALES = {"zh-CN": "zh_CN", "en": "en"}


def po_path(locale: str) -> Path:
    """Where the translations into `locale` ("zh-CN", "en") live."""
    return WEBUI / "locales" / LOCALES[locale] / "LC_MESSAGES" / "messages.po"


def read_catalogue(locale: str) -> Catalog:
    """The translations into `locale` as they are in the repository."""
    with po_path(locale).open("rb") as file:
        return read_po(file, locale=LOCALES[locale])


def extracted() -> Catalog:
    """Every text the code and the templates show, without translations."""
    template = Catalog()
    for _file, _line, message, _comments, context in extract_from_dir(WEBUI, METHODS, keywords=KEYWORDS):
        template.add(message, context=context)
    return template


def update(locale: str, template: Catalog) -> list[str]:
    """Rewrites the locale's file to hold exactly the extracted texts; returns those without a translation."""
    path = po_path(locale)
    catalogue = read_catalogue(locale) if path.exists() else Catalog(locale=LOCALES[locale], fuzzy=False)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment = f"# The web layer's texts in {locale}; kept in step by `python -m dev.messages`."
    catalogue.project, catalogue.version = "uncap", "1"
    for message in catalogue:
        if locale == "en" and message.id:
            message.string = message.id
    buffer = io.BytesIO()
    write_po(buffer, catalogue, sort_output=True, no_location=True, omit_header=False, width=120)
    lines = [line for line in buffer.getvalue().splitlines() if not line.startswith(UNWANTED)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(lines).rstrip() + b"\n")
    return [str(message.id) for message in catalogue if message.id and not any(_strings(message.string))]


def _strings(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """One text, or one per plural form."""
    return (string or "",) if isinstance(string, str) or string is None else tuple(string)


def main() -> int:
    """Updates both files; exits with 1 while a translation is missing."""
    template = extracted()
    missing = {locale: update(locale, template) for locale in LOCALES}
    for locale, texts in missing.items():
        for text in texts:
            sys.stdout.write(f"{locale}: no translation of {text!r}\n")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
