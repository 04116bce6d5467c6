"""Calls of replicas: the processes that hold a deployment's model (jobs/engines/scoring)."""

from pathlib import Path
from typing import Any, cast

import orjson
from flask import Flask, current_app

from dashboard.serving import runtime
from dashboard.serving.models import Deployment
from dashboard.serving.runtime import Prediction
from jobs.engines.scoring.client import ReplicaClient
from jobs.engines.scoring.frames import (
    NoReplica,
    ReplicaLost,
    ReplicaTimeout,
    Reply,
    Status,
    socket_folder,
)

EXTENSION = "atrium_replica_client"


def call(deployment: Deployment, records: list[dict[str, Any]]) -> Prediction:
    """What a replica answers. Raises BadRecords, ScriptError, ModelError, OutOfTime, NoReplica (runtime.py)."""
    body = orjson.dumps({"records": records})
    try:
        reply = _client().call(key_of(deployment.id), body, timeout_s=deployment.timeout_s)
    except NoReplica as error:
        raise runtime.NoReplica from error
    except ReplicaTimeout as error:
        raise runtime.OutOfTime("the model did not answer in time") from error
    except ReplicaLost as error:
        # The request may be what ended it: it is not sent again.
        raise runtime.ModelError("the replica ended while it worked on this") from error
    return _understood(reply)


def key_of(deployment_id: int) -> str:
    """The name of a deployment among the replicas of this portal."""
    return f"d{deployment_id}"


def folder_of(app: Flask) -> Path:
    """Where the replicas of this portal listen."""
    return socket_folder(str(app.config["ATRIUM"].site.data_dir))


def close(app: Flask) -> None:
    """Close the connections to replicas, if there are any."""
    client = app.extensions.pop(EXTENSION, None)
    if client is not None:
        client.close()


def _client() -> ReplicaClient:
    if EXTENSION not in current_app.extensions:
        current_app.extensions[EXTENSION] = ReplicaClient(folder_of(current_app))
    return cast(ReplicaClient, current_app.extensions[EXTENSION])


def _understood(reply: Reply) -> Prediction:
    if reply.status == Status.OK:
        return Prediction(reply.json, reply.ms)
    if reply.status == Status.INVALID_INPUT:
        raise runtime.BadRecords(reply.json)
    text = reply.body.decode("utf-8", "replace")[:400]
    if reply.status == Status.SCRIPT_FAILED:
        raise runtime.ScriptError(text)
    if reply.status == Status.TIMED_OUT:
        raise runtime.OutOfTime("the model did not answer in time")
    if reply.status == Status.OUT_OF_MEMORY:
        raise runtime.ModelError("the model asked for more memory than is reserved for it")
    raise runtime.ModelError(text)
