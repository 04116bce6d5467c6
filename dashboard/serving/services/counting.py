"""Journals of answers become the sums that the monitor shows."""

import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict
from dashboard.serving import journal
from dashboard.serving.journal import Answer, Journal, Sums
from dashboard.serving.models import (
    CountedJournal,
    Deployment,
    DriftCount,
    PredictionFault,
    PredictionHour,
)

EXTENSION = "atrium_prediction_journal"
# The page of a deployment shows these.
N_FAULTS = 50
DAY_S = 24 * 3600


def journal_folder() -> Path:
    """Where the processes of this portal write what they answered."""
    data_dir: Path = current_app.config["ATRIUM"].site.data_dir
    return data_dir / "serving" / "journal"


def record(answer: Answer) -> None:
    """Count an answer; it is shown a moment later (`count_all`)."""
    if EXTENSION not in current_app.extensions:
        current_app.extensions[EXTENSION] = Journal(journal_folder())
    current_app.extensions[EXTENSION].write(answer)


def count_all() -> int:
    """Add every journal that nobody writes to, this process's own among them; how many journals there were."""
    own = current_app.extensions.get(EXTENSION)
    if own is not None:
        own.rotate()
    folder, n_counted = journal_folder(), 0
    if not folder.exists():
        return 0
    for path in journal.finished(folder):
        n_counted += _count(path)
    return n_counted


def _count(path: Path) -> int:
    answers = list(journal.read(path))
    try:
        with transaction():
            session.add(CountedJournal(name=path.name))
            session.flush()
            _add_all(answers)
    except Conflict:
        # Its name is known: it was counted, and whoever did ended before removing it.
        if session.get(CountedJournal, path.name) is None:
            raise
        path.unlink(missing_ok=True)
        return 0
    path.unlink(missing_ok=True)
    return 1


def _add_all(answers: list[Answer]) -> None:
    known = set(session.scalars(select(Deployment.id)))
    kept = [answer for answer in answers if answer.deployment_id in known]
    for (deployment_id, hour, face), sums in sorted(journal.sums_by_hour(kept).items()):
        _add_sums(deployment_id, hour, face, sums)
    _add_faults([answer for answer in kept if answer.code])
    _add_bins(kept)


def _add_sums(deployment_id: int, hour: int, face: str, sums: Sums) -> None:
    row = _locked_row(PredictionHour, deployment_id=deployment_id, hour=hour, face=face)
    row.n_requests += sums.n_requests
    row.n_errors += sums.n_errors
    row.n_records += sums.n_records
    row.total_ms += sums.total_ms
    row.min_ms = _least(row.min_ms, sums.min_ms)
    row.max_ms = _most(row.max_ms, sums.max_ms)
    steps = {step: dict(counts) for step, counts in row.steps.items()}
    for step, counts in sums.steps.items():
        _add_counts(steps.setdefault(step, {}), {str(n): count for n, count in counts.items()})
    row.steps = steps
    row.errors = _add_counts(dict(row.errors), sums.errors)


def _locked_row(table: Any, **key: Any) -> Any:
    """The row of this key, made when missing, which nobody else changes before the commit."""
    where = [getattr(table, name) == value for name, value in key.items()]
    name = next(iter(key))
    # A write first: it takes SQLite's write lock, and the row's on a server; only then it is read.
    touch = update(table).where(*where).values({name: key[name]})
    if not session.execute(touch, execution_options={"synchronize_session": False}).rowcount:  # type: ignore[attr-defined]
        try:
            with session.begin_nested():
                session.add(table(**key, **_EMPTY[table]))
        except IntegrityError:
            session.execute(touch, execution_options={"synchronize_session": False})
    query = select(table).where(*where).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


_EMPTY: dict[Any, dict[str, Any]] = {
    PredictionHour: {
        **dict.fromkeys(("n_requests", "n_errors", "n_records"), 0),
        **{"total_ms": 0.0, "steps": {}, "errors": {}},
    },
    DriftCount: {"bins": []},
}


def _add_faults(faults: list[Answer]) -> None:
    by_deployment: dict[int, list[Answer]] = defaultdict(list)
    for answer in faults:
        by_deployment[answer.deployment_id].append(answer)
    for deployment_id, own in by_deployment.items():
        session.add_all(_fault(answer) for answer in own[-N_FAULTS:])
        session.flush()
        of_it = PredictionFault.deployment_id == deployment_id
        ids = select(PredictionFault.id).where(of_it).order_by(PredictionFault.id.desc())
        oldest_kept = session.scalar(ids.offset(N_FAULTS - 1).limit(1))
        if oldest_kept is not None:
            session.execute(delete(PredictionFault).where(of_it, PredictionFault.id < oldest_kept))


def _fault(answer: Answer) -> PredictionFault:
    return PredictionFault(
        deployment_id=answer.deployment_id,
        at=datetime.fromtimestamp(answer.at_s, UTC).replace(tzinfo=None),
        code=answer.code[:60],
        message=answer.message[:500],
        request_id=answer.request_id[:40],
    )


def _add_bins(answers: list[Answer]) -> None:
    days: dict[tuple[int, int, str], list[int]] = {}
    for answer in answers:
        for name, bins in answer.bins.items():
            key = (answer.deployment_id, int(answer.at_s // DAY_S), name)
            days[key] = add_lists(days.get(key, []), bins)
    for (deployment_id, day, name), bins in sorted(days.items()):
        row = _locked_row(DriftCount, deployment_id=deployment_id, day=day, field=name)
        row.bins = add_lists(row.bins, bins)


def forget_counted(*, older_than_s: float = DAY_S) -> None:
    """Forget the names of journals that were counted and removed long ago."""
    before = datetime.fromtimestamp(time.time() - older_than_s, UTC).replace(tzinfo=None)
    with transaction():
        session.execute(delete(CountedJournal).where(CountedJournal.counted_at < before))


def _add_counts(into: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    for name, count in more.items():
        into[name] = into.get(name, 0) + count
    return into


def add_lists(into: list[int], more: list[int]) -> list[int]:
    """The sums of counts of the same bins; the longer list decides how many there are."""
    longer, shorter = (into, more) if len(into) >= len(more) else (more, into)
    return [
        count + (shorter[place] if place < len(shorter) else 0)
        for place, count in enumerate(longer)
    ]


def _least(one: float | None, other: float | None) -> float | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _most(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)
