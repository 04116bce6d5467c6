"""What a crash left behind goes; what is in use, or new, stays."""

import os
import time
from pathlib import Path

from flask import Flask

from dashboard.catalogue import services
from dashboard.core import uploads
from tests.factories.catalogue import make_item, make_ready_video

DAY_S = 24 * 3600


def leave(folder: str, name: str, *, age_s: float) -> None:
    """A file that no row names."""
    path = uploads.path_of(folder, name)
    path.write_bytes(b"left over")
    os.utime(path, (time.time() - age_s,) * 2)


class TestTidyFiles:
    def test_removes_old_files_without_a_row_and_no_other(self, app: Flask, tmp_path: Path) -> None:
        video = make_ready_video(make_item(title="Course"), tmp_path)
        kept = uploads.path_of("videos", video.stored_name)
        os.utime(kept, (time.time() - 3 * DAY_S,) * 2)
        leave("videos", "crashed.mp4", age_s=2 * DAY_S)
        leave("incoming", "gone.part", age_s=2 * DAY_S)
        leave("covers", "being-saved.png", age_s=10)

        n_removed = services.tidy_files()

        assert n_removed == 2
        assert uploads.stored_names()["videos"] == {video.stored_name}
        assert uploads.stored_names()["incoming"] == set()
        assert uploads.stored_names()["covers"] == {"being-saved.png"}
