"""Training videos in the dashboard."""

from collections.abc import Sequence
from typing import Any

from flask import flash, url_for
from flask_admin.actions import action
from flask_admin.form import BaseForm
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload
from wtforms.fields import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from dashboard.catalogue import labels, services
from dashboard.catalogue.admin.items import CATALOGUE
from dashboard.catalogue.models import Video, VideoState
from dashboard.core.admin import AtriumModelView, Figure, goes_with
from dashboard.core.admin.filters import Choice, Day, YesNo
from dashboard.core.admin.markup import duration, link, size, state_tag
from dashboard.core.database import session
from dashboard.core.i18n import _, lazy

YES_NO = {"yes": lazy("Yes"), "no": lazy("No")}


class VideoForm(BaseForm):
    """What can be changed about a video once it is here."""

    title = StringField(lazy("Title"), [InputRequired(), Length(max=200)])
    ordinal = IntegerField(
        lazy("Place"),
        [InputRequired(), NumberRange(min=0, max=10_000)],
        description=lazy("Videos are shown in the order of this number."),
    )
    preview_public = BooleanField(lazy("Visitors without an account may watch it"))


class Videos(AtriumModelView):
    """Training videos; new ones are uploaded from the list of courses or positions."""

    model = Video
    slug, label, group, icon = "videos", lazy("Videos"), CATALOGUE, "film"
    edit_fields = VideoForm
    can_edit = can_delete = True
    load = (joinedload(Video.item),)
    description_text = lazy("To add one, choose “Upload a video” beside its course or position.")
    empty_text = lazy("Choose “Upload a video” beside a course or position.")
    column_list = (
        *("title", "item", "state", "duration_s", "size_bytes", "preview_public", "created_at"),
    )
    column_details_list = (
        *("id", "title", "item", "state", "original_name", "duration_s", "size_bytes"),
        *("width", "height", "codec", "mime_type", "sha256", "ordinal", "preview_public"),
        *("created_at", "updated_at"),
    )
    column_export_list = (
        *("id", "item_id", "title", "state", "reason", "original_name", "duration_s"),
        *("size_bytes", "codec", "sha256", "preview_public", "created_at"),
    )
    column_labels = {
        "id": lazy("Number"),
        "title": lazy("Title"),
        "item": lazy("Belongs to"),
        "item_id": lazy("Number of its course or position"),
        "state": lazy("State"),
        "reason": lazy("Reason"),
        "original_name": lazy("File name"),
        "duration_s": lazy("Duration"),
        "size_bytes": lazy("Size"),
        "width": lazy("Width"),
        "height": lazy("Height"),
        "codec": lazy("Codec"),
        "mime_type": lazy("Type"),
        "sha256": "SHA-256",
        "ordinal": lazy("Place"),
        "preview_public": lazy("Public"),
        "created_at": lazy("Uploaded"),
        "updated_at": lazy("Changed"),
    }
    column_sortable_list = ("created_at",)
    column_searchable_list = ("title", "original_name")
    column_formatters = {
        "item": lambda _view, _context, video, _name: link(
            url_for(f"catalogue.{video.item.kind}", item_id=video.item_id), video.item.title
        ),
        "state": lambda _view, _context, video, _name: _state_of(video),
        "duration_s": lambda _view, _context, video, _name: duration(video.duration_s) or "–",
        "size_bytes": lambda _view, _context, video, _name: size(video.size_bytes),
    }
    column_filters = (
        Choice("state", lazy("State"), Video.state, labels.VIDEO_STATES),
        YesNo("public", lazy("Public"), Video.preview_public, YES_NO),
        Day("from", lazy("Uploaded from"), Video.created_at),
        Day("to", lazy("Uploaded to"), Video.created_at, until=True),
    )

    def update(self, row: Video, form: Any) -> None:
        services.update_video(row.id, actor_id=self.actor_id, **form.data)

    def delete(self, row: Video) -> None:
        services.delete_video(row.id, actor_id=self.actor_id)

    @action("check", lazy("Check again"))
    def action_check(self, rows: Sequence[Video]) -> None:
        def check(video: Video) -> None:
            services.check_video_again(video.id, actor_id=self.actor_id)

        self.each(rows, check, _say_checking)

    def figures(self) -> list[Figure]:
        broken = session.scalar(select(func.count()).where(Video.state == VideoState.FAILED))
        href = url_for("admin_videos.index_view", flt_state=VideoState.FAILED.value)
        state = "failed" if broken else ""
        return [*super().figures(), Figure(_("Videos that are not usable"), broken, href, state)]


@goes_with("item")
def count_videos(ids: Sequence[int]) -> dict[int, str]:
    """How many videos, with their files, go with each item."""
    query = (
        select(Video.item_id, func.count()).where(Video.item_id.in_(ids)).group_by(Video.item_id)
    )
    return {id: _("videos: %(count)s", count=count) for id, count in session.execute(query)}


def _state_of(video: Video) -> Markup:
    reason = labels.video_reason(video)
    words = Markup('<div class="dash-note">{}</div>').format(reason) if reason else ""
    return state_tag(video.state, labels.VIDEO_STATES[video.state]) + words


def _say_checking(count: int) -> None:
    flash(_("Videos being checked again: %(count)s", count=count), "success")
