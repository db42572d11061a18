"""Which form a client asked for."""

import pytest

from uncap.routes.resolver import wanted_form

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "link_type", "form"),
    [
        ("", "", "redirect"),
        (BROWSER, "", "page"),
        ("text/*", "", "page"),
        ("*/*", "", "redirect"),
        ("*/*, text/html", "", "page"),
        ("application/json", "", "json"),
        ("application/json, text/html;q=0.5", "", "json"),
        ("application/json;q=0.5, text/html", "", "page"),
        ("application/linkset+json", "", "linkset"),
        ("Application/LinkSet+JSON; q=1", "", "linkset"),
        ("application/json;q=0", "", "redirect"),
        ("application/json;q=x, text/html;q=0.1", "", "page"),
        ("image/png", "", "redirect"),
        (",;,=;q", "", "redirect"),
        (BROWSER, "linkset", "linkset"),
        (BROWSER, "all", "linkset"),
        (BROWSER, "gs1:pip", "redirect"),
        (BROWSER, "https://gs1.org/voc/pip", "redirect"),
        ("application/json", "gs1:defaultLink", "json"),
        (BROWSER, "gs1:recipeInfo", "none"),
    ],
)
def test_forms(accept: str, link_type: str, form: str) -> None:
    assert wanted_form(accept, link_type) == form
