import base64
import hashlib
import io
import os
import resource
import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.accounts.models import User
from dashboard.catalogue import services
from dashboard.catalogue.models import Item, UploadTicket, Video, VideoState
from dashboard.core import uploads
from dashboard.core.database import db, utcnow
from dashboard.job_queue.models import Job
from tests.factories import videos
from tests.factories.browsing import csrf
from tests.factories.catalogue import make_item
from tests.factories.videos import make_video

ADDRESS = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def item(app: Flask) -> Item:
    return make_item()


def metadata(**values: str) -> str:
    pairs = [f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in values.items()]
    return ",".join(pairs)


def begin(
    client: FlaskClient, item: Item, size: int | str, name: str = "film.mp4", **about: str
) -> TestResponse:
    headers = {
        **TUS,
        **csrf(client),
        "Upload-Length": str(size),
        "Upload-Metadata": metadata(filename=name, item=str(item.id), **about),
    }
    return client.post(ADDRESS, headers=headers)


def send(client: FlaskClient, address: str, offset: int, piece: bytes) -> TestResponse:
    headers = {**TUS, **csrf(client), "Upload-Offset": str(offset)}
    return client.patch(
        address, data=piece, headers=headers, content_type="application/offset+octet-stream"
    )


def send_all(
    client: FlaskClient, item: Item, content: bytes, name: str = "film.mp4"
) -> TestResponse:
    address = begin(client, item, len(content), name).headers["Location"]
    return send(client, address, 0, content)


def stored() -> dict[str, set[str]]:
    return {name: files for name, files in uploads.stored_names().items() if files}


class TestOptions:
    def test_says_what_the_server_can_do(self, as_admin: FlaskClient) -> None:
        answer = as_admin.options(ADDRESS)

        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert "creation" in answer.headers["Tus-Extension"]


class TestBegin:
    def test_answers_where_to_send(self, as_admin: FlaskClient, item: Item) -> None:
        answer = begin(as_admin, item, 1000)

        assert answer.status_code == 201
        assert answer.headers["Location"].startswith(f"{ADDRESS}/")
        assert "Upload-Expires" in answer.headers

    def test_needs_the_protocol_version(self, as_admin: FlaskClient) -> None:
        answer = as_admin.post(ADDRESS, headers={**csrf(as_admin), "Upload-Length": "1"})

        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"

    def test_refuses_ten_gigabytes_before_a_byte_is_sent(
        self, as_admin: FlaskClient, item: Item
    ) -> None:
        answer = begin(as_admin, item, 10 * 2**30)

        assert answer.status_code == 413
        assert "8,192 MB" in answer.get_json()["detail"]
        assert stored() == {}

    def test_takes_the_limit_and_refuses_one_byte_more(
        self, as_admin: FlaskClient, item: Item, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(2**50, 0, 2**50))
        limit = uploads.settings().max_video_bytes

        assert begin(as_admin, item, limit).status_code == 201
        assert begin(as_admin, item, limit + 1).status_code == 413

    def test_counts_what_others_may_still_send(
        self, as_admin: FlaskClient, item: Item, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "total used free")
        room = uploads.settings().min_free_bytes + 1500
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(room, 0, room))

        first, second = begin(as_admin, item, 1000), begin(as_admin, item, 1000)

        assert (first.status_code, second.status_code) == (201, 413)
        assert "no room" in second.get_json()["detail"]

    @pytest.mark.parametrize("size", ["", "-1", "0", "1e3", "x", "9" * 30])
    def test_refuses_odd_sizes(self, as_admin: FlaskClient, item: Item, size: str) -> None:
        assert begin(as_admin, item, size).status_code == 422

    @pytest.mark.parametrize("name", ["film.html", "film", ".mp4", "film.mp4.html", "", "x.svg"])
    def test_refuses_other_endings(self, as_admin: FlaskClient, item: Item, name: str) -> None:
        answer = begin(as_admin, item, 10, name)

        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["field"] == "filename"

    def test_refuses_an_unknown_item(self, as_admin: FlaskClient) -> None:
        headers = {**TUS, **csrf(as_admin), "Upload-Length": "5"}
        for wanted in ("999", "x", "", str(2**63)):
            headers["Upload-Metadata"] = metadata(filename="a.mp4", item=wanted)
            assert as_admin.post(ADDRESS, headers=headers).status_code in (404, 422)

    def test_refuses_metadata_that_is_not_base64(self, as_admin: FlaskClient) -> None:
        headers = {**TUS, **csrf(as_admin), "Upload-Length": "5", "Upload-Metadata": "filename ???"}

        assert as_admin.post(ADDRESS, headers=headers).status_code == 422

    def test_refuses_metadata_that_no_table_holds(self, as_admin: FlaskClient, item: Item) -> None:
        assert begin(as_admin, item, 5, title="a\0b").status_code == 422

    def test_is_for_administrators(
        self, client: FlaskClient, as_learner: FlaskClient, as_analyst: FlaskClient, item: Item
    ) -> None:
        codes = [begin(who, item, 5).status_code for who in (client, as_learner, as_analyst)]

        assert codes == [401, 403, 403]

    def test_needs_the_csrf_header(self, as_admin: FlaskClient) -> None:
        assert as_admin.post(ADDRESS, headers={**TUS, "Upload-Length": "5"}).status_code == 400


