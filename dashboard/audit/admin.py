"""The audit log in the dashboard: to read, never to change."""

from typing import Any

from markupsafe import Markup

from dashboard.audit.models import AuditEntry
from dashboard.core.admin import AdminPage, AtriumModelView, Figure
from dashboard.core.admin.filters import Day, Matching
from dashboard.core.i18n import lazy

# The first word of an action says what it is about.
SUBJECTS: dict[str, Any] = {
    "user": lazy("Users"),
    "sign_in": lazy("Sign-in"),
    "access": lazy("Refusals"),
    "course": lazy("Courses"),
    "position": lazy("Positions"),
    "video": lazy("Videos"),
    "job": lazy("Jobs"),
    "recommendations": lazy("Recommendations"),
}


class AuditLog(AtriumModelView):
    """Who changed what, and when."""

    model = AuditEntry
    slug, label, group, icon = "audit", lazy("Audit log"), lazy("Records"), "record"
    description_text = lazy("Who changed what, and when. Entries are never changed or removed.")
    column_list = ("created_at", "actor", "action", "subject", "summary")
    column_details_list = (*column_list, "changes", "address")
    column_export_list = ("created_at", "actor_id", "action", "subject", "summary", "address")
    column_labels = {
        "created_at": lazy("When"),
        "actor": lazy("Who"),
        "actor_id": lazy("Number of the user"),
        "action": lazy("What"),
        "subject": lazy("To what"),
        "summary": lazy("In words"),
        "changes": lazy("Changes"),
        "address": lazy("Address"),
    }
    column_sortable_list = ("created_at",)
    column_searchable_list = ("action", "subject", "summary")
    column_formatters_detail = {
        "action": lambda _view, _context, entry, _name: _code(entry.action),
        "subject": lambda _view, _context, entry, _name: _code(entry.subject),
        "changes": lambda _view, _context, entry, _name: _changes(entry.changes),
    }
    # Where nothing was said in words, the list says what changed.
    column_formatters = {
        **column_formatters_detail,
        "summary": lambda _view, _context, entry, _name: entry.summary or _in_words(entry.changes),
    }
    column_filters = (
        Matching(
            "about",
            lazy("About"),
            AuditEntry.action,
            SUBJECTS,
            lambda kind: AuditEntry.action.startswith(f"{kind}.", autoescape=True),
        ),
        Day("from", lazy("From"), AuditEntry.created_at),
        Day("to", lazy("To"), AuditEntry.created_at, until=True),
    )

    def figures(self) -> list[Figure]:
        return []


VIEWS: list[type[AdminPage]] = [AuditLog]


def _code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def _in_words(changes: dict[str, Any]) -> str:
    """The changes in one line of text."""
    return "; ".join(
        f"{name}: {_short(pair[0])} → {_short(pair[1])}"
        if isinstance(pair, list) and len(pair) == 2
        else f"{name}: {_short(pair)}"
        for name, pair in changes.items()
    )


def _changes(changes: dict[str, Any]) -> Markup:
    """Each changed field with its value before and after."""
    line = Markup("<li><b>{}</b>: <del>{}</del> → <ins>{}</ins></li>")
    rows = [
        line.format(name, *(_short(value) for value in pair))
        if isinstance(pair, list) and len(pair) == 2
        else Markup("<li><b>{}</b>: {}</li>").format(name, _short(pair))
        for name, pair in changes.items()
    ]
    return (
        Markup('<ul class="dash-changes">{}</ul>').format(Markup().join(rows))
        if rows
        else Markup("–")
    )


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{text[:300]}…" if len(text) > 300 else text
