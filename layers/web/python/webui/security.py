"""The headers every page of ours carries. Used by the routes that answer HTML.

The scan page's stylesheet travels in the page: a linked one costs a whole round trip before anything is seen (2 s on
slow 3G, bench/page.py). Its hash is the only inline content the policy admits, so injected styles stay refused.
"""

from webui import assets


def page_headers(
    extra_form_action: str = "", style_sources: tuple[str, ...] | None = None, script_source: str = ""
) -> dict[str, str]:
    """Headers of an HTML page. `extra_form_action` is one more origin that forms may post to.

    `style_sources` are CSP hashes of the page's own inline stylesheets; by default the scan page's. `script_source` is
    one script of somebody else's, by its whole address.
    """
    styles = (assets.style("scan.css")[1],) if style_sources is None else style_sources
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {script_source}".rstrip(),
        "style-src": " ".join(("'self'", *styles)),
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": f"'self' {extra_form_action}".rstrip(),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=()",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
