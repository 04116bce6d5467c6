"""Writing the audit log."""

from collections.abc import Mapping
from typing import Any

from dashboard.audit.models import AuditEntry
from dashboard.core.database import transaction

# Fields whose values are secret: the log says that they changed, not to what.
SECRET_MARKS = ("password", "token", "secret", "uniquifier")
HIDDEN = "***"


def record(
    *,
    actor_id: int | None,
    action: str,
    subject: str = "",
    summary: str = "",
    changes: Mapping[str, Any] | None = None,
    address: str = "",
) -> AuditEntry:
    """Add an entry, in the caller's transaction when there is one.

    action: "<thing>.<verb>"; subject: "<thing>:<id>"; changes: field -> [before, after], secrets are hidden.
    """
    with transaction() as session:
        entry = AuditEntry(
            actor_id=actor_id,
            action=action,
            subject=subject[:120],
            summary=str(summary)[:500],
            changes={name: _shown(name, value) for name, value in (changes or {}).items()},
            address=address[:45],
        )
        session.add(entry)
    return entry


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What differs between two states: field -> [before, after]."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }


def _shown(name: str, value: Any) -> Any:
    return HIDDEN if any(mark in name.lower() for mark in SECRET_MARKS) else value
