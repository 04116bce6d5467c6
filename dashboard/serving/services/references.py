"""Tables of reference: how the inputs of a version are spread where it is meant to work, to measure drift against."""

from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import delete, select

from dashboard.audit import services as audit
from dashboard.core import pieces
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving import drift, queries, tables
from dashboard.serving.models import BaselineOrigin, Deployment, DriftCount, ModelVersion, Right
from dashboard.serving.queries import Viewer
from dashboard.serving.services.fields import inputs_of, records_of_table

MAX_TABLE_BYTES = 256 * 2**20
MAX_ROWS = 200_000
# Of an input that is a row of numbers, elements that are looked at one by one.
MAX_ELEMENTS = 100


def set_reference(
    model_id: int,
    number: int,
    source: Path | BinaryIO,
    *,
    original_name: str,
    viewer: Viewer,
) -> ModelVersion:
    """A version whose drift is measured against this table from now on; what was counted before is forgotten.

    Raises Invalid for a file that is no table or lacks an input, TooLarge, NotFound, Forbidden.
    """
    version = queries.get_version(queries.get_model(model_id, viewer, right=Right.MANAGE), number)
    path = pieces.new_path(queries.folder() / "references")
    pieces.keep(source, path, max_bytes=MAX_TABLE_BYTES)
    try:
        baseline, n_rows = _learn(version, path, original_name)
    finally:
        path.unlink(missing_ok=True)
    about = {
        **{"from": BaselineOrigin.TABLE.value, "name": pieces.safe_name(original_name)},
        **{"rows": n_rows, "at": f"{utcnow():%Y-%m-%d %H:%M:%S}"},
    }
    with transaction():
        if not has_reference(version):
            version.own_baseline = {"baseline": version.baseline, "about": version.baseline_about}
        version.baseline, version.baseline_about = baseline, about
        _forget_counts(version)
        _audit(viewer, version, [None, about["name"]])
    return version


def remove_reference(model_id: int, number: int, *, viewer: Viewer) -> ModelVersion:
    """A version whose drift is measured against what its training or its file says, if they say anything."""
    version = queries.get_version(queries.get_model(model_id, viewer, right=Right.MANAGE), number)
    if not has_reference(version):
        raise Conflict(_("This version has no table of reference."))
    with transaction():
        own, name = version.own_baseline or {}, (version.baseline_about or {}).get("name")
        version.baseline, version.baseline_about = own.get("baseline"), own.get("about")
        version.own_baseline = None
        _forget_counts(version)
        _audit(viewer, version, [name, None])
    return version


def has_reference(version: ModelVersion) -> bool:
    """Whether drift is measured against a table."""
    return (version.baseline_about or {}).get("from") == BaselineOrigin.TABLE


def _learn(version: ModelVersion, path: Path, name: str) -> tuple[dict[str, Any], int]:
    try:
        with path.open("rb") as file:
            form = tables.format_of(file.read(64), name)
        rows = records_of_table(path, form, version, script=False)
        baseline, n_rows = drift.baseline_of(tables.at_most(rows, MAX_ROWS), _columns(version))
    except tables.BadTable as error:
        raise _invalid(str(error)) from error
    if not baseline:
        raise _invalid(_("The table has no values of the model's inputs."))
    return baseline, n_rows


def _columns(version: ModelVersion) -> list[drift.Column]:
    found = []
    for field in inputs_of(version):
        numeric = field.kind in ("integer", "real") and not field.values
        if not field.dimension:
            found.append(drift.Column(field.name, field.name, None, numeric))
        elif len(field.dimension) == 1 and (size := field.dimension[0]) and size <= MAX_ELEMENTS:
            found += [
                drift.Column(f"{field.name}[{place}]", field.name, place, numeric)
                for place in range(size)
            ]
    return found


def _forget_counts(version: ModelVersion) -> None:
    # They were counted in other bins.
    own = select(Deployment.id).where(Deployment.version_id == version.id)
    session.execute(delete(DriftCount).where(DriftCount.deployment_id.in_(own)))


def _audit(viewer: Viewer, version: ModelVersion, change: list[Any]) -> None:
    audit.record(
        actor_id=viewer.user_id,
        action="model.reference",
        subject=f"model:{version.model_id}",
        summary=str(version),
        changes={"reference": change},
    )


def _invalid(message: str) -> Invalid:
    return Invalid(message, problems=[Problem("file", message)])
