"""The catalogue's use cases: each function is one transaction, recorded in the audit log."""

from dashboard.catalogue.services.items import (
    ItemFields,
    create_item,
    delete_item,
    link_courses,
    publish_item,
    replace_cover,
    set_tags,
    unpublish_item,
    update_item,
)
from dashboard.catalogue.services.tidying import tidy_files
from dashboard.catalogue.services.uploads import (
    EXTENSIONS,
    append_upload,
    begin_upload,
    cancel_upload,
    find_ticket,
    offset_of,
    remove_expired_uploads,
    resume_upload,
)
from dashboard.catalogue.services.videos import (
    add_video,
    check_video_again,
    delete_video,
    record_check,
    update_video,
)

__all__ = [
    "EXTENSIONS",
    "ItemFields",
    "add_video",
    "append_upload",
    "begin_upload",
    "cancel_upload",
    "check_video_again",
    "create_item",
    "delete_item",
    "delete_video",
    "find_ticket",
    "link_courses",
    "offset_of",
    "publish_item",
    "record_check",
    "remove_expired_uploads",
    "replace_cover",
    "resume_upload",
    "set_tags",
    "tidy_files",
    "unpublish_item",
    "update_item",
    "update_video",
]
