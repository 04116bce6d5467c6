"""The form of a new analysis."""

from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DecimalField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional

from dashboard.analyses.labels import DENSITIES, ENGINES, PRIORS
from dashboard.analyses.models import Upload
from dashboard.analyses.services import config_of, engine_of, offered_engines, parameters_of
from dashboard.core.encryption import unseal
from dashboard.core.errors import Problem
from dashboard.core.i18n import _, lazy
from jobs.engines.clonal import ENGINE

MAX_TYPED = 20


class AnalysisForm(FlaskForm):
    """Whom the tables are of, and the engine's options; samples have fields beside it."""

    patient_name = StringField(lazy("Patient's name"), [Optional(), Length(max=200)])
    patient_age = IntegerField(
        lazy("Age"),
        [Optional(), NumberRange(0, 130, lazy("An age is a whole number from 0 to 130."))],
    )
    forget_patient = BooleanField(lazy("Forget the name and the age"))
    note = TextAreaField(lazy("Note"), [Optional(), Length(max=2_000)])
    engine = SelectField(
        lazy("Engine"), default=ENGINE, choices=lambda: [(n, ENGINES[n]) for n in offered_engines()]
    )
    density = SelectField(lazy("Density"), choices=[(k.value, v) for k, v in DENSITIES.items()])
    prior = SelectField(
        lazy("Copy number prior"), choices=[(k.value, v) for k, v in PRIORS.items()]
    )
    precision = DecimalField(lazy("Precision"), [Optional(), NumberRange(0.001, 1e8)])
    clusters = IntegerField(lazy("Clusters allowed"), [Optional(), NumberRange(1, 1000)])
    restarts = IntegerField(lazy("Restarts"), [Optional(), NumberRange(1, 10_000)])
    grid = IntegerField(lazy("Grid points"), [Optional(), NumberRange(11, 10_001)])
    seed = IntegerField(lazy("Seed"), [Optional(), NumberRange(0, 2**31 - 1)])

    @property
    def parameters(self) -> dict[str, Any]:
        """The engine's options that were given."""
        values = {
            "engine": self.engine.data,
            "density": self.density.data,
            "prior": self.prior.data,
            "precision": None if self.precision.data is None else float(self.precision.data),
            "clusters": self.clusters.data,
            "restarts": self.restarts.data,
            "grid": self.grid.data,
            "seed": self.seed.data,
        }
        return {name: value for name, value in values.items() if value is not None}


def filled_form(upload: Upload | None) -> AnalysisForm:
    """The form as its owner left it, or with the defaults; name and age stay behind their masks."""
    kept = upload.parameters if upload else {}
    known: dict[str, Any] = {**parameters_of(config_of(kept)), "engine": engine_of(kept)}
    if upload is not None:
        known["note"] = unseal(upload.note)
    return AnalysisForm(formdata=None, data=known)


def read_samples(
    form: "MultiDict[str, str]", n_samples: int
) -> tuple[list[str], list[float | None], list[Problem]]:
    """Labels and tumour contents as they were typed, and what is no number among them."""
    labels = [form.get(f"label_{place}", "")[:100] for place in range(n_samples)]
    typed = [
        form.get(f"tumour_content_{place}", "").strip()[:MAX_TYPED] for place in range(n_samples)
    ]
    contents = [_number(text) for text in typed]
    problems = [
        Problem(f"tumour_content_{place}", _("“%(text)s” is not a number.", text=text))
        for place, (text, value) in enumerate(zip(typed, contents, strict=True))
        if text and value is None
    ]
    return labels, contents, problems


def all_problems(form: AnalysisForm) -> Iterator[Problem]:
    """What the form itself finds wrong."""
    for name, errors in form.errors.items():
        yield from (Problem(name or "", str(error)) for error in errors)


def _number(text: str) -> float | None:
    try:
        return float(text.replace("%", "").replace(",", ".")) / (100 if "%" in text else 1)
    except ValueError:
        return None
