"""Looks into video files that nobody vouches for: what is in them, and can a browser play it?

    from jobs.engines.video import check_video
    check_video(Path("film.mp4"), poster=Path("film.jpg")).verdict

PyAV (FFmpeg) reads the file in a process of its own with limits of memory, processor time and file size.
"""

from jobs.engines.video.child import check_video
from jobs.engines.video.verdict import Fault, Verdict, VideoCheck

__all__ = ["Fault", "Verdict", "VideoCheck", "check_video"]
