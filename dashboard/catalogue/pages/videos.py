"""Watching, downloading and uploading training videos."""

import logging
from pathlib import Path

from flask import flash, redirect, render_template, request, send_file, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.catalogue import queries, services, signals
from dashboard.catalogue.forms import VideoForm
from dashboard.catalogue.models import Video, VideoState
from dashboard.catalogue.pages.blueprint import item_url, pages, sees_drafts
from dashboard.core import uploads
from dashboard.core.access import ask_to_sign_in
from dashboard.core.database import session
from dashboard.core.errors import NotFound
from dashboard.core.i18n import _

log = logging.getLogger(__name__)


# -------------------------------------------------------------------------------------------- for learners


@pages.get("/videos/<int:video_id>/stream")
def video_stream(video_id: int) -> Response:
    """The file in ranges, for the player; visitors get only what is open as a preview."""
    video = queries.get_video(video_id, drafts=sees_drafts())
    if not (current_user.is_authenticated or video.preview_public):
        return ask_to_sign_in()
    return _file(video)


@pages.get("/videos/<int:video_id>/download")
def video_download(video_id: int) -> Response:
    """The file to keep, under the name it was uploaded with."""
    video = queries.get_video(video_id, drafts=sees_drafts())
    if not video.downloadable and not sees_drafts():
        raise NotFound()
    response = _file(video, download_name=video.original_name)
    # A download that was interrupted and goes on asks for the rest: it is the same download.
    if request.method == "GET" and response.status_code == 200 and video.item.published:
        signals.video_downloaded.send(
            video, user_id=current_user.id, item_id=video.item_id, video_id=video.id
        )
    return response


@pages.get("/videos/<int:video_id>/poster")
def video_poster(video_id: int) -> Response:
    """A still of the video."""
    video = queries.get_video(video_id, drafts=sees_drafts())
    path = uploads.path_of("posters", video.poster) if video.poster else None
    if path is None or not path.is_file():
        raise NotFound()
    return _private(send_file(path, mimetype="image/jpeg", etag=video.poster))


def _file(video: Video, *, download_name: str | None = None) -> Response:
    path: Path = uploads.path_of("videos", video.stored_name)
    if not path.is_file():
        log.error("the file of video %s is missing: %s", video.id, path)
        raise NotFound(_("The file of this video is missing. Please tell an administrator."))
    response = send_file(
        path,
        mimetype=video.mime_type,
        as_attachment=download_name is not None,
        download_name=download_name,
        conditional=True,
        etag=video.stored_name,
    )
    return _private(response)


def _private(response: Response) -> Response:
    """May be kept by this browser, asked about again each time, and never acts as a page of ours."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# -------------------------------------------------------------------------------------- for administrators


@pages.get("/videos/upload")
def video_upload() -> str:
    """The videos of one item, and the place to add one."""
    item = queries.get_item(request.args.get("item", 0, type=int), drafts=True)
    videos = queries.list_videos(item.id, all_states=True)
    checks = queries.list_checks([video.id for video in videos])
    for video in videos:
        # Its check may have ended since: nothing on the page would change what it says.
        if video.state == VideoState.CHECKING and video.id not in checks:
            session.refresh(video)
    return render_template(
        "catalogue/video_upload.html",
        item=item,
        item_href=item_url(item),
        form=VideoForm(),
        videos=videos,
        checks=checks,
        max_bytes=uploads.settings().max_video_bytes,
        accept=",".join(f".{ending}" for ending in services.EXTENSIONS),
    )


@pages.post("/videos/<int:video_id>")
def video_update(video_id: int) -> Response:
    """Rename a video, or open it to visitors."""
    form = VideoForm()
    if form.validate_on_submit():
        services.update_video(
            video_id,
            actor_id=current_user.id,
            title=form.title.data,
            preview_public=form.preview_public.data,
        )
        flash(_("Saved."), "success")
    else:
        flash(_("The title needs 1 to 200 characters."), "danger")
    return _back_to_videos(queries.get_video(video_id, drafts=True).item_id)


@pages.post("/videos/<int:video_id>/check")
def video_check(video_id: int) -> Response:
    """Look into a video's file again."""
    video = services.check_video_again(video_id, actor_id=current_user.id)
    flash(_("The video is being checked again."), "success")
    return _back_to_videos(video.item_id)


@pages.get("/videos/<int:video_id>/delete")
def video_delete_question(video_id: int) -> str:
    """Ask before a video is deleted."""
    video = queries.get_video(video_id, drafts=True)
    return render_template("catalogue/video_delete.html", video=video, item=video.item)


@pages.post("/videos/<int:video_id>/delete")
def video_delete(video_id: int) -> Response:
    """Delete a video and its file."""
    item_id = queries.get_video(video_id, drafts=True).item_id
    services.delete_video(video_id, actor_id=current_user.id)
    flash(_("The video was deleted."), "success")
    return _back_to_videos(item_id)


def _back_to_videos(item_id: int) -> Response:
    return redirect(url_for("catalogue.video_upload", item=item_id))
