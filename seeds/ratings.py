"""Interactions of real people from files: `run.py seed --ratings FILE... [--items FILE] [--dry-run]`.

The whole of every file is checked first and laid aside on disk; then all of it is stored in one transaction, or nothing. Loading the same
files again adds nothing; a dry run stores nothing and says what would be. People come in under a number, inactive: nobody can sign in as one of them.
"""

import math
import re
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from dashboard.accounts import passwords
from dashboard.accounts.models import RoleName, User, user_role
from dashboard.accounts.services import checks
from dashboard.activity.models import Event, EventKind, Rating
from dashboard.audit import services as audit
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, Problem
from dashboard.job_queue.services import enqueue
from dashboard.recommendations.messages import TrainRecommender
from jobs.engines import collaborative_filtering as cf
from seeds import rated_items, rating_files
from seeds.rating_spool import Spool, Spooled

# Rows that one INSERT carries.
CHUNK = 5_000
MAX_SOURCE = 12
MAX_USER_NAME = 30
STARS = 5
_PLAIN_ID = re.compile(r"[a-z0-9._-]+\Z")

EventRow = dict[str, Any]


@dataclass(slots=True)
class Loaded:
    """How much came in."""

    source: str
    n_items: int = 0
    n_users: int = 0
    n_known: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    dry_run: bool = False

    def __str__(self) -> str:
        events = (
            ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.kinds.items())) or "none"
        )
        loaded = "dry run, nothing is stored; would load" if self.dry_run else "loaded"
        lines = [
            f"{loaded} from {self.source}: {self.n_items:,} new items, {self.n_users:,} new users",
            f"new events: {events}",
        ]
        if self.n_known:
            lines.append(f"{self.n_known:,} events were there already")
        return "\n".join(lines)


def load(files: Sequence[Path], items: Path | None = None, *, dry_run: bool = False) -> str:
    """Load interactions, and the items they are about, and say how much that was, or would be.

    Raises Invalid, which names every problem with its file and line, before anything is stored.
    """
    with Spool() as spool:
        texts = _judge(files, items, spool)
        loaded = Loaded(_source_of(files[0]), dry_run=dry_run)
        if dry_run:
            _load(loaded, spool, texts)
            return str(loaded)
        with transaction():
            user_ids = _load(loaded, spool, texts)
            _store_present_ratings(user_ids)
            audit.record(actor_id=None, action="catalogue.load_ratings", summary=str(loaded))
            if loaded.kinds:
                enqueue(TrainRecommender(), owner_id=None, unique_key="recommendations.train")
    return str(loaded)


def _judge(files: Sequence[Path], items: Path | None, spool: Spool) -> cf.ItemTexts | None:
    """Every line of every file: into the spool, or named."""
    problems: list[cf.Problem] = []
    try:
        spool.add(line for line in rating_files.lines(files, problems) if not problems)
        if problems:
            raise cf.InvalidRatings(problems)
        return cf.read_items(items) if items else None
    except cf.InvalidRatings as error:
        raise _invalid(error) from error
    except OSError as error:
        message = f"{error.filename}: {error.strerror}"
        raise Invalid(message) from error
    except sqlite3.Error as error:
        message = f"the lines cannot be laid aside in the temporary folder: {error}"
        raise Invalid(message) from error


def _load(loaded: Loaded, spool: Spool, texts: cf.ItemTexts | None) -> list[int]:
    """Store people, items and what of the events is new, or in a dry run only count it; the people's rows."""
    source, dry_run = loaded.source, loaded.dry_run
    start = _time(spool.earliest_s)
    items = rated_items.load(source, spool.items, texts, loaded_at=start, dry_run=dry_run)
    loaded.n_items = items.n_new
    item_ids = [items.by_label[label] for label in spool.items]
    user_ids, loaded.n_users = _load_users(source, spool.users, dry_run=dry_run)
    # A scale of ten is halved; 1 to 5 stays.
    scale = 1.0 if spool.largest_rating <= STARS else STARS / 10
    for lot in spool.by_user(CHUNK):
        rows = [row for line in lot for row in _event_rows(line, user_ids, item_ids, scale)]
        new = _new_events(rows)
        loaded.n_known += len(rows) - len(new)
        loaded.kinds.update(row["kind"] for row in new)
        if not dry_run:
            for chunk in _chunks(new):
                session.execute(insert(Event), chunk)
    return user_ids


def _invalid(error: cf.InvalidRatings) -> Invalid:
    problems = [Problem(f"{one.file}, line {one.line}", one.text) for one in error.problems]
    return Invalid("the files hold problems; nothing was loaded", problems=problems)


