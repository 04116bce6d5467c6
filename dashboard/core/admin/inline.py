"""Flask-Admin's templates under a strict content security policy.

Its templates carry inline handlers, which the policy blocks: its delete button would then delete without
asking. They are rewritten while Jinja compiles them, so a new version of Flask-Admin needs no patching, and
a handler nobody knows stops the page instead of passing unseen. static/src/lib/admin.js acts on the result.
"""

import hashlib
import re
from pathlib import Path

from flask import Flask
from jinja2 import TemplateSyntaxError
from jinja2.bccache import FileSystemBytecodeCache
from jinja2.ext import Extension

_HANDLER = re.compile(r"""\son[a-z]+\s*=\s*"(?P<code>[^"]*)\"""")
# What the handlers say, and the data- attributes that say it instead.
_KNOWN = [
    (r"return (?:faHelpers\.safeConfirm|confirm)\('(.*)'\);?", r' data-fa-confirm="\1"'),
    (
        r"return modelActions\.execute\('(.*)'\);?",
        r""" data-fa-call="modelActions.execute" data-fa-args='["\1"]'""",
    ),
    (
        r"faForm\.addInlineField\(this, '(.*)'\);?",
        r""" data-fa-call="faForm.addInlineField" data-fa-args='["this", "\1"]'""",
    ),
    (r"return false;?", " data-fa-stop"),
]
_NO_NONCE = re.compile(r"<(script|style)\b(?![^>]*nonce)", re.IGNORECASE)
_POST_FORM = re.compile(r"""(<form\b[^>]*method=["']post["'][^>]*>)(.*?)(?=</form>)""", re.I | re.S)
_HIDDEN_FIELD = '<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">'


class StrictPolicy(Extension):
    """Rewrites what the policy would block in templates whose name starts with admin/."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if not (name or "").startswith("admin/"):
            return source
        try:
            return rewrite(source)
        except ValueError as error:
            raise TemplateSyntaxError(str(error), 1, name, filename) from error


def init_app(app: Flask) -> None:
    """Compile the dashboard's templates by these rules, and anew whenever the rules change."""
    app.jinja_env.add_extension(StrictPolicy)
    cache = app.jinja_env.bytecode_cache
    if isinstance(cache, FileSystemBytecodeCache):
        rules = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
        cache.pattern = f"__jinja2_{rules}_%s.cache"


def rewrite(source: str) -> str:
    """`source` without inline handlers, with nonces and CSRF tokens. Raises ValueError."""
    source = _HANDLER.sub(_as_attributes, source)
    source = source.replace("javascript:void(0)", "#")
    if "javascript:" in source:
        raise ValueError("a javascript: address, which the content security policy blocks")
    source = _NO_NONCE.sub(r'<\1 nonce="{{ csp_nonce() }}"', source)
    return _POST_FORM.sub(_with_token, source)


def _as_attributes(handler: re.Match[str]) -> str:
    code = handler["code"].strip()
    for pattern, attributes in _KNOWN:
        if match := re.fullmatch(pattern, code, re.DOTALL):
            return match.expand(attributes)
    raise ValueError(f"unknown inline handler {code!r}; add it to {__name__} and to lib/admin.js")


def _with_token(form: re.Match[str]) -> str:
    tag, content = form.groups()
    return f"{tag}{content}" if "csrf_token" in content else f"{tag}{_HIDDEN_FIELD}{content}"
