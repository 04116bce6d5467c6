"""The preflight check of an upload: what is wrong, what is left out, how samples overlap.

What is stored is plain JSON without a word from the files' names; pages say it in the reader's language."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update

from dashboard.analyses import queries
from dashboard.analyses.masking import mask_sample
from dashboard.analyses.models import Upload
from dashboard.analyses.services import places
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal
from jobs.engines.clonal import MutationTable, Preflight, Problem, Repaired, Report

# A check is made again when another table arrives meanwhile.
MAX_CHECKS = 5
MAX_OVERLAP = 30
"""Samples that an overlap table can show."""


@dataclass(frozen=True)
class Checked:
    """What the engine found, and the samples as they are called from here on."""

    found: Preflight
    samples: list[dict[str, Any]]
    labels: dict[str, str]
    """What the tables call a sample -> what we call it."""

    @property
    def table(self) -> MutationTable | None:
        """The table under our labels."""
        table = self.found.table
        if table is None:
            return None
        names = tuple(self.labels.get(name, name) for name in table.samples)
        return replace(table, samples=names)


def check_upload(upload_id: int, *, viewer: Viewer) -> Upload:
    """Check the tables that have arrived and store what was found. Raises NotFound, Forbidden, Conflict."""
    for _again in range(MAX_CHECKS):
        upload = queries.require_own(upload_id, viewer)
        arrived = _arrived(upload)
        if not arrived:
            raise Conflict(_("There is no table yet."))
        checked = look_into(upload)
        if _store(upload_id, checked, arrived=arrived):
            return session.get_one(Upload, upload_id)
    raise Conflict(_("Tables are still arriving. Check them when all are there."))


def _store(upload_id: int, checked: Checked, *, arrived: list[int]) -> bool:
    """Keep what was found; not when other tables are there by now, of which it says nothing."""
    report = _as_json(checked)
    report["repairable"] = not report["good"] and (
        report["n_rows"] > 0 or bool(repaired(session.get_one(Upload, upload_id)).files)
    )
    with transaction():
        # First, as a lock: a table that arrives at this moment waits, and then makes the check void.
        touched = update(Upload).where(Upload.id == upload_id).values(touched_at=utcnow())
        session.execute(touched, execution_options={"synchronize_session": False})
        upload = session.get_one(Upload, upload_id, populate_existing=True)
        if _arrived(upload) != arrived:
            return False
        upload.preflight = report
        upload.samples = checked.samples
        upload.label_text = " ".join(upload.labels)
    return True


def _arrived(upload: Upload) -> list[int]:
    return [file.id for file in upload.files if file.has_arrived]


def look_into(upload: Upload, *, samples: list[dict[str, Any]] | None = None) -> Checked:
    """Run the engine's check over the upload's tables, with the samples' labels and tumour contents."""
    paths = places.paths_of(upload)
    known = _extended(upload.samples if samples is None else samples, len(paths))
    labels = _labels(known, len(paths))
    contents = [sample.get("tumour_content") for sample in known]
    given = [float(content) for content in contents if content is not None]
    found = clonal.check(
        *paths,
        names=file_names(labels if len(labels) == len(paths) else _labels([], len(paths))),
        samples=labels if len(labels) == len(paths) else _labels([], len(paths)),
        tumour_content=given if given and len(given) == len(contents) else None,
    )
    return _named(
        found, known, labels=_labels([], len(paths)) if len(labels) != len(paths) else labels
    )


def repaired(upload: Upload) -> Repaired:
    """The tables put right as far as that needs no guess."""
    paths = places.paths_of(upload)
    labels = _labels(upload.samples, len(paths))
    return clonal.repair(*paths, samples=labels if len(labels) == len(paths) else None)


def file_names(labels: list[str]) -> list[str]:
    """What messages call the tables: a neutral name each."""
    return ["table.tsv"] if len(labels) == 1 else [f"{label}.tsv" for label in labels]


def _extended(samples: list[dict[str, Any]], n_files: int) -> list[dict[str, Any]]:
    """The samples, and new ones for tables that came after they were described."""
    found = [dict(sample) for sample in samples]
    free = (f"S{n}" for n in range(1, n_files + len(found) + 1))
    taken = {sample["label"].casefold() for sample in found}
    while found and len(found) < n_files:
        label = next(name for name in free if name.casefold() not in taken)
        found.append({"label": label, "tumour_content": None})
    return found


def _labels(samples: list[dict[str, Any]], n_files: int) -> list[str]:
    return [s["label"] for s in samples] or [f"S{place + 1}" for place in range(n_files)]


def _named(found: Preflight, known: list[dict[str, Any]], *, labels: list[str]) -> Checked:
    in_files = list(found.overlap.samples) if found.overlap else []
    if not in_files or set(in_files) == set(labels):
        samples = known or [{"label": label, "tumour_content": None} for label in labels]
        return Checked(found, samples, {label: label for label in labels})
    # One table of all samples, which names them itself: names may say whom they are about.
    if len(known) != len(in_files):
        known = [{"label": f"S{n + 1}", "tumour_content": None} for n in range(len(in_files))]
    samples = [
        {**sample, "hint": mask_sample(name)} for sample, name in zip(known, in_files, strict=True)
    ]
    names = {name: sample["label"] for name, sample in zip(in_files, samples, strict=True)}
    return Checked(found, samples, names)


def _as_json(checked: Checked) -> dict[str, Any]:
    found = checked.found
    table = found.table
    return {
        "good": table is not None,
        "n_mutations": found.n_mutations,
        "n_usable": table.n_mutations if table else 0,
        "n_dropped": found.n_dropped,
        "n_rows": found.n_rows,
        "problems": _problems(found.problems, checked.labels),
        "n_problems": found.problems.n_problems,
        "warnings": _problems(found.warnings, checked.labels),
        "n_warnings": found.warnings.n_problems,
        "overlap": _overlap(checked),
        "dropped": [
            {"rule": part.rule.value, "n": part.n_mutations, "examples": list(part.examples)}
            for part in found.dropped
        ],
        "checked_at": utcnow().isoformat(timespec="seconds"),
    }


def _problems(report: Report, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [_problem(problem, labels) for problem in report.problems]


def _problem(problem: Problem, labels: dict[str, str]) -> dict[str, Any]:
    details = dict(problem.details)
    if "sample" in details:
        details["sample"] = _label_of(details["sample"], labels)
    if "samples" in details:
        details["samples"] = ", ".join(labels.values())
    return {
        "rule": problem.rule.value,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        # What a table calls its samples may be a name.
        "value": "" if problem.column == "sample_id" else problem.value,
        "details": details,
    }


def _label_of(told: str, labels: dict[str, str]) -> str:
    """Our label of a sample that a message names, a long name cut short."""
    called = {clonal.shown(name): label for name, label in labels.items()}
    return called.get(told) or labels.get(told) or mask_sample(told)


def _overlap(checked: Checked) -> dict[str, Any] | None:
    overlap = checked.found.overlap
    if overlap is None or len(overlap.samples) > MAX_OVERLAP:
        return None
    return {
        "samples": [checked.labels.get(name, name) for name in overlap.samples],
        "shared": overlap.shared.tolist(),
        "in_all": overlap.in_all,
    }
