"""Every template that Python or a template names exists, and every template is named somewhere."""

import re

from tests.conftest import ROOT

TEMPLATES = ROOT / "templates"
NAMED = re.compile(r"""["']([\w/.-]+\.html)["']""")
# Flask-Admin and Flask-Security look these up by names of their own.
OVERRIDES = ("admin/", "security/")


def _named() -> set[str]:
    sources = [*ROOT.glob("dashboard/**/*.py"), *TEMPLATES.rglob("*.html")]
    return {name for path in sources for name in NAMED.findall(path.read_text(encoding="utf-8"))}


def test_every_named_template_exists() -> None:
    ours = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")}

    missing = {name for name in _named() if not name.startswith(OVERRIDES)} - ours

    assert not missing


def test_no_template_is_left_over() -> None:
    named = _named()
    ours = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")}

    unused = {name for name in ours if not name.startswith(OVERRIDES)} - named

    assert not unused
