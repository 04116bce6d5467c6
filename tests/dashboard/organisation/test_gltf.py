"""Building models that browsers should not be sent."""

import base64
from typing import Any

import pytest

from dashboard.organisation.gltf import NotAModel, check_glb, pictures_in
from dashboard.organisation.services.files import FAULTS
from tests.factories.organisation import make_glb

MANY = {
    "asset": {},
    "accessors": [{"count": 10**7}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
}

# What a file may say to make every visitor's browser work without end, or our own check fall over.
SHOWN = {"primitives": [{"attributes": {"POSITION": 0}}]}


def model(**parts: Any) -> bytes:
    return make_glb({"asset": {}, **parts})


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
            (model(extensionsRequired=[{}]), "json"),
            (model(extensionsUsed=["EXT_mesh_gpu_instancing"]), "extension"),
            (model(accessors=[{"count": float("inf")}], meshes=[SHOWN]), "json"),
            (model(accessors=[{"count": -(10**9)}, {"count": 10**9}], meshes=[SHOWN]), "json"),
            (
                model(accessors=[{"count": 30_000}], meshes=[SHOWN], nodes=[{"mesh": 0}] * 21),
                "triangles",
            ),
            (model(accessors=[{"count": 10**9}]), "parts"),
            (model(nodes=[{"children": [1]}, {"children": [0]}]), "parts"),
            (model(nodes=[{"children": [2]}, {"children": [2]}, {}]), "parts"),
            (model(nodes=[{}] * 10_001), "parts"),
            (model(images=[{"uri": "data:,"}] * 101), "pictures"),
            (model(images=3), "json"),
        ],
    )
    def test_refuses_with_a_word_that_has_a_text(self, content: bytes, fault: str) -> None:
        with pytest.raises(NotAModel, match=f"^{fault}$"):
            check_glb(content)

        assert fault in FAULTS

    def test_gives_the_description_of_a_sound_one(self) -> None:
        assert check_glb(make_glb())["asset"] == {"version": "2.0"}


class TestPicturesIn:
    def test_finds_them_wherever_they_are(self) -> None:
        text = base64.b64encode(b"in a buffer of its own").decode()
        document = {
            "asset": {},
            "buffers": [{}, {"uri": f"data:application/octet-stream;base64,{text}"}],
            "bufferViews": [{"buffer": 1, "byteOffset": 3, "byteLength": 8}],
            "images": [{"bufferView": 0}, {"uri": "data:image/png,%89PNG"}],
        }
        content = make_glb(document, pictures=[b"in the chunk"])

        found = list(pictures_in(content, check_glb(content)))

        assert found == [b"a buffer", b"\x89PNG", b"in the chunk"]

    @pytest.mark.parametrize(
        "parts",
        [
            {"images": [{}]},
            {"images": [{"bufferView": 0}]},
            {"images": [{"bufferView": -1}], "bufferViews": [{"buffer": 0, "byteLength": 4}]},
            {"images": [{"bufferView": 0}], "bufferViews": [{"buffer": 9, "byteLength": 4}]},
            {"images": [{"uri": "data:image/png;base64,A"}]},
            {"images": {"a": 1}},
        ],
    )
    def test_refuses_what_leads_nowhere(self, parts: dict[str, Any]) -> None:
        content = model(buffers=[{}], **parts)

        with pytest.raises(NotAModel, match=r"^json$"):
            list(pictures_in(content, check_glb(content)))

    def test_gives_what_there_is_of_one_that_ends_too_early(self) -> None:
        content = model(
            buffers=[{}],
            bufferViews=[{"buffer": 0, "byteOffset": 32, "byteLength": 400}],
            images=[{"bufferView": 0}],
        )

        assert list(pictures_in(content, check_glb(content))) == [bytes(4)]
