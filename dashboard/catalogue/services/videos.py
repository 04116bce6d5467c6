"""Training videos: adding, checking, changing, deleting."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select

from dashboard.audit import services as audit
from dashboard.catalogue import queries
from dashboard.catalogue.messages import CheckVideo
from dashboard.catalogue.models import Video, VideoState
from dashboard.catalogue.services.items import require_item
from dashboard.core import uploads
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.job_queue.services import enqueue
from jobs.engines.video import VideoCheck

MAX_TITLE = 200


def add_video(item_id: int, *, actor_id: int | None, path: Path, title: str) -> Video:
    """A video from a file on the server, copied into the uploads; its check is queued."""
    name = uploads.new_name(path.suffix.lstrip(".").lower())
    target = uploads.path_of("videos", name)
    with transaction():
        require_item(item_id)
        uploads.delete_on_rollback(target)
        shutil.copyfile(path, target)
        return add_row(
            item_id=item_id,
            actor_id=actor_id,
            title=title,
            stored_name=name,
            original_name=path.name,
            size_bytes=path.stat().st_size,
        )


def add_row(
    *,
    item_id: int,
    actor_id: int | None,
    title: str,
    stored_name: str,
    original_name: str,
    size_bytes: int,
) -> Video:
    """The row of a video whose file is, or will be, in its place; last of its item, its check queued."""
    with transaction():
        last = session.scalar(select(func.max(Video.ordinal)).where(Video.item_id == item_id))
        video = Video(
            item_id=item_id,
            title=title[:MAX_TITLE],
            stored_name=stored_name,
            original_name=original_name,
            size_bytes=size_bytes,
            state=VideoState.UPLOADED.value,
            ordinal=0 if last is None else last + 1,
        )
        session.add(video)
        session.flush()
        _queue_check(video, actor_id=actor_id)
        _record(video, "upload", actor_id=actor_id)
    return video


def check_video_again(video_id: int, *, actor_id: int | None) -> Video:
    """Ask for another look into a video's file."""
    with transaction():
        video = queries.get_video(video_id, drafts=True)
        _queue_check(video, actor_id=actor_id)
        _record(video, "check", actor_id=actor_id)
    return video


def record_check(video_id: int, *, check: VideoCheck, poster: Path | None = None) -> Video:
    """Store what a check found; the picture at `poster` becomes the video's. Raises NotFound."""
    with transaction():
        video = queries.get_video(video_id, drafts=True)
        video.state = check.verdict.value
        video.reason = check.fault.value if check.fault else ""
        video.reason_detail = check.detail[:200]
        for name in ("duration_s", "width", "height", "codec", "mime_type", "sha256"):
            setattr(video, name, getattr(check, name))
        _replace_poster(video, poster if check.has_poster else None)
    return video


def update_video(video_id: int, *, actor_id: int | None, **fields: Any) -> Video:
    """The video with the given `title`, `preview_public` or `ordinal`. Raises NotFound and Invalid."""
    unknown = fields.keys() - {"title", "preview_public", "ordinal"}
    if unknown:
        raise TypeError(f"a video's {', '.join(sorted(unknown))} cannot be set")
    title = fields.get("title")
    if title is not None and not 0 < len(title.strip()) <= MAX_TITLE:
        message = _("The title needs 1 to 200 characters.")
        raise Invalid(message, problems=[Problem("title", message)])
    with transaction():
        video = queries.get_video(video_id, drafts=True)
        before = {name: getattr(video, name) for name in fields}
        for name, value in fields.items():
            setattr(video, name, value.strip() if name == "title" else value)
        changes = audit.difference(before, {name: getattr(video, name) for name in fields})
        _record(video, "update", actor_id=actor_id, changes=changes)
    return video


def delete_video(video_id: int, *, actor_id: int | None) -> None:
    """Remove a video with its file and poster. Raises NotFound."""
    with transaction():
        video = queries.get_video(video_id, drafts=True)
        uploads.delete_on_commit(uploads.path_of("videos", video.stored_name))
        _replace_poster(video, None)
        _record(video, "delete", actor_id=actor_id)
        # The database keeps what learners did, without the video; the session need not load it.
        session.execute(delete(Video).where(Video.id == video_id))
        session.expire_all()


def _queue_check(video: Video, *, actor_id: int | None) -> None:
    video.state = VideoState.CHECKING.value
    video.reason = video.reason_detail = ""
    enqueue(CheckVideo(video.id), owner_id=actor_id, unique_key=queries.check_key(video.id))


def _replace_poster(video: Video, picture: Path | None) -> None:
    if video.poster:
        uploads.delete_on_commit(uploads.path_of("posters", video.poster))
    video.poster = ""
    if picture is not None:
        name = uploads.new_name("jpg")
        target = uploads.path_of("posters", name)
        uploads.delete_on_rollback(target)
        shutil.copyfile(picture, target)
        video.poster = name


def _record(
    video: Video, what: str, *, actor_id: int | None, changes: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor_id=actor_id,
        action=f"video.{what}",
        subject=f"video:{video.id}",
        summary=video.title,
        changes=changes,
    )
