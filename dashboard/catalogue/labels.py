"""The catalogue's fixed choices in words for people."""

from typing import Any

from dashboard.catalogue.models import (
    ItemKind,
    ItemStatus,
    Language,
    Level,
    Video,
    VideoReason,
    VideoState,
)
from dashboard.core.i18n import lazy

KINDS: dict[str, Any] = {ItemKind.COURSE: lazy("Course"), ItemKind.POSITION: lazy("Position")}
STATUSES: dict[str, Any] = {
    ItemStatus.DRAFT: lazy("Draft"),
    ItemStatus.PUBLISHED: lazy("Published"),
}
# Each language in its own words, so that everybody finds her own.
LANGUAGES: dict[str, str] = {Language.EN: "English", Language.ZH: "中文"}
LEVELS: dict[str, Any] = {
    Level.BEGINNER: lazy("Beginner"),
    Level.INTERMEDIATE: lazy("Intermediate"),
    Level.ADVANCED: lazy("Advanced"),
}
VIDEO_STATES: dict[str, Any] = {
    VideoState.UPLOADED: lazy("Uploaded"),
    VideoState.CHECKING: lazy("Being checked"),
    VideoState.READY: lazy("Ready"),
    VideoState.CANNOT_PLAY: lazy("Download only"),
    VideoState.FAILED: lazy("Not usable"),
}
VIDEO_REASONS: dict[str, Any] = {
    VideoReason.NOT_A_VIDEO: lazy("The file is not a video, whatever its name says."),
    VideoReason.PLAYLIST: lazy("The file is a playlist that names other files, not a video."),
    VideoReason.BROKEN: lazy(
        "The file is damaged or incomplete. Please export and upload it again."
    ),
    VideoReason.NO_PICTURE: lazy("The file has sound but no picture."),
    VideoReason.NO_DURATION: lazy("The video has no length: there is nothing to watch."),
    VideoReason.DIMENSIONS: lazy("The picture is larger or smaller than any screen can show."),
    VideoReason.CODEC: lazy(
        "Browsers cannot play this kind of video. Export it as MP4 with H.264 to make it play here."
    ),
    VideoReason.CONTAINER: lazy(
        "Browsers cannot play this kind of file. Export it as MP4 with H.264 to make it play here."
    ),
    VideoReason.CHECK_FAILED: lazy(
        "The check of this video did not finish. Please ask for it again."
    ),
    VideoReason.MISSING_FILE: lazy("The file is no longer on the server. Please upload it again."),
}


def video_reason(video: Video) -> str:
    """Why a video is not ready, in a sentence; empty when nothing is wrong."""
    if not video.reason:
        return ""
    text = str(VIDEO_REASONS.get(video.reason, video.reason))
    return f"{text} ({video.reason_detail})" if video.reason_detail else text
