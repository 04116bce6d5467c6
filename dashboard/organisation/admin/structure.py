"""The organisation's tree in the dashboard: moved by hand, read from a file, written to one; the backdrop."""

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, flash, jsonify, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from dashboard.core.admin import AdminPage, goes_with
from dashboard.core.database import session
from dashboard.core.errors import DomainError, Invalid, NotFound
from dashboard.core.i18n import _, lazy
from dashboard.organisation import services
from dashboard.organisation.admin.units import ORGANISATION
from dashboard.organisation.models import UnitMember, UnitPosition
from dashboard.organisation.queries import units as queries
from dashboard.organisation.services.reading import MAX_BYTES

MIME = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
TOP = "top"


class StructurePage(AdminPage):
    """The tree, with a drag or a key press for every move."""

    slug, label, group, icon = "structure", lazy("Structure"), ORGANISATION, "workspace"

    @expose("/")
    def index_view(self) -> str:
        return self._tree_page()

    @expose("/move/", methods=("POST",))
    def move(self) -> AnyResponse:
        """One step in a direction, or (from a drag) to a place under a unit."""
        unit_id = request.form.get("unit", 0, type=int)
        if request.form.get("direction"):
            services.shift_unit(unit_id, _direction(), actor_id=self.actor_id)
        else:
            services.move_unit(
                unit_id,
                actor_id=self.actor_id,
                parent_id=_parent(request.form.get("parent", TOP)),
                place=request.form.get("place", type=int),
            )
        if request.accept_mimetypes.best == "application/json":
            return jsonify(moved=unit_id)
        return redirect(self.get_url(".index_view", _anchor=f"unit-{unit_id}"))

    @expose("/add/", methods=("POST",))
    def add(self) -> AnyResponse:
        """A new unit by its name alone."""
        unit = services.create_unit(
            actor_id=self.actor_id,
            parent_id=_parent(request.form.get("parent", TOP)),
            fields={"name": request.form.get("name", "")},
        )
        return redirect(self.get_url(".index_view", _anchor=f"unit-{unit.id}"))

    @expose("/import/", methods=("POST",))
    def read_file(self) -> Any:
        """Say what a file would change; change it once `confirm=yes` comes with its text and what was said."""
        content = _sent_content()
        plan = services.plan(content)
        if plan.problems or request.form.get("confirm") != "yes":
            text = content.decode("utf-8", "replace") if not plan.problems else ""
            return self._tree_page(plan=plan, text=text), 422 if plan.problems else 200
        if request.form.get("seal") != plan.seal:
            # Somebody else changed the tree: what would be removed now was never shown.
            flash(
                _("The structure has changed meanwhile. Look again before you import."), "warning"
            )
            return self._tree_page(plan=plan, text=content.decode()), 409
        count = services.apply_plan(plan, actor_id=self.actor_id)
        flash(_("Imported: %(count)s units", count=count), "success")
        return redirect(self.get_url(".index_view"))

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The whole tree as a file that can be imported again."""
        if export_type not in MIME:
            raise NotFound()
        text = services.export_csv() if export_type == "csv" else services.export_json()
        # The mark tells spreadsheets that the file is UTF-8.
        response = Response(("\ufeff" if export_type == "csv" else "") + text)
        response.content_type = MIME[export_type]
        name = f"organisation.{export_type}"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response

    @expose("/backdrop/", methods=("POST",))
    def backdrop(self) -> AnyResponse:
        """Take a building model in, or take the present one away."""
        if request.form.get("what") == "remove":
            services.remove_backdrop(actor_id=self.actor_id)
            flash(_("The building model was taken away."), "success")
        elif request.files.get("model"):
            limit = current_app.config["ATRIUM"].organisation.max_model_bytes
            services.replace_backdrop(
                request.files["model"], actor_id=self.actor_id, max_bytes=limit
            )
            flash(_("The building model is shown."), "success")
        else:
            raise Invalid(_("Choose a .glb file first."))
        return redirect(self.get_url(".index_view"))

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._run_view(fn, *args, **kwargs)
        except (Invalid, DomainError) as error:
            if request.accept_mimetypes.best == "application/json" or request.method != "POST":
                raise
            session.rollback()
            flash(error.message, "danger")
            return redirect(self.get_url(".index_view"))

    def _tree_page(self, *, plan: services.Plan | None = None, text: str = "") -> str:
        return self.render(  # type: ignore[no-any-return]
            "admin/organisation/structure.html",
            branches=queries.list_branches(),
            backdrop=queries.find_backdrop(),
            directions=services.Direction,
            plan=plan,
            text=text,
        )


@goes_with("unit")
def count_below(ids: Sequence[int]) -> dict[int, str]:
    """How many units go with each."""
    tree = queries.load_tree()
    below = {unit_id: len(tree.below(unit_id)) - 1 for unit_id in ids if unit_id in tree.nodes}
    return {unit_id: _("%(count)s units below it", count=n) for unit_id, n in below.items() if n}


@goes_with("user")
def count_memberships(ids: Sequence[int]) -> dict[int, str]:
    """How many units lose a member."""
    return _lost(UnitMember, UnitMember.user_id, ids, lazy("memberships in units: %(count)s"))


@goes_with("item")
def count_rooms(ids: Sequence[int]) -> dict[int, str]:
    """How many units lose a position."""
    return _lost(UnitPosition, UnitPosition.item_id, ids, lazy("places in units: %(count)s"))


def _lost(table: Any, column: Any, ids: Sequence[int], text: Any) -> dict[int, str]:
    counts: dict[int, int] = {}
    for value in session.query(column).filter(column.in_(ids)):
        counts[value[0]] = counts.get(value[0], 0) + 1
    return {key: str(text) % {"count": count} for key, count in counts.items()}


def _direction() -> services.Direction:
    try:
        return services.Direction(request.form["direction"])
    except ValueError:
        raise Invalid(_("There is no such direction.")) from None


def _parent(text: str) -> int | None:
    if text == TOP:
        return None
    if not text.isascii() or not text.isdecimal():
        raise NotFound(_("There is no such unit."))
    return int(text)


def _sent_content() -> bytes:
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        return upload.stream.read(MAX_BYTES + 1)
    return request.form.get("text", "").encode()
