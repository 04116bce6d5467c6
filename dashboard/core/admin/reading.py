"""How the dashboard reads rows: one scope for lists, counts and single rows; pages that stay quick."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from flask import flash, request
from flask_admin.model.base import ViewArgs
from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from dashboard.core.admin.filters import ListFilter
from dashboard.core.database import contains, session
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID

# Beyond this many matches the list says "10000+": counting on would read the whole table.
MAX_COUNTED = 10_000
# Rows of an export that are in memory at once.
BATCH = 500
# Page numbers past this are nonsense, and a database refuses offsets past 2**63.
MAX_PAGE = 1_000_000


class Reading:
    """The reading half of a view. Replaces Flask-Admin's queries, which slow down on large tables."""

    model: ClassVar[Any]
    column_filters: ClassVar[Sequence[ListFilter]] = ()
    column_searchable_list: ClassVar[Sequence[str]] = ()
    # Loader options, so that a page of rows costs a fixed number of queries.
    load: ClassVar[Sequence[Any]] = ()
    _sortable_columns: dict[Any, Any]
    _filters: list[ListFilter]

    def scope(self, query: Select[Any]) -> Select[Any]:
        """The rows that this view is about; every way to a row goes through here."""
        return query

    def pk(self) -> InstrumentedAttribute[int]:
        """The column that identifies a row."""
        return self.model.id  # type: ignore[no-any-return]

    def get_query(self) -> Any:
        return self.scope(select(self.model))

    def get_count_query(self) -> Any:
        # func.count("*") would bind '*' as a value, which keeps SQLite from counting by an index.
        return self.scope(select(func.count()).select_from(self.model))

    def get_one(self, id: Any) -> Any:
        """The row with this id, or None: also when it is none of this view's."""
        number = _as_id(id)
        return None if number is None else session.scalar(self._by_ids([number]))

    def list_chosen(self, ids: Sequence[str]) -> list[Any]:
        """The rows of these ids that exist, oldest first."""
        numbers = {number for number in map(_as_id, ids) if number is not None}
        query = self._by_ids(sorted(numbers)).order_by(self.pk())
        return list(session.scalars(query).unique())

    def get_list(  # noqa: PLR0917 - Flask-Admin calls it so
        self,
        page: int | None,
        sort_column: Any,
        sort_desc: Any,
        search: str | None,
        filters: Any,
        execute: bool = True,
        page_size: int | None = None,
    ) -> tuple[int, list[Any]]:
        """How many rows match (at most MAX_COUNTED + 1 are counted), and one page of them."""
        narrowed = self._narrow(self.get_query(), search, filters)
        query = self._ordered(narrowed, sort_column, sort_desc)
        if page_size:
            query = query.limit(page_size).offset(min(max(page or 0, 0), MAX_PAGE) * page_size)
        rows = list(session.scalars(query.options(*self.load)).unique())
        return self._count(narrowed, narrow=bool(search or filters)), rows

    def each_row(self, query: Select[Any]) -> Iterator[Any]:
        """Every row of `query` in its order, a few at a time, whatever their number."""
        ids = session.scalars(query.with_only_columns(self.pk())).all()
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            found = {row.id: row for row in session.scalars(self._by_ids(batch)).unique()}
            yield from (found[id] for id in batch if id in found)
            for row in found.values():
                session.expunge(row)

    def search_condition(self, term: str) -> ColumnElement[bool]:
        """What holds for the rows that a word of the search box finds."""
        pattern = contains(term)
        found: list[ColumnElement[bool]] = [
            getattr(self.model, name).ilike(pattern, escape="\\")
            for name in self.column_searchable_list
        ]
        number = _as_id(term)
        if number is not None:
            found.append(self.pk() == number)
        return or_(false(), *found)

    def _by_ids(self, ids: Sequence[int]) -> Any:
        return self._loaded().where(self.pk().in_(ids))

    def _loaded(self) -> Any:
        return self.get_query().options(*self.load)

    def _narrow(self, query: Select[Any], search: str | None, filters: Any) -> Select[Any]:
        for term in (search or "").split():
            query = query.where(self.search_condition(term))
        for index, _name, value in filters or []:
            row_filter = self._filters[index]
            query = row_filter.apply(query, row_filter.clean(value))
        return query

    def _ordered(self, query: Select[Any], column: Any, descending: Any) -> Select[Any]:
        # Equal values are ordered by id, so that no row is shown on two pages or on none.
        if column is None or column not in self._sortable_columns:
            return query.order_by(self.pk().desc())
        key = self._sortable_columns[column]
        order = key.desc() if descending else key.asc()
        return query.order_by(order, self.pk().desc() if descending else self.pk())

    def _count(self, query: Select[Any], *, narrow: bool) -> int:
        if not narrow:
            return session.scalar(self.get_count_query()) or 0
        some = query.with_only_columns(self.pk()).limit(MAX_COUNTED + 1).subquery()
        return session.scalar(select(func.count()).select_from(some)) or 0

    # ------------------------------------------------------------------ what stands in the address

    def _refresh_filters_cache(self) -> None:
        # Flask-Admin would fix the labels' language here, before the first visitor comes.
        self._filters = list(self.column_filters)
        self._filter_groups = None
        self._filter_args = None

    def _get_list_filter_args(self) -> list[Any]:
        found = []
        for index, row_filter in enumerate(self._filters):
            value = request.args.get(row_filter.argument, "")
            if value and row_filter.validate(value):
                found.append((index, str(row_filter.name), value))
            elif value:
                flash(
                    _("%(name)s cannot be “%(value)s”.", name=row_filter.name, value=value), "error"
                )
        return found

    def _get_filters(self, filters: Any) -> dict[str, Any]:
        return {self._filters[index].argument: value for index, _name, value in filters or []}

    def _get_list_extra_args(self) -> ViewArgs:
        arguments: ViewArgs = super()._get_list_extra_args()  # type: ignore[misc]
        # Whatever else stands in the address must not reach url_for(): it knows names like _scheme.
        arguments.extra_args = {}
        arguments.page = min(max(arguments.page or 0, 0), MAX_PAGE)
        arguments.search = (arguments.search or "").replace("\x00", "").strip()[:200] or None
        return arguments


def _as_id(text: Any) -> int | None:
    digits = str(text)
    # Python refuses to read thousands of digits; a longer text names no row in any case.
    if len(digits) > len(str(MAX_ID)) or not (digits.isascii() and digits.isdecimal()):
        return None
    return int(digits) if 0 < int(digits) <= MAX_ID else None
