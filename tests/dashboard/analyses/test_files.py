"""Tables on their way in."""

import io
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.analyses import queries, services
from dashboard.analyses.models import Run, Upload
from dashboard.core.database import session
from dashboard.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from dashboard.job_queue.queries import Viewer

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def draft(ana: User) -> Upload:
    return services.create_upload(owner_id=ana.id)


def folder_of(app: Flask, upload: Upload) -> Path:
    root: Path = app.config["ATRIUM"].site.data_dir
    return root / "uploads" / str(upload.owner_id) / str(upload.id)


class TestBeginFile:
    @pytest.mark.parametrize("name", ["a.csv", "a.tsv.html", "tsv", "", ".tsv", "a.tsv\0.exe"])
    def test_refuses_other_endings(self, draft: Upload, viewer: Viewer, name: str) -> None:
        with pytest.raises(Invalid):
            services.begin_file(draft.id, viewer=viewer, name=name, size_bytes=3)

    @pytest.mark.parametrize("name", ["../../x.tsv", "C:\\x.tsv", "张三.TSV", "x" * 300 + ".tsv"])
    def test_stores_under_a_name_of_its_own(
        self, app: Flask, draft: Upload, viewer: Viewer, name: str
    ) -> None:
        services.begin_file(draft.id, viewer=viewer, name=name, size_bytes=3)

        stored = list(folder_of(app, draft).iterdir())
        assert [len(path.stem) for path in stored] == [16]

    def test_refuses_more_than_the_quota(
        self, environ: dict[str, str], draft: Upload, viewer: Viewer
    ) -> None:
        limit = services.settings()
        with pytest.raises(TooLarge):
            services.begin_file(
                draft.id, viewer=viewer, name="a.tsv", size_bytes=limit.max_file_bytes + 1
            )
        for _ in range(limit.quota_bytes // limit.max_file_bytes):
            services.begin_file(
                draft.id, viewer=viewer, name="a.tsv", size_bytes=limit.max_file_bytes
            )
        with pytest.raises(TooLarge):
            services.begin_file(draft.id, viewer=viewer, name="a.tsv", size_bytes=1)

    def test_refuses_early_when_the_disk_is_full(
        self, app: Flask, draft: Upload, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, 10))

        with pytest.raises(TooLarge):
            services.begin_file(draft.id, viewer=viewer, name="a.tsv", size_bytes=3)

        assert not folder_of(app, draft).exists()

    def test_is_for_the_owner_alone(self, draft: Upload) -> None:
        with pytest.raises(NotFound):
            services.begin_file(draft.id, viewer=Viewer(user_id=0), name="a.tsv", size_bytes=3)
        with pytest.raises(Forbidden):
            services.begin_file(
                draft.id, viewer=Viewer(user_id=0, sees_all=True), name="a.tsv", size_bytes=3
            )

    def test_refuses_once_it_was_analysed(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        start(upload)

        with pytest.raises(Conflict):
            services.begin_file(upload.id, viewer=viewer, name="a.tsv", size_bytes=3)


class TestAppendFile:
    def test_goes_on_where_it_stopped(self, ana: User, draft: Upload, viewer: Viewer) -> None:
        file = services.begin_file(draft.id, viewer=viewer, name="a.tsv", size_bytes=6)
        token = file.token or ""

        services.append_file(file, offset=0, source=io.BytesIO(b"abc"))
        assert services.resume_file(queries.get_file(token, owner_id=ana.id)) == 3
        offset, complete = services.append_file(file, offset=3, source=io.BytesIO(b"def"))

        assert (offset, complete) == (6, True)
        assert file.has_arrived and file.sha256.startswith("bef57ec7f53a6d40")
        with pytest.raises(NotFound):
            queries.get_file(token, owner_id=ana.id)

    def test_refuses_a_wrong_place_and_more_than_was_said(
        self, draft: Upload, viewer: Viewer
    ) -> None:
        file = services.begin_file(draft.id, viewer=viewer, name="a.tsv", size_bytes=3)

        with pytest.raises(Conflict):
            services.append_file(file, offset=1, source=io.BytesIO(b"a"))
        with pytest.raises(TooLarge):
            services.append_file(file, offset=0, source=io.BytesIO(b"abcd"))

    def test_hides_the_files_of_others(self, ana: User, draft: Upload, viewer: Viewer) -> None:
        file = services.begin_file(draft.id, viewer=viewer, name="a.tsv", size_bytes=3)

        with pytest.raises(NotFound):
            queries.get_file(file.token or "", owner_id=ana.id + 1)


class TestRemoveFile:
    def test_takes_the_file_and_the_check_away(
        self, app: Flask, upload: Upload, viewer: Viewer
    ) -> None:
        services.remove_file(upload.id, upload.files[0].id, viewer=viewer)

        session.expire_all()
        assert len(upload.files) == len(list(folder_of(app, upload).iterdir())) == 1
        assert upload.preflight is None
