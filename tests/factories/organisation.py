"""Units, and building models, for tests."""

import itertools
import json
import struct
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


def make_glb(document: dict[str, Any] | None = None, *, version: int = 2, cut: int = 0) -> bytes:
    """A binary glTF file of this document (a triangle without one); `cut` bytes shorter than it says."""
    points = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    text = json.dumps(document or _triangle(len(points))).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(points), b"BIN\0") + points
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
        "buffers": [{"byteLength": size}],
    }
