"""Pictures of floor plans and the building model: checked by their content, kept under names of ours."""

import io
from pathlib import Path

from sqlalchemy import delete, select
from werkzeug.datastructures import FileStorage

from dashboard.audit import services as audit
from dashboard.core import pictures, uploads
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, Problem, TooLarge
from dashboard.core.i18n import _, lazy
from dashboard.organisation.gltf import NotAModel, check_glb, pictures_in
from dashboard.organisation.models import Backdrop, Unit
from dashboard.organisation.queries import units as queries

FAULTS = {
    "header": lazy("The file is not binary glTF (.glb)."),
    "version": lazy("Only version 2 of glTF can be shown."),
    "length": lazy("The file is cut off, or longer than it says."),
    "json": lazy("The description in the file cannot be read."),
    "external": lazy("The model names files outside itself. Export it as one .glb file."),
    "extension": lazy("The model needs an extension that browsers do not show, such as Draco."),
    "triangles": lazy("The model has more than 200,000 triangles. Export a simpler one."),
    "parts": lazy(
        "The model has too many parts, or parts inside themselves. Export a simpler one."
    ),
    "pictures": lazy("The model has more than 100 pictures. Export it with fewer textures."),
}
# All pictures of a model together: every visitor's memory holds them at once.
MAX_PIXELS = 2 * pictures.MAX_PIXELS


def replace_floor_plan(unit_id: int, *, actor_id: int | None, upload: FileStorage | None) -> None:
    """Give a unit's floor a picture; None takes it away. Raises NotFound, Invalid and TooLarge."""
    with transaction():
        unit = queries.get_unit(unit_id)
        name = _keep_picture(upload) if upload else ""
        if unit.floor_plan:
            uploads.delete_on_commit(uploads.path_of("plans", unit.floor_plan))
        audit.record(
            actor_id=actor_id,
            action="unit.floor_plan",
            subject=f"unit:{unit.id}",
            summary=unit.name,
            changes={"floor_plan": [unit.floor_plan, name]},
        )
        unit.floor_plan = name


def replace_backdrop(upload: FileStorage, *, actor_id: int | None, max_bytes: int) -> Backdrop:
    """Show this building model around the structure. Raises Invalid and TooLarge, and then keeps nothing."""
    content = upload.stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise TooLarge(_("The model may be %(size)s MB at most.", size=f"{max_bytes / 2**20:.0f}"))
    if message := _fault_of_model(content):
        raise Invalid(message, problems=[Problem("model", message)])
    uploads.check_space(len(content))
    with transaction():
        _forget_backdrops()
        path = _place("scenery", "glb")
        path.write_bytes(content)
        name = Path(upload.filename or "").name[:255] or path.name
        backdrop = Backdrop(
            stored_name=path.name, original_name=name.replace("\0", ""), size_bytes=len(content)
        )
        session.add(backdrop)
        session.flush()
        audit.record(actor_id=actor_id, action="backdrop.create", subject="backdrop", summary=name)
    return backdrop


def remove_backdrop(*, actor_id: int | None) -> None:
    """Show no building model any more."""
    with transaction():
        _forget_backdrops()
        audit.record(actor_id=actor_id, action="backdrop.delete", subject="backdrop")


def tidy_files() -> int:
    """Remove the pictures and models that no row names, a day after they came; how many they were."""
    known = {
        "plans": set(session.scalars(select(Unit.floor_plan).where(Unit.floor_plan != ""))),
        "scenery": set(session.scalars(select(Backdrop.stored_name))),
    }
    return uploads.remove_strays(known)


def _forget_backdrops() -> None:
    for name in session.scalars(select(Backdrop.stored_name)):
        uploads.delete_on_commit(uploads.path_of("scenery", name))
    session.execute(delete(Backdrop))


def _fault_of_model(content: bytes) -> str:
    """Why a building model cannot be shown; empty when it can."""
    n_pixels = 0
    try:
        for number, picture in enumerate(pictures_in(content, check_glb(content)), start=1):
            try:
                n_pixels += pictures.examine(io.BytesIO(picture))[1]
            except pictures.Unfit as error:
                return _("Picture %(number)s in the model: %(fault)s", number=number, fault=error)
            if n_pixels > MAX_PIXELS:
                return _(
                    "The pictures in the model have more than %(n)s million pixels together: make them smaller.",
                    n=MAX_PIXELS // 1_000_000,
                )
    except NotAModel as error:
        return str(FAULTS[str(error)])
    return ""


def _keep_picture(upload: FileStorage) -> str:
    path = _place("plans", pictures.extension_of(upload, field="plan"))
    upload.save(path)
    return path.name


def _place(folder: str, extension: str) -> Path:
    """A new path in an upload folder; its file goes away when the transaction does not commit."""
    path = uploads.path_of(folder, uploads.new_name(extension))
    uploads.delete_on_rollback(path)
    return path
