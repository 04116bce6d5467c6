"""Languages: English is the source text, Chinese comes from the catalogue in dashboard/translations."""

from pathlib import Path

from flask import Flask, current_app, has_request_context, request, session
from flask_babel import Babel, gettext, lazy_gettext

_ = gettext
lazy = lazy_gettext

TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"
# Flask-Admin finds no catalogue under the plain name "zh".
LOCALES = {"en": "en", "zh": "zh_Hans_CN"}
NAMES = {"en": "English", "zh": "中文"}

babel = Babel()


def init_app(app: Flask) -> None:
    """Choose the language of each request: the visitor's choice, then the browser's wish."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    babel.init_app(app, locale_selector=lambda: LOCALES[current_language()])
    app.jinja_env.globals["current_language"] = current_language
    app.jinja_env.globals["languages"] = NAMES


def current_language() -> str:
    """The short code, "en" or "zh", of the language this request is answered in."""
    default = current_app.config["ATRIUM"].site.default_language
    if not has_request_context():
        return default
    chosen = session.get("language")
    if chosen in LOCALES:
        return chosen
    # best_match takes "zh-TW" or "zh-Hans-CN" for "zh" as well.
    return request.accept_languages.best_match(list(LOCALES), default)


def choose_language(code: str) -> bool:
    """Remember the visitor's language; False when the portal does not speak it."""
    if code not in LOCALES:
        return False
    session["language"] = code
    return True
