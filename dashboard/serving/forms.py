"""The forms of models and deployments; the services judge what they hold."""

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from dashboard.core.admin.fields import SelectMultipleCheckboxField
from dashboard.core.errors import DomainError
from dashboard.core.i18n import lazy
from dashboard.serving.models import RIGHT_LABELS
from dashboard.serving.services.training import ALGORITHMS, algorithm_label

REQUIRED = lazy("This is needed.")
MAX_SCRIPT = 64 * 2**10


class ServiceForm(FlaskForm):
    """A form whose input a service judges."""

    def show(self, error: DomainError) -> None:
        """Put what the service found wrong beside the fields it names, the rest above them."""
        left = False
        for problem in error.problems:
            if problem.field in self:
                field = self[problem.field]
                field.errors = [*field.errors, problem.message]
            else:
                left = True
        if left or not error.problems:
            self.form_errors.append(error.message)


def needed() -> InputRequired:
    return InputRequired(message=REQUIRED)


def short(most: int) -> Length:
    return Length(max=most, message=lazy("This is too long."))


class ModelForm(ServiceForm):
    """A new model."""

    name = StringField(lazy("Name"), validators=[needed(), short(300)])
    description = TextAreaField(lazy("Introduction"), validators=[short(5000)])
    file = FileField(lazy("Model file"))


class VersionForm(ServiceForm):
    """A further version of a model."""

    file = FileField(lazy("Model file"))
    note = StringField(lazy("What is new"), validators=[short(1000)])


class EditForm(ServiceForm):
    """A model's information."""

    name = StringField(lazy("Name"), validators=[needed(), short(300)])
    description = TextAreaField(lazy("Introduction"), validators=[short(5000)])


class ShareForm(ServiceForm):
    """Whom a model is shared with."""

    identity = StringField(
        lazy("Email, phone number or username"), validators=[needed(), short(300)]
    )
    right = SelectField(
        lazy("Right"), choices=[(right.value, label) for right, label in RIGHT_LABELS.items()]
    )


class SettingsForm(ServiceForm):
    """What a deployment runs with."""

    version = SelectField(lazy("Version"), coerce=int)
    replicas = IntegerField(lazy("Replicas"), validators=[needed()], default=1)
    cpus = FloatField(lazy("Reserved CPUs of each"), validators=[needed()], default=0.5)
    memory_mb = IntegerField(
        lazy("Reserved memory of each (MiB)"), validators=[needed()], default=512
    )
    timeout_s = FloatField(lazy("Time-out (seconds)"), validators=[needed()], default=10.0)
    warm_up = BooleanField(lazy("Warm up with the sample record"), default=True)
    script = TextAreaField(lazy("Preprocessing script"), validators=[Optional(), short(MAX_SCRIPT)])

    def offer(self, numbers: list[int]) -> None:
        """Offer the versions of these numbers."""
        self.version.choices = [(number, f"v{number}") for number in numbers]

    def wishes(self) -> dict[str, Any]:
        """What was asked for, as the services take it."""
        names = ("replicas", "cpus", "memory_mb", "timeout_s", "warm_up", "version")
        return {**{name: self[name].data for name in names}, "script": self.script.data or ""}


class DeployForm(SettingsForm):
    """A new deployment."""

    name = StringField(lazy("Name of the deployment"), validators=[needed(), short(300)])


class DeleteForm(ServiceForm):
    """Whether to delete what still is in use."""

    force = BooleanField(lazy("Delete everything listed here as well"))


class ReferenceForm(ServiceForm):
    """A table of reference."""

    file = FileField(lazy("Table of reference"))


class TrainForm(ServiceForm):
    """A model to learn from a table."""

    name = StringField(lazy("Name of the model"), validators=[needed(), short(300)])
    file = FileField(lazy("Table (CSV, the first line names the columns)"))
    target = StringField(lazy("Column to predict"), validators=[needed(), short(300)])
    algorithms = SelectMultipleCheckboxField(
        lazy("Algorithms to compare"), default=["linear", "random_forest", "gradient_boosting"]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.algorithms.choices = [(name, algorithm_label(name)) for name in ALGORITHMS]
