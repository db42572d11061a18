"""The little pages behind a product's and a pallet's link: what it is, and that one item's own code says more.

Called by `routes/resolver_routes.py`. No script, no style, no form: nothing here is about a person.
"""

from markupsafe import escape

_WORDS = {
    "zh-CN": ("扫描商品上的二维码，查询那一件。", "物流单元"),
    "en": ("Scan the code on an item to ask about that very item.", "Logistic unit"),
}


def product_page(name: str, gtin: str, locale: str) -> str:
    """HTML about a product as a whole."""
    return _page(name or f"GTIN {gtin}", f"GTIN {gtin}", locale)


def pallet_page(sscc: str, locale: str) -> str:
    """HTML about a pallet."""
    return _page(f"{_WORDS[locale][1]} {sscc}", f"SSCC {sscc}", locale)


def _page(title: str, line: str, locale: str) -> str:
    return (
        f'<!doctype html><html lang="{locale}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><main><h1>{escape(title)}</h1><p>{escape(line)}</p>"
        f"<p>{_WORDS[locale][0]}</p></main></html>"
    )
