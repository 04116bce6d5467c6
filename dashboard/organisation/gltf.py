"""Whether a file is a building model we serve: binary glTF 2.0 that names nothing outside itself.

Source: Khronos glTF 2.0 specification, section 4.4 (GLB file format).
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

HEADER = struct.Struct("<4sII")
CHUNK = struct.Struct("<I4s")
MAGIC = b"glTF"
# What the loader reads without a decoder of its own.
EXTENSIONS = frozenset(
    {
        "KHR_lights_punctual",
        "KHR_materials_emissive_strength",
        "KHR_materials_unlit",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
    }
)
# More triangles than this make the page slow for everybody.
MAX_TRIANGLES = 200_000
TRIANGLES = 4


class NotAModel(ValueError):
    """The file is no model we can show; the message is a stable word (FAULTS)."""


def check_glb(content: bytes) -> dict[str, Any]:
    """The JSON part of a sound model. Raises NotAModel with one of: header, version, length, json,
    external, extension, triangles."""
    if len(content) < HEADER.size + CHUNK.size or not content.startswith(MAGIC):
        raise NotAModel("header")
    _magic, version, length = HEADER.unpack_from(content)
    if version != 2:
        raise NotAModel("version")
    if length != len(content):
        raise NotAModel("length")
    document = _document(content)
    if any(not uri.startswith("data:") for uri in _uris(document)):
        raise NotAModel("external")
    if set(_list(document, "extensionsRequired")) - EXTENSIONS:
        raise NotAModel("extension")
    if _count_triangles(document) > MAX_TRIANGLES:
        raise NotAModel("triangles")
    return document


def _document(content: bytes) -> dict[str, Any]:
    size, kind = CHUNK.unpack_from(content, HEADER.size)
    start = HEADER.size + CHUNK.size
    if kind != b"JSON" or start + size > len(content):
        raise NotAModel("json")
    try:
        document = json.loads(content[start : start + size].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotAModel("json") from error
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        raise NotAModel("json")
    return document


def _uris(value: Any) -> Iterator[str]:
    """Every uri anywhere in the document, so that extensions bring in none either."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "uri" in part:
                yield part["uri"] if isinstance(part["uri"], str) else "not a text"
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _list(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise NotAModel("json")
    return [part for part in value if isinstance(part, str | dict)]


def _count_triangles(document: dict[str, Any]) -> int:
    """An upper bound: each primitive's indices, or its vertices where it has none."""
    try:
        accessors = document.get("accessors", [])
        total = 0
        for mesh in document.get("meshes", []):
            for part in mesh["primitives"]:
                if part.get("mode", TRIANGLES) >= TRIANGLES:
                    accessor = part.get("indices", part["attributes"].get("POSITION"))
                    total += int(accessors[accessor]["count"]) // 3
        return total
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise NotAModel("json") from error
