"""Uploads: made, described, deleted."""

import io
import re
from typing import Any

from sqlalchemy import delete, update

from dashboard.analyses import queries
from dashboard.analyses.masking import gives_away, mask_age, mask_name
from dashboard.analyses.models import AnalysisState, Upload
from dashboard.analyses.services import checking, files, places
from dashboard.audit import services as audit
from dashboard.core import uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.encryption import seal, unseal
from dashboard.core.errors import Conflict, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.job_queue import services as jobs
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal

MAX_NAME, MAX_NOTE, MAX_AGE = 200, 2_000, 130
MAX_LABEL = 40
LABEL = re.compile(r"[\w][\w .+-]*\Z")
SAMPLE_DATA = clonal.Experiment(
    n_mutations=120, n_samples=3, n_clusters=4, depth=150, tumour_content=(0.8, 0.65, 0.5), seed=7
)
"""What "try with sample data" analyses: made up, of nobody."""


def create_upload(*, owner_id: int) -> Upload:
    """An empty upload."""
    with transaction():
        upload = Upload(owner_id=owner_id)
        session.add(upload)
    return upload


def create_sample(*, owner_id: int) -> Upload:
    """An upload of simulated tables, checked and ready to start."""
    viewer = Viewer(user_id=owner_id)
    upload = create_upload(owner_id=owner_id)
    for name, text in clonal.sample_tsvs(clonal.simulate(SAMPLE_DATA).table).items():
        content = text.encode()
        source = io.BytesIO(content)
        files.add_file(
            upload.id,
            viewer=viewer,
            name=f"{name}.tsv",
            source=source,
            size_bytes=len(content),
        )
    contents = SAMPLE_DATA.tumour_content or ()
    known: dict[str, Any] = {
        "is_sample_data": True,
        "note": seal(_("Simulated sample data.")),
        "samples": [
            {"label": f"S{number}", "tumour_content": content}
            for number, content in enumerate(contents, 1)
        ],
    }
    with transaction():
        session.execute(update(Upload).where(Upload.id == upload.id).values(**known))
    checking.check_upload(upload.id, viewer=viewer)
    return upload


def describe_upload(
    upload_id: int,
    *,
    viewer: Viewer,
    patient_name: str,
    patient_age: int | None,
    note: str,
    labels: list[str] | None = None,
    tumour_contents: list[float | None] | None = None,
    parameters: dict[str, Any] | None = None,
) -> Upload:
    """Store what the form says. Raises NotFound, Forbidden and Invalid with every problem."""
    name = " ".join(patient_name.split())
    with transaction():
        upload = queries.require_own(upload_id, viewer)
        samples = _samples(upload, labels, tumour_contents)
        problems = _problems(name, patient_age, note, samples)
        if problems:
            raise Invalid(problems=problems)
        upload.patient_name, upload.name_mask = seal(name), mask_name(name)
        upload.patient_age = seal("" if patient_age is None else str(patient_age))
        upload.age_band = mask_age(patient_age)
        upload.note = seal(note.strip())
        upload.touched_at = utcnow()
        if parameters is not None:
            upload.parameters = parameters
        if samples != upload.samples:
            upload.samples = samples
            upload.label_text = " ".join(sample["label"] for sample in samples)
            upload.preflight = None
    return upload


def delete_upload(upload_id: int, *, viewer: Viewer) -> None:
    """Remove an upload with its tables and results. Raises NotFound, Forbidden, and Conflict while it runs."""
    with transaction():
        upload = queries.require_own(upload_id, viewer)
        entry = queries.get_entry(upload_id, viewer)
        if entry.state is AnalysisState.RUNNING:
            raise Conflict(_("It is being analysed. Cancel it first."))
        if entry.active and entry.run and entry.run.job_id:
            jobs.cancel_job(entry.run.job_id, viewer=viewer)
        remove_upload(upload)
        audit.record(
            actor_id=viewer.user_id,
            action="analysis.delete",
            subject=f"analysis:{upload_id}",
            summary=f"#{upload_id}",
        )


def remove_upload(upload: Upload) -> None:
    """Remove the rows now and the folders once that is committed."""
    folders = (places.upload_folder(upload), places.results_folder(upload))
    for folder in folders:
        uploads.on_commit(lambda folder=folder: places.remove_folder(folder))  # type: ignore[misc]
    session.execute(delete(Upload).where(Upload.id == upload.id))
    session.expire_all()


def check_text(text: str, *, upload: Upload, field: str) -> None:
    """Refuse a text for others to read that says whom it is about. Raises Invalid."""
    if gives_away(text, unseal(upload.patient_name) or ""):
        message = _("Do not write the patient's name here: others may read it.")
        raise Invalid(message, problems=[Problem(field, message)])


def _samples(
    upload: Upload, labels: list[str] | None, contents: list[float | None] | None
) -> list[dict[str, Any]]:
    samples = [dict(sample) for sample in upload.samples]
    for place, label in enumerate((labels or [])[: len(samples)]):
        samples[place]["label"] = " ".join(label.split()) or f"S{place + 1}"
    for place, content in enumerate((contents or [])[: len(samples)]):
        samples[place]["tumour_content"] = content
    return samples


def _problems(
    name: str, age: int | None, note: str, samples: list[dict[str, Any]]
) -> list[Problem]:
    found = []
    if len(name) > MAX_NAME or not name.isprintable():
        found.append(Problem("patient_name", _("A name has %(n)s characters at most.", n=MAX_NAME)))
    if age is not None and not 0 <= age <= MAX_AGE:
        found.append(Problem("patient_age", _("An age is a whole number from 0 to 130.")))
    if len(note) > MAX_NOTE:
        found.append(Problem("note", _("A note has %(n)s characters at most.", n=MAX_NOTE)))
    labels = [sample["label"] for sample in samples]
    for place, label in enumerate(labels):
        found += [Problem(f"label_{place}", text) for text in _faults(label, labels, name)]
    return found + _wrong_contents(samples)


def _faults(label: str, labels: list[str], name: str) -> list[str]:
    if len(label) > MAX_LABEL or not LABEL.match(label):
        return [_("A label has letters, digits, spaces and . + - _, 40 characters at most.")]
    if [other.casefold() for other in labels].count(label.casefold()) > 1:
        return [_("Every sample needs a label of its own.")]
    if gives_away(label, name):
        return [_("A label stands in every plot: it must not contain the patient's name.")]
    return []


def _wrong_contents(samples: list[dict[str, Any]]) -> list[Problem]:
    contents = [sample.get("tumour_content") for sample in samples]
    given = [content for content in contents if content is not None]
    found = []
    for place, content in enumerate(contents):
        if content is not None and not 0 < content <= 1:
            message = _("Tumour content is more than 0 and at most 1; 60 percent is 0.6.")
            found.append(Problem(f"tumour_content_{place}", message))
        elif content is None and given:
            message = _("Give the tumour content of every sample, or of none.")
            found.append(Problem(f"tumour_content_{place}", message))
    return found
