import os
from hashlib import sha256
from pathlib import Path

import av
import pytest

from jobs.engines.video import Fault, Verdict, check_video
from tests.factories import videos
from tests.factories.videos import make_video, truncate


def can_encode(codec: str) -> bool:
    try:
        av.codec.Codec(codec, "w")
    except ValueError:
        return False
    return True


class TestCheckVideo:
    @pytest.mark.parametrize(
        ("name", "codecs", "mime_type"),
        [
            ("a.mp4", ("libx264", "aac", "h264"), "video/mp4"),
            ("a.mov", ("libx264", "", "h264"), "video/mp4"),
            ("a.webm", ("libvpx-vp9", "libopus", "vp9"), "video/webm"),
        ],
    )
    def test_finds_playable_what_browsers_play(
        self, tmp_path: Path, name: str, codecs: tuple[str, str, str], mime_type: str
    ) -> None:
        picture, sound, found = codecs
        path = make_video(tmp_path / name, codec=picture, sound=sound)
        poster = tmp_path / "poster.jpg"

        check = check_video(path, poster=poster)

        assert (check.verdict, check.fault) == (Verdict.READY, None)
        assert (check.codec, check.mime_type) == (found, mime_type)
        assert (check.width, check.height) == (160, 90)
        assert check.duration_s == pytest.approx(2.0, abs=0.1)
        assert check.sha256 == sha256(path.read_bytes()).hexdigest()
        assert check.has_poster and poster.read_bytes().startswith(b"\xff\xd8\xff")

    @pytest.mark.parametrize("faststart", [True, False], ids=["index first", "index last"])
    def test_finds_the_index_anywhere(self, tmp_path: Path, faststart: bool) -> None:
        path = make_video(tmp_path / "a.mp4", faststart=faststart)

        assert check_video(path, poster=tmp_path / "p").verdict is Verdict.READY

    @pytest.mark.parametrize(
        ("name", "options", "fault", "detail"),
        [
            ("a.mp4", {"codec": "libx265"}, Fault.CODEC, "hevc"),
            ("a.mp4", {"codec": "mpeg4"}, Fault.CODEC, "mpeg4"),
            ("a.mp4", {"pixels": "yuv444p"}, Fault.CODEC, "yuv444p"),
            ("a.mkv", {}, Fault.CONTAINER, "Matroska"),
        ],
        ids=["hevc", "mpeg4", "colours", "matroska"],
    )
    def test_offers_for_download_what_browsers_do_not_play(
        self, tmp_path: Path, name: str, options: dict[str, str], fault: Fault, detail: str
    ) -> None:
        if not can_encode(options.get("codec", "libx264")):
            pytest.skip(f"this build of FFmpeg cannot write {options['codec']}")
        path = make_video(tmp_path / name, **options)  # type: ignore[arg-type]

        check = check_video(path, poster=tmp_path / "p")

        assert (check.verdict, check.fault) == (Verdict.CANNOT_PLAY, fault)
        assert detail in check.detail
        assert check.has_poster and check.duration_s

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (videos.HTML, Fault.NOT_A_VIDEO),
            (videos.SVG, Fault.NOT_A_VIDEO),
            (videos.GIF, Fault.NOT_A_VIDEO),
            (videos.PLAYLIST, Fault.PLAYLIST),
            (b"ffconcat version 1.0\nfile /etc/passwd\n", Fault.PLAYLIST),
            (b"", Fault.NOT_A_VIDEO),
            (b"\0\0\0\x18ftypmp42" + b"<script>alert(1)</script>" * 50, Fault.BROKEN),
            (b"\x1a\x45\xdf\xa3" + os.urandom(5000), Fault.BROKEN),
        ],
        ids=["html", "svg", "gif", "hls", "concat", "empty", "polyglot", "noise"],
    )
    def test_refuses_what_only_calls_itself_a_video(
        self, tmp_path: Path, content: bytes, fault: Fault
    ) -> None:
        path = tmp_path / "a.mp4"
        path.write_bytes(content)

        check = check_video(path, poster=tmp_path / "p")

        assert (check.verdict, check.fault) == (Verdict.FAILED, fault)
        assert not check.has_poster

    @pytest.mark.parametrize(
        ("name", "codec", "faststart"),
        [
            ("a.mp4", "libx264", False),
            ("a.mp4", "libx264", True),
            ("a.webm", "libvpx-vp9", False),
        ],
    )
    def test_notices_that_the_end_is_missing(
        self, tmp_path: Path, name: str, codec: str, faststart: bool
    ) -> None:
        path = make_video(tmp_path / name, codec=codec, seconds=20, faststart=faststart)

        check = check_video(truncate(path, 0.5), poster=tmp_path / "p")

        assert (check.verdict, check.fault) == (Verdict.FAILED, Fault.BROKEN)

    def test_refuses_sound_without_picture(self, tmp_path: Path) -> None:
        path = make_video(tmp_path / "a.mp4", picture=False, sound="aac")

        assert check_video(path, poster=tmp_path / "p").fault is Fault.NO_PICTURE

    def test_refuses_a_film_without_length(self, tmp_path: Path) -> None:
        path = make_video(tmp_path / "a.mp4", seconds=0.1)
        content = path.read_bytes()
        # The length of the film and of its track, as the index tells it.
        for box, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16), (b"elst", 8)):
            place = content.find(box)
            if place > 0:
                at = place + 4 + offset
                content = content[:at] + bytes(4) + content[at + 4 :]
        place = content.find(b"stts")
        content = content[: place + 16] + bytes(4) + content[place + 20 :]
        path.write_bytes(content)

        check = check_video(path, poster=tmp_path / "p")

        assert check.verdict is Verdict.FAILED
        assert check.fault in (Fault.NO_DURATION, Fault.BROKEN)

    def test_refuses_absurd_sizes(self, tmp_path: Path) -> None:
        path = make_video(tmp_path / "a.mp4", seconds=0.2, size=(8200, 64))

        check = check_video(path, poster=tmp_path / "p")

        assert (check.fault, check.detail) == (Fault.DIMENSIONS, "8200 x 64")

    def test_says_when_the_file_is_gone(self, tmp_path: Path) -> None:
        check = check_video(tmp_path / "nothing.mp4", poster=tmp_path / "p")

        assert check.fault is Fault.MISSING_FILE

    def test_answers_even_when_its_process_dies(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = make_video(tmp_path / "a.mp4")
        monkeypatch.setattr("jobs.engines.video.child.MEMORY_BYTES", 20 * 2**20)

        check = check_video(path, poster=tmp_path / "p")

        assert (check.verdict, check.fault) == (Verdict.FAILED, Fault.BROKEN)

    def test_tells_its_process_no_secret(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import subprocess

        seen: dict[str, str] = {}
        start = subprocess.Popen

        def spy(*arguments: object, **options: object) -> object:
            seen.update(options["env"])  # type: ignore[call-overload]
            return start(*arguments, **options)  # type: ignore[call-overload]

        monkeypatch.setenv("ATRIUM_SERVER__SECRET_KEY", "secret")
        monkeypatch.setattr(subprocess, "Popen", spy)
        check_video(make_video(tmp_path / "a.mp4"), poster=tmp_path / "p")

        assert set(seen) <= {"PATH", "SYSTEMROOT"}
