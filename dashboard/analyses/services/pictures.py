"""Static files of a result: the nine plots as PNG, SVG and PDF, and the report. Drawn when they are asked for."""

from typing import Literal

from dashboard.analyses.models import Run, Upload
from dashboard.analyses.services.results import load_result
from dashboard.core.database import session
from dashboard.core.errors import NotFound
from dashboard.core.i18n import _

Language = Literal["en", "zh"]


def picture(run: Run, name: str, *, form: str, language: str) -> bytes:
    """One plot as a file. Raises NotFound for a plot or form that does not exist."""
    # Late: matplotlib takes as long to import as a small run, and most pages need none of it.
    from jobs.engines.clonal import figures

    try:
        return figures.draw_figure(
            load_result(run), name, format=form, language=_language(language)
        )
    except KeyError:
        raise NotFound() from None


def report(run: Run, *, language: str) -> bytes:
    """Everything about a result in one PDF, masked."""
    from jobs.engines.clonal.report import report_pdf

    upload = session.get_one(Upload, run.upload_id)
    facts = [
        (_("Patient"), " ".join(filter(None, [upload.name_mask, upload.age_band])) or "–"),
        (_("Analysis %(id)s", id=upload.id), _("Run %(id)s", id=run.id)),
    ]
    return report_pdf(load_result(run), run.recipe, language=_language(language), facts=facts)


def _language(code: str) -> Language:
    return "zh" if code == "zh" else "en"
