"""A file of interactions brought in: all of it in one transaction, or nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from dashboard.accounts.models import User
from dashboard.activity.models import Event, EventKind, Favourite, Rating
from dashboard.audit import services as audit
from dashboard.catalogue.models import Item
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.recommendations import queries
from dashboard.recommendations.services import refreshing
from dashboard.recommendations.services.reading import Line, Row, read_lines
from dashboard.recommendations.services.transfer import ROWS_AT_ONCE, Format

# Bad lines that one answer names; more are counted.
MOST_NAMED = 10_000

Key = tuple[int, int, str, datetime]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came in, or would."""

    n_lines: int
    n_new: int
    n_known: int
    """Lines whose event was there already, or stood in the file before."""
    dry_run: bool


def import_interactions(path: Path, *, form: Format, dry_run: bool, actor_id: int) -> Imported:
    """Store the interactions of a file that are not stored yet.

    Read twice: the first time every line is judged, and nothing is stored when one is bad.
    Raises Invalid, which names the bad lines, MOST_NAMED at most."""
    counts = _judge(path, form)
    if dry_run:
        return Imported(*counts, dry_run=True)
    with transaction():
        n_lines = n_new = 0
        last_event_id = queries.last_event_id()
        seen: set[Key] = set()
        for rows in _chunks(read_lines(path, form)):
            new = _unknown(rows, seen)
            n_lines, n_new = n_lines + len(rows), n_new + len(new)
            _store(new)
        if n_new:
            refreshing.set_back(last_event_id)
        audit.record(
            actor_id=actor_id,
            action="recommendations.import",
            summary=f"{n_new} new events, {n_lines - n_new} known",
        )
    return Imported(n_lines, n_new, n_lines - n_new, dry_run=False)


def _judge(path: Path, form: Format) -> tuple[int, int, int]:
    problems: list[Problem] = []
    n_bad = n_lines = n_new = 0
    seen: set[Key] = set()
    for lines in _groups(read_lines(path, form)):
        n_lines += len(lines)
        faults = _faults(lines)
        n_bad += len(faults)
        problems += [
            Problem(_("line %(number)s", number=number), fault)
            for number, fault in islice(faults.items(), MOST_NAMED - len(problems))
        ]
        if not n_bad:
            n_new += len(_unknown([line.row for line in lines if line.row], seen))
    if n_bad:
        message = _("%(count)s lines cannot be used; nothing was stored.", count=n_bad)
        raise Invalid(message, problems=problems)
    return n_lines, n_new, n_lines - n_new


def _faults(lines: list[Line]) -> dict[int, str]:
    """What is wrong with which line; users and items that the portal does not have among it."""
    rows = [line.row for line in lines if line.row]
    users = _existing(User.id, {row.user_id for row in rows})
    items = _existing(Item.id, {row.item_id for row in rows})
    faults: dict[int, str] = {}
    for line in lines:
        if line.row is None:
            faults[line.number] = line.fault
        elif line.row.user_id not in users:
            faults[line.number] = _("there is no user %(id)s", id=line.row.user_id)
        elif line.row.item_id not in items:
            faults[line.number] = _("there is no item %(id)s", id=line.row.item_id)
    return faults


def _existing(column: Any, ids: set[int]) -> set[int]:
    return set(session.scalars(select(column).where(column.in_(ids))))


def _unknown(rows: list[Row], seen: set[Key]) -> list[Row]:
    """The rows that neither the table nor an earlier line has."""
    if not rows:
        return []
    times = [row.created_at for row in rows]
    columns = (Event.user_id, Event.item_id, Event.kind, Event.created_at)
    query = select(*columns).where(
        Event.user_id.in_({row.user_id for row in rows}),
        Event.created_at.between(min(times), max(times)),
    )
    known: set[Key] = {(a, b, c, d) for a, b, c, d in session.execute(query)}
    new = []
    for row in rows:
        key = (row.user_id, row.item_id, row.kind, row.created_at)
        if key not in known and key not in seen:
            seen.add(key)
            new.append(row)
    return new


def _store(rows: list[Row]) -> None:
    if not rows:
        return
    columns = ("user_id", "item_id", "kind", "value", "created_at")
    session.execute(insert(Event), [{name: getattr(row, name) for name in columns} for row in rows])
    for row in rows:
        if row.kind == EventKind.RATING:
            _rate(row)
        elif row.kind == EventKind.FAVOURITE:
            _keep(row)
    session.flush()


def _keep(row: Row) -> None:
    if session.get(Favourite, (row.user_id, row.item_id)) is None:
        session.add(Favourite(user_id=row.user_id, item_id=row.item_id, created_at=row.created_at))
        # Seen by the next line about the same two.
        session.flush()


def _rate(row: Row) -> None:
    """The newest rating is the one that holds."""
    rating = session.get(Rating, (row.user_id, row.item_id))
    if rating is None:
        rating = Rating(user_id=row.user_id, item_id=row.item_id)
        session.add(rating)
    elif rating.updated_at > row.created_at:
        return
    rating.stars, rating.updated_at = int(row.value or 1), row.created_at


def _groups(lines: Iterable[Line]) -> Iterator[list[Line]]:
    source = iter(lines)
    while group := list(islice(source, ROWS_AT_ONCE)):
        yield group


def _chunks(lines: Iterable[Line]) -> Iterator[list[Row]]:
    for group in _groups(lines):
        yield [line.row for line in group if line.row]
