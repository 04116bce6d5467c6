"""The catalogue's jobs."""

import tempfile
from pathlib import Path
from typing import Any

from dashboard.catalogue import queries, services
from dashboard.catalogue.messages import CheckVideo, TidyFiles
from dashboard.core import uploads
from dashboard.core.errors import NotFound
from dashboard.core.i18n import lazy
from dashboard.job_queue.kinds import name_kind
from dashboard.job_queue.schedules import Schedule
from jobs.engines.video import Fault, Verdict, VideoCheck, check_video
from jobs.retry import Retry
from jobs.tasks import Cancelled, JobContext, Task, TimedOut, task

name_kind("catalogue.check_video", lazy("Check a video"))
name_kind("catalogue.tidy_files", lazy("Remove left-over files"))


# Not isolated: the check starts a process of its own, which knows neither the database nor any secret, and whose
# end, whatever it is, becomes an answer here.
@task(CheckVideo, retry=Retry(max_failures=5), timeout_s=3600)
def look_into_video(message: CheckVideo, ctx: JobContext) -> dict[str, Any]:
    """Find out what an uploaded file is, and store the verdict."""
    try:
        video = queries.get_video(message.video_id, drafts=True)
    except NotFound:
        return {"verdict": "deleted"}
    path = uploads.path_of("videos", video.stored_name)
    with tempfile.TemporaryDirectory() as folder:
        poster = Path(folder) / "poster.jpg"
        try:
            check = check_video(path, poster=poster, check=ctx.check)
        except (Cancelled, TimedOut):
            # A state with an end: the page must not say "being checked" for ever.
            stopped = VideoCheck(Verdict.FAILED, fault=Fault.CHECK_FAILED)
            services.record_check(message.video_id, check=stopped)
            raise
        services.record_check(message.video_id, check=check, poster=poster)
    ctx.log(f"{check.verdict} {check.fault or ''} {check.detail}".rstrip())
    return {"verdict": check.verdict.value, "reason": check.fault.value if check.fault else ""}


@task(TidyFiles, timeout_s=1800)
def tidy_files(_message: TidyFiles, _ctx: JobContext) -> dict[str, Any]:
    """Remove expired uploads and files without a row."""
    return {"removed": services.tidy_files()}


TASKS: list[Task] = [look_into_video, tidy_files]
SCHEDULES = [Schedule("catalogue.tidy_files", cron="45 3 * * *", message=TidyFiles())]
