"""Whether a file is a building model we serve: binary glTF 2.0 that names nothing outside itself.

Source: Khronos glTF 2.0 specification, section 4.4 (GLB file format).
"""

import base64
import json
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

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
# What the loader follows even when a file only offers it: one needs a decoder, the other repeats a mesh at will.
REFUSED = frozenset({"KHR_draco_mesh_compression", "EXT_mesh_gpu_instancing"})
# More than this make the page slow for everybody. Elements: corners, normals, indices... of all triangles.
MAX_TRIANGLES = 200_000
MAX_ELEMENTS = 15 * MAX_TRIANGLES
MAX_NODES = 10_000
MAX_NODE_DEPTH = 64
MAX_PICTURES = 100
TRIANGLES = 4


class NotAModel(ValueError):
    """The file is no model we can show; the message is a stable word (FAULTS)."""


def check_glb(content: bytes) -> dict[str, Any]:
    """The JSON part of a sound model. Raises NotAModel with one of: header, version, length, json,
    external, extension, triangles, parts, pictures."""
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
    if _names(document, "extensionsRequired") - EXTENSIONS:
        raise NotAModel("extension")
    if _names(document, "extensionsUsed") & REFUSED:
        raise NotAModel("extension")
    try:
        counts = [_size(accessor["count"]) for accessor in document.get("accessors", [])]
        if _count_triangles(document, counts) > MAX_TRIANGLES:
            raise NotAModel("triangles")
        if sum(counts) > MAX_ELEMENTS or not _is_forest(document.get("nodes", [])):
            raise NotAModel("parts")
        if len(document.get("images", [])) > MAX_PICTURES:
            raise NotAModel("pictures")
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise NotAModel("json") from error
    return document


def pictures_in(content: bytes, document: dict[str, Any]) -> Iterator[bytes]:
    """The pictures inside a checked model, as far as the file holds them. Raises NotAModel with json."""
    try:
        for image in document.get("images", []):
            if "bufferView" in image:
                yield _view(content, document, _size(image["bufferView"]))
            else:
                yield _data(image["uri"])
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise NotAModel("json") from error


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


def _view(content: bytes, document: dict[str, Any], number: int) -> bytes:
    view = document["bufferViews"][number]
    buffer = document["buffers"][_size(view["buffer"])]
    start = _size(view.get("byteOffset", 0))
    whole = _data(buffer["uri"]) if "uri" in buffer else _binary(content)
    return whole[start : start + _size(view["byteLength"])]


def _binary(content: bytes) -> bytes:
    """The binary chunk, which follows the JSON one."""
    size, _kind = CHUNK.unpack_from(content, HEADER.size)
    start = HEADER.size + CHUNK.size + size
    if len(content) < start + CHUNK.size:
        return b""
    size, kind = CHUNK.unpack_from(content, start)
    return content[start + CHUNK.size :][:size] if kind == b"BIN\0" else b""


def _data(uri: str) -> bytes:
    """What a data: address holds."""
    head, _comma, text = uri.partition(",")
    found = unquote_to_bytes(text)
    return base64.b64decode(found) if head.endswith(";base64") else found


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


def _names(document: dict[str, Any], name: str) -> set[str]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise NotAModel("json")
    return set(value)


def _size(value: Any) -> int:
    """A count or an index: glTF knows whole numbers from 0 only."""
    if type(value) is not int or value < 0:
        raise NotAModel("json")
    return value


def _count_triangles(document: dict[str, Any], counts: list[int]) -> int:
    """An upper bound of what is drawn: each mesh as often as nodes show it, and at least once."""
    uses = Counter(_size(node["mesh"]) for node in document.get("nodes", []) if "mesh" in node)
    total = 0
    for number, mesh in enumerate(document.get("meshes", [])):
        for part in mesh["primitives"]:
            if part.get("mode", TRIANGLES) >= TRIANGLES:
                accessor = part.get("indices", part["attributes"].get("POSITION"))
                total += counts[_size(accessor)] // 3 * max(uses[number], 1)
    return total


def _is_forest(nodes: list[dict[str, Any]]) -> bool:
    """Whether the nodes are few, flat trees: the loader would walk a circle forever."""
    if len(nodes) > MAX_NODES:
        return False
    above: dict[int, int] = {}
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            if above.setdefault(_size(child), number) != number:
                return False
    return all(_depth(number, above) <= MAX_NODE_DEPTH for number in range(len(nodes)))


def _depth(number: int, above: dict[int, int]) -> int:
    depth = 1
    while number in above and depth <= MAX_NODE_DEPTH:
        number, depth = above[number], depth + 1
    return depth
