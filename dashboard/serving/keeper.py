"""Makes the replicas follow the rows, and the rows tell how the replicas stand: the process of `run.py models`."""

import logging
import threading
import time

from flask import Flask

from dashboard.core.database import DBAPIError, db
from dashboard.core.errors import DomainError
from dashboard.serving import gateway, queries, replicas, services
from dashboard.serving.models import Deployment, Health
from jobs.engines.scoring.supervisor import Standing, Supervisor, Wanted

log = logging.getLogger(__name__)

TURN_S = 0.5
# How a deployment stands is written when it changed, and so often at least: a page can tell that it is fresh.
REPORT_EVERY_S = 15.0
AFTER_FAILURE_S = 3.0


class Keeper:
    """One turn after the other: read the rows, tell the supervisor, report, count journals."""

    def __init__(self, app: Flask, supervisor: Supervisor) -> None:
        self._app, self._supervisor = app, supervisor
        self._reported: dict[int, tuple[float, tuple[object, ...]]] = {}
        self._served: dict[int, int] = {}
        self._stopping = threading.Event()

    def run(self) -> int:
        """Serve until `stop`; the exit code."""
        self._supervisor.start()
        try:
            # Ends before the replicas do: what it took is answered and counted.
            with gateway.serving(self._app):
                while not self._stopping.is_set():
                    self._stopping.wait(self._turn_safely())
        finally:
            self._supervisor.stop()
            self._turn_safely()
        return 0

    def stop(self) -> None:
        """Let every replica answer what it has, then leave."""
        self._stopping.set()

    def turn(self) -> None:
        """Do once what is done again and again."""
        deployments = queries.list_all_deployments()
        if not self._stopping.is_set():
            self._supervisor.apply(_wanted(each) for each in deployments if not each.paused)
        standings = self._supervisor.status()
        for deployment in deployments:
            standing = standings.get(replicas.key_of(deployment.id))
            if standing is not None and not deployment.paused:
                self._report(deployment, standing)
        services.count_all()

    def _turn_safely(self) -> float:
        """How long to wait for the next turn. A database that is away stops no replica."""
        try:
            with self._app.app_context():
                self.turn()
                return TURN_S
        except (DBAPIError, DomainError) as error:
            log.warning("the deployments could not be read: %s", error)
            return AFTER_FAILURE_S
        finally:
            with self._app.app_context():
                db.session.remove()

    def _report(self, deployment: Deployment, standing: Standing) -> None:
        if standing.revision == deployment.revision:
            self._served[deployment.id] = deployment.version.number
        said = (
            *(standing.health.value, standing.text, standing.n_ready, standing.n_restarts),
            self._served.get(deployment.id),
        )
        at, before = self._reported.get(deployment.id, (0.0, ()))
        if said == before and time.monotonic() - at < REPORT_EVERY_S:
            return
        if said[0] != (before or ("",))[0]:
            log.info("deployment %s is %s %s", deployment.name, standing.health, standing.text)
        services.report(
            deployment.id,
            health=Health(standing.health.value),
            text=standing.text,
            n_ready=standing.n_ready,
            n_restarts=standing.n_restarts,
            served_version=self._served.get(deployment.id),
        )
        self._reported[deployment.id] = (time.monotonic(), said)


def build_keeper(app: Flask) -> Keeper:
    """The keeper of this portal's deployments."""
    return Keeper(app, Supervisor(replicas.folder_of(app)))


def _wanted(deployment: Deployment) -> Wanted:
    return Wanted(
        key=replicas.key_of(deployment.id),
        revision=deployment.revision,
        path=queries.path_of(deployment.version),
        replicas=deployment.replicas,
        cpus=deployment.cpus,
        memory_bytes=deployment.memory_mb * 2**20,
        timeout_s=deployment.timeout_s,
        warm_up=deployment.warm_up,
        script=deployment.script,
    )
