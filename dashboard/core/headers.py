"""Security headers of every answer, and the nonce that lets our own scripts and styles run."""

import secrets

from flask import Flask, Response, g, request

# plotly.js 4.1.1 sets two inline style attributes on heat maps and colour bars; a chart page allows just these.
CHART_STYLE_HASHES = (
    "'unsafe-hashes' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    " 'sha256-AR/cKIZjWPcPmBUPDA6oti9XBiTbJvz0Cro2J1VzzS8='"
)
YEAR_S = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Give every page a nonce and every answer its security headers."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.jinja_env.globals["allow_chart_styles"] = allow_chart_styles
    app.after_request(_set_headers)


def csp_nonce() -> str:
    """The nonce of this answer: the same wherever it is asked for within one request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def allow_chart_styles() -> str:
    """Let this page draw plotly charts; called by the chart macro, returns nothing to print."""
    g.chart_styles = True
    return ""


def _set_headers(response: Response) -> Response:
    set_default = response.headers.setdefault
    set_default("Content-Security-Policy", _policy())
    set_default("X-Content-Type-Options", "nosniff")
    set_default("X-Frame-Options", "DENY")
    set_default("Referrer-Policy", "same-origin")
    set_default("Cross-Origin-Opener-Policy", "same-origin")
    set_default("Cross-Origin-Resource-Policy", "same-origin")
    set_default("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.is_secure:
        set_default("Strict-Transport-Security", f"max-age={YEAR_S}; includeSubDomains")
    if request.endpoint != "static":
        # A page shows who is signed in: nobody may keep it. Public API answers say otherwise themselves.
        set_default("Cache-Control", "no-store")
    return response


def _policy() -> str:
    nonce = f"'nonce-{csp_nonce()}'"
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' {nonce}",
        "style-src": f"'self' {nonce}",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "media-src": "'self' blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "manifest-src": "'self'",
    }
    if g.get("chart_styles"):
        directives["style-src-attr"] = CHART_STYLE_HASHES
    return "; ".join(f"{name} {value}" for name, value in directives.items())
