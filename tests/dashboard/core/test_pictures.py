import io

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage

from dashboard.core import uploads
from dashboard.core.errors import Invalid, TooLarge
from dashboard.core.pictures import MAX_PIXELS, extension_of
from tests.factories.pictures import png

WHOLE = png(600, 400)
SIDE = int(MAX_PIXELS**0.5)


def sent(content: bytes) -> FileStorage:
    return FileStorage(io.BytesIO(content), filename="bild.gif")


class TestExtensionOf:
    def test_goes_by_the_content_and_leaves_the_file_to_be_read(self, app: Flask) -> None:
        upload = sent(WHOLE)

        assert extension_of(upload, field="cover") == "png"
        assert upload.stream.read() == WHOLE

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"<svg onload=alert(1)>", "JPEG, PNG or WebP"),
            (b"", "JPEG, PNG or WebP"),
            (WHOLE[: len(WHOLE) // 2], "damaged or cut off"),
            (b"\x89PNG\r\n\x1a\n" + bytes(64), "damaged or cut off"),
            (b"\xff\xd8\xff\xe0" + bytes(64), "damaged or cut off"),
            (b"RIFF\x40\0\0\0WEBPVP8 " + bytes(64), "damaged or cut off"),
            (png(SIDE, SIDE + 20), "million pixels at most"),
            (png(20_000, 12_000), "million pixels at most"),
        ],
        ids=["svg", "empty", "cut off", "no png", "no jpeg", "no webp", "large", "bomb"],
    )
    def test_refuses_by_field(self, app: Flask, content: bytes, message: str) -> None:
        with pytest.raises(Invalid, match=message) as refused:
            extension_of(sent(content), field="plan")

        assert refused.value.problems[0].field == "plan"

    def test_refuses_a_file_over_the_limit_before_it_is_decoded(self, app: Flask) -> None:
        limit = uploads.settings().max_image_bytes

        assert extension_of(sent(WHOLE.ljust(limit)), field="cover") == "png"
        with pytest.raises(TooLarge):
            extension_of(sent(WHOLE.ljust(limit + 1)), field="cover")