def _source_of(path: Path) -> str:
    """The name of the folder that the files come from: mars for ratings/mars/views.csv."""
    name = re.sub(r"[^a-z0-9]+", "", path.resolve().parent.name.lower())[:MAX_SOURCE]
    return name or "csv"


# ----------------------------------------------------------------------------------------------- people


def _load_users(source: str, labels: list[str], *, dry_run: bool) -> tuple[list[int], int]:
    """The row of every person in the files, in their order, made where missing, and how many were made.

    A dry run makes none and gives them numbers below 0."""
    names = [user_name(source, label) for label in labels]
    known = _known_users(source)
    missing = [name for name in names if name not in known]
    if dry_run:
        known |= {name: -place for place, name in enumerate(missing, start=1)}
    elif missing:
        # One hash for all: it is slow on purpose, and the password is forgotten at once.
        nobody_knows = passwords.hash_password(secrets.token_urlsafe(32))
        for chunk in _chunks(missing):
            rows = [
                {"user_name": name, "password": nobody_knows, "active": False, "nickname": ""}
                for name in chunk
            ]
            session.execute(insert(User), rows)
        known = _known_users(source)
        learner = checks.find_roles([RoleName.LEARNER])[0].id
        grants = [{"user_id": known[name], "role_id": learner} for name in missing]
        for grant_chunk in _chunks(grants):
            session.execute(insert(user_role), grant_chunk)
    return [known[name] for name in names], len(missing)


def _known_users(source: str) -> dict[str, int]:
    query = select(User.user_name, User.id).where(
        User.user_name.startswith(f"{source}-", autoescape=True)
    )
    return {str(name): user_id for name, user_id in session.execute(query)}


def user_name(source: str, label: str) -> str:
    """The username of a person in the files; an id that may say who she is becomes a hash."""
    name = f"{source}-{label}"
    if len(name) <= MAX_USER_NAME and _PLAIN_ID.match(label):
        return name
    digest = sha256(label.encode()).hexdigest()
    return f"{source}-{digest}"[:MAX_USER_NAME]


# ----------------------------------------------------------------------------------------------- events


def _event_rows(
    line: Spooled, user_ids: list[int], item_ids: list[int], scale: float
) -> Iterator[EventRow]:
    row = {
        "user_id": user_ids[line.user],
        "item_id": item_ids[line.item],
        "created_at": _time(line.time_s),
    }
    if line.rating is None:
        yield {**row, "kind": EventKind.VIEW.value, "value": None}
    else:
        stars = float(min(STARS, max(1, math.ceil(line.rating * scale))))
        yield {**row, "kind": EventKind.RATING.value, "value": stars}
    if line.watched:
        yield {**row, "kind": EventKind.WATCH.value, "value": line.watched / 100}


def _new_events(rows: list[EventRow]) -> list[EventRow]:
    """Those of whole people that are not stored yet. The same event twice in a file counts twice."""
    known = _known_events({row["user_id"] for row in rows})
    new: list[EventRow] = []
    for row in rows:
        key = (row["user_id"], row["item_id"], row["kind"], row["created_at"])
        if known[key]:
            known[key] -= 1
        else:
            new.append(row)
    return new


def _known_events(user_ids: set[int]) -> Counter[tuple[int, int, str, datetime]]:
    known: Counter[tuple[int, int, str, datetime]] = Counter()
    columns = (Event.user_id, Event.item_id, Event.kind, Event.created_at)
    for chunk in _chunks(sorted(user_ids), size=500):
        query = select(*columns).where(Event.user_id.in_(chunk))
        known.update((row[0], row[1], row[2], row[3]) for row in session.execute(query))
    return known


def _store_present_ratings(user_ids: list[int]) -> None:
    """The newest rating of each person and item is the one that holds."""
    for chunk in _chunks(user_ids, size=500):
        newest: dict[tuple[int, int], EventRow] = {}
        query = (
            select(Event.user_id, Event.item_id, Event.value, Event.created_at)
            .where(Event.user_id.in_(chunk), Event.kind == EventKind.RATING)
            .order_by(Event.created_at, Event.id)
        )
        for user_id, item_id, value, at in session.execute(query):
            row = {"user_id": user_id, "item_id": item_id, "updated_at": at}
            newest[user_id, item_id] = {**row, "stars": int(value or 1)}
        session.execute(delete(Rating).where(Rating.user_id.in_(chunk)))
        for rows in _chunks(list(newest.values())):
            session.execute(insert(Rating), rows)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _chunks(rows: list[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
