"""The application factory: extensions, surfaces, error answers."""

import os
from pathlib import Path

from flask import Flask, Response, jsonify, redirect, request, url_for
from flask_compress import Compress
from flask_login import current_user
from flask_migrate import Migrate
from jinja2 import FileSystemBytecodeCache
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from dashboard import surfaces
from dashboard.accounts import security
from dashboard.core import (
    access,
    admin,
    api,
    api_docs,
    assets,
    database,
    errors,
    headers,
    i18n,
    ids,
    limits,
    navigation,
    uploads,
)
from dashboard.core.config import Config
from dashboard.job_queue import kinds, publishing
from dashboard.job_queue import queries as job_queue

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = ROOT / "dashboard" / "migrations"
# Text fields of a form, all together; a course's content is one of them (Flask's own limit is 500 kB).
MAX_FORM_MEMORY_BYTES = 4 * 2**20
# Uploads stream to addresses of their own, which set their own limit; everything else is small.
MAX_CONTENT_BYTES = 16 * 2**20


def create_app(config: Config) -> Flask:
    """The portal as a WSGI application, connected to the database of `config`."""
    app = Flask(
        "dashboard",
        root_path=str(ROOT / "dashboard"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static" / "dist"),
        static_url_path="/static",
    )
    _configure(app, config)
    _add_extensions(app)
    _add_surfaces(app)
    _wrap(app, config)
    return app


def _configure(app: Flask, config: Config) -> None:
    app.config.update(
        ATRIUM=config,
        SECRET_KEY=config.server.secret_key,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY_BYTES,
        MAX_CONTENT_LENGTH=MAX_CONTENT_BYTES,
        SESSION_COOKIE_NAME="atrium_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.server.https_only,
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/javascript",
            "application/json",
            "application/problem+json",
            "image/svg+xml",
        ],
    )
    cache = config.site.data_dir / "cache" / "templates"
    cache.mkdir(parents=True, exist_ok=True)
    app.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(cache))}
    app.jinja_env.globals["site"] = config.site
    # Chinese titles stay readable in a terminal; the answers are UTF-8 anyway.
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def _add_extensions(app: Flask) -> None:
    errors.init_app(app)
    headers.init_app(app)
    i18n.init_app(app)
    ids.init_app(app)
    assets.init_app(app)
    database.init_app(app)
    Migrate(app, database.db, directory=str(MIGRATIONS), render_as_batch=True)
    security.init_app(app)
    access.init_app(app, surfaces.ACCESS)
    limits.init_app(app)
    uploads.init_app(app)
    publishing.init_app(app)
    kinds.init_app(app, surfaces.TASKS)
    Compress(app)


def _add_surfaces(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/language/<code>", "language", _language, methods=["POST"])
    for pages in surfaces.PAGES:
        app.register_blueprint(pages)
    api.init_app(app, surfaces.APIS)
    api_docs.init_app(app)
    admin.init_app(app, surfaces.admin_views)
    navigation.init_app(app, surfaces.NAVIGATION)


def _wrap(app: Flask, config: Config) -> None:
    """Serve the built front-end, and believe as many proxies as the configuration names."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(ROOT / "static" / "dist") if assets.is_built() else None,
        prefix="static/",
        autorefresh=bool(os.environ.get("ATRIUM_ASSETS_RELOAD")),
        immutable_file_test=assets.is_immutable,
    )
    hops = config.server.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )


def _healthz() -> tuple[Response, int]:
    """200 when the portal answers from its database and its job runner is alive, else 503."""
    try:
        runner = job_queue.runner_alive()
    except database.DBAPIError:
        return jsonify(status="unavailable", database=False, job_runner=False), 503
    status = "ok" if runner else "no job runner"
    return jsonify(status=status, database=True, job_runner=runner), 200 if runner else 503


def _language(code: str) -> Response:
    """Switch the language and go back to the page the visitor was on."""
    if not i18n.choose_language(code):
        raise errors.NotFound()
    if current_user.is_authenticated:
        security.refresh_session()
    target = navigation.safe_target(request.form.get("next")) or url_for("catalogue.home")
    return redirect(target)  # type: ignore[return-value]
