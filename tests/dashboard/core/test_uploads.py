from pathlib import Path

import pytest
from flask import Flask

from dashboard.core import uploads
from dashboard.core.database import db, session, transaction
from dashboard.core.file_types import FileType, type_of


@pytest.fixture
def path(app: Flask) -> Path:
    path = uploads.path_of("covers", "x.png")
    path.write_bytes(b"x")
    return path


class TestDeleteOnCommit:
    def test_waits_for_the_outermost_commit(self, path: Path) -> None:
        with transaction():
            with transaction():
                uploads.delete_on_commit(path)
            with session.begin_nested():
                pass
            assert path.exists()

        assert not path.exists()

    def test_keeps_the_file_when_the_transaction_fails(self, path: Path) -> None:
        with pytest.raises(RuntimeError), transaction():
            uploads.delete_on_commit(path)
            raise RuntimeError
        db.session.commit()

        assert path.exists()


class TestDeleteOnRollback:
    def test_removes_what_was_made_for_nothing(self, path: Path) -> None:
        with pytest.raises(RuntimeError), transaction():
            uploads.delete_on_rollback(path)
            raise RuntimeError

        assert not path.exists()

    def test_keeps_what_was_committed(self, path: Path) -> None:
        with transaction():
            uploads.delete_on_rollback(path)
        db.session.rollback()

        assert path.exists()


class TestPathOf:
    @pytest.mark.parametrize("name", ["../secret_key", "/etc/passwd", "a/b"])
    def test_stays_in_its_folder(self, app: Flask, name: str) -> None:
        assert uploads.path_of("covers", name).parent == uploads.root() / "covers"


class TestTypeOf:
    @pytest.mark.parametrize(
        ("head", "kind"),
        [
            (b"\0\0\0\x20ftypisom", FileType.MP4),
            (b"\0\0\0\x08wide\0\0", FileType.MP4),
            (b"\x1a\x45\xdf\xa3...", FileType.MATROSKA),
            (b"\xff\xd8\xff\xe0", FileType.JPEG),
            (b"RIFF....WEBPVP8 ", FileType.WEBP),
            (b"RIFF....AVI ", FileType.UNKNOWN),
            (b"GIF89a", FileType.GIF),
            (b"\xef\xbb\xbf \n<!DOCTYPE html>", FileType.MARKUP),
            (b"<svg/>", FileType.MARKUP),
            (b"#EXTM3U\n", FileType.PLAYLIST),
            (b"ffconcat version 1.0", FileType.PLAYLIST),
            (b"", FileType.EMPTY),
            (b"hello", FileType.UNKNOWN),
        ],
    )
    def test_goes_by_the_first_bytes(self, head: bytes, kind: FileType) -> None:
        assert type_of(head) is kind
