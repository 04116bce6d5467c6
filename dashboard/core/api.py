"""The REST API's base: OpenAPI 3.1 under /api/v1, problem JSON, paging, and what may be cached."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, wraps
from http import HTTPStatus
from threading import Lock
from typing import Any, cast

import marshmallow as ma
from flask import Flask, Request, Response, abort, jsonify, make_response, request
from flask_login import current_user
from flask_smorest import Api, Blueprint
from flask_smorest.spec.plugins import FlaskPlugin
from flask_smorest.utils import prepare_response
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from dashboard.core.access import Access
from dashboard.core.errors import answer_http_error

PREFIX = "/api/v1"
MAX_PER_PAGE = 100
PROBLEM_JSON = "application/problem+json"
TOKEN_HEADER = "Authentication-Token"  # noqa: S105 - the name of a header, not a secret
SECURITY_SCHEMES = {
    "token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
}
SIGNED_IN: list[dict[str, list[str]]] = [{"token": []}, {"bearer": []}]
# The document changes with a release only; five minutes keep a browsing reader from asking again.
DOCUMENT_SECONDS = 300
DESCRIPTION = (
    "Errors are problem JSON (RFC 9457). Lists come in pages: `items`, `page`, `per_page`, `total`. "
    "Unknown query arguments are ignored, unknown members of a body are refused. Times are UTC. "
    "Every answer says in Cache-Control whether it may be kept."
)

__all__ = [
    "ApiBlueprint",
    "PageArgs",
    "PageSchema",
    "UTCTime",
    "cacheable",
    "init_app",
    "page_schema",
]


class BodyParser(FlaskParser):
    """Reads JSON bodies, and refuses what no table could hold before any view sees it."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body; 415 unless it is JSON by its type, 400 unless it is JSON by its content."""
        if req.get_data(cache=True) and not req.is_json:
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            body = super().load_json(req, schema)
        except (RecursionError, ValueError):
            # Nested a thousand levels deep, or a number with thousands of digits.
            abort(HTTPStatus.BAD_REQUEST)
        if not is_storable(body):
            abort(HTTPStatus.BAD_REQUEST)
        return body

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """The arguments; 400 when one holds NUL, which no database takes as text."""
        if not is_storable(req.args.to_dict(flat=False)):
            abort(HTTPStatus.BAD_REQUEST)
        return super().load_querystring(req, schema)


def is_storable(value: Any) -> bool:
    """Whether all text in a JSON value is real Unicode without NUL."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= mark <= "\udfff" for mark in value)
    if isinstance(value, dict):
        return all(is_storable(part) for pair in value.items() for part in pair)
    return not isinstance(value, list) or all(is_storable(part) for part in value)


class ApiBlueprint(Blueprint):
    """A domain's part of the API; its addresses start with /api/v1."""

    ARGUMENTS_PARSER = BodyParser()

    def __init__(self, name: str, import_name: str, *, description: str) -> None:
        super().__init__(name, import_name, url_prefix=PREFIX, description=description)


