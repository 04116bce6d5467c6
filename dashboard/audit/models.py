"""Entries of the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.core.database import UTCDateTime, db, utcnow


class AuditEntry(db.Model):  # type: ignore[name-defined,misc]
    """One thing that somebody did: "item:3" was subject to "course.update"."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    # NULL: nobody was signed in, or the account is gone. What was done stays on record.
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    action: Mapped[str] = mapped_column(String(60), index=True)
    subject: Mapped[str] = mapped_column(String(120), default="", index=True)
    summary: Mapped[str] = mapped_column(String(500), default="")
    # {"email": ["old", "new"]}; never a secret.
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    address: Mapped[str] = mapped_column(String(45), default="")

    # By name: accounts keep an audit log themselves, so this domain cannot import theirs.
    actor: Mapped[Any] = relationship("User", viewonly=True, lazy="selectin")

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".strip()
