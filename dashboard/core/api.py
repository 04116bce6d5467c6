"""The REST API's base: OpenAPI 3.1 under /api/v1, problem JSON, paging, and what may be cached."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import marshmallow as ma
from flask import Flask, Response, make_response
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import HTTPException

from dashboard.core.errors import answer_http_error

PREFIX = "/api/v1"
MAX_PER_PAGE = 100

__all__ = ["ApiBlueprint", "PageArgs", "PageSchema", "cacheable", "init_app", "page_schema"]


class ApiBlueprint(Blueprint):
    """A domain's part of the API; its addresses start with /api/v1."""

    def __init__(self, name: str, import_name: str, *, description: str) -> None:
        super().__init__(name, import_name, url_prefix=PREFIX, description=description)


class AtriumApi(Api):
    """flask-smorest with our one error shape."""

    def handle_http_exception(self, error: HTTPException) -> Response:  # type: ignore[override]
        return answer_http_error(error)


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


class ProblemSchema(ma.Schema):
    """An error as RFC 9457 describes it."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    code = ma.fields.String(required=True, metadata={"description": "A stable word for programs."})
    request_id = ma.fields.String(required=True)
    errors = ma.fields.List(ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()))


def page_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """A page whose `items` are `item`."""
    name = f"{item.__name__.removesuffix('Schema')}PageSchema"
    fields = {"items": ma.fields.List(ma.fields.Nested(item), required=True)}
    return type(name, (PageSchema,), fields)


def cacheable(*, seconds: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say that anybody may keep this answer for `seconds`; without it an answer is never stored."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Response:
            response = make_response(view(*args, **kwargs))
            response.headers["Cache-Control"] = f"public, max-age={seconds}"
            response.vary.update(["Accept-Language", "Cookie"])
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
            "components": {
                "securitySchemes": {
                    "token": {"type": "apiKey", "in": "header", "name": "Authentication-Token"}
                }
            },
            "security": [{"token": []}],
        },
    )
    api = AtriumApi(app)
    api.ERROR_SCHEMA = ProblemSchema
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
