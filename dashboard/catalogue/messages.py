"""The catalogue's queued work."""

from dataclasses import dataclass

from jobs.messages import message


@message("catalogue.check_video")
@dataclass(frozen=True)
class CheckVideo:
    """Look into an uploaded file: is it a video, how long, can browsers play it, what does it look like?"""

    video_id: int


@message("catalogue.tidy_files")
@dataclass(frozen=True)
class TidyFiles:
    """Remove what unfinished uploads and crashes left behind."""
