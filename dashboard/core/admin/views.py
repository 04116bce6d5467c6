"""The base of every list of rows in the dashboard: what it shows is said column by column.

A view names its columns (nothing is shown by default), reads through its scope and writes through the
services of its domain. See dashboard/accounts/admin.py for one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from flask import Response, request, stream_with_context, url_for
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm
from flask_admin.model.template import BaseListRowAction
from markupsafe import Markup
from sqlalchemy import Select

from dashboard.core.admin import exporting
from dashboard.core.admin.filters import ListFilter
from dashboard.core.admin.pages import AdminPage, Figure
from dashboard.core.admin.reading import MAX_COUNTED
from dashboard.core.admin.writing import Writing
from dashboard.core.database import db, session, utcnow
from dashboard.core.errors import NotFound
from dashboard.core.i18n import _, lazy

# What a view must say about its columns: a forgotten list would show a table's every column.
REQUIRED = ("column_list", "column_details_list", "column_export_list")


class MissingColumns(TypeError):
    """A view of the dashboard does not say which columns it shows."""


def yes_or_no(_view: Any, value: bool, _name: str) -> str:
    """A truth as a word."""
    return _("Yes") if value else _("No")


def moment(_view: Any, value: datetime, _name: str) -> Markup:
    """A moment to the minute; the full one, and its zone, in the tooltip."""
    return Markup('<time datetime="{}Z" title="{} UTC">{}</time>').format(
        value.isoformat(timespec="seconds"),
        value.isoformat(sep=" ", timespec="seconds"),
        value.strftime("%Y-%m-%d %H:%M"),
    )


def nothing(_view: Any, _value: None, _name: str) -> Markup:
    """A dash where there is no value."""
    return Markup('<span class="muted">–</span>')


def words(_view: Any, value: Sequence[Any], _name: str) -> str:
    """A list as text."""
    return ", ".join(str(part) for part in value)


FORMATTERS: dict[type, Callable[..., Any]] = {
    type(None): nothing,
    bool: yes_or_no,
    datetime: moment,
    list: words,
}


class AtriumModelView(Writing, AdminPage, ModelView):
    """A list of rows with its forms, details, exports and actions. Subclasses set `model` and columns."""

    column_list: ClassVar[Sequence[str]]
    column_details_list: ClassVar[Sequence[str]]
    column_export_list: ClassVar[Sequence[str]]
    # Only indexed columns: sorting by another one reads the whole table.
    column_sortable_list: ClassVar[Sequence[Any]] = ()
    column_filters: ClassVar[Sequence[ListFilter]] = ()
    column_type_formatters = FORMATTERS
    column_type_formatters_detail = FORMATTERS
    column_formatters: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    # An export holds values, not the markup of the list.
    column_formatters_export: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    column_extra_row_actions: ClassVar[list[BaseListRowAction]] = []
    column_auto_select_related = False
    column_select_related_list: ClassVar[list[Any]] = []
    # A form for new rows and one for existing ones; the names of their fields are what may be changed.
    create_fields: ClassVar[type | None] = None
    edit_fields: ClassVar[type | None] = None
    can_create = can_edit = can_delete = False
    can_view_details = True
    can_export = True
    can_set_page_size = True
    page_size = 25
    page_size_options = (25, 50, 100)
    export_types = ("csv", "xlsx")
    list_template = "admin/model/list.html"
    # Said where there are no rows yet, and where none matches.
    empty_title: ClassVar[Any] = lazy("Nothing here yet")
    empty_text: ClassVar[Any] = ""
    description_text: ClassVar[Any] = ""

    def __init__(self) -> None:
        missing = [name for name in REQUIRED if getattr(self, name, None) is None]
        missing += ["create_fields"] if self.can_create and self.create_fields is None else []
        missing += ["edit_fields"] if self.can_edit and self.edit_fields is None else []
        if missing:
            raise MissingColumns(f"{type(self).__name__} does not set {', '.join(missing)}")
        ModelView.__init__(
            self, self.model, db, self.label, endpoint=self.endpoint_name(), url=self.slug
        )

    def get_create_form(self) -> Any:
        return self.create_fields or BaseForm

    def get_edit_form(self) -> Any:
        return self.edit_fields or BaseForm

    def scaffold_auto_joins(self) -> list[Any]:
        # Relations are loaded by `load`, which says which and how.
        return []

    def count_text(self, count: int) -> str:
        """How many rows match, as the list says it."""
        return f"{MAX_COUNTED}+" if count > MAX_COUNTED else str(count)

    def active_filters(self) -> dict[str, str]:
        """The values of the filters in the address, by argument."""
        names = [row_filter.argument for row_filter in self._filters]
        return {name: request.args[name] for name in names if request.args.get(name)}

    def figures(self) -> list[Figure]:
        """How many rows there are."""
        count = session.scalar(self.get_count_query()) or 0
        return [Figure(self.label, count, url_for(f"{self.endpoint}.index_view"))]

    def row_links(self, row: Any) -> list[tuple[str, str, Any]]:
        """Further links of a row: (address, icon, label)."""
        return []

    def page_links(self) -> list[tuple[str, str, Any]]:
        """Further buttons above the list: (address, icon, label)."""
        return []

    def page_buttons(self) -> list[tuple[str, str, Any]]:
        """Further things to do, each a form that is one button above the list: (address, icon, label)."""
        return []

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The rows that the list shows, all pages of them, as a file."""
        if not self.can_export or export_type not in self.export_types:
            raise NotFound()
        titles = [title for _name, title in self._export_columns]
        cells = self._cells(self._exported())
        response = (
            Response(stream_with_context(exporting.as_csv(titles, cells)))
            if export_type == "csv"
            else Response(exporting.as_xlsx(titles, cells))
        )
        response.content_type = exporting.MIME[export_type]
        name = f"{self.slug}-{utcnow():%Y-%m-%d}.{export_type}"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response

    def _exported(self) -> Select[Any]:
        arguments = self._get_list_extra_args()
        column = self._get_column_by_idx(arguments.sort)
        query = self._narrow(self.get_query(), arguments.search, arguments.filters)
        return self._ordered(query, column[0] if column else None, arguments.sort_desc)

    def _cells(self, query: Select[Any]) -> Iterator[list[Any]]:
        for row in self.each_row(query):
            yield [self._exported_value(row, name) for name, _title in self._export_columns]

    def _exported_value(self, row: Any, name: str) -> Any:
        formatter = self.column_formatters_export.get(name)
        value = formatter(self, None, row, name) if formatter else getattr(row, name)
        if isinstance(value, Enum):
            return value.value
        return words(self, value, name) if isinstance(value, list) else value
