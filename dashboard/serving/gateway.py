"""The prediction server of this portal: who may call, and the count (jobs/engines/scoring/gateway.py does the rest).

It runs beside the keeper, in `run.py models`, when `serving.prediction_port` is set. Deployments' tokens only: people
call the portal, which knows their rights.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask

from dashboard.core.config import InvalidConfig
from dashboard.core.database import DBAPIError, db
from dashboard.serving import drift, queries, replicas, services
from dashboard.serving.callers import token_in
from dashboard.serving.journal import Answer, Journal
from dashboard.serving.models import DeploymentState
from dashboard.serving.services.counting import journal_folder
from jobs.engines.scoring.async_client import AsyncReplicaClient
from jobs.engines.scoring.description import ModelDescription
from jobs.engines.scoring.gateway import Call, Gateway, Grant, Refused, serve
from jobs.engines.scoring.inputs import request_of

log = logging.getLogger(__name__)

# A change of a deployment is seen after this long; its new token at once.
FRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class Profile:
    """What counting a version's inputs takes."""

    description: ModelDescription
    baseline: Mapping[str, Any]
    about: Mapping[str, Any] | None
    """Where the baseline comes from: it may be replaced while the version is served."""


@dataclass(slots=True)
class Directory:
    """The deployments as they stood a moment ago, by the hash of their token."""

    app: Flask
    grants: dict[str, Grant] = field(default_factory=dict)
    known: dict[str, Grant] = field(default_factory=dict)
    """The headers that were good since the deployments were read."""
    profiles: dict[int, Profile] = field(default_factory=dict)
    read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def authorize(self, deployment_id: int, authorization: str) -> Grant:
        """The grant of a deployment's token. Raises Refused: 401, 404, or 503 while the database is away."""
        grant = self.known.get(authorization)
        if grant is None or self.read_at < time.monotonic() - FRESH_S:
            grant = self.known[authorization] = await self._grant(authorization)
        if grant.deployment_id != deployment_id:
            raise Refused(HTTPStatus.NOT_FOUND)
        return grant

    async def _grant(self, authorization: str) -> Grant:
        token = token_in(authorization)
        if not token:
            raise Refused(HTTPStatus.UNAUTHORIZED)
        key = services.hash_of(token)
        await self._read(newer_than=time.monotonic() - FRESH_S)
        if key not in self.grants:
            # Made a moment ago, or wrong. Whoever waits here together shares one look at the database.
            await self._read(newer_than=time.monotonic())
        if key not in self.grants:
            raise Refused(HTTPStatus.UNAUTHORIZED)
        return self.grants[key]

    async def _read(self, *, newer_than: float) -> None:
        if self.read_at >= newer_than:
            return
        async with self.lock:
            if self.read_at >= newer_than:
                return
            began = time.monotonic()
            try:
                self.grants = await asyncio.to_thread(self._grants)
            except DBAPIError as error:
                log.warning("the deployments could not be read: %s", error)
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE) from error
            self.known = {}
            self.read_at = began

    def _grants(self) -> dict[str, Grant]:
        with self.app.app_context():
            try:
                rows = queries.list_callable()
                used = {row.version_id for row in rows}
                about = {row.version_id: row.baseline_about for row in rows}
                profiles = {
                    key: kept
                    for key, kept in self.profiles.items()
                    if key in used and kept.about == about[key]
                }
                for version in queries.list_versions_of_ids(used - profiles.keys()):
                    profiles[version.id] = Profile(
                        ModelDescription.from_json(dict(version.details)),
                        version.baseline or {},
                        version.baseline_about,
                    )
                self.profiles = profiles
            finally:
                db.session.remove()
        return {
            row.token_hash: Grant(
                deployment_id=row.id,
                key=replicas.key_of(row.id),
                timeout_s=row.timeout_s,
                paused=row.state == DeploymentState.PAUSED,
                # A script makes the inputs of what is sent: that is not counted.
                about=replace(profiles[row.version_id], baseline={})
                if row.script
                else profiles[row.version_id],
            )
            for row in rows
            if row.version_id in profiles  # else deleted between the two reads
        }


class Counter:
    """Writes calls into a journal: the keeper adds it to the sums."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def record(self, call: Call) -> None:
        """Count one call."""
        self._journal.write(
            Answer(
                deployment_id=call.grant.deployment_id,
                face="sync",
                n_records=call.n_records,
                code=call.code,
                ms=call.ms,
                message=call.message,
                request_id=call.request_id,
                bins={} if call.code else _bins(call),
            )
        )


def _bins(call: Call) -> dict[str, list[int]]:
    profile: Profile = call.grant.about
    if not profile.baseline:
        return {}
    request = request_of(orjson.loads(call.body), profile.description)
    return drift.bins_of(request.records, profile.baseline)


@contextmanager
def serving(app: Flask) -> Iterator[None]:
    """Serve predictions on `serving.prediction_port`, unless it is 0. Raises InvalidConfig when it is taken."""
    config = app.config["ATRIUM"]
    host, port = config.server.host, config.serving.prediction_port
    if not port:
        yield
        return
    _check_free(host, port)
    with app.app_context():
        journal = Journal(journal_folder())
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    async def main() -> None:
        client = AsyncReplicaClient(replicas.folder_of(app))
        gateway = Gateway(client, Directory(app), Counter(journal))
        await serve(gateway, host=host, port=port, stopping=stopping)

    thread = threading.Thread(target=_run, args=(loop, main, stopping), name="predictions")
    thread.start()
    log.info("predictions are answered at http://%s:%s/", host, port)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()
        journal.rotate()


def _run(loop: asyncio.AbstractEventLoop, main: Callable[[], Any], stopping: asyncio.Event) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main())
    except Exception:
        log.exception("the prediction server failed")
    if not stopping.is_set():
        # Whoever started this process starts it again.
        os.kill(os.getpid(), signal.SIGTERM)


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidConfig(
                f"serving.prediction_port: cannot listen on {host}:{port}: {error.strerror}"
            ) from error
