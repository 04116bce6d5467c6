"""Units as a list, with the form of one: names, place, colour, floor plan, positions, people."""

from typing import Any, ClassVar

from flask import url_for
from flask_admin.form import BaseForm
from markupsafe import Markup
from sqlalchemy import or_, select
from wtforms.fields import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from dashboard.accounts.models import User
from dashboard.catalogue.models import Item, ItemKind
from dashboard.core.admin import AtriumModelView
from dashboard.core.admin.fields import MAX_SUGGESTIONS, PictureField, RowLoader, RowsField
from dashboard.core.database import session, transaction
from dashboard.core.i18n import _, lazy
from dashboard.organisation import services
from dashboard.organisation.models import MAX_CODE, MAX_NAME, Unit
from dashboard.organisation.queries import units as queries

ORGANISATION = lazy("Organisation")


class People(RowLoader):
    """Suggests people by the start of any of their names."""

    def format(self, model: Any) -> tuple[int, str]:
        return model.id, f"{model.display_name} (#{model.id})"

    def get_list(self, query: str, offset: int = 0, limit: int = MAX_SUGGESTIONS) -> list[Any]:
        query = (query or "").replace("\x00", "")
        names = (User.user_name, User.nickname, User.email)
        rows = select(User).where(or_(*[n.istartswith(query, autoescape=True) for n in names]))
        offset, limit = max(0, min(offset or 0, 1000)), max(1, min(limit, MAX_SUGGESTIONS))
        return list(session.scalars(rows.order_by(User.id).offset(offset).limit(limit)))


POSITIONS = RowLoader(
    "positions",
    lambda: select(Item).where(Item.kind == ItemKind.POSITION),
    pk=Item.id,
    title=Item.title,
)
PEOPLE = People("people", lambda: select(User), pk=User.id, title=User.user_name)


class UnitForm(BaseForm):
    """One unit."""

    name = StringField(lazy("Name"), [InputRequired(), Length(max=MAX_NAME)])
    name_en = StringField(lazy("Name in English"), [Optional(), Length(max=MAX_NAME)])
    parent_id = SelectField(
        lazy("Is in"),
        choices=lambda: _parents(),  # noqa: PLW0108 - defined below
        coerce=int,
        default=0,
    )
    code = StringField(
        lazy("Code"),
        [Optional(), Length(max=MAX_CODE)],
        description=lazy("What files call the unit. Left empty, it gets one."),
    )
    colour = StringField(
        lazy("Colour"), [Optional(), Length(max=7)], description=lazy("Such as #0d675c.")
    )
    position_ids = RowsField(
        lazy("Positions, in order"),
        loader=POSITIONS,
        address=lambda: url_for("admin_units.ajax_lookup", name="positions"),
    )
    member_ids = RowsField(
        lazy("People"),
        loader=PEOPLE,
        address=lambda: url_for("admin_units.ajax_lookup", name="people"),
    )
    plan = PictureField(
        lazy("Floor plan"),
        description=lazy(
            "JPEG, PNG or WebP, seen from above. Leave it empty to keep the present one."
        ),
    )
    no_plan = BooleanField(lazy("Take the floor plan away"))


class Units(AtriumModelView):
    """Every unit; the tree page orders them."""

    model = Unit
    slug, label, group, icon = "units", lazy("Units"), ORGANISATION, "position"
    can_create = can_edit = can_delete = True
    create_fields = edit_fields = UnitForm
    form_ajax_refs = {"positions": POSITIONS, "people": PEOPLE}
    empty_text = lazy("Divisions, departments and teams, with the positions in them.")
    column_list = ("name", "name_en", "code", "colour", "updated_at")
    column_details_list: ClassVar = (
        *("id", "name", "name_en", "code", "parent_id", "ordinal", "colour", "floor_plan"),
        "updated_at",
    )
    column_export_list = ("id", "parent_id", "ordinal", "code", "name", "name_en", "colour")
    column_labels = {
        "id": lazy("Number"),
        "name": lazy("Name"),
        "name_en": lazy("Name in English"),
        "code": lazy("Code"),
        "parent_id": lazy("Number of the unit it is in"),
        "ordinal": lazy("Place"),
        "colour": lazy("Colour"),
        "floor_plan": lazy("Floor plan"),
        "updated_at": lazy("Changed"),
    }
    column_sortable_list = ("code",)
    column_searchable_list = ("name", "name_en", "code")
    column_formatters = {"colour": lambda _view, _context, unit, _name: _swatch(unit.colour)}

    def create(self, form: Any) -> Unit:
        with transaction():
            unit = services.create_unit(
                actor_id=self.actor_id, parent_id=form.parent_id.data or None, fields=_fields(form)
            )
            self._fill(unit.id, form)
        return unit

    def update(self, row: Unit, form: Any) -> None:
        with transaction():
            unit = services.update_unit(row.id, actor_id=self.actor_id, fields=_fields(form))
            parent_id = form.parent_id.data or None
            if parent_id != unit.parent_id:
                services.move_unit(unit.id, actor_id=self.actor_id, parent_id=parent_id)
            self._fill(unit.id, form)

    def delete(self, row: Unit) -> None:
        services.delete_unit(row.id, actor_id=self.actor_id)

    def on_form_prefill(self, form: Any, id: Any) -> None:
        form.position_ids.data = queries.list_position_ids(int(id))
        form.member_ids.data = queries.list_member_ids(int(id))

    def page_links(self) -> list[tuple[str, str, Any]]:
        return [(url_for("admin_structure.index_view"), "position", _("As a tree"))]

    def _fill(self, unit_id: int, form: Any) -> None:
        services.set_positions(unit_id, actor_id=self.actor_id, item_ids=form.position_ids.data)
        services.set_members(unit_id, actor_id=self.actor_id, user_ids=form.member_ids.data)
        if form.plan.data or form.no_plan.data:
            services.replace_floor_plan(unit_id, actor_id=self.actor_id, upload=form.plan.data)


def _fields(form: Any) -> dict[str, Any]:
    return {name: form[name].data or "" for name in ("name", "name_en", "code", "colour")}


def _parents() -> list[tuple[int, str]]:
    """Every unit, indented by its depth."""
    found = [(unit.id, "\u2003" * (depth + 1) + unit.name) for unit, depth in queries.list_units()]
    return [(0, _("the organisation itself")), *found]


def _swatch(colour: str) -> Markup:
    if not colour:
        return Markup("–")
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">'
        '<rect x="3" y="3" width="18" height="18" rx="4" fill="{}"/></svg> <code>{}</code>'
    ).format(colour, colour)
