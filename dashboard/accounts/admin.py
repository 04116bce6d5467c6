"""Accounts and roles in the dashboard. No page of it knows a password, hashed or not."""

from typing import Any

from flask import url_for
from flask_admin.form import BaseForm
from sqlalchemy import ColumnElement, Select, func, or_, select
from wtforms.fields import BooleanField, EmailField, StringField, TelField
from wtforms.validators import InputRequired, Length, Optional

from dashboard.accounts import queries, services
from dashboard.accounts.identities import identify
from dashboard.accounts.models import Role, RoleName, User, user_role
from dashboard.core.admin import AdminPage, AtriumModelView, Figure
from dashboard.core.admin.fields import NewPasswordField, SelectMultipleCheckboxField
from dashboard.core.admin.filters import Day, Matching, YesNo
from dashboard.core.admin.markup import day
from dashboard.core.database import session
from dashboard.core.i18n import _, lazy

PEOPLE = lazy("People")
ROLES: dict[str, Any] = {
    RoleName.ADMIN: lazy("administrator"),
    RoleName.ANALYST: lazy("analyst"),
    RoleName.LEARNER: lazy("learner"),
}
ROLE_TEXTS: dict[str, Any] = {
    RoleName.ADMIN: lazy("Runs the portal: people, contents, jobs, and this dashboard."),
    RoleName.ANALYST: lazy("Sees charts and metrics, analyses and models."),
    RoleName.LEARNER: lazy("Takes courses. Every new account is a learner."),
}
LABELS = {
    "id": lazy("Number"),
    "display_name": lazy("Name"),
    "user_name": lazy("Username"),
    "email": lazy("Email"),
    "phone": lazy("Phone number"),
    "nickname": lazy("Display name"),
    "role_names": lazy("Roles"),
    "active": lazy("Active"),
    "ctime": lazy("Registered"),
    "mtime": lazy("Changed"),
}


class UserForm(BaseForm):
    """Everything about an account that an administrator sets."""

    email = EmailField(
        LABELS["email"],
        [Optional(), Length(max=254)],
        description=lazy("An email, a phone number or a username: one of them is enough."),
    )
    phone = TelField(LABELS["phone"], [Optional(), Length(max=40)])
    user_name = StringField(LABELS["user_name"], [Optional(), Length(max=30)])
    nickname = StringField(LABELS["nickname"], [Optional(), Length(max=64)])
    roles = SelectMultipleCheckboxField(LABELS["role_names"], choices=list(ROLES.items()))
    active = BooleanField(lazy("Active: may sign in"), default=True)


class NewUserForm(UserForm):
    """An account that does not exist yet."""

    password = NewPasswordField(lazy("Password"), [InputRequired()])


class OldUserForm(UserForm):
    """An account that exists."""

    password = NewPasswordField(
        lazy("New password"),
        [Optional()],
        description=lazy("Leave it empty to keep the present one. A new one ends every session."),
    )


class Users(AtriumModelView):
    """Everybody with an account."""

    model = User
    slug, label, group, icon = "users", lazy("Users"), PEOPLE, "user"
    create_fields, edit_fields = NewUserForm, OldUserForm
    can_create = can_edit = can_delete = True
    column_list = ("display_name", "user_name", "email", "phone", "role_names", "active", "ctime")
    column_details_list = (*LABELS,)
    column_export_list = tuple(name for name in LABELS if name != "display_name")
    column_labels = LABELS
    column_sortable_list = ("user_name", "email", "phone", "ctime")
    column_searchable_list = ("user_name", "nickname", "email", "phone")
    column_formatters = {
        "role_names": lambda _view, _context, user, _name: _roles_of(user),
        "ctime": lambda _view, _context, user, _name: day(user.ctime),
    }
    column_filters = (
        Matching("role", lazy("Role"), User.id, ROLES, lambda name: _has_role(name)),  # noqa: PLW0108 - defined below
        YesNo("active", lazy("Active"), User.active, {"yes": lazy("Yes"), "no": lazy("No")}),
        Day("from", lazy("Registered from"), User.ctime),
        Day("to", lazy("Registered to"), User.ctime, until=True),
    )

    def search_condition(self, term: str) -> ColumnElement[bool]:
        """Also by a phone number in any usual spelling."""
        identity = identify(term, region=queries.settings().phone_region)
        plain = super().search_condition(term)
        return or_(plain, getattr(User, identity.kind) == identity.value) if identity else plain

    def create(self, form: Any) -> User:
        return services.create_user(actor_id=self.actor_id, **form.data)

    def update(self, row: User, form: Any) -> None:
        services.update_user(row.id, actor_id=self.actor_id, **form.data)

    def delete(self, row: User) -> None:
        services.delete_user(row.id, actor_id=self.actor_id)

    def figures(self) -> list[Figure]:
        admins = queries.count_active_admins(besides=0)
        href = url_for("admin_users.index_view", flt_role=RoleName.ADMIN.value)
        return [*super().figures(), Figure(_("Active administrators"), admins, href)]


class Roles(AtriumModelView):
    """The roles; they are part of the program, so they can be granted but not changed."""

    model = Role
    slug, label, group, icon = "roles", lazy("Roles"), PEOPLE, "key"
    description_text = lazy("Each role is a grant of its own; none includes another.")
    column_list = ("name", "description", "n_users")
    column_details_list = column_list
    column_export_list = column_list
    column_labels = {
        "name": lazy("Role"),
        "description": lazy("What it is for"),
        "n_users": lazy("Users with it"),
    }
    column_formatters = {
        "name": lambda _view, _context, role, _name: ROLES.get(role.name, role.name),
        "description": lambda _view, _context, role, _name: _text_of(role),
        "n_users": lambda _view, _context, role, _name: _count_users(role),
    }
    column_formatters_export = {
        "description": lambda _view, _context, role, _name: str(_text_of(role)),
        "n_users": lambda _view, _context, role, _name: _count_users(role),
    }

    def row_name(self, row: Role) -> str:
        return str(ROLES.get(row.name, row.name))

    def row_links(self, row: Role) -> list[tuple[str, str, Any]]:
        href = url_for("admin_users.index_view", flt_role=row.name)
        return [(href, "user", _("Users with the role %(name)s", name=self.row_name(row)))]

    def figures(self) -> list[Figure]:
        return []

    def _ordered(self, query: Select[Any], column: Any, descending: Any) -> Select[Any]:
        return query.order_by(Role.id)


VIEWS: list[type[AdminPage]] = [Users, Roles]


def _has_role(name: str) -> ColumnElement[bool]:
    holders = select(user_role.c.user_id).join(Role).where(Role.name == name)
    return User.id.in_(holders)


def _roles_of(user: User) -> str:
    return ", ".join(str(ROLES.get(name, name)) for name in user.role_names)


def _text_of(role: Role) -> Any:
    return ROLE_TEXTS.get(role.name, role.description)


def _count_users(role: Role) -> int:
    query = select(func.count()).select_from(user_role).where(user_role.c.role_id == role.id)
    return session.scalar(query) or 0
