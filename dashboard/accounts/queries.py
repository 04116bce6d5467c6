"""Reading accounts. Who may ask is the surfaces' business; a person may always see her own."""

from datetime import datetime

from flask import current_app
from sqlalchemy import func, select

from dashboard.accounts.identities import Identity, identify
from dashboard.accounts.models import Role, RoleName, User, UserSession
from dashboard.core.config import Accounts
from dashboard.core.database import session
from dashboard.core.errors import NotFound


def settings() -> Accounts:
    """The [accounts] section of the configuration."""
    accounts: Accounts = current_app.config["ATRIUM"].accounts
    return accounts


def count_users() -> int:
    """How many accounts there are, disabled ones included."""
    return session.scalar(select(func.count(User.id))) or 0


def get_user(user_id: int) -> User:
    """The account with this id; raises NotFound."""
    user = find_user(user_id)
    if user is None:
        raise NotFound()
    return user


def find_user(user_id: int) -> User | None:
    """The account with this id."""
    return session.get(User, user_id)


def find_by_identity(text: str) -> User | None:
    """The account whose email, phone number or username `text` spells, in any usual spelling."""
    identity = identify(text, region=settings().phone_region)
    return find_by(identity) if identity else None


def find_by(identity: Identity) -> User | None:
    """The account with this identity."""
    return session.scalar(select(User).where(getattr(User, identity.kind) == identity.value))


def find_signed_in(uniquifier: str, session_id: str, *, since: datetime) -> User | None:
    """The active user whose session this is, if it was opened after `since`."""
    query = (
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            User.fs_uniquifier == uniquifier,
            User.active.is_(True),
            UserSession.id == session_id,
            UserSession.created_at > since,
        )
    )
    return session.scalar(query)


def find_by_token(token_uniquifier: str) -> User | None:
    """The active user whose API tokens carry this value."""
    query = select(User).where(User.fs_token_uniquifier == token_uniquifier, User.active.is_(True))
    return session.scalar(query)


def list_sessions(user_id: int) -> list[UserSession]:
    """Where a user is signed in, newest first."""
    query = select(UserSession).where(UserSession.user_id == user_id)
    return list(session.scalars(query.order_by(UserSession.created_at.desc())))


def count_active_admins(*, besides: int) -> int:
    """How many administrators could still act without the user `besides`."""
    query = (
        select(func.count(User.id))
        .join(User.roles)
        .where(User.active.is_(True), User.id != besides, Role.name == RoleName.ADMIN)
    )
    return session.scalar(query) or 0
