"""What is deployed: reservations, start and pause, rolling to another version, tokens.

A service changes the row; the process of `run.py models` makes the replicas follow it (serving.py).
"""

import hashlib
import re
import secrets
from typing import Any

from sqlalchemy import delete, select, update

from dashboard.audit import services as audit
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Forbidden, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving import queries
from dashboard.serving.models import (
    Deployment,
    DeploymentState,
    DriftCount,
    Health,
    Model,
    ModelVersion,
    PredictionTask,
    Right,
    TaskState,
)
from dashboard.serving.queries import Viewer
from dashboard.serving.services import tasks
from dashboard.serving.services.registry import remove_deployment_files
from dashboard.serving.services.reservations import check_reservation
from dashboard.serving.services.scripts import try_script

TOKEN_BYTES = 32
# Told apart from a person's token at a glance, and found by scanners of leaked secrets.
TOKEN_PREFIX = "atd_"  # noqa: S105 - the beginning of one, not a secret
MIN_MEMORY_MB, MAX_REPLICAS, MAX_TIMEOUT_S = 64, 16, 300.0
MIN_CPUS = 0.05
# In an address (the Open Inference Protocol's model name) without escapes.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


class TasksOpen(Conflict):
    """The deployment has tasks that are not finished."""

    code = "tasks_open"


def deploy_model(
    model_id: int,
    *,
    name: str,
    viewer: Viewer,
    version: int | None = None,
    replicas: int = 1,
    cpus: float = 0.5,
    memory_mb: int = 512,
    timeout_s: float = 10.0,
    warm_up: bool = True,
    script: str = "",
) -> tuple[Deployment, str]:
    """A running deployment of a version (the newest one unless named), and its token.

    The token is only given here: its hash is kept. Raises Invalid, Conflict, OverReserved.
    """
    if viewer.user_id is None:
        raise Forbidden()
    model = queries.get_model(model_id, viewer, right=Right.MANAGE)
    wanted = queries.get_version(model, version) if version is not None else model.newest
    wishes = {
        **{"replicas": replicas, "cpus": cpus, "memory_mb": memory_mb},
        **{"timeout_s": timeout_s, "warm_up": warm_up},
    }
    _check(wishes, name=name)
    # Before the transaction: the sandbox takes a moment, and SQLite has one write lock.
    tried = try_script(script, wanted) if script.strip() else None
    token = new_token()
    with transaction():
        if session.scalar(select(Deployment.id).where(Deployment.name == name)):
            message = _("This name is taken by another deployment.")
            raise Conflict(message, problems=[Problem("name", message)])
        deployment = Deployment(
            name=name,
            model_id=model.id,
            version_id=wanted.id,
            owner_id=viewer.user_id,
            script=script if script.strip() else "",
            script_result=tried,
            token_hash=hash_of(token),
            **wishes,
        )
        session.add(deployment)
        session.flush()
        check_reservation(deployment)
        _audit(viewer, "deployment.create", deployment, {"version": [None, wanted.number]})
    return deployment, token


def change_deployment(
    deployment_id: int,
    *,
    viewer: Viewer,
    version: int | None = None,
    script: str | None = None,
    **wishes: Any,
) -> Deployment:
    """Other settings, or another version: replicas are replaced one by one, so that no request fails.

    `wishes`: any of replicas, cpus, memory_mb, timeout_s, warm_up. Raises Invalid and OverReserved.
    """
    deployment = queries.get_deployment(deployment_id, viewer, right=Right.MANAGE)
    wished = {name: value for name, value in wishes.items() if value is not None}
    target = (
        queries.get_version(deployment.model, version)
        if version is not None
        else deployment.version
    )
    present = {name: getattr(deployment, name) for name in _SETTINGS}
    _check({**present, **wished}, name=deployment.name)
    new_script = deployment.script if script is None else script if script.strip() else ""
    retry = new_script and (new_script != deployment.script or target.id != deployment.version_id)
    tried = try_script(new_script, target) if retry else deployment.script_result
    with transaction():
        before = _state_of(deployment)
        for name, value in wished.items():
            setattr(deployment, name, value)
        if deployment.version_id != target.id:
            # What was counted of the inputs lies in the bins of the version before.
            session.execute(delete(DriftCount).where(DriftCount.deployment_id == deployment.id))
        deployment.version_id = target.id
        deployment.script = new_script
        deployment.script_result = tried if new_script else None
        deployment.revision += 1
        session.flush()
        session.expire(deployment, ["version"])
        check_reservation(deployment)
        if changes := audit.difference(before, _state_of(deployment)):
            _audit(viewer, "deployment.update", deployment, changes)
    return deployment


def pause_deployment(deployment_id: int, *, viewer: Viewer) -> Deployment:
    """Stop answering: calls get 409, tasks wait. Pausing a paused one changes nothing."""
    with transaction():
        deployment = queries.get_deployment(deployment_id, viewer, right=Right.MANAGE)
        if not deployment.paused:
            deployment.state = DeploymentState.PAUSED
            deployment.revision += 1
            deployment.health, deployment.health_text = Health.STOPPED, ""
            deployment.n_ready = 0
            _audit(viewer, "deployment.pause", deployment, {"state": ["running", "paused"]})
    return deployment


