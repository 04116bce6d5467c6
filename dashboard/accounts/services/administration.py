"""What administrators do with the accounts of others."""

from collections.abc import Sequence

from sqlalchemy import update

from dashboard.accounts import passwords, queries
from dashboard.accounts.models import Role, RoleName, User
from dashboard.accounts.services import checks
from dashboard.accounts.services.registration import register
from dashboard.accounts.services.sign_in import end_everything
from dashboard.audit.services import difference, record
from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict, Problem
from dashboard.core.i18n import _


def create_user(
    *,
    actor_id: int,
    password: str,
    email: str | None = None,
    phone: str | None = None,
    user_name: str | None = None,
    nickname: str = "",
    roles: Sequence[str] = (RoleName.LEARNER,),
    active: bool = True,
) -> User:
    """Create an account for somebody else; raises Invalid and Conflict, which name the fields."""
    return register(
        password=password,
        email=email,
        phone=phone,
        user_name=user_name,
        nickname=nickname,
        roles=roles,
        active=active,
        actor_id=actor_id,
    )


def update_user(
    user_id: int,
    *,
    actor_id: int,
    email: str | None,
    phone: str | None,
    user_name: str | None,
    nickname: str,
    active: bool,
    roles: Sequence[str],
    password: str | None = None,
) -> User:
    """Set everything about an account; a blank `password` leaves the present one.

    Raises Invalid and Conflict, which name the fields, and Conflict when no administrator would be left.
    """
    problems: list[Problem] = []
    given = {"email": email, "phone": phone, "user_name": user_name}
    identities = checks.check_identities(given, problems)
    nickname = checks.check_nickname(nickname, problems)
    if password:
        checks.check_new_password(password, problems, words=list(identities.values()))
    checks.refuse(problems)
    checks.refuse_taken(identities, owner_id=user_id)
    with checks.naming_taken(identities, owner_id=user_id), transaction():
        set_roles(user_id, actor_id=actor_id, roles=roles)
        set_active(user_id, actor_id=actor_id, active=active)
        if password:
            set_password(user_id, actor_id=actor_id, password=password)
        user = queries.get_user(user_id)
        before = checks.state_of(user)
        for kind, value in identities.items():
            setattr(user, kind, value)
        user.nickname = nickname
        _record(user, actor_id=actor_id, action="user.update", before=before)
    return user


def set_roles(user_id: int, *, actor_id: int, roles: Sequence[str]) -> User:
    """Grant exactly these roles; in force at the user's next request. Raises Invalid, Conflict."""
    with transaction():
        _lock_admins()
        user = queries.get_user(user_id)
        before = checks.state_of(user)
        granted = checks.find_roles(roles)
        if RoleName.ADMIN not in {role.name for role in granted}:
            _keep_an_admin(user)
        user.roles = granted
        _record(user, actor_id=actor_id, action="user.roles", before=before)
    return user


def set_active(user_id: int, *, actor_id: int, active: bool) -> User:
    """Let a user sign in, or not: disabling ends her sessions and tokens. Raises Conflict."""
    with transaction():
        _lock_admins()
        user = queries.get_user(user_id)
        before = checks.state_of(user)
        if user.active and not active:
            _keep_an_admin(user)
            end_everything(user)
        user.active = active
        action = "user.enable" if active else "user.disable"
        _record(user, actor_id=actor_id, action=action, before=before)
    return user


def set_password(user_id: int, *, actor_id: int, password: str) -> User:
    """Give a user a new password, for one who forgot hers; ends her sessions and tokens."""
    user = queries.get_user(user_id)
    problems: list[Problem] = []
    words = [user.email, user.phone, user.user_name, user.nickname]
    checks.check_new_password(password, problems, words=words)
    checks.refuse(problems)
    hashed = passwords.hash_password(password)
    with transaction():
        user.password = hashed
        end_everything(user)
        record(actor_id=actor_id, action="user.password", subject=checks.subject_of(user_id))
    return user


def delete_user(user_id: int, *, actor_id: int) -> None:
    """Remove an account for good; raises Conflict for the last administrator."""
    with transaction():
        _lock_admins()
        user = queries.get_user(user_id)
        _keep_an_admin(user)
        summary = str(user)
        session.delete(user)
        session.flush()
        record(
            # Who deletes herself is no longer there to be referred to.
            actor_id=actor_id if actor_id != user_id else None,
            action="user.delete",
            subject=checks.subject_of(user_id),
            summary=summary,
        )


def _record(user: User, *, actor_id: int, action: str, before: dict[str, object]) -> None:
    if changes := difference(before, checks.state_of(user)):
        record(
            actor_id=actor_id, action=action, subject=checks.subject_of(user.id), changes=changes
        )


def _lock_admins() -> None:
    # Two administrators may take each other's role at the same moment, each seeing the other still there. A
    # change to one row of `role` makes them wait for one another, on SQLite too, which has no SELECT FOR UPDATE.
    admin = Role.name == RoleName.ADMIN
    session.execute(update(Role).where(admin).values(description=Role.description))


def _keep_an_admin(user: User) -> None:
    if (
        user.active
        and user.has_role(RoleName.ADMIN)
        and not queries.count_active_admins(besides=user.id)
    ):
        raise Conflict(_("This is the last administrator; the portal needs one."))
