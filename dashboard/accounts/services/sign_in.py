"""Signing in and out: passwords, sessions, API tokens."""

from datetime import timedelta

from sqlalchemy import delete, update

from dashboard.accounts import passwords, queries
from dashboard.accounts.models import User, UserSession, new_secret
from dashboard.accounts.services.checks import subject_of
from dashboard.audit.services import record
from dashboard.core.database import transaction, utcnow
from dashboard.core.errors import Invalid, Problem, Unauthenticated
from dashboard.core.i18n import _, lazy

# Whoever is signed in for so long signs in again, however busy the session is.
MAX_SESSION_AGE = timedelta(days=30)


class SignInFailed(Unauthenticated):
    """Unknown, wrong or disabled: the answer must not say which."""

    code = "sign_in_failed"
    default = lazy("That did not match an account. Check what you typed and try again.")


def authenticate(identity: str, password: str, *, address: str = "") -> User:
    """The active user with this identity and password; raises SignInFailed.

    An unknown account costs as much time as a known one.
    """
    user = queries.find_by_identity(identity)
    matched = passwords.matches(password, user.password if user else None)
    if user is None or not matched or not user.active:
        _record_failure(user, address)
        raise SignInFailed()
    record(actor_id=user.id, action="sign_in.success", subject=subject_of(user.id), address=address)
    return user


def check_password(user_id: int, password: str, *, field: str = "current_password") -> None:
    """Raise Invalid, naming `field`, unless `password` is the user's present one."""
    if not passwords.matches(password or "", queries.get_user(user_id).password):
        _record_wrong_password(user_id)
        raise Invalid(problems=[Problem(field=field, message=_("This is not your password."))])


def start_session(user_id: int, *, user_agent: str = "", remembered: bool = False) -> str:
    """Open a session for a user; gives its id for her cookie."""
    session_id = new_secret()
    with transaction() as session:
        over = UserSession.created_at < utcnow() - MAX_SESSION_AGE
        session.execute(delete(UserSession).where(UserSession.user_id == user_id, over))
        session.add(
            UserSession(
                id=session_id,
                user_id=user_id,
                user_agent=user_agent[:200],
                remembered=remembered,
            )
        )
    return session_id


def end_session(session_id: str) -> None:
    """End one session: its cookie is worth nothing from now on, wherever a copy of it is."""
    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.id == session_id))


def end_other_sessions(user_id: int, *, keep: str | None) -> None:
    """End every session of a user but the one with the id `keep`."""
    with transaction() as session:
        others = UserSession.user_id == user_id, UserSession.id != (keep or "")
        session.execute(delete(UserSession).where(*others))
        record(actor_id=user_id, action="session.end_others", subject=subject_of(user_id))


def create_token(user_id: int, *, current_password: str | None) -> str:
    """An API token for a user who shows her password; raises Invalid."""
    check_password(user_id, current_password or "")
    record(actor_id=user_id, action="token.create", subject=subject_of(user_id))
    return str(queries.get_user(user_id).get_auth_token())


def revoke_tokens(user_id: int) -> None:
    """End every API token of a user."""
    with transaction() as session:
        session.execute(
            update(User).where(User.id == user_id).values(fs_token_uniquifier=new_secret())
        )
        record(actor_id=user_id, action="token.revoke", subject=subject_of(user_id))


def end_everything(user: User) -> None:
    """End every session and token of a user; call inside a transaction."""
    user.fs_uniquifier = new_secret()
    user.fs_token_uniquifier = new_secret()
    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.user_id == user.id))


def _record_failure(user: User | None, address: str) -> None:
    # What was typed stays out: people type passwords into the wrong box.
    subject = subject_of(user.id) if user else "user:?"
    record(actor_id=None, action="sign_in.failure", subject=subject, address=address)


def _record_wrong_password(user_id: int) -> None:
    record(actor_id=user_id, action="password.wrong", subject=subject_of(user_id))
