"""Keeping files that come in one request."""

import hashlib
import io
from pathlib import Path

import pytest
from flask import Flask

from dashboard.core.errors import TooLarge
from dashboard.core.pieces import PIECE_BYTES, EmptyFile, keep


class TestKeep:
    def test_keeps_every_byte_and_tells_their_hash(self, tmp_path: Path) -> None:
        data = bytes(range(256)) * (PIECE_BYTES // 256) + b"more than one piece"
        kept = tmp_path / "new folder" / "file"

        digest = keep(io.BytesIO(data), kept, max_bytes=len(data))

        assert kept.read_bytes() == data
        assert digest == hashlib.sha256(data).hexdigest()

    def test_copies_a_file(self, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"abc")

        keep(source, tmp_path / "kept", max_bytes=3)

        assert (tmp_path / "kept").read_bytes() == source.read_bytes()

    @pytest.mark.parametrize(("data", "error"), [(b"abcd", TooLarge), (b"", EmptyFile)])
    def test_leaves_nothing_of_what_it_refuses(
        self, app: Flask, tmp_path: Path, data: bytes, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            keep(io.BytesIO(data), tmp_path / "kept", max_bytes=3)

        assert not (tmp_path / "kept").exists()
