"""Sign-in, registration and "my page"."""

from typing import cast

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_security import current_user

from dashboard.accounts import limits, queries, security, services
from dashboard.accounts.forms import (
    ConfirmForm,
    PasswordForm,
    ProfileForm,
    RegisterForm,
    SignInForm,
    TokenForm,
)
from dashboard.accounts.models import User
from dashboard.core.errors import DomainError, Unavailable
from dashboard.core.i18n import _
from dashboard.core.navigation import safe_target

pages = Blueprint("accounts", __name__)


@pages.record_once
def _replace_views(state: BlueprintSetupState) -> None:
    # The addresses and endpoint names stay Flask-Security's, for its own redirects and templates.
    views = {"login": login, "register": register, "logout": logout}
    for name, view in views.items():
        if f"security.{name}" in state.app.view_functions:
            state.app.view_functions[f"security.{name}"] = view


@limits.per_address
@limits.per_account
def login() -> ResponseReturnValue:
    """Sign in, and go back to the page first asked for."""
    form = SignInForm()
    target = _target(form.next.data)
    if current_user.is_authenticated:
        return redirect(target)
    form.next.data = target
    if form.validate_on_submit():
        try:
            user = services.authenticate(
                form.identity.data or "",
                form.password.data or "",
                address=request.remote_addr or "",
            )
        except services.SignInFailed as error:
            limits.note_failure()
            form.show(error)
        else:
            security.open_session(user, remembered=bool(form.remember.data), via="password")
            return redirect(target)
    return render_template("security/login_user.html", login_user_form=form)


@limits.registrations
def register() -> ResponseReturnValue:
    """Create an account, sign in with it, and go back to the page first asked for."""
    form = RegisterForm()
    target = _target(form.next.data)
    if current_user.is_authenticated:
        return redirect(target)
    form.next.data = target
    if form.validate_on_submit():
        try:
            user = services.register(
                password=form.password.data or "",
                email=form.email.data,
                phone=form.phone.data,
                user_name=form.user_name.data,
                nickname=form.nickname.data or "",
            )
        except Unavailable:
            raise
        except DomainError as error:
            form.show(error)
        else:
            security.open_session(user, remembered=False, via="register")
            flash(_("Welcome, %(name)s. Your account is ready.", name=user.display_name), "success")
            return redirect(target)
    return render_template("security/register_user.html", register_user_form=form)


@pages.get("/logout")
def confirm_logout() -> ResponseReturnValue:
    """Ask before signing out: a link or a picture elsewhere must not do it."""
    if not current_user.is_authenticated:
        return redirect(_target())
    return render_template("accounts/logout.html")


def logout() -> ResponseReturnValue:
    """Sign out."""
    if current_user.is_authenticated:
        security.close_session()
        flash(_("You are signed out."), "info")
    return redirect(_home())


@pages.route("/me", methods=["GET", "POST"])
@limits.per_account
def profile() -> ResponseReturnValue:
    """My page: what I am called, what I sign in with, my roles."""
    user = _me()
    form = ProfileForm(obj=user)
    if form.validate_on_submit():
        try:
            services.update_profile(
                user.id,
                email=form.email.data,
                phone=form.phone.data,
                user_name=form.user_name.data,
                nickname=form.nickname.data or "",
                current_password=form.current_password.data,
            )
        except Unavailable:
            raise
        except DomainError as error:
            _show(form, error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("accounts.profile"))
    return render_template("accounts/profile.html", form=form, user=_me())


@pages.route("/me/password", methods=["GET", "POST"])
@limits.per_account
def password() -> ResponseReturnValue:
    """A new password; it ends every other session and all tokens."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            user = services.change_password(
                _me().id,
                current_password=form.current_password.data or "",
                password=form.password.data or "",
                keep_session=session.get(security.SESSION_ID),
            )
        except Unavailable:
            raise
        except DomainError as error:
            _show(form, error)
        else:
            security.keep_session(user)
            flash(_("Your password is changed. You are signed out everywhere else."), "success")
            return redirect(url_for("accounts.profile"))
    return render_template("accounts/password.html", form=form)


@pages.route("/me/sessions", methods=["GET", "POST"])
def sessions() -> ResponseReturnValue:
    """Where I am signed in; a button signs me out everywhere else."""
    form = ConfirmForm()
    mine = session.get(security.SESSION_ID)
    if form.validate_on_submit():
        services.end_other_sessions(_me().id, keep=mine)
        flash(_("You are signed out everywhere else."), "success")
        return redirect(url_for("accounts.sessions"))
    found = queries.list_sessions(_me().id)
    return render_template("accounts/sessions.html", form=form, sessions=found, mine=mine)


@pages.route("/me/tokens", methods=["GET", "POST"])
@limits.per_account
def tokens() -> ResponseReturnValue:
    """Make an API token; it is shown this once."""
    form, token = TokenForm(), None
    if form.validate_on_submit():
        try:
            token = services.create_token(_me().id, current_password=form.current_password.data)
        except DomainError as error:
            _show(form, error)
    days = queries.settings().token_days
    return render_template("accounts/tokens.html", form=form, token=token, days=days)


@pages.post("/me/tokens/revoke")
def revoke_tokens() -> ResponseReturnValue:
    """End every API token of mine."""
    services.revoke_tokens(_me().id)
    flash(_("All your tokens have ended."), "success")
    return redirect(url_for("accounts.tokens"))


def _me() -> User:
    return queries.get_user(cast(User, current_user).id)


def _show(form: ProfileForm | PasswordForm | TokenForm, error: DomainError) -> None:
    if any(problem.field == "current_password" for problem in error.problems):
        limits.note_failure()
    form.show(error)


def _target(from_form: str | None = None) -> str:
    """Where to go on: the page first asked for, if it is one of ours."""
    return safe_target(request.args.get("next")) or safe_target(from_form) or _home()


def _home() -> str:
    return f"{request.script_root}/"
