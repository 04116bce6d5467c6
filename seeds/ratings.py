"""Interactions of real people from files: `run.py seed --ratings FILE... [--items FILE] [--dry-run]`.

The whole of every file is checked first; then all of it is stored in one transaction, or nothing. Loading the same
files again adds nothing; a dry run stores nothing and says what would be. People come in under a number, inactive: nobody can sign in as one of them.
"""

import math
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    kinds: Counter[str] | None = None
    dry_run: bool = False

    def __str__(self) -> str:
        kinds = self.kinds or Counter()
        events = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "none"
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
    try:
        ratings = rating_files.read(files)
        texts = cf.read_items(items) if items else None
    except cf.InvalidRatings as error:
        raise _invalid(error) from error
    except OSError as error:
        message = f"{error.filename}: {error.strerror}"
        raise Invalid(message) from error
    loaded = Loaded(_source_of(files[0]), dry_run=dry_run)
    if dry_run:
        _prepare(loaded, ratings, texts)
        return str(loaded)
    with transaction():
        user_ids, new = _prepare(loaded, ratings, texts)
        for chunk in _chunks(new):
            session.execute(insert(Event), chunk)
        _store_present_ratings(user_ids)
        audit.record(actor_id=None, action="catalogue.load_ratings", summary=str(loaded))
        if new:
            enqueue(TrainRecommender(), owner_id=None, unique_key="recommendations.train")
    return str(loaded)


def _prepare(
    loaded: Loaded, ratings: cf.Ratings, texts: cf.ItemTexts | None
) -> tuple[list[int], list[EventRow]]:
    """The people of the files and what of their events is new; makes the people and items, but in a dry run."""
    source, dry_run = loaded.source, loaded.dry_run
    item_ids = rated_items.load(
        source, ratings, texts, loaded_at=_earliest(ratings), dry_run=dry_run
    )
    loaded.n_items = item_ids.n_new
    user_ids, loaded.n_users = _load_users(source, ratings, dry_run=dry_run)
    new, loaded.n_known = _new_events(_event_rows(ratings, user_ids, item_ids.by_label))
    loaded.kinds = Counter(row["kind"] for row in new)
    return list(user_ids.values()), new


def _invalid(error: cf.InvalidRatings) -> Invalid:
    problems = [Problem(f"{one.file}, line {one.line}", one.text) for one in error.problems]
    return Invalid("the files hold problems; nothing was loaded", problems=problems)


def _source_of(path: Path) -> str:
    """The name of the folder that the files come from: mars for ratings/mars/views.csv."""
    name = re.sub(r"[^a-z0-9]+", "", path.resolve().parent.name.lower())[:MAX_SOURCE]
    return name or "csv"


def _earliest(ratings: cf.Ratings) -> datetime:
    return _time(float(ratings.times_s.min())) if len(ratings.times_s) else _time(0.0)


# ----------------------------------------------------------------------------------------------- people


def _load_users(source: str, ratings: cf.Ratings, *, dry_run: bool) -> tuple[dict[Any, int], int]:
    """The row of every person in the files, made where missing, and how many were made.

    A dry run makes none and gives them numbers below 0."""
    names = {
        label: user_name(source, str(label)) for label in dict.fromkeys(ratings.user_ids.tolist())
    }
    known = _known_users(source)
    missing = [name for name in names.values() if name not in known]
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
    return {label: known[name] for label, name in names.items()}, len(missing)


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
    ratings: cf.Ratings, user_ids: dict[Any, int], item_ids: dict[str, int]
) -> Iterator[EventRow]:
    given = [value for value in ratings.ratings.tolist() if not math.isnan(value)]
    # A scale of ten is halved; 1 to 5 stays.
    scale = 1.0 if max(given, default=0.0) <= STARS else STARS / 10
    for user, item, time_s, rating, watched in zip(
        ratings.user_ids.tolist(),
        ratings.item_ids.tolist(),
        ratings.times_s.tolist(),
        ratings.ratings.tolist(),
        ratings.watched.tolist(),
        strict=True,
    ):
        row = {
            "user_id": user_ids[user],
            "item_id": item_ids[str(item)],
            "created_at": _time(time_s),
        }
        if math.isnan(rating):
            yield {**row, "kind": EventKind.VIEW.value, "value": None}
        else:
            stars = float(min(STARS, max(1, math.ceil(rating * scale))))
            yield {**row, "kind": EventKind.RATING.value, "value": stars}
        if watched > 0:
            yield {**row, "kind": EventKind.WATCH.value, "value": watched / 100}


def _new_events(rows: Iterator[EventRow]) -> tuple[list[EventRow], int]:
    """The rows that are not stored yet, and how many are. The same event twice in a file counts twice."""
    wanted = list(rows)
    known = _known_events({row["user_id"] for row in wanted})
    new: list[EventRow] = []
    for row in wanted:
        key = (row["user_id"], row["item_id"], row["kind"], row["created_at"])
        if known[key]:
            known[key] -= 1
        else:
            new.append(row)
    return new, len(wanted) - len(new)


def _known_events(user_ids: set[int]) -> Counter[tuple[int, int, str, datetime]]:
    known: Counter[tuple[int, int, str, datetime]] = Counter()
    columns = (Event.user_id, Event.item_id, Event.kind, Event.created_at)
    for chunk in _chunks(sorted(user_ids), size=500):
        query = select(*columns).where(Event.user_id.in_(chunk))
        known.update((row[0], row[1], row[2], row[3]) for row in session.execute(query))
    return known


def _store_present_ratings(user_ids: list[int]) -> None:
    """The newest rating of each person and item is the one that holds."""
    newest: dict[tuple[int, int], EventRow] = {}
    for chunk in _chunks(user_ids, size=500):
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
