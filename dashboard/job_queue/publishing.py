"""Wakes the job runner after a transaction that enqueued jobs has committed."""

import importlib
from typing import cast

from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from dashboard.core.config import Config
from dashboard.core.database import db
from jobs.broker import Broker
from jobs.embedded import EmbeddedBroker

EXTENSION = "atrium_job_broker"
BELLS = "job_bells"
"""Where a session keeps the (job id, queue) pairs to ring for when it commits."""


def init_app(app: Flask) -> None:
    """Publish jobs after commit."""
    app.extensions[EXTENSION] = None
    with app.app_context():
        if not event.contains(db.session, "after_commit", _ring):
            event.listen(db.session, "after_commit", _ring)
            event.listen(db.session, "after_rollback", _forget)
    if not app.config["ATRIUM"].broker.embedded:
        # Now, and not within the first request that enqueues.
        importlib.import_module("jobs.rabbitmq")


def ring_after_commit(session: Session, *, job_id: int, queue: str) -> None:
    """Publish the job when the session's transaction has committed."""
    session.info.setdefault(BELLS, []).append((job_id, queue))


def get_broker() -> Broker:
    """The broker that the current application's configuration names; connects on first use."""
    if current_app.extensions[EXTENSION] is None:
        current_app.extensions[EXTENSION] = make_broker(current_app.config["ATRIUM"])
    return cast(Broker, current_app.extensions[EXTENSION])


def close(app: Flask) -> None:
    """Let go of the broker, if there is a connection; what it has not published the sweeper will."""
    broker = app.extensions[EXTENSION]
    if broker is not None:
        broker.close()
        app.extensions[EXTENSION] = None


def make_broker(config: Config) -> Broker:
    """A new broker."""
    if config.broker.embedded:
        return EmbeddedBroker(data_dir=config.site.data_dir)
    # Only where it is configured: the import costs every start otherwise.
    from jobs.rabbitmq import RabbitMQBroker

    return RabbitMQBroker(
        config.broker.url, prefix=config.broker.prefix, quorum=config.broker.quorum
    )


def _ring(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: nobody else sees the rows yet
    for job_id, queue in session.info.pop(BELLS, ()):
        get_broker().publish(job_id, queue=queue)


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(BELLS, None)
