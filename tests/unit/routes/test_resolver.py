"""Which form a client asked for."""

import pytest

from uncap.routes.resolver import wanted_form

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "link_type", "form"),
    [
        ("", "", "page"),
        (BROWSER, "", "page"),
        ("*/*", "", "page"),
        ("application/json", "", "json"),
        ("application/json, text/html;q=0.5", "", "json"),
        ("application/json;q=0.5, text/html", "", "page"),
        ("application/linkset+json", "", "linkset"),
        ("Application/LinkSet+JSON; q=1", "", "linkset"),
        ("application/json;q=0", "", "page"),
        ("application/json;q=x, text/html;q=0.1", "", "page"),
        ("image/png", "", "page"),
        (",;,=;q", "", "page"),
        (BROWSER, "linkset", "linkset"),
        (BROWSER, "all", "linkset"),
        (BROWSER, "gs1:pip", "page"),
        (BROWSER, "https://gs1.org/voc/pip", "page"),
        ("application/json", "gs1:defaultLink", "json"),
        (BROWSER, "gs1:recipeInfo", "none"),
    ],
)
def test_forms(accept: str, link_type: str, form: str) -> None:
    assert wanted_form(accept, link_type) == form
