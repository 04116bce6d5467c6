"""The forms of sign-in, registration and "my page"."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    PasswordField,
    StringField,
    TelField,
)
from wtforms.validators import InputRequired, Length

from dashboard.core.errors import DomainError
from dashboard.core.i18n import lazy

# Longer than any identity may be; the services say what is wrong with one.
MAX_TEXT = 300
MAX_PASSWORD = 1000


def required(message: Any) -> InputRequired:
    """The field must be filled in."""
    return InputRequired(message=message)


def short(max_length: int = MAX_TEXT) -> Length:
    """The text must not be absurdly long."""
    return Length(max=max_length, message=lazy("This is too long."))


class AccountForm(FlaskForm):
    """A form whose input a service judges."""

    def show(self, error: DomainError) -> None:
        """Put what the service found wrong beside the fields it names, the rest above them."""
        for problem in error.problems:
            if problem.field in self:
                _add(self[problem.field], problem.message)
        if not any(problem.field in self for problem in error.problems):
            self.form_errors.append(error.message)


class SignInForm(AccountForm):
    """One box for every kind of identity."""

    identity = StringField(
        lazy("Email, phone number or username"),
        validators=[required(lazy("Enter your email, phone number or username.")), short()],
    )
    password = PasswordField(
        lazy("Password"),
        validators=[required(lazy("Enter your password.")), short(MAX_PASSWORD)],
    )
    remember = BooleanField(lazy("Keep me signed in on this device"))
    next = HiddenField()


class RegisterForm(AccountForm):
    """Any one of the first three is enough."""

    email = EmailField(lazy("Email"), validators=[short()])
    phone = TelField(lazy("Phone number"), validators=[short()])
    user_name = StringField(lazy("Username"), validators=[short()])
    password = PasswordField(
        lazy("Password"),
        validators=[required(lazy("Choose a password.")), short(MAX_PASSWORD)],
    )
    nickname = StringField(lazy("Display name"), validators=[short()])
    next = HiddenField()


class ProfileForm(AccountForm):
    """What others see and what she signs in with."""

    nickname = StringField(lazy("Display name"), validators=[short()])
    email = EmailField(lazy("Email"), validators=[short()])
    phone = TelField(lazy("Phone number"), validators=[short()])
    user_name = StringField(lazy("Username"), validators=[short()])
    current_password = PasswordField(
        lazy("Current password"),
        description=lazy("Needed to change the email address or the phone number."),
        validators=[short(MAX_PASSWORD)],
    )


class PasswordForm(AccountForm):
    """A new password, and the present one to show that it is she who asks."""

    current_password = PasswordField(
        lazy("Current password"),
        validators=[required(lazy("Enter your password.")), short(MAX_PASSWORD)],
    )
    password = PasswordField(
        lazy("New password"),
        validators=[required(lazy("Choose a password.")), short(MAX_PASSWORD)],
    )


class TokenForm(AccountForm):
    """A token opens the account to a program, so it costs the password."""

    current_password = PasswordField(
        lazy("Current password"),
        validators=[required(lazy("Enter your password.")), short(MAX_PASSWORD)],
    )


class ConfirmForm(FlaskForm):
    """A button: nothing but the proof that the request comes from our own page."""


def _add(field: Field, message: str) -> None:
    field.errors = [*field.errors, message]
