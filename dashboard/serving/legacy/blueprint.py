"""How the endpoints of /api/v0 take their parameters, whom they let in, and what they answer.

Parameters come as form data, in the address or as JSON (R036); every answer is 200 with a status in words, as the
document has it. Passwords travel with each call, which is why the whole prefix is off in production by default.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request
from flask_limiter.util import get_remote_address

from dashboard.accounts import queries as accounts
from dashboard.accounts import services as account_services
from dashboard.accounts.models import User
from dashboard.core.config import Config
from dashboard.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from dashboard.core.limits import limiter
from dashboard.serving import queries
from dashboard.serving.models import Deployment, Model
from dashboard.serving.queries import Viewer

legacy = Blueprint("legacy", __name__, url_prefix="/api/v0")

SUCCESS = "success"
USER_NOT_FOUND, INVALID_PASSWORD = "user not found", "invalid password"
DUPLICATION = "duplication"
MODEL_NOT_FOUND, DEPLOYMENT_NOT_FOUND = "model not found", "deployment not found"
NOT_ALLOWED = "not allowed"


class Refused(Exception):
    """The status that ends the call."""

    def __init__(self, status: str, **more: Any) -> None:
        super().__init__(status)
        self.status, self.more = status, more


class BadParameter(Invalid):
    """A parameter is missing or no text: the document's "raises"."""

    code = "bad_parameter"

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


def enabled() -> bool:
    """Whether the configuration has these endpoints."""
    config: Config = current_app.config["ATRIUM"]
    wish = config.serving.legacy_api
    return wish == "on" or (wish == "development" and not config.production)


@legacy.before_request
def _off() -> None:
    if not enabled():
        raise NotFound()


def _rate() -> str:
    return f"{queries.settings().legacy_per_minute} per minute"


per_address = limiter.shared_limit(_rate, scope="legacy", key_func=get_remote_address)


# What a wrong parameter is called where the document says that nothing is raised.
NOT_FOUND = {
    **dict.fromkeys(("user", "uesr"), USER_NOT_FOUND),
    "password": INVALID_PASSWORD,
    "modelname": MODEL_NOT_FOUND,
    "deployment": DEPLOYMENT_NOT_FOUND,
}


def endpoint(
    rule: str, *, methods: list[str], raises: bool = True
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """An address of /api/v0: rate-limited, with its errors as a status.

    raises: whether a parameter that is missing or no text is an error of its own, or just not found.
    """

    def decorate(view: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(view)
        def answer() -> Response:
            try:
                found = view()
            except Refused as refusal:
                return _said(refusal.status, **refusal.more)
            except BadParameter as error:
                if raises or error.name not in NOT_FOUND:
                    raise
                return _said(NOT_FOUND[error.name])
            except DomainError as error:
                return _said(_status_of(error), **_detail(error))
            if isinstance(found, str):
                return Response(found, mimetype="text/plain")
            return found if isinstance(found, Response) else jsonify(found)

        legacy.add_url_rule(rule, view.__name__, per_address(answer), methods=methods)
        return view

    return decorate


def said(**values: Any) -> dict[str, Any]:
    """A success with its values."""
    return {"status": SUCCESS, **values}


def parameter(name: str, *others: str, default: str | None = None) -> str:
    """A text parameter under any of its names. Raises BadParameter when it is missing or no text."""
    body = request.get_json(silent=True) if request.is_json else None
    for each in (name, *others):
        if isinstance(body, dict) and each in body:
            if not isinstance(body[each], str):
                raise BadParameter(f"{each} must be a string", name)
            return cast(str, body[each])
        if each in request.form:
            return request.form[each]
        if each in request.args:
            return request.args[each]
    if default is not None:
        return default
    raise BadParameter(f"the parameter {name} is missing; it must be a string", name)


def signed_in() -> User:
    """The user whose name and password came with the call. Raises Refused."""
    name, password = parameter("user", "uesr"), parameter("password")
    user = accounts.find_by_identity(name)
    if user is None or not user.active:
        raise Refused(USER_NOT_FOUND)
    try:
        return account_services.authenticate(name, password, address=request.remote_addr or "")
    except account_services.SignInFailed:
        raise Refused(INVALID_PASSWORD) from None


def analyst() -> tuple[User, Viewer]:
    """The user, who must be an analyst or administrator to work with models."""
    user = signed_in()
    if not {"analyst", "admin"} & set(user.role_names):
        raise Refused(NOT_ALLOWED)
    return user, Viewer(user_id=user.id, sees_all="admin" in user.role_names)


def own_model(user: User) -> Model:
    """The caller's model of the name given. Raises Refused."""
    model = queries.find_own_model(user.id, parameter("modelname"))
    if model is None:
        raise Refused(MODEL_NOT_FOUND)
    return model


def own_deployment(user: User) -> Deployment:
    """The deployment named, of the model when one is named too. Raises Refused."""
    wanted, model_name = parameter("deployment"), parameter("modelname", default="")
    for model in queries.list_own_models(user.id):
        if model_name and model.name != model_name:
            continue
        for deployment in queries.list_deployments_of(model):
            if deployment.name == wanted:
                return deployment
    raise Refused(DEPLOYMENT_NOT_FOUND)


def moment(value: Any) -> str:
    """A time as the document's lists have it."""
    return str(value.strftime("%Y-%m-%d %H:%M:%S")) if value else ""


def _said(status: str, **values: Any) -> Response:
    return jsonify(status=status, **values)


def _status_of(error: DomainError) -> str:
    if isinstance(error, Forbidden):
        return NOT_ALLOWED
    if isinstance(error, NotFound):
        return "not found"
    if isinstance(error, Conflict) and error.code == "conflict":
        return DUPLICATION
    return error.code.replace("_", " ")


def _detail(error: DomainError) -> dict[str, Any]:
    problems = [{"field": each.field, "message": each.message} for each in error.problems]
    return {"message": error.message, **({"errors": problems} if problems else {})}
