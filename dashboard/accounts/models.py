"""Users and roles. The column names are the customer's (R053); identities are stored normalised."""

import re
import secrets
from datetime import datetime
from enum import StrEnum

from flask_security import RoleMixin, UserMixin
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.core.database import UTCDateTime, db, utcnow


class RoleName(StrEnum):
    """The roles; each is a grant of its own, none includes another."""

    ADMIN = "admin"  # runs the portal
    ANALYST = "analyst"  # sees charts, analyses and models
    LEARNER = "learner"  # every new account


def new_secret() -> str:
    """A value nobody can guess, for the columns that sessions and tokens refer to."""
    return secrets.token_hex(32)


# Order counts: every browser claims to be the ones after it as well, and Android to be Linux.
_BROWSERS = ("Edg", "OPR", "MicroMessenger", "Firefox", "Chrome", "Safari")
_BROWSER = re.compile(rf"({'|'.join(_BROWSERS)})[A-Za-z]*/(\d+)")
_SYSTEM = re.compile(r"Android|iPhone|iPad|Windows|Mac OS X|Linux(?!; Android)")
_SAY_OTHERWISE = {"Edg": "Edge", "OPR": "Opera", "MicroMessenger": "WeChat", "Mac OS X": "macOS"}


user_role = Table(
    "user_role",
    db.metadata,
    Column("user_id", Integer, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", Integer, ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(db.Model, RoleMixin):  # type: ignore[name-defined,misc]
    """A role that users can be granted."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)
    description: Mapped[str] = mapped_column(String(200), default="")
    users: Mapped[list["User"]] = relationship(secondary=user_role, back_populates="roles")

    def __str__(self) -> str:
        return self.name


class User(db.Model, UserMixin):  # type: ignore[name-defined,misc]
    """A person with an account: at least one of user_name, phone and email identifies her."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    # NULL, never '': two people without a phone must not collide.
    user_name: Mapped[str | None] = mapped_column(String(30), unique=True)
    phone: Mapped[str | None] = mapped_column(String(20), unique=True)  # E.164
    email: Mapped[str | None] = mapped_column(String(254), unique=True)  # type: ignore[assignment]
    nickname: Mapped[str] = mapped_column(String(64), default="")
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    # Sessions refer to this, never to the id: changing it ends them all (Flask-Security).
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=new_secret)
    # The same for API tokens, so that ending them leaves her signed in.
    fs_token_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=new_secret)
    ctime: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    mtime: Mapped[datetime] = mapped_column(
        UTCDateTime, default=utcnow, onupdate=utcnow, index=True
    )
    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]
        secondary=user_role, back_populates="users", lazy="selectin"
    )

    @property
    def role_names(self) -> list[str]:
        """The names of the granted roles, in order."""
        return sorted(role.name for role in self.roles)

    @property
    def display_name(self) -> str:
        """What others may see: the display name, else the username, else a number."""
        return self.nickname or self.user_name or f"#{self.id}"

    def __str__(self) -> str:
        return self.display_name


class UserSession(db.Model):  # type: ignore[name-defined,misc]
    """A browser somebody is signed in with. Without its row here a session cookie is worth nothing."""

    __tablename__ = "user_session"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_secret)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    # May outlive the browser being closed ("remember me").
    remembered: Mapped[bool] = mapped_column(Boolean, default=False)
    user_agent: Mapped[str] = mapped_column(String(200), default="")

    @property
    def browser(self) -> str:
        """The browser and system in words, "Chrome 140, Windows"; "" when it does not say."""
        found = dict(_BROWSER.findall(self.user_agent))
        name = next((name for name in _BROWSERS if name in found), None)
        system = _SYSTEM.search(self.user_agent)
        parts = [f"{_SAY_OTHERWISE.get(name, name)} {found[name]}"] if name else []
        parts += [_SAY_OTHERWISE.get(system.group(), system.group())] if system else []
        return ", ".join(parts) or self.user_agent