class TestSend:
    def test_makes_a_video_of_the_pieces_and_queues_its_check(
        self, as_admin: FlaskClient, item: Item, tmp_path: Path
    ) -> None:
        content = make_video(tmp_path / "a.mp4").read_bytes()
        address = begin(as_admin, item, len(content), "课程 一.mp4").headers["Location"]

        first = send(as_admin, address, 0, content[:5000])
        standing = as_admin.head(address, headers=TUS)
        last = send(as_admin, address, 5000, content[5000:])

        assert first.headers["Upload-Offset"] == standing.headers["Upload-Offset"] == "5000"
        assert standing.headers["Upload-Length"] == str(len(content))
        assert last.status_code == 204
        video = db.session.query(Video).one()
        assert (video.state, video.original_name) == (VideoState.CHECKING, "课程 一.mp4")
        path = uploads.path_of("videos", video.stored_name)
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()
        job = db.session.query(Job).one()
        assert (job.kind, job.args) == ("catalogue.check_video", {"video_id": video.id})
        assert db.session.query(UploadTicket).count() == 0
        assert set(stored()) == {"videos"}

    def test_goes_on_where_it_stood_after_a_broken_connection(
        self, app: Flask, as_admin: FlaskClient, item: Item, tmp_path: Path
    ) -> None:
        content = make_video(tmp_path / "a.mp4", size=(640, 360), seconds=8).read_bytes()
        address = begin(as_admin, item, len(content)).headers["Location"]
        ticket = db.session.query(UploadTicket).one()

        class Broken(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell() >= 6000:
                    raise ConnectionError("gone")
                return super().read(min(size or 3000, 3000))

        with pytest.raises(ConnectionError):
            services.append_upload(ticket, offset=0, source=Broken(content))
        offset = int(as_admin.head(address, headers=TUS).headers["Upload-Offset"])
        send(as_admin, address, offset, content[offset:])

        assert offset == 6000
        path = uploads.path_of("videos", db.session.query(Video).one().stored_name)
        assert path.read_bytes() == content

    def test_refuses_a_wrong_offset(self, as_admin: FlaskClient, item: Item) -> None:
        address = begin(as_admin, item, 10).headers["Location"]

        assert send(as_admin, address, 5, b"12345").status_code == 409
        assert as_admin.head(address, headers=TUS).headers["Upload-Offset"] == "0"

    def test_refuses_more_than_was_announced(self, as_admin: FlaskClient, item: Item) -> None:
        address = begin(as_admin, item, 10).headers["Location"]

        assert send(as_admin, address, 0, b"12345678901").status_code == 413
        assert db.session.query(Video).count() == 0

    def test_refuses_another_type(self, as_admin: FlaskClient, item: Item) -> None:
        address = begin(as_admin, item, 10).headers["Location"]

        answer = as_admin.patch(
            address,
            data=b"1",
            headers={**TUS, **csrf(as_admin), "Upload-Offset": "0"},
            content_type="text/plain",
        )

        assert answer.status_code == 415

    def test_refuses_a_piece_while_another_is_written(
        self, as_admin: FlaskClient, item: Item
    ) -> None:
        import fcntl

        address = begin(as_admin, item, 10).headers["Location"]
        part = uploads.path_of("incoming", f"{address.rpartition('/')[2]}.part")

        with part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert send(as_admin, address, 0, b"12345").status_code == 423

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (videos.HTML, "web page"),
            (videos.SVG, "web page"),
            (videos.PLAYLIST, "playlist"),
            (videos.GIF, "not an MP4"),
            (b"just text", "not an MP4"),
        ],
        ids=["html", "svg", "playlist", "gif", "text"],
    )
    def test_refuses_what_only_calls_itself_a_video(
        self, as_admin: FlaskClient, item: Item, content: bytes, words: str
    ) -> None:
        answer = send_all(as_admin, item, content)

        assert answer.status_code == 422
        assert words in answer.get_json()["detail"]
        assert stored() == {}
        assert db.session.query(UploadTicket).count() == db.session.query(Video).count() == 0

    def test_refuses_at_the_first_piece(self, as_admin: FlaskClient, item: Item) -> None:
        address = begin(as_admin, item, 10**9).headers["Location"]

        assert send(as_admin, address, 0, videos.HTML * 100).status_code == 422
        assert as_admin.head(address, headers=TUS).status_code == 404

    def test_takes_memory_that_does_not_grow_with_the_file(
        self, as_admin: FlaskClient, item: Item
    ) -> None:
        size = 200 * 2**20
        begin(as_admin, item, size)
        ticket = db.session.query(UploadTicket).one()

        class Endless:
            sent = 0

            def read(self, wanted: int = -1, /) -> bytes:
                piece = bytes(min(wanted, size - self.sent))
                if not self.sent:
                    piece = b"\0\0\0\x20ftyp" + piece[8:]
                self.sent += len(piece)
                return piece

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        offset, video = services.append_upload(ticket, offset=0, source=Endless())

        assert offset == size and video is not None
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 20 * 1024, "kB"

    def test_finishes_later_what_could_not_be_finished(
        self, as_admin: FlaskClient, item: Item, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        content = make_video(tmp_path / "a.mp4").read_bytes()
        address = begin(as_admin, item, len(content)).headers["Location"]
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", _fail)
            patch.setattr(Path, "replace", _fail)
            broken = send(as_admin, address, 0, content)
        assert broken.status_code == 500 and db.session.query(Video).count() == 0

        answer = as_admin.head(address, headers=TUS)

        assert answer.headers["Upload-Offset"] == str(len(content))
        assert db.session.query(Video).count() == 1
        assert set(stored()) == {"videos"}


class TestOthers:
    def test_do_not_find_the_upload(
        self,
        as_admin: FlaskClient,
        item: Item,
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        address = begin(as_admin, item, 10).headers["Location"]
        other = sign_in(make_user("admin"))

        codes = [
            other.head(address, headers=TUS).status_code,
            send(other, address, 0, b"1").status_code,
            other.delete(address, headers={**TUS, **csrf(other)}).status_code,
        ]

        assert codes == [404, 404, 404]
        assert as_admin.head(address, headers=TUS).headers["Upload-Offset"] == "0"


class TestDelete:
    def test_forgets_upload_and_bytes(self, as_admin: FlaskClient, item: Item) -> None:
        address = begin(as_admin, item, 10).headers["Location"]
        send(as_admin, address, 0, b"12345")

        assert as_admin.delete(address, headers={**TUS, **csrf(as_admin)}).status_code == 204
        assert as_admin.head(address, headers=TUS).status_code == 404
        assert stored() == {}


class TestRemoveExpired:
    def test_forgets_what_was_not_finished_in_time(self, as_admin: FlaskClient, item: Item) -> None:
        address = begin(as_admin, item, 10).headers["Location"]
        begin(as_admin, item, 10)
        ticket = db.session.query(UploadTicket).order_by(UploadTicket.id).first()
        assert ticket is not None
        ticket.expires_at = utcnow() - timedelta(seconds=1)
        db.session.commit()

        gone = as_admin.head(address, headers=TUS).status_code
        removed = services.remove_expired_uploads()

        assert (gone, removed) == (404, 1)
        assert len(stored()["incoming"]) == 1


class TestSafeName:
    @pytest.mark.parametrize(
        ("name", "safe"),
        [
            ("../../etc/x.mp4", "x.mp4"),
            ("..\\..\\x.mp4", "x.mp4"),
            ("C:\\films\\x.mp4", "x.mp4"),
            ("a\r\nSet-Cookie: x.mp4", "aSet-Cookie: x.mp4"),
            ("a\0b.mp4", "ab.mp4"),
            ("\u202egpj.mp4", "gpj.mp4"),
            ("课程.mp4", "课程.mp4"),
            ("...", ""),
            ("x" * 300 + ".mp4", "x" * 251 + ".mp4"),
        ],
    )
    def test_keeps_only_what_is_harmless(self, name: str, safe: str) -> None:
        from dashboard.core.pieces import safe_name

        assert safe_name(name) == safe


def _fail(*_arguments: object) -> None:
    raise OSError("no")
