"""Form fields that the dashboard needs beside those of WTForms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_admin.model.ajax import AjaxModelLoader
from sqlalchemy import Select
from wtforms import Field, ValidationError
from wtforms.fields import FileField, PasswordField, SelectMultipleField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from dashboard.core.database import session
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID

# Suggestions sent for one word.
MAX_SUGGESTIONS = 20


class RowLoader(AjaxModelLoader):
    """Suggests rows of another list by the start of their name, for a picker."""

    def __init__(self, name: str, query: Callable[[], Select[Any]], *, pk: Any, title: Any) -> None:
        super().__init__(name, {})
        self._query, self._pk, self._title = query, pk, title

    def format(self, model: Any) -> tuple[int, str]:
        return model.id, f"{getattr(model, self._title.key)} (#{model.id})"

    def get_one(self, pk: Any) -> Any:
        return session.scalar(self._query().where(self._pk == pk))

    def get_list(self, query: str, offset: int = 0, limit: int = MAX_SUGGESTIONS) -> list[Any]:
        # A prefix, so that an index on the name is of use however many rows there are.
        rows = self._query().order_by(self._title, self._pk)
        if query := (query or "").replace("\x00", ""):
            rows = rows.where(self._title.istartswith(query, autoescape=True))
        offset, limit = max(0, min(offset or 0, 1000)), max(1, min(limit, MAX_SUGGESTIONS))
        return list(session.scalars(rows.offset(offset).limit(limit)))

    def list_by_ids(self, ids: Sequence[int]) -> list[Any]:
        """The rows of these ids that exist, in the order of `ids`."""
        found = {row.id: row for row in session.scalars(self._query().where(self._pk.in_(ids)))}
        return [found[id] for id in ids if id in found]


@dataclass(frozen=True, slots=True)
class Picked:
    """One row in the list of a picker."""

    id: int
    label: str


class RowsField(Field):
    """Rows of another list in the order they were put in; `data` is the list of their ids."""

    data: list[int]

    def __init__(self, label: Any, *, loader: RowLoader, address: Callable[[], str], **kwargs: Any):
        super().__init__(label, **kwargs)
        self.loader, self.address = loader, address

    def process_data(self, value: Any) -> None:
        self.data = [getattr(row, "id", row) for row in value or []]

    def process_formdata(self, valuelist: list[str]) -> None:
        words = [word for value in valuelist for word in value.replace(",", " ").split()]
        wrong = [word for word in words if not _is_id(word)]
        if wrong:
            raise ValueError(_("“%(word)s” is not a number of the list.", word=wrong[0]))
        self.data = list(dict.fromkeys(int(word) for word in words))

    def pre_validate(self, form: Any) -> None:
        missing = set(self.data) - {row.id for row in self.loader.list_by_ids(self.data)}
        if missing:
            raise ValidationError(_("There is no number %(id)s in the list.", id=min(missing)))

    @property
    def picked(self) -> list[Picked]:
        """The rows of `data` with the words that name them."""
        rows = self.loader.list_by_ids(self.data or [])
        return [Picked(*self.loader.format(row)) for row in rows]

    def widget(self, field: "RowsField", **attributes: Any) -> Any:
        macros = current_app.jinja_env.get_template("admin/_picker.html").make_module()
        return macros.picker(field, attributes)  # type: ignore[attr-defined]


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdecimal() and 0 < int(word) <= MAX_ID


class MarkdownField(TextAreaField):
    """A long text in Markdown."""

    def __call__(self, **attributes: Any) -> Any:
        attributes["class"] = f"{attributes.get('class', '')} markdown"
        return super().__call__(**attributes)


class PictureField(FileField):
    """A picture to send; `data` is the uploaded file, or None when none was chosen."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        sent = [value for value in valuelist if getattr(value, "filename", "")]
        self.data = sent[0] if sent else None

    def process_data(self, value: Any) -> None:
        self.data = None

    def __call__(self, **attributes: Any) -> Any:
        return super().__call__(accept="image/png,image/jpeg,image/webp", **attributes)


class SelectMultipleCheckboxField(SelectMultipleField):
    """Some of a few choices, each with a box of its own."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NewPasswordField(PasswordField):
    """A password to set; what is stored never comes near the form."""

    def process_data(self, value: Any) -> None:
        self.data = ""

    def __call__(self, **attributes: Any) -> Any:
        return super().__call__(autocomplete="new-password", **attributes)


class WordsField(Field):
    """Words between commas, Chinese commas too; `data` is the list of them."""

    widget = TextInput()
    data: list[str]

    def process_data(self, value: Any) -> None:
        self.data = [str(word) for word in value or []]

    def process_formdata(self, valuelist: list[str]) -> None:
        parts = valuelist[0].replace("，", ",").replace("、", ",").split(",") if valuelist else []
        self.data = [part.strip() for part in parts if part.strip()]

    def _value(self) -> str:
        return ", ".join(self.data or [])
