"""Judged interactions laid aside in a temporary file, so that a large load needs little memory.

What stays in memory is who and what they are about. They come back person by person, which is how one can
tell what of theirs is stored already."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Self

from jobs.engines import collaborative_filtering as cf

LINES_AT_ONCE = 5_000


class Spooled(NamedTuple):
    """A line; user and item are places in `Spool.users` and `Spool.items`."""

    user: int
    item: int
    time_s: float
    rating: float | None
    watched: float | None


class Spool:
    """Close it to remove the file."""

    def __init__(self) -> None:
        # A database without a name is a file of SQLite's own in the temporary folder.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA temp_store = FILE")
        self._file.execute("CREATE TABLE line (user INT, item INT, time_s, rating, watched)")
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self.earliest_s = 0.0
        self.largest_rating = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def users(self) -> list[str]:
        """Ids as the files have them, in the order in which they come up there."""
        return list(self._users)

    @property
    def items(self) -> list[str]:
        return list(self._items)

    def add(self, lines: Iterable[cf.RatingLine]) -> None:
        """Lay all lines aside, some thousand at a time."""
        rows = map(self._row, lines)
        self._file.execute("BEGIN")
        while chunk := list(islice(rows, LINES_AT_ONCE)):
            self._file.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?)", chunk)
        self._file.execute("COMMIT")
        found = self._file.execute("SELECT min(time_s), max(rating) FROM line").fetchone()
        self.earliest_s, self.largest_rating = (value or 0.0 for value in found)

    def by_user(self, size: int) -> Iterator[list[Spooled]]:
        """All lines, those of a person together and in their order: about size at a time, no person in two lots."""
        query = "SELECT user, item, time_s, rating, watched FROM line ORDER BY user, rowid"
        lot: list[Spooled] = []
        with closing(self._file.execute(query)) as rows:
            for line in map(Spooled._make, rows):
                if len(lot) >= size and line.user != lot[-1].user:
                    yield lot
                    lot = []
                lot.append(line)
        if lot:
            yield lot

    def _row(self, line: cf.RatingLine) -> Spooled:
        # SQLite keeps NaN as NULL.
        return Spooled(
            user=self._users.setdefault(line.user_id, len(self._users)),
            item=self._items.setdefault(line.item_id, len(self._items)),
            time_s=line.time_s,
            rating=line.rating,
            watched=line.watched,
        )
