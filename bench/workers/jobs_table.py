"""What bench/jobs.py asks of the job table alone: how long a claim takes, how many queries a worker
makes that has nothing to do.

    python bench/workers/jobs_table.py fill N_FINISHED | claims N_WAITING N_USERS | idle SECONDS

One JSON object on standard output."""

import json
import os
import statistics
import sys
import threading
import time
from collections import Counter

from jobs_ours import ROOT, Mark, note
from sqlalchemy import event, insert, text

from dashboard.accounts.models import User
from dashboard.app import create_app
from dashboard.core.config import load_config
from dashboard.core.database import db, session, utcnow
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.runner import build_worker
from dashboard.job_queue.services import enqueue
from dashboard.job_queue.store import SqlJobStore
from jobs.store import Wanted

BATCH = 10_000
N_CLAIMS = 300
N_BEATS = 5


def fill(n_finished: int) -> dict[str, float]:
    """Put finished jobs into the table, one for each second of the past."""
    at = "now() AT TIME ZONE 'UTC' - make_interval(secs => n)"
    if db.engine.dialect.name == "sqlite":
        at = "strftime('%Y-%m-%d %H:%M:%f000', 'now', -n || ' seconds')"
    text_of = {"kind": "bench.mark", "queue": "bench", "args": '{"sent": 0.0}', "state": "done"}
    text_of |= {"worker": "bench", "progress_message": "", "error": "", "traceback": ""}
    number_of = {"priority": 0, "fair": 0, "share": 0, "attempt": 1, "progress": 1}
    number_of |= {"failures": 0, "deaths": 0}
    values = {name: f"'{value}'" for name, value in text_of.items()}
    values |= {name: str(value) for name, value in number_of.items()}
    values |= dict.fromkeys(("ready", "followed", "cancel_requested"), "false")
    values |= dict.fromkeys(("created_at", "started_at", "finished_at", "updated_at"), at)
    session.execute(
        text(
            f"INSERT INTO job ({', '.join(values)}) "  # noqa: S608 - our own words
            "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :n) "
            f"SELECT {', '.join(values.values())} FROM number"
        ),
        {"n": n_finished},
    )
    session.commit()
    if db.engine.dialect.name == "postgresql":
        # As it does by itself in a table that has grown over months.
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE job"))
            connection.execute(text("CHECKPOINT"))
    os.sync()  # what was written here is not to be written while something is measured
    return {"finished": n_finished}


def claims(n_waiting: int, n_users: int) -> dict[str, float]:
    """Let many jobs of many users wait, then claim one after another."""
    _make_users(n_users)
    now = utcnow()
    waiting = {"kind": "bench.mark", "queue": "bench", "args": {"sent": 0.0}, "ready": True}
    waiting |= {"created_at": now, "updated_at": now, "state": JobState.QUEUED}
    for start in range(0, n_waiting, BATCH):
        rows = [
            # Turns as enqueue gives them: one each, again and again.
            {**waiting, "owner_id": place % n_users + 1, "share": place % n_users + 1}
            | {"fair": place // n_users}
            for place in range(start, min(start + BATCH, n_waiting))
        ]
        session.execute(insert(Job), rows)
        session.commit()
    store = SqlJobStore(db.engine)
    wanted = Wanted(queues=["bench"], worker="bench", lease_s=30.0, limit=1)
    claim_ms, enqueue_ms = [], []
    for _ in range(N_CLAIMS):
        started = time.monotonic()
        taken = store.turn([], wanted)[1]
        claim_ms.append(1e3 * (time.monotonic() - started))
        if len(taken) != 1:
            raise RuntimeError(f"{len(taken)} jobs were claimed instead of one")
        started = time.monotonic()
        enqueue(Mark(0.0), owner_id=1)
        enqueue_ms.append(1e3 * (time.monotonic() - started))
    store.close()
    return {
        "claim_p50_ms": statistics.median(claim_ms),
        "claim_p99_ms": sorted(claim_ms)[int(0.99 * N_CLAIMS)],
        "enqueue_p50_ms": statistics.median(enqueue_ms),
    }


def _make_users(count: int) -> None:
    fields = {"password": "-", "active": True}
    names = ({"email": f"u{n}@example.org", "fs_uniquifier": f"u{n}"} for n in range(1, count + 1))
    session.execute(insert(User), [{**fields, **name, "id": n} for n, name in enumerate(names, 1)])
    session.commit()


def idle(seconds: float) -> dict[str, float]:
    """Run a worker that has nothing to do; its queries, and its processor time in per cent of a core."""
    counts: Counter[str] = Counter()
    event.listen(db.engine, "before_cursor_execute", lambda *_: counts.update(queries=1))
    worker = build_worker(app, [note])
    figures: dict[str, float] = {}

    def watch() -> None:
        time.sleep(N_BEATS)  # until it has started
        counts.clear()
        started, cpu = time.monotonic(), time.process_time()
        time.sleep(seconds)
        took = time.monotonic() - started
        figures["queries_per_s"] = counts["queries"] / took
        figures["cpu_percent"] = 100 * (time.process_time() - cpu) / took
        worker.shutdown()

    threading.Thread(target=watch).start()
    worker.run()
    return figures


if __name__ == "__main__":
    app = create_app(load_config(ROOT / "config.toml", os.environ))
    role, *numbers = sys.argv[1:]
    with app.app_context():
        db.create_all()
        roles = {"fill": fill, "claims": claims, "idle": idle}
        print(json.dumps(roles[role](*map(int, numbers))))  # type: ignore[operator]
