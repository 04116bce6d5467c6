"""Building models that browsers should not be sent."""

import pytest

from dashboard.organisation.gltf import NotAModel, check_glb
from dashboard.organisation.services.files import FAULTS
from tests.factories.organisation import make_glb

MANY = {
    "asset": {},
    "accessors": [{"count": 10**7}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
}


class TestCheckGlb:
    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"", "header"),
            (b"MZ" + bytes(100), "header"),
            (make_glb(version=1), "version"),
            (make_glb(cut=4), "length"),
            (make_glb({"asset": {}, "buffers": [{"uri": "http://x/y.bin"}]}), "external"),
            (make_glb({"asset": {}, "images": [{"uri": "../secret"}]}), "external"),
            (make_glb({"asset": {}, "extensionsRequired": ["KHR_draco"]}), "extension"),
            (make_glb({"meshes": []}), "json"),
            (make_glb({"asset": {}, "meshes": [{"primitives": 3}]}), "json"),
            (make_glb(MANY), "triangles"),
        ],
    )
    def test_refuses_with_a_word_that_has_a_text(self, content: bytes, fault: str) -> None:
        with pytest.raises(NotAModel, match=f"^{fault}$"):
            check_glb(content)

        assert fault in FAULTS

    def test_gives_the_description_of_a_sound_one(self) -> None:
        assert check_glb(make_glb())["asset"] == {"version": "2.0"}
