"""Time the lists that the whole portal makes, and print it as JSON.

    python bench/workers/served_lists.py EVENTS.npz

A portal on SQLite in a temporary folder with every item of the events published, a trained run in use and 300
learners with their newest 20 events. A list is what a request gets: history, rules and settings from the database,
ranking with content, variety and reasons, the items and the titles of the reasons from the database."""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
N_LEARNERS, N_OWN, LIST_LENGTH = 300, 20, 20
# The events' times are counted from here, so that they are in the past and none is before 1970.
START_S = 1_600_000_000.0
WORDS = 2_000
ROWS_AT_ONCE = 5_000


def measure(path: Path) -> dict[str, float]:
    """p50 and p99 in ms, of wall time and of CPU time, which other work on the machine hardly touches."""
    from dashboard.app import create_app
    from dashboard.core.config import load_config
    from dashboard.core.database import db
    from dashboard.recommendations import services

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(load_config(ROOT / "config.toml", {"ATRIUM_SITE__DATA_DIR": folder}))
        with app.app_context():
            db.create_all()
            data = _events(path)
            learners = _fill(data)
            _publish(data)
        waits, cpu = [], []
        for user_id in learners:
            # A session of its own, as every request has.
            with app.test_request_context():
                start, start_cpu = time.perf_counter(), time.process_time()
                found = services.recommendations_for(user_id, n=LIST_LENGTH)
                waits.append(time.perf_counter() - start)
                cpu.append(time.process_time() - start_cpu)
                if len(found) != LIST_LENGTH or not any(each.reasons for each in found):
                    message = f"learner {user_id} got no list of her own"
                    raise AssertionError(message)
        with app.app_context():
            db.engine.dispose()
    # The first one reads the run's file.
    figures = {"portal_first_s": waits[0]}
    for kind, spans in (("", waits[1:]), ("cpu_", cpu[1:])):
        p50, p99 = np.percentile(spans, [50, 99]) * 1e3
        figures |= {f"portal_{kind}p50_ms": float(p50), f"portal_{kind}p99_ms": float(p99)}
    return figures


def _events(path: Path) -> Any:
    """Ids are those of the database's rows, which count from 1."""
    from jobs.engines import collaborative_filtering as cf

    with np.load(path) as file:
        n_users, n_items = file["train_shape"]
        return cf.Interactions(
            user_ids=np.arange(1, n_users + 1),
            item_ids=np.arange(1, n_items + 1),
            indptr=file["train_indptr"],
            items=file["train_indices"],
            weights=file["train_data"],
            times=file["times"] + START_S,
        )


def _fill(data: Any) -> list[int]:
    """The items, and the learners with what they did; the others are in the run alone."""
    from dashboard.accounts.models import User
    from dashboard.activity.models import Event
    from dashboard.catalogue.models import Item

    random = np.random.default_rng(0)
    words = random.integers(0, WORDS, (data.n_items, 6)).tolist()
    items = [
        {
            "kind": "course",
            "title": f"Course {number}",
            "summary": " ".join(f"word{each}" for each in some),
            "status": "published",
            "language": "en",
        }
        for number, some in enumerate(words, start=1)
    ]
    busy = np.flatnonzero(np.diff(data.indptr) >= N_OWN)
    users = np.sort(random.choice(busy, N_LEARNERS, replace=False)).tolist()
    people = [
        {"id": user + 1, "user_name": f"learner{user}", "password": "-", "active": True}
        for user in users
    ]
    events = [
        {
            "user_id": user + 1,
            "item_id": int(data.items[place]) + 1,
            "kind": "view",
            "created_at": datetime.fromtimestamp(data.times[place], UTC).replace(tzinfo=None),
        }
        for user in users
        for place in range(data.indptr[user + 1] - N_OWN, data.indptr[user + 1])
    ]
    for model, rows in ((Item, items), (User, people), (Event, events)):
        _store(model, rows)
    return [user + 1 for user in users]


def _store(model: Any, rows: list[dict[str, Any]]) -> None:
    from sqlalchemy import insert

    from dashboard.core.database import session, transaction

    with transaction():
        for start in range(0, len(rows), ROWS_AT_ONCE):
            session.execute(insert(model), rows[start : start + ROWS_AT_ONCE])


def _publish(data: Any) -> None:
    """Train with the portal's settings and put the run to use as a training does."""
    from dashboard.core.database import session, transaction
    from dashboard.recommendations import queries
    from dashboard.recommendations.models import RunState, TrainingRun
    from dashboard.recommendations.services import artefacts
    from jobs.engines import collaborative_filtering as cf

    config = cf.TrainingConfig(evaluate=False, user=None)
    trained = cf.train(data, config, catalogue=queries.load_catalogue())
    cf.save_run(trained, artefacts.folder() / "1.npz")
    with transaction():
        session.add(TrainingRun(state=RunState.DONE, is_current=True, artefact="1.npz"))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print(json.dumps(measure(Path(sys.argv[1]))))
