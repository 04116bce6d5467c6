"""Units, and building models, for tests."""

import itertools
import json
import struct
from collections.abc import Sequence
from typing import Any

from dashboard.organisation import services
from dashboard.organisation.models import Unit

_numbers = itertools.count(1)


def make_unit(name: str = "", *, parent: Unit | None = None, **fields: Any) -> Unit:
    """A unit, last among its siblings."""
    values = {"name": name or f"Unit {next(_numbers)}", **fields}
    return services.create_unit(
        actor_id=None, parent_id=parent.id if parent else None, fields=values
    )


def make_glb(
    document: dict[str, Any] | None = None,
    *,
    version: int = 2,
    cut: int = 0,
    pictures: Sequence[bytes] = (),
) -> bytes:
    """A binary glTF file of this document (a triangle without one) with these pictures in it.

    `cut` bytes shorter than it says.
    """
    binary = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    document = document or _triangle(len(binary))
    for picture in pictures:
        document.setdefault("images", []).append({"bufferView": len(document["bufferViews"])})
        document["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(binary), "byteLength": len(picture)}
        )
        binary += picture
    document.get("buffers", [{}])[0].setdefault("byteLength", len(binary))
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    content = struct.pack("<4sII", b"glTF", version, 12 + len(chunks)) + chunks
    return content[: len(content) - cut]


def _triangle(size: int) -> dict[str, Any]:
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 3,
                "type": "VEC3",
                "min": [0, 0, 0],
                "max": [1, 1, 0],
            }
        ],
        "bufferViews": [{"buffer": 0, "byteLength": size}],
        "buffers": [{}],
    }
