"""What can go wrong in a use case, and how pages and the API say so.

Services raise a DomainError; only the table STATUS knows HTTP.
"""

import logging
import secrets
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import HTTPException, InternalServerError

from dashboard.core.i18n import _, lazy

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input: where it is and what would be right."""

    field: str
    message: str


class DomainError(Exception):
    """Something went wrong."""

    code = "error"
    default = lazy("Something went wrong.")

    def __init__(self, message: object = None, *, problems: list[Problem] | None = None) -> None:
        self.message = str(message if message is not None else self.default)
        self.problems = problems or []
        super().__init__(self.message)


class NotFound(DomainError):
    """What was asked for does not exist, or is not yours to see."""

    code = "not_found"
    default = lazy("There is nothing here.")


class Unauthenticated(DomainError):
    """Nobody is signed in, or what was given to sign in with is wrong."""

    code = "unauthenticated"
    default = lazy("Please sign in first.")


class Forbidden(DomainError):
    """The account lacks the role for this."""

    code = "forbidden"
    default = lazy("Your account may not do this.")


class Conflict(DomainError):
    """The present state does not allow this."""

    code = "conflict"
    default = lazy("This was changed meanwhile, or exists already.")


class Invalid(DomainError):
    """The input breaks a rule; `problems` names each."""

    code = "invalid"
    default = lazy("Please check what you entered.")


class TooLarge(DomainError):
    """The upload is larger than allowed, or the disk cannot take it."""

    code = "too_large"
    default = lazy("This file is too large.")


class Unavailable(DomainError):
    """A part the portal needs does not answer now; trying again may help."""

    code = "unavailable"
    default = lazy("The database is busy. Please try again in a moment.")


class TimedOut(DomainError):
    """What was asked took longer than it may."""

    code = "timed_out"
    default = lazy("This took too long. Please try again.")


STATUS: dict[type[DomainError], HTTPStatus] = {
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TimedOut: HTTPStatus.GATEWAY_TIMEOUT,
}
# Where programs call: errors are JSON, and nobody is sent to a page.
API_PREFIXES = ("/api/", "/v2/")
RETRY_AFTER_S = 5


def init_app(app: Flask) -> None:
    """Answer every error as a page or, below /api/, as problem JSON; log what nobody expected."""
    app.before_request(_set_request_id)
    app.register_error_handler(DomainError, answer_domain_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(CSRFError, _answer_csrf_error)
    app.register_error_handler(DBAPIError, _answer_database_error)
    app.register_error_handler(NoConnectionLeft, _answer_busy)
    app.register_error_handler(Exception, _answer_unexpected)


def answer_domain_error(error: DomainError) -> Response:
    """The answer to a broken rule, for a page or the API."""
    kinds = (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    status = next(kinds, HTTPStatus.BAD_REQUEST)
    response = _answer(status, error.message, code=error.code, problems=error.problems)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def answer_http_error(error: HTTPException) -> Response:
    """The answer to an HTTP error raised by Flask or a library."""
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]
    try:
        status = HTTPStatus(error.code or 500)
    except ValueError:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    if 300 <= status < 400:
        return error.get_response()  # type: ignore[return-value]
    response = _answer(status, _http_text(status), problems=_schema_problems(error))
    # A 405 must keep its Allow header, a 429 its Retry-After.
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def is_unavailable(error: DBAPIError) -> bool:
    """Whether trying again later may help: the database is locked, restarting or out of reach."""
    text = str(error.orig).lower()
    return error.connection_invalidated or (
        isinstance(error, OperationalError)
        and any(
            sign in text
            for sign in ("locked", "connect", "lost", "gone away", "deadlock", "timeout", "closed")
        )
    )


def wants_json() -> bool:
    """Whether this request speaks to the API rather than to a page."""
    return request.path.startswith(API_PREFIXES) or (
        request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )


def _answer(
    status: HTTPStatus, text: str, *, code: str = "", problems: list[Problem] | None = None
) -> Response:
    code = code or status.phrase.lower().replace(" ", "_")
    if wants_json():
        response = jsonify(_problem(status, text, code=code, problems=problems or []))
        response.mimetype = "application/problem+json"
    else:
        page = _page(code=status.value, text=text, problems=problems or [])
        response = Response(page, mimetype="text/html")
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(**shown: Any) -> str:
    try:
        return render_template("errors/error.html", request_id=request_id(), **shown)
    except SQLAlchemyError:
        # Who is signed in cannot be read either: the page is a visitor's.
        g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]
        return render_template("errors/error.html", request_id=request_id(), **shown)


def _problem(
    status: HTTPStatus, text: str, *, code: str, problems: list[Problem]
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": text,
        "code": code,
        "request_id": request_id(),
    }
    if problems:
        body["errors"] = [asdict(problem) for problem in problems]
    return body


def _schema_problems(error: HTTPException) -> list[Problem]:
    """The field messages that the API's schema check left on the exception."""
    found: list[Problem] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list):
            found.extend(Problem(field=path, message=str(text)) for text in value)
        else:
            found.append(Problem(field=path, message=str(value)))

    for place, messages in getattr(error, "data", {}).get("messages", {}).items():
        walk(messages, "" if place in ("json", "query", "form") else place)
    return found


def _http_text(status: HTTPStatus) -> str:
    texts = {
        HTTPStatus.BAD_REQUEST: _("The request could not be understood."),
        HTTPStatus.UNAUTHORIZED: _("Please sign in first."),
        HTTPStatus.FORBIDDEN: _("Your account may not open this."),
        HTTPStatus.NOT_FOUND: _("There is nothing at this address."),
        HTTPStatus.METHOD_NOT_ALLOWED: _("This address does not take that kind of request."),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("What you sent is larger than allowed here."),
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: _("This address does not take that type of content."),
        HTTPStatus.UNPROCESSABLE_ENTITY: _("Please check what you entered."),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too many attempts. Please wait a minute and try again."),
        HTTPStatus.SERVICE_UNAVAILABLE: _("The portal is busy. Please try again in a moment."),
    }
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return texts.get(status) or _("The request could not be understood.")
    return texts.get(status) or _("Something went wrong on our side. It has been noted.")


def _answer_csrf_error(error: CSRFError) -> Response:
    text = _("This form is too old or came from another site. Go back, reload and try again.")
    return _answer(HTTPStatus.BAD_REQUEST, text, code="csrf")


def _answer_database_error(error: DBAPIError) -> Response:
    if is_unavailable(error):
        log.warning("database unavailable: %s [%s]", error.orig, request_id())
        return answer_domain_error(Unavailable())
    return _answer_unexpected(error)


def _answer_busy(_error: NoConnectionLeft) -> Response:
    log.warning("no database connection left in the pool [%s]", request_id())
    return answer_domain_error(Unavailable())


def _answer_unexpected(error: Exception) -> Response:
    log.error("unexpected error [%s]", request_id(), exc_info=error)
    return answer_http_error(InternalServerError())


def _set_request_id() -> None:
    g.request_id = secrets.token_hex(6)


def request_id() -> str:
    """The id under which this request stands in the log."""
    return str(g.get("request_id", "-"))
