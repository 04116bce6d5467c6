"""What people change about their own account."""

from sqlalchemy import delete

from dashboard.accounts import passwords, queries
from dashboard.accounts.identities import IdentityKind
from dashboard.accounts.models import User, UserSession, new_secret
from dashboard.accounts.services import checks
from dashboard.accounts.services.sign_in import check_password
from dashboard.audit.services import difference, record
from dashboard.core.database import transaction
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _


def update_profile(
    user_id: int,
    *,
    email: str | None,
    phone: str | None,
    user_name: str | None,
    nickname: str,
    current_password: str | None = None,
) -> User:
    """Change what a person is called and signs in with.

    A new email address or phone number needs the current password. At least one identity must stay. Raises
    Invalid and Conflict, which name the fields.
    """
    user = queries.get_user(user_id)
    before = checks.state_of(user)
    problems: list[Problem] = []
    given = {"email": email, "phone": phone, "user_name": user_name}
    identities = checks.check_identities(given, problems)
    nickname = checks.check_nickname(nickname, problems)
    checks.refuse(problems)
    if needs_password(user, identities):
        _check_current(user_id, current_password)
    checks.refuse_taken(identities, owner_id=user_id)
    with checks.naming_taken(identities, owner_id=user_id), transaction() as session:
        for kind, value in identities.items():
            setattr(user, kind, value)
        user.nickname = nickname
        session.flush()
        if changes := difference(before, checks.state_of(user)):
            record(
                actor_id=user_id,
                action="user.profile",
                subject=checks.subject_of(user_id),
                changes=changes,
            )
    return user


def change_password(
    user_id: int, *, current_password: str, password: str, keep_session: str | None = None
) -> User:
    """Set a new password; every token and every session but `keep_session` ends.

    The kept session must be given the user's new `fs_uniquifier`. Raises Invalid, naming the fields.
    """
    check_password(user_id, current_password)
    user = queries.get_user(user_id)
    problems: list[Problem] = []
    words = [user.email, user.phone, user.user_name, user.nickname]
    checks.check_new_password(password, problems, words=words)
    checks.refuse(problems)
    hashed = passwords.hash_password(password)
    with transaction() as session:
        user.password = hashed
        user.fs_uniquifier = new_secret()
        user.fs_token_uniquifier = new_secret()
        others = UserSession.user_id == user_id, UserSession.id != (keep_session or "")
        session.execute(delete(UserSession).where(*others))
        record(actor_id=user_id, action="user.password", subject=checks.subject_of(user_id))
    return user


def needs_password(user: User, identities: checks.Identities) -> bool:
    """Whether the change touches what the account can be taken over with."""
    guarded = (IdentityKind.EMAIL, IdentityKind.PHONE)
    return any(identities[kind] != getattr(user, kind) for kind in guarded)


def _check_current(user_id: int, current_password: str | None) -> None:
    if not current_password:
        text = _("Enter your password to change your email address or phone number.")
        raise Invalid(problems=[Problem(field="current_password", message=text)])
    check_password(user_id, current_password)