def start_deployment(deployment_id: int, *, viewer: Viewer) -> Deployment:
    """Answer again, and work off what waited. Starting a running one changes nothing. Raises OverReserved."""
    with transaction():
        deployment = queries.get_deployment(deployment_id, viewer, right=Right.MANAGE)
        if deployment.paused:
            deployment.state = DeploymentState.RUNNING
            deployment.revision += 1
            deployment.health, deployment.health_text = Health.STARTING, ""
            session.flush()
            check_reservation(deployment)
            tasks.queue_waiting(deployment)
            _audit(viewer, "deployment.start", deployment, {"state": ["paused", "running"]})
    return deployment


def delete_deployment(deployment_id: int, *, viewer: Viewer, force: bool = False) -> None:
    """Remove a deployment with its tasks and counters; TasksOpen without `force` while some are unfinished."""
    with transaction():
        deployment = queries.get_deployment(deployment_id, viewer, right=Right.MANAGE)
        n_open = queries.count_open_tasks(deployment.id)
        if n_open and not force:
            raise TasksOpen(_("%(count)s tasks of it are not finished.", count=n_open))
        stop = update(PredictionTask).where(
            PredictionTask.deployment_id == deployment.id, PredictionTask.finished_at.is_(None)
        )
        session.execute(stop.values(state=TaskState.CANCELLED))
        remove_deployment_files(deployment)
        _audit(viewer, "deployment.delete", deployment)
        session.delete(deployment)


def renew_token(deployment_id: int, *, viewer: Viewer) -> tuple[Deployment, str]:
    """A new token; the one before is void at once."""
    token = new_token()
    with transaction():
        deployment = queries.get_deployment(deployment_id, viewer, right=Right.MANAGE)
        deployment.token_hash, deployment.token_made_at = hash_of(token), utcnow()
        _audit(viewer, "deployment.token", deployment)
    return deployment, token


def report(
    deployment_id: int,
    *,
    health: Health,
    text: str = "",
    n_ready: int = 0,
    n_restarts: int = 0,
    served_version: int | None = None,
) -> None:
    """Note how a running deployment stands; a paused one keeps its state. For the process that serves it."""
    statement = update(Deployment).where(
        Deployment.id == deployment_id, Deployment.state == DeploymentState.RUNNING
    )
    with transaction():
        session.execute(
            statement.values(
                health=health.value,
                health_text=text[:500],
                n_ready=n_ready,
                n_restarts=n_restarts,
                served_version=served_version,
                reported_at=utcnow(),
                # Not a change by anybody.
                updated_at=Deployment.updated_at,
            ),
            execution_options={"synchronize_session": False},
        )


def new_token() -> str:
    """A token of a deployment: 256 bits that nobody can guess."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """What is kept of a token. It is random and long, so one round of SHA-256 suffices."""
    return hashlib.sha256(token.encode()).hexdigest()


def suggested_name(model: Model) -> str:
    """A name for a deployment of this model that may stand in an address, and is free."""
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", model.name).strip("-._")[:60] or f"model-{model.id}"
    taken = set(session.scalars(select(Deployment.name).where(Deployment.name.startswith(clean))))
    free = (name for name in [clean, *(f"{clean}-{n}" for n in range(2, 1000))])
    return next((name for name in free if name not in taken), clean)


_SETTINGS = ("replicas", "cpus", "memory_mb", "timeout_s", "warm_up")


def _check(wishes: dict[str, Any], *, name: str) -> None:
    problems = []
    if not _NAME.match(name):
        text = _("1 to 80 letters, digits, dots, dashes or underscores; a letter or digit first.")
        problems.append(Problem("name", text))
    ranges = {
        "replicas": (1, MAX_REPLICAS),
        "cpus": (MIN_CPUS, 1024),
        "memory_mb": (MIN_MEMORY_MB, 2**22),
        "timeout_s": (0.1, MAX_TIMEOUT_S),
    }
    for field, (low, high) in ranges.items():
        value = wishes[field]
        if isinstance(value, bool) or value - value != 0 or not low <= value <= high:
            text = _("From %(low)s to %(high)s.", low=f"{low:g}", high=f"{high:g}")
            problems.append(Problem(field, text))
    if problems:
        raise Invalid(problems=problems)


def _state_of(deployment: Deployment) -> dict[str, Any]:
    version = session.get(ModelVersion, deployment.version_id)
    return {
        **{name: getattr(deployment, name) for name in _SETTINGS},
        "version": version.number if version else None,
        "script": hashlib.sha256(deployment.script.encode()).hexdigest()[:12],
    }


def _audit(
    viewer: Viewer, action: str, deployment: Deployment, changes: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor_id=viewer.user_id,
        action=action,
        subject=f"deployment:{deployment.id}",
        summary=deployment.name,
        changes=changes,
    )
