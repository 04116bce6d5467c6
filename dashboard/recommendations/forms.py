"""Forms of analysts and administrators."""

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, FloatField, IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange

from dashboard.core.i18n import lazy
from dashboard.recommendations.models import TrainingRun

WRONG = lazy("This must be a number from 0 to 1.")
SHARE = (InputRequired(message=WRONG), NumberRange(0, 1, message=WRONG))


class ListSettingsForm(FlaskForm):
    """How lists are made."""

    diversity = FloatField(
        lazy("Variety"),
        validators=SHARE,
        description=lazy("0: the best by score; 1: as unlike each other as can be."),
    )
    penalty = FloatField(
        lazy("Hold popular items down"),
        validators=SHARE,
        description=lazy("0: not at all. From 0.3 on fewer people take what they are shown."),
    )
    content = FloatField(
        lazy("Content"),
        validators=SHARE,
        description=lazy("What similar texts and tags count for newcomers and for new items."),
    )
    own_language_first = BooleanField(lazy("Items in the reader\u2019s languages come first"))

    def wanted(self) -> dict[str, Any]:
        names = ("diversity", "penalty", "content", "own_language_first")
        return {name: self[name].data for name in names}


class ExperimentForm(FlaskForm):
    """Which two runs, and how many people get the second."""

    run_a = SelectField(lazy("Run A"), coerce=int)
    run_b = SelectField(lazy("Run B"), coerce=int)
    percent_b = IntegerField(
        lazy("Percent of the learners who get run B"),
        default=50,
        validators=[
            InputRequired(message=lazy("Enter a number from 1 to 99.")),
            NumberRange(1, 99, message=lazy("Enter a number from 1 to 99.")),
        ],
    )

    @classmethod
    def of_runs(cls, runs: Sequence[TrainingRun]) -> "ExperimentForm":
        """The form that offers these runs; the newest two are filled in."""
        form = cls()
        choices = [(run.id, f"#{run.id}") for run in runs]
        form.run_a.choices = form.run_b.choices = choices
        if not form.is_submitted() and len(runs) > 1:
            form.run_a.data, form.run_b.data = runs[1].id, runs[0].id
        return form

    def wanted(self) -> dict[str, Any]:
        return {
            "run_a_id": self.run_a.data,
            "run_b_id": self.run_b.data,
            "share_b": self.percent_b.data / 100,
        }
