"""Reading the audit log; it is for administrators only."""

from sqlalchemy import select

from dashboard.audit.models import AuditEntry
from dashboard.core.database import Page, page_of


def list_entries(
    *,
    page: int = 1,
    per_page: int = 50,
    action: str | None = None,
    actor_id: int | None = None,
    subject: str | None = None,
) -> Page[AuditEntry]:
    """Entries, newest first; `action` "course" takes in "course.update" and its like."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    if action:
        whole_kind = AuditEntry.action.startswith(f"{action}.", autoescape=True)
        query = query.where((AuditEntry.action == action) | whole_kind)
    if actor_id is not None:
        query = query.where(AuditEntry.actor_id == actor_id)
    if subject:
        query = query.where(AuditEntry.subject == subject)
    return page_of(query, page=page, per_page=per_page)
