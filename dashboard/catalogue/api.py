"""Courses, positions and videos for programs; administrators also write."""

from typing import Any

from flask.views import MethodView
from flask_security import current_user

from dashboard.catalogue import queries, services
from dashboard.catalogue.models import Item
from dashboard.catalogue.schemas import (
    CourseLinksBody,
    ItemBody,
    ItemChanges,
    ItemDetailSchema,
    ItemPage,
    ItemQuery,
    VideoSchema,
    detail_of,
)
from dashboard.catalogue.upload_api import register_uploads
from dashboard.core.access import has_role
from dashboard.core.api import ApiBlueprint, cacheable

LIST_SECONDS = 60

api = ApiBlueprint("catalogue_api", __name__, description="Courses, positions and videos.")
register_uploads(api)


@api.route("/items", endpoint="items")
class Items(MethodView):
    @cacheable(seconds=LIST_SECONDS)
    @api.arguments(ItemQuery, location="query")
    @api.response(200, ItemPage)
    def get(self, args: dict[str, Any]) -> Any:
        """Published courses and positions: search, filter, page."""
        page, per_page = args.pop("page"), args.pop("per_page")
        return queries.list_items(queries.ItemFilter(**args), page=page, per_page=per_page)


@api.route("/items", endpoint="item_create")
class NewItem(MethodView):
    @api.arguments(ItemBody)
    @api.response(201, ItemDetailSchema)
    def post(self, body: dict[str, Any]) -> Any:
        """Make a course or a position; a draft unless `status` says otherwise."""
        kind = body.pop("kind")
        return _detail(services.create_item(kind, actor_id=current_user.id, fields=body))


@api.route("/items/<int:item_id>", endpoint="item")
class OneItem(MethodView):
    @api.response(200, ItemDetailSchema)
    @api.alt_response(404, description="No such item, or not published.")
    def get(self, item_id: int) -> Any:
        """A course or position with its content, videos and links."""
        return _detail(queries.get_item(item_id, drafts=has_role("admin")))


@api.route("/items/<int:item_id>", endpoint="item_change")
class ChangedItem(MethodView):
    @api.arguments(ItemChanges)
    @api.response(200, ItemDetailSchema)
    def patch(self, body: dict[str, Any], item_id: int) -> Any:
        """Change what is given; the rest stays."""
        return _detail(services.update_item(item_id, actor_id=current_user.id, fields=body))

    @api.response(204)
    def delete(self, item_id: int) -> None:
        """Delete an item with its videos and what learners did with it."""
        services.delete_item(item_id, actor_id=current_user.id)


@api.route("/items/<int:item_id>/courses", endpoint="item_courses")
class CourseLinks(MethodView):
    @api.arguments(CourseLinksBody)
    @api.response(200, ItemDetailSchema)
    def put(self, body: dict[str, Any], item_id: int) -> Any:
        """Let exactly these courses lead to a position, in this order."""
        position = services.link_courses(
            item_id, actor_id=current_user.id, course_ids=body["course_ids"]
        )
        return _detail(position)


@api.route("/items/<int:item_id>/videos", endpoint="item_videos")
class ItemVideos(MethodView):
    @api.response(200, VideoSchema(many=True))
    def get(self, item_id: int) -> Any:
        """The videos of an item, in their order."""
        drafts = has_role("admin")
        item = queries.get_item(item_id, drafts=drafts)
        return queries.list_videos(item.id, all_states=drafts)


def _detail(item: Item) -> dict[str, Any]:
    drafts = has_role("admin")
    return detail_of(
        item,
        videos=queries.list_videos(item.id, all_states=drafts),
        courses=queries.list_courses_of(item.id, drafts=drafts),
        positions=queries.list_positions_of(item.id, drafts=drafts),
    )
