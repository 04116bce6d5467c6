"""Answering: checks, the call of a replica, the count. Everything that can go wrong has a code.

Whoever manages a model is told which field was wrong and what was expected; others get the code and the id of
their request, under which the owner finds the fault.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dashboard.core.errors import (
    Conflict,
    DomainError,
    Invalid,
    Problem,
    TimedOut,
    Unavailable,
    request_id,
)
from dashboard.core.i18n import _, lazy
from dashboard.serving import drift, queries, replicas, runtime
from dashboard.serving.journal import Answer
from dashboard.serving.models import Deployment, ModelVersion
from dashboard.serving.runtime import Prediction
from dashboard.serving.services import counting, wording
from dashboard.serving.services.fields import InvalidInput, check_outputs, problems_of
from dashboard.serving.services.in_flight import under_way

Record = dict[str, Any]
# The engine names no more.
MAX_PROBLEMS = 100


class DeploymentPaused(Conflict):
    """The deployment is paused."""

    code = "deployment_paused"
    default = lazy("This deployment is paused.")


class NotReady(Unavailable):
    """No replica answers at the moment."""

    code = "not_ready"
    default = lazy("No replica of this deployment answers now. Please try again in a moment.")


class ScriptFailed(Invalid):
    """The preprocessing script failed on these records."""

    code = "script_failed"
    default = lazy("The preprocessing script failed on these records.")


class ModelTimedOut(TimedOut):
    """The model did not answer within the deployment's time-out."""

    code = "timed_out"
    default = lazy("The model did not answer in time.")


class PredictionFailed(Invalid):
    """The model failed on these records."""

    code = "prediction_failed"
    default = lazy("The model failed on these records.")


def predict(
    deployment: Deployment,
    records: Sequence[Record],
    *,
    outputs: Sequence[str] | None = None,
    face: str = "sync",
    owner: bool = False,
) -> Prediction:
    """The deployment's answer to each record, counted.

    `owner`: may learn which fields were wrong. Raises DeploymentPaused, InvalidInput, ScriptFailed,
    PredictionFailed, NotReady, TimedOut, and Invalid for too many records or unknown outputs.
    """
    start = time.perf_counter()
    with counting_faults(deployment, n_records=len(records), face=face, owner=owner):
        _check_count(records)
        wanted = check_outputs(deployment.version, outputs)
        with under_way(deployment.id):
            found = call(deployment, list(records))
    total = (time.perf_counter() - start) * 1000
    counting.record(
        Answer(
            deployment_id=deployment.id,
            face=face,
            n_records=len(records),
            ms={**found.ms, "total": total},
            bins=input_bins(deployment, records),
        )
    )
    return found.only(wanted).with_total(total)


@contextmanager
def counting_faults(
    deployment: Deployment, *, n_records: int = 0, face: str = "sync", owner: bool = False
) -> Iterator[None]:
    """Count a request that fails in here, be it that it cannot be read; only an `owner` is told the fields."""
    start = time.perf_counter()
    try:
        yield
    except DomainError as error:
        ms = (time.perf_counter() - start) * 1000
        _count_fault(deployment, error, n_records, face=face, ms=ms)
        raise error if owner else masked(error) from error


def call(deployment: Deployment, records: list[Record]) -> Prediction:
    """The answer of a replica, not counted. Raises as `predict` does."""
    if deployment.paused:
        raise DeploymentPaused()
    with _told():
        return replicas.call(deployment, records)


def input_bins(deployment: Deployment, records: Sequence[Record]) -> dict[str, list[int]]:
    """Where the values of the records fall. With a preprocessing script none are counted: it makes the inputs of
    them, in the replica."""
    return {} if deployment.script else drift.bins_of(records, deployment.version.baseline or {})


def try_version(version: ModelVersion, records: list[Record], *, script: str = "") -> Prediction:
    """What a version answers, in a child process of its own. Raises InvalidInput, ScriptFailed, PredictionFailed."""
    _check_count(records)
    limits = queries.settings()
    start = time.perf_counter()
    with _told():
        found = runtime.run_once(
            queries.path_of(version),
            version.details,
            records,
            script=script,
            timeout_s=limits.inspect_timeout_s,
            memory_mb=limits.inspect_memory_mb,
        )
    total = (time.perf_counter() - start) * 1000
    return found.with_total(total)


@contextmanager
def _told() -> Iterator[None]:
    """What the engine raises, as errors of this domain."""
    try:
        yield
    except runtime.BadRecords as error:
        raise InvalidInput(problems=problems_of(error), faults=error.problems) from error
    except runtime.ScriptError as error:
        raise ScriptFailed(problems=[Problem("script", wording.said(str(error)))]) from error
    except runtime.OutOfTime as error:
        raise ModelTimedOut() from error
    except runtime.ModelError as error:
        raise PredictionFailed(problems=[Problem("model", wording.said(str(error)))]) from error
    except runtime.NoReplica as error:
        raise NotReady() from error


def masked(error: DomainError) -> DomainError:
    """The error for a caller who does not manage the model: its code and message, no field, no value."""
    if isinstance(error, Conflict) or not any(problem.field for problem in error.problems):
        return error
    return type(error)(error.default)


def describe(error: DomainError) -> str:
    """One line for the list of last errors: which fields, never the values that came."""
    fields = ", ".join(dict.fromkeys(problem.field for problem in error.problems if problem.field))
    return f"{error.default} ({fields})" if fields else error.message


def _count_fault(
    deployment: Deployment, error: DomainError, n_records: int, *, face: str, ms: float
) -> None:
    counting.record(
        Answer(
            deployment_id=deployment.id,
            face=face,
            n_records=n_records,
            code=error.code,
            ms={"total": ms},
            message=describe(error),
            request_id=request_id(),
        )
    )


def _check_count(records: Sequence[Record]) -> None:
    most = queries.settings().max_records
    if not records:
        message = _("There is no record.")
        raise Invalid(message, problems=[Problem("records", message)])
    if len(records) > most:
        message = _("At most %(most)s records at once: send a batch.", most=most)
        raise Invalid(message, problems=[Problem("records", message)])