class ProblemSchema(ma.Schema):
    """An error as RFC 9457 describes it."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    code = ma.fields.String(required=True, metadata={"description": "A stable word for programs."})
    request_id = ma.fields.String(required=True)
    errors = ma.fields.List(ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()))


class AtriumApi(Api):
    """flask-smorest with our one error shape, which is problem JSON in the document too.

    The document is made when somebody asks for it first: most processes never do, and it takes a third of what
    making the application takes."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[ApiBlueprint] = []
        self._describing = Lock()
        super().__init__(app)

    def register_blueprint(self, blp: ApiBlueprint, **options: Any) -> None:
        """Serve a blueprint; `document` describes it."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)

    def handle_http_exception(self, error: HTTPException) -> Response:  # type: ignore[override]
        return answer_http_error(error)

    def _register_responses(self) -> None:
        for name, text in self._error_responses().items():
            response = {"description": text, "schema": ProblemSchema}
            prepare_response(response, self.spec, PROBLEM_JSON)
            self.spec.components.response(name, response, lazy=True)

    @staticmethod
    def _error_responses() -> dict[str, str]:
        errors = {status.name: status.phrase for status in HTTPStatus if status >= 400}
        return {**errors, "DEFAULT_ERROR": "Any error"}

    def _openapi_json(self) -> Response:
        response = jsonify(self.document())
        response.headers["Cache-Control"] = f"public, max-age={DOCUMENT_SECONDS}"
        return response

    def document(self) -> dict[str, Any]:
        """The OpenAPI document for a reader at the present address."""
        with self._describing:
            self._describe()
        document: dict[str, Any] = json.loads(json.dumps(self.spec.to_dict()))
        document["servers"] = [{"url": request.script_root or "/"}]
        return document

    def _describe(self) -> None:
        if not self._undescribed:
            return
        for blueprint in self._undescribed:
            blueprint.register_views_in_doc(
                self, self._app, self.spec, name=blueprint.name, parameters=None
            )
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        self._undescribed.clear()
        _document_access(self._app, self.spec.to_dict()["paths"])


class UTCTime(ma.fields.DateTime):
    """A moment as the tables keep it, naive UTC, written with its zone as RFC 3339 wants."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return super()._serialize(value, attr, obj, **kwargs)


class PageArgs(ma.Schema):
    """Which page of a list."""

    page = ma.fields.Integer(
        load_default=1, validate=ma.validate.Range(min=1, max=1_000_000), metadata={"example": 1}
    )
    per_page = ma.fields.Integer(
        load_default=20, validate=ma.validate.Range(min=1, max=MAX_PER_PAGE)
    )

    class Meta:
        unknown = ma.EXCLUDE


class PageSchema(ma.Schema):
    """One page of a list and how long the whole list is."""

    page = ma.fields.Integer(required=True)
    per_page = ma.fields.Integer(required=True)
    total = ma.fields.Integer(required=True)


@cache
def page_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """A page whose `items` are `item`: always the same class, so that it has one name in the document."""
    name = f"{item.__name__.removesuffix('Schema')}PageSchema"
    fields = {"items": ma.fields.List(ma.fields.Nested(item), required=True)}
    return type(name, (PageSchema,), fields)


def cacheable(
    *, seconds: int, personal: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say that anybody may keep this answer for `seconds`; without it an answer is never stored.

    personal: who is signed in gets an answer of her own, which nobody keeps."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Response:
            response = make_response(view(*args, **kwargs))
            if personal and current_user.is_authenticated:
                return response
            response.headers["Cache-Control"] = f"public, max-age={seconds}"
            response.vary.update(["Accept-Language", "Cookie", "Authentication-Token"])
            return response

        return answer

    return decorate


def init_app(app: Flask, blueprints: list[ApiBlueprint]) -> None:
    """Serve `blueprints` and the OpenAPI document that describes them."""
    app.config.update(
        API_TITLE=f"{app.config['ATRIUM'].site.name} API",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION},
            "components": {"securitySchemes": SECURITY_SCHEMES},
            "security": SIGNED_IN,
        },
    )
    api = AtriumApi(app)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.extensions["atrium_api"] = api


def document_of(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of `app`."""
    return cast(AtriumApi, app.extensions["atrium_api"]).document()


def _document_access(app: Flask, paths: dict[str, Any]) -> None:
    """Write into every operation who may call it, from the one map that is also enforced.

    A path without an operation that is served (uploads, which speak tus and not JSON) leaves the document.
    """
    access = app.extensions["atrium_access"]
    served: set[str] = set()
    for rule in app.url_map.iter_rules():
        path = FlaskPlugin.flaskpath2openapi(rule.rule)
        for method in {each.lower() for each in rule.methods or ()} & paths.get(path, {}).keys():
            served.add(path)
            paths[path][method].update(_access_text(access.get(rule.endpoint)))
    for path in paths.keys() - served:
        del paths[path]


def _access_text(access: Access | None) -> dict[str, Any]:
    if access is not None and access.public:
        return {"security": []}
    roles = sorted(access.roles) if access else []
    return {"security": SIGNED_IN, **({"x-roles": roles} if roles else {})}
