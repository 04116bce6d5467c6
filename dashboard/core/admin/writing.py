"""How the dashboard changes rows: through the domain's services, and never without being sure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.actions import action
from flask_admin.babel import ngettext
from flask_admin.helpers import get_redirect_target
from werkzeug.wrappers import Response

from dashboard.core.admin.losses import lost_with
from dashboard.core.admin.reading import Reading
from dashboard.core.database import session, transaction
from dashboard.core.errors import DomainError, Forbidden, NotFound
from dashboard.core.i18n import _, lazy

T = TypeVar("T")
# A page that asks names this many rows and counts the rest.
MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class Loss:
    """A row that is about to be changed for good, and what goes with it."""

    name: str
    also: list[str] = field(default_factory=list)


class Writing(Reading):
    """The writing half of a view. Subclasses call their domain's services in create, update and delete."""

    can_create: bool
    can_edit: bool
    can_delete: bool

    def create(self, form: Any) -> Any:
        """Make a row of what the form says; the new row."""
        raise Forbidden()

    def update(self, row: Any, form: Any) -> None:
        """Change the row to what the form says."""
        raise Forbidden()

    def delete(self, row: Any) -> None:
        """Delete the row and what belongs to it."""
        raise Forbidden()

    def row_name(self, row: Any) -> str:
        """What the row is called in questions and labels."""
        return str(row)

    def losses(self, rows: Sequence[Any]) -> list[Loss]:
        """What deleting `rows` destroys; for the page that asks."""
        lost = lost_with(self.model.__tablename__, [row.id for row in rows])
        return [Loss(self.row_name(row), lost[row.id]) for row in rows]

    # ------------------------------------------------------------------ called by Flask-Admin's pages

    def create_model(self, form: Any) -> Any:
        return self._attempt(lambda: self.create(form), form)

    def update_model(self, form: Any, model: Any) -> bool:
        return self._succeeds(lambda: self.update(model, form), form)

    def delete_model(self, model: Any) -> bool:
        return self._succeeds(lambda: self.delete(model))

    def handle_view_exception(self, exc: Exception) -> bool:
        """Tell the visitor what rule was broken; False when it was no rule."""
        if not isinstance(exc, DomainError):
            return False
        flash(exc.message, "danger")
        return True

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Any:
        """Ask before deleting one row; delete it once `confirm=yes` comes with the form."""
        if not self.can_delete:
            raise Forbidden()
        row = self.get_one(request.form.get("id", ""))
        if row is None:
            raise NotFound()
        if not _is_confirmed():
            return self._ask(".delete_view", {"id": row.id}, self.losses([row]), _("Delete"))
        if self.delete_model(row):
            _say_deleted(1)
        return self._back()

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        """Do to every chosen row what the button says; asks first when the action wants that."""
        name, ids = request.form.get("action", ""), request.form.getlist("rowid")
        if name not in self._actions_data or not self.is_action_allowed(name):  # type: ignore[attr-defined]
            raise NotFound()
        handler, label, question = self._actions_data[name]  # type: ignore[attr-defined]
        rows = self.list_chosen(ids)
        if not rows:
            flash(_("Select at least one row first."), "error")
        elif question and not _is_confirmed():
            losses = self.losses(rows) if name == "delete" else _names(self, rows)
            fields = {"action": name, "rowid": [row.id for row in rows]}
            return self._ask(".action_view", fields, losses, label, question)
        else:
            handler(rows)
        return self._back()

    @action("delete", lazy("Delete"), lazy("Do you want to delete these rows?"))
    def action_delete(self, rows: list[Any]) -> None:
        self.each(rows, self.delete, _say_deleted)

    def is_action_allowed(self, name: str) -> bool:
        return name != "delete" or self.can_delete

    def each(
        self, rows: Sequence[Any], change: Callable[[Any], Any], say: Callable[[int], None]
    ) -> None:
        """Change all rows or, when one may not be changed, none; then say how many."""

        def change_all() -> int:
            with transaction():
                for row in rows:
                    change(row)
            return len(rows)

        if count := self._attempt(change_all):
            say(count)

    def _attempt(self, change: Callable[[], T], form: Any = None) -> T | None:
        """The result of `change`, or None when a rule was broken: then the form or a message says which."""
        try:
            return change()
        except DomainError as error:
            session.rollback()
            left = [problem for problem in error.problems if not _mark(form, problem)]
            if not error.problems:
                self.handle_view_exception(error)
            for problem in left:
                flash(problem.message, "danger")
            return None

    def _succeeds(self, change: Callable[[], None], form: Any = None) -> bool:
        def change_and_say_so() -> bool:
            change()
            return True

        return self._attempt(change_and_say_so, form) or False

    def _ask(
        self, endpoint: str, fields: dict[str, Any], losses: list[Loss], label: Any, text: Any = ""
    ) -> str:
        hidden = {"url": get_redirect_target() or "", **fields}
        return self.render(  # type: ignore[attr-defined, no-any-return]
            "admin/confirm.html",
            action=self.get_url(endpoint),  # type: ignore[attr-defined]
            hidden=hidden,
            losses=losses[:MAX_NAMED],
            n_more=max(0, len(losses) - MAX_NAMED),
            label=label,
            question=text or _("Do you want to delete this?"),
            return_url=get_redirect_target() or self.get_url(".index_view"),  # type: ignore[attr-defined]
        )

    def _back(self) -> Response:
        return redirect(get_redirect_target() or self.get_url(".index_view"))  # type: ignore[attr-defined, no-any-return]


def _is_confirmed() -> bool:
    return request.form.get("confirm") == "yes"


def _names(view: Writing, rows: Sequence[Any]) -> list[Loss]:
    return [Loss(view.row_name(row)) for row in rows]


def _say_deleted(count: int) -> None:
    flash(
        ngettext(
            "Record was successfully deleted.",
            "%(count)s records were successfully deleted.",
            count,
            count=count,
        ),
        "success",
    )


def _mark(form: Any, problem: Any) -> bool:
    """Put the problem beside the field it is about; False when the form has no such field."""
    if form is None or problem.field not in form:
        return False
    form[problem.field].errors = [*form[problem.field].errors, problem.message]
    return True
