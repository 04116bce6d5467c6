"""Who calls a deployment: a person with a right to its model, or a program with the deployment's token."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from flask import request
from flask_security import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from dashboard.core.access import has_role
from dashboard.core.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
)
from dashboard.core.i18n import _
from dashboard.serving import queries, services
from dashboard.serving.models import Deployment, PredictionTask, Right
from dashboard.serving.queries import Viewer
from dashboard.serving.services.deployments import TOKEN_PREFIX
from dashboard.serving.services.incoming import Sender, find_upload, taken

ROLES = ("analyst", "admin")


@dataclass(frozen=True, slots=True)
class Caller:
    """A deployment, and who calls it."""

    deployment: Deployment
    user_id: int | None
    """None with the deployment's token."""
    owner: bool
    """Whether she manages the model, and so may learn which fields were wrong."""


def viewer() -> Viewer:
    """The person who calls. Raises Unauthenticated and Forbidden."""
    if not current_user.is_authenticated:
        raise Unauthenticated()
    if not has_role(*ROLES):
        raise Forbidden()
    return Viewer(user_id=current_user.id, sees_all=has_role("admin"))


def caller(deployment_id: int) -> Caller:
    """Who calls the deployment of this id. Raises Unauthenticated, Forbidden, NotFound."""
    if token := _deployment_token():
        deployment = _by_token(token)
        if deployment.id != deployment_id:
            raise NotFound()
        return Caller(deployment, user_id=None, owner=False)
    who = viewer()
    return _person(queries.get_deployment(deployment_id, who, right=Right.USE), who)


def caller_by_name(name: str) -> Caller:
    """The same, for the deployment of this name."""
    if token := _deployment_token():
        deployment = _by_token(token)
        if deployment.name != name:
            raise NotFound()
        return Caller(deployment, user_id=None, owner=False)
    who = viewer()
    return _person(queries.get_deployment_named(name, who, right=Right.USE), who)


def sender() -> Sender:
    """Who sends a file. Raises Unauthenticated and Forbidden."""
    if token := _deployment_token():
        return Sender(deployment_id=_by_token(token).id)
    return Sender(user_id=viewer().user_id)


@contextmanager
def sent_file(field: str = "file") -> Iterator[tuple[Path | BinaryIO, str]]:
    """The file of a form and its name: sent with the form, or before it in pieces (`upload` names it then).

    Raises Invalid when there is none or it is not complete, NotFound for an upload that is gone.
    """
    if token := request.form.get("upload", ""):
        with taken(token, sender()) as found:
            yield found
        return
    sent = request.files.get(field)
    if sent is None or not sent.filename:
        message = _("Choose a file first.")
        raise Invalid(message, problems=[Problem(field, message)])
    yield cast(BinaryIO, sent.stream), sent.filename


def sent_body() -> bytes:
    """The body of a call. Raises TooLarge."""
    try:
        return request.get_data()
    except RequestEntityTooLarge as error:
        raise TooLarge(_("The request is too large: send a batch.")) from error


def earlier_upload() -> dict[str, Any] | None:
    """The upload that the form named which comes back now, for the form to name it again."""
    token = request.values.get("upload", "")
    try:
        file = find_upload(token, sender()) if token else None
    except NotFound:
        return None
    return file and {"id": file.token, "name": file.original_name, "size": file.size_bytes}


def task_of(who: Caller, public_id: str) -> PredictionTask:
    """A task of the deployment, when the caller may see it: her own, or all when she manages it."""
    task = queries.get_task_of(who.deployment, public_id)
    if not who.owner and task.owner_id != who.user_id:
        raise NotFound()
    services.catch_up([task])
    return task


def _person(deployment: Deployment, who: Viewer) -> Caller:
    manages = queries.may(who, deployment.model, Right.MANAGE)
    return Caller(deployment, user_id=who.user_id, owner=manages)


def token_in(authorization: str) -> str:
    """The deployment's token in an Authorization header; empty when there is none."""
    scheme, _space, value = authorization.partition(" ")
    value = value.strip()
    return value if scheme.lower() == "bearer" and value.startswith(TOKEN_PREFIX) else ""


def _deployment_token() -> str:
    return token_in(request.headers.get("Authorization", ""))


def _by_token(token: str) -> Deployment:
    deployment = queries.find_deployment_by_token(services.hash_of(token))
    if deployment is None:
        raise Unauthenticated()
    return deployment
