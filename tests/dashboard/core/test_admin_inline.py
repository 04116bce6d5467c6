"""Flask-Admin's templates under the content security policy."""

from pathlib import Path

import flask_admin
import pytest
from flask import Flask

from dashboard.core.admin.inline import rewrite
from tests.factories.dashboard import BLOCKED

STOCK = Path(flask_admin.__file__).parent / "templates" / "bootstrap4"
TEMPLATES = sorted(str(path.relative_to(STOCK)) for path in STOCK.rglob("*.html"))


class TestRewrite:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (
                """<button onclick="return faHelpers.safeConfirm('{{ _gettext('Sure?') }}');">""",
                """<button data-fa-confirm="{{ _gettext('Sure?') }}">""",
            ),
            (
                """<a onclick="return modelActions.execute('{{ p[0] }}');">""",
                """<a data-fa-call="modelActions.execute" data-fa-args='["{{ p[0] }}"]'>""",
            ),
            (
                """<a href="javascript:void(0)" onclick="return false;">""",
                '<a href="#" data-fa-stop>',
            ),
            ("<style>a {}</style>", '<style nonce="{{ csp_nonce() }}">a {}</style>'),
            ('<script {{ nonce }} src="a.js">', '<script {{ nonce }} src="a.js">'),
        ],
        ids=["confirm", "call", "stop", "style", "has a nonce"],
    )
    def test_says_the_same_without_inline_code(self, source: str, expected: str) -> None:
        assert rewrite(source) == expected

    def test_gives_every_form_that_sends_a_token(self) -> None:
        forms = '<form method="POST"><button></form><form method="get"></form>'

        assert rewrite(forms).count("csrf_token()") == 1

    def test_leaves_a_form_that_has_a_token(self) -> None:
        form = '<form method="POST">{{ form.csrf_token }}</form>'

        assert rewrite(form) == form

    @pytest.mark.parametrize(
        "source", ['<a onclick="steal()">', '<img onerror="x()">', '<a href="javascript:x()">']
    )
    def test_refuses_a_handler_it_does_not_know(self, source: str) -> None:
        with pytest.raises(ValueError, match=r"inline handler|javascript"):
            rewrite(source)

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_takes_every_template_of_flask_admin(self, name: str) -> None:
        source = (STOCK / name).read_text(encoding="utf-8")

        assert not BLOCKED.search(rewrite(source))


class TestInitApp:
    def test_compiles_templates_anew_when_the_rules_change(self, app: Flask) -> None:
        cache = app.jinja_env.bytecode_cache

        assert cache is not None
        assert cache.pattern != "__jinja2_%s.cache"  # type: ignore[attr-defined]

    def test_leaves_the_portals_own_templates_alone(self, app: Flask) -> None:
        source = '<a onclick="x()">'

        assert list(app.jinja_env.extensions.values())
        assert app.jinja_env.preprocess(source, "home/index.html") == source
