"""Courses and positions in the dashboard."""

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import flash, request, url_for
from flask_admin.actions import action
from flask_admin.form import BaseForm
from markupsafe import Markup
from sqlalchemy import Select, select
from wtforms.fields import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from dashboard.catalogue import labels, queries, services
from dashboard.catalogue.models import Item, ItemKind, Tag
from dashboard.core.admin import AtriumModelView
from dashboard.core.admin.fields import (
    MarkdownField,
    PictureField,
    RowLoader,
    RowsField,
    WordsField,
)
from dashboard.core.admin.filters import Choice, Day, Matching
from dashboard.core.admin.markup import duration, link, state_tag
from dashboard.core.database import session, transaction
from dashboard.core.i18n import _, lazy

CATALOGUE = lazy("Catalogue")
COURSES = RowLoader(
    "courses",
    lambda: select(Item).where(Item.kind == ItemKind.COURSE),
    pk=Item.id,
    title=Item.title,
)


class ItemForm(BaseForm):
    """What courses and positions have in common."""

    title = StringField(lazy("Title"), [InputRequired(), Length(max=200)])
    summary = TextAreaField(lazy("Summary"), [Optional(), Length(max=500)])
    content = MarkdownField(
        lazy("Content"),
        [Optional(), Length(max=50_000)],
        description=lazy("Markdown: ## heading, **bold**, - list, [text](address)."),
    )
    cover = PictureField(
        lazy("Cover"),
        description=lazy("JPEG, PNG or WebP. Leave it empty to keep the present one."),
    )
    tags = WordsField(lazy("Tags"), description=lazy("Words between commas."))
    language = SelectField(lazy("Language"), choices=list(labels.LANGUAGES.items()))
    status = SelectField(lazy("Status"), choices=list(labels.STATUSES.items()))


class CourseForm(ItemForm):
    """A course."""

    level = SelectField(lazy("Level"), choices=[("", "–"), *labels.LEVELS.items()])
    duration_s = IntegerField(lazy("Duration in seconds"), [Optional(), NumberRange(min=1)])


class PositionForm(ItemForm):
    """A position, with the courses that lead to it."""

    course_ids = RowsField(
        lazy("Courses that lead here, in order"),
        loader=COURSES,
        address=lambda: url_for("admin_positions.ajax_lookup", name="courses"),
    )


class Items(AtriumModelView):
    """What the lists of courses and of positions have in common."""

    kind: ItemKind
    model = Item
    group = CATALOGUE
    can_create = can_edit = can_delete = True
    column_list = ("title", "status", "language", "tags", "updated_at")
    column_details_list: ClassVar[Sequence[str]] = (
        *("id", "title", "summary", "status", "language", "level", "duration_s", "tags"),
        *("external_id", "created_at", "updated_at"),
    )
    column_export_list = (
        *("id", "title", "summary", "status", "language", "level", "duration_s", "tags"),
        *("external_id", "created_at", "updated_at"),
    )
    column_labels = {
        "id": lazy("Number"),
        "title": lazy("Title"),
        "summary": lazy("Summary"),
        "status": lazy("Status"),
        "language": lazy("Language"),
        "level": lazy("Level"),
        "duration_s": lazy("Duration"),
        "tags": lazy("Tags"),
        "external_id": lazy("Name in the source"),
        "created_at": lazy("Created"),
        "updated_at": lazy("Changed"),
    }
    column_sortable_list = ("title", "created_at")
    column_searchable_list = ("title", "summary")
    column_formatters = {
        "status": lambda _view, _context, item, _name: state_tag(
            item.status, labels.STATUSES[item.status]
        ),
        "language": lambda _view, _context, item, _name: labels.LANGUAGES[item.language],
        "level": lambda _view, _context, item, _name: labels.LEVELS.get(item.level, "–"),
        "duration_s": lambda _view, _context, item, _name: duration(item.duration_s) or "–",
    }
    column_filters = (
        Choice("status", lazy("Status"), Item.status, labels.STATUSES),
        Choice("language", lazy("Language"), Item.language, labels.LANGUAGES),
        Matching(
            "tag",
            lazy("Tag"),
            Item.id,
            lambda: _tags(),  # noqa: PLW0108 - defined below
            lambda key: Item.tags.any(Tag.key == key),
        ),
        Day("from", lazy("Created from"), Item.created_at),
        Day("to", lazy("Created to"), Item.created_at, until=True),
    )

    def scope(self, query: Select[Any]) -> Select[Any]:
        return query.where(Item.kind == self.kind)

    def create(self, form: Any) -> Item:
        return services.create_item(
            self.kind, actor_id=self.actor_id, cover=form.cover.data, fields=_fields(form)
        )

    def update(self, row: Item, form: Any) -> None:
        services.update_item(
            row.id, actor_id=self.actor_id, cover=form.cover.data, fields=_fields(form)
        )

    def delete(self, row: Item) -> None:
        services.delete_item(row.id, actor_id=self.actor_id)

    def row_links(self, row: Item) -> list[tuple[str, str, Any]]:
        return [
            (url_for(f"catalogue.{self.kind}", item_id=row.id), "screen", _("Preview")),
            (
                url_for("catalogue.video_upload", item=row.id),
                "upload",
                _("Upload a video"),
            ),
        ]

    @action("publish", lazy("Publish"))
    def action_publish(self, rows: Sequence[Item]) -> None:
        def publish(item: Item) -> None:
            services.publish_item(item.id, actor_id=self.actor_id)

        self.each(rows, publish, _say_published)

    @action("unpublish", lazy("Make drafts"))
    def action_unpublish(self, rows: Sequence[Item]) -> None:
        def unpublish(item: Item) -> None:
            services.unpublish_item(item.id, actor_id=self.actor_id)

        self.each(rows, unpublish, _say_drafted)


