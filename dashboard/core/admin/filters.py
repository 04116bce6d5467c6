"""Filters above the dashboard's lists; each is one argument of the address, such as flt_status=draft."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from sqlalchemy import ColumnElement, Select

PREFIX = "flt_"


class ListFilter(BaseSQLAFilter, ABC):
    """Narrows a list by one value."""

    # How the page asks for the value: "select" among get_options(), or an <input> of this type.
    control = "select"

    def __init__(self, key: str, label: Any, column: Any) -> None:
        super().__init__(column, label)
        self.key = key

    @property
    def argument(self) -> str:
        """The name of its argument in the address."""
        return f"{PREFIX}{self.key}"

    def operation(self) -> str:
        return "="

    def apply(self, query: Select[Any], value: Any, alias: Any = None) -> Select[Any]:
        return query.where(self.condition(value))

    @abstractmethod
    def condition(self, value: Any) -> ColumnElement[bool]:
        """What holds for the rows that stay."""


class Choice(ListFilter):
    """The rows whose column has the chosen value."""

    def __init__(
        self, key: str, label: Any, column: Any, choices: Mapping[Any, Any] | Callable[[], Any]
    ) -> None:
        super().__init__(key, label, column)
        self._choices = choices

    def choices(self) -> Mapping[Any, Any]:
        """Label by value, in the order shown."""
        return self._choices() if callable(self._choices) else self._choices

    def get_options(self, view: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in self.choices().items()]

    def clean(self, value: str) -> str:
        if value not in {str(choice) for choice in self.choices()}:
            raise ValueError(value)
        return value

    def condition(self, value: str) -> ColumnElement[bool]:
        return self.column == value  # type: ignore[no-any-return]


class YesNo(Choice):
    """The rows whose column is true, or is false."""

    def clean(self, value: str) -> Any:
        return super().clean(value) == "yes"

    def condition(self, value: Any) -> ColumnElement[bool]:
        return self.column.is_(value)  # type: ignore[no-any-return, union-attr]


class Matching(Choice):
    """The rows that meet the chosen condition: clauses by value."""

    def __init__(
        self,
        key: str,
        label: Any,
        column: Any,
        choices: Mapping[Any, Any] | Callable[[], Any],
        clause: Callable[[str], ColumnElement[bool]],
    ) -> None:
        super().__init__(key, label, column, choices)
        self._clause = clause

    def condition(self, value: str) -> ColumnElement[bool]:
        return self._clause(value)


class Day(ListFilter):
    """The rows from one day on (`until` false), or up to its end."""

    control = "date"

    def __init__(self, key: str, label: Any, column: Any, *, until: bool = False) -> None:
        super().__init__(key, label, column)
        self._until = until

    def clean(self, value: str) -> datetime:
        day = datetime.combine(date.fromisoformat(value), time.min)
        try:
            return day + timedelta(days=1) if self._until else day
        except OverflowError as error:
            raise ValueError(value) from error

    def condition(self, value: datetime) -> ColumnElement[bool]:
        return self.column < value if self._until else self.column >= value  # type: ignore[operator, return-value]
