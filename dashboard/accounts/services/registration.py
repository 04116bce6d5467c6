"""A new account."""

from collections.abc import Sequence

from dashboard.accounts import passwords
from dashboard.accounts.models import RoleName, User
from dashboard.accounts.services import checks
from dashboard.audit.services import record
from dashboard.core.database import transaction
from dashboard.core.errors import Problem


def register(
    *,
    password: str,
    email: str | None = None,
    phone: str | None = None,
    user_name: str | None = None,
    nickname: str = "",
    roles: Sequence[str] = (RoleName.LEARNER,),
    active: bool = True,
    actor_id: int | None = None,
) -> User:
    """Create an account with at least one identity.

    `actor_id`: who does this, when it is not the person herself. Raises Invalid for what is wrong with the
    input and Conflict for what another account has; both name the fields.
    """
    problems: list[Problem] = []
    given = {"email": email, "phone": phone, "user_name": user_name}
    identities = checks.check_identities(given, problems)
    nickname = checks.check_nickname(nickname, problems)
    checks.check_new_password(password, problems, words=[*given.values(), *identities.values()])
    checks.refuse(problems)
    checks.refuse_taken(identities)
    # Before the transaction: hashing is slow, and SQLite has one write lock.
    hashed = passwords.hash_password(password)
    with checks.naming_taken(identities), transaction() as session:
        user = User(
            **{kind.value: value for kind, value in identities.items()},
            nickname=nickname,
            password=hashed,
            active=active,
            roles=checks.find_roles(roles),
        )
        session.add(user)
        session.flush()
        record(
            actor_id=actor_id or user.id,
            action="user.create" if actor_id else "user.register",
            subject=checks.subject_of(user.id),
            changes={"roles": [[], user.role_names]},
        )
    return user
