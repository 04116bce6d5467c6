"""The rules that every way of writing an account shares."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import select

from dashboard.accounts import passwords
from dashboard.accounts.identities import (
    BadIdentity,
    Identity,
    IdentityKind,
    normalise,
    normalise_nickname,
)
from dashboard.accounts.models import Role, User
from dashboard.accounts.queries import find_by, settings
from dashboard.core.database import session
from dashboard.core.errors import Conflict, Invalid, Problem, Unavailable
from dashboard.core.i18n import _

Identities = dict[IdentityKind, str | None]


def check_identities(given: Mapping[str, str | None], problems: list[Problem]) -> Identities:
    """The stored spellings of what was given, None for what is blank; adds what is wrong to `problems`."""
    found: Identities = {}
    for kind in IdentityKind:
        text = (given.get(kind) or "").strip()
        try:
            found[kind] = normalise(kind, text, region=settings().phone_region) if text else None
        except BadIdentity as error:
            found[kind] = None
            problems.append(Problem(field=kind, message=error.message))
    if not problems and not any(found.values()):
        text = _("Give at least one: an email address, a phone number or a username.")
        problems.append(Problem(field=IdentityKind.EMAIL, message=text))
    return found


def check_nickname(text: str, problems: list[Problem]) -> str:
    """The display name as it is stored."""
    try:
        return normalise_nickname(text or "")
    except BadIdentity as error:
        problems.append(Problem(field="nickname", message=error.message))
        return ""


def check_new_password(
    password: str, problems: list[Problem], *, words: Sequence[str | None] = ()
) -> None:
    """Add what is wrong with a new password, whose owner has the names `words`."""
    names = [part for word in words if word for part in (word, word.partition("@")[0])]
    fault = passwords.fault_of(password, min_length=settings().password_min_length, words=names)
    if fault:
        problems.append(Problem(field="password", message=fault))


def refuse(problems: list[Problem]) -> None:
    """Raise Invalid when there is any problem."""
    if problems:
        raise Invalid(problems=problems)


def refuse_taken(identities: Identities, *, owner_id: int | None = None) -> None:
    """Raise Conflict, naming the field, when somebody else has one of the identities."""
    taken = [
        Problem(field=kind, message=_taken(kind))
        for kind, value in identities.items()
        if value and (user := find_by(Identity(kind, value))) and user.id != owner_id
    ]
    if taken:
        raise Conflict(_("This is taken already."), problems=taken)


@contextmanager
def naming_taken(identities: Identities, *, owner_id: int | None = None) -> Iterator[None]:
    """Two people may want one identity at once: the unique index lets one win, this tells the other."""
    try:
        yield
    except (Conflict, Unavailable) as error:
        # MariaDB ends some of these races as deadlocks. Either way the winner's row is there to be seen.
        if not error.problems:
            refuse_taken(identities, owner_id=owner_id)
        raise


def find_roles(names: Sequence[str]) -> list[Role]:
    """The roles of these names; raises Invalid for an unknown one."""
    wanted = {str(name) for name in names}
    roles = list(session.scalars(select(Role).where(Role.name.in_(wanted))))
    for name in sorted(wanted - {role.name for role in roles}):
        raise Invalid(
            problems=[Problem(field="roles", message=_("There is no role %(name)s.", name=name))]
        )
    return roles


def state_of(user: User) -> dict[str, object]:
    """What of an account the audit log compares."""
    return {
        "email": user.email,
        "phone": user.phone,
        "user_name": user.user_name,
        "nickname": user.nickname,
        "active": user.active,
        "roles": user.role_names,
    }


def subject_of(user_id: int) -> str:
    """How the audit log names an account."""
    return f"user:{user_id}"


def _taken(kind: IdentityKind) -> str:
    return {
        IdentityKind.EMAIL: _("This email address is in use already. Is it yours? Then sign in."),
        IdentityKind.PHONE: _("This phone number is in use already. Is it yours? Then sign in."),
        IdentityKind.USER_NAME: _("This username is in use already. Please choose another."),
    }[kind]
