"""Courses, positions and videos for tests."""

import itertools
from pathlib import Path
from typing import Any

from dashboard.catalogue import services
from dashboard.catalogue.models import Item, Video
from jobs.engines.video import VideoCheck, check_video
from tests.factories.videos import make_video

_numbers = itertools.count(1)


def make_item(kind: str = "course", **fields: Any) -> Item:
    """A published item."""
    values = {"title": f"Item {next(_numbers)}", "status": "published", **fields}
    return services.create_item(kind, actor_id=None, fields=values)


def make_ready_video(item: Item, folder: Path, *, seconds: float = 2.0, **fields: Any) -> Video:
    """A real video of an item, checked."""
    path = make_video(folder / f"{next(_numbers)}.mp4", seconds=seconds)
    video = services.add_video(item.id, actor_id=None, path=path, title=fields.pop("title", "Film"))
    poster = path.with_suffix(".jpg")
    check: VideoCheck = check_video(path, poster=poster)
    video = services.record_check(video.id, check=check, poster=poster)
    return services.update_video(video.id, actor_id=None, **fields) if fields else video