class Courses(Items):
    """Everything there is to learn."""

    kind = ItemKind.COURSE
    slug, label, icon = "courses", lazy("Courses"), "course"
    create_fields = edit_fields = CourseForm
    empty_text = lazy("A course has an introduction page and training videos.")


class Positions(Items):
    """What the courses lead to."""

    kind = ItemKind.POSITION
    slug, label, icon = "positions", lazy("Positions"), "position"
    create_fields = edit_fields = PositionForm
    form_ajax_refs = {"courses": COURSES}
    empty_text = lazy("A position says what a learner can become, and which courses lead there.")
    column_details_list: ClassVar[Sequence[str]] = (*Items.column_details_list, "courses")
    column_labels = {**Items.column_labels, "courses": lazy("Courses that lead here")}
    column_formatters = {
        **Items.column_formatters,
        "courses": lambda _view, _context, item, _name: _courses_of(item),
    }

    def create(self, form: Any) -> Item:
        with transaction():
            position = super().create(form)
            self._link(position.id, form)
        return position

    def update(self, row: Item, form: Any) -> None:
        with transaction():
            super().update(row, form)
            self._link(row.id, form)

    def on_form_prefill(self, form: Any, id: Any) -> None:
        if request.method == "GET":
            courses = queries.list_courses_of(int(id), drafts=True)
            form.course_ids.data = [course.id for course in courses]

    def _link(self, position_id: int, form: Any) -> None:
        services.link_courses(position_id, actor_id=self.actor_id, course_ids=form.course_ids.data)


def _fields(form: Any) -> dict[str, Any]:
    return {name: value for name, value in form.data.items() if name not in ("cover", "course_ids")}


def _tags() -> dict[str, str]:
    return {tag.key: tag.name for tag in session.scalars(select(Tag).order_by(Tag.key).limit(200))}


def _courses_of(position: Item) -> Markup:
    courses = queries.list_courses_of(position.id, drafts=True)
    entries = [
        Markup("<li>{}</li>").format(link(url_for("catalogue.course", item_id=course.id), course))
        for course in courses
    ]
    return Markup("<ol>{}</ol>").format(Markup().join(entries)) if entries else Markup("–")


def _say_published(count: int) -> None:
    flash(_("Published: %(count)s", count=count), "success")


def _say_drafted(count: int) -> None:
    flash(_("Made drafts: %(count)s", count=count), "success")
