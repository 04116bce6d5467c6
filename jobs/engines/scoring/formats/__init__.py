"""The model formats. A new one is a module here with `FORMAT`, and a line in `_load_all`."""

from __future__ import annotations

import functools
from pathlib import Path

from jobs.engines.scoring.errors import RefusedModel
from jobs.engines.scoring.runtime import Format

HEAD_BYTES = 4096
MAX_MODEL_BYTES = 512 * 2**20
# What people upload by mistake or on purpose; bytes at the start, and what to tell them.
_KNOWN = (
    (
        b"\x1f\x8b",
        "archive",
        "this is a gzip archive; unpack it and upload the model file inside it",
    ),
    (b"PK\x03\x04", "archive", "this is a zip archive; upload the model file itself"),
    (b"BZh", "archive", "this is a bzip2 archive; unpack it and upload the model file inside it"),
    (
        b"\xfd7zXZ",
        "archive",
        "this is an xz archive; unpack it and upload the model file inside it",
    ),
    (b"\x7fELF", "program", "this is a program, not a model"),
    (b"MZ", "program", "this is a program, not a model"),
    (b"\x89HDF", "format", "HDF5 (Keras) is not supported; export the model to ONNX"),
    (b"%PDF", "format", "this is a PDF document, not a model"),
)
_PICKLE = "this is a Python pickle, which can run code when it is opened; export the model to ONNX or PMML"
_PICKLE_PROTOCOLS = range(2, 6)


@functools.cache
def _load_all() -> tuple[Format, ...]:
    from jobs.engines.scoring.formats import onnx, pmml

    return (pmml.FORMAT, onnx.FORMAT)


def named(name: str) -> Format:
    """The format of this name."""
    return next(each for each in _load_all() if name == each.NAME)


def recognise(path: Path, *, max_bytes: int = MAX_MODEL_BYTES) -> Format:
    """The format of a file, by its content. Raises RefusedModel when it is none of ours."""
    size = path.stat().st_size
    if not size:
        raise RefusedModel("the file is empty", "empty")
    if size > max_bytes:
        raise RefusedModel(
            f"the file has {size / 2**20:.0f} MiB; {max_bytes / 2**20:.0f} MiB are allowed",
            "too_large",
        )
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    _refuse_known(head)
    for each in _load_all():
        if each.claims(head):
            return each
    raise RefusedModel("this is neither a PMML nor an ONNX model", "format")


def _refuse_known(head: bytes) -> None:
    for start, code, reason in _KNOWN:
        if head.startswith(start):
            raise RefusedModel(reason, code)
    if head[0] == 0x80 and len(head) > 1 and head[1] in _PICKLE_PROTOCOLS:
        raise RefusedModel(_PICKLE, "pickle")
    if _is_old_pickle(head):
        raise RefusedModel(_PICKLE, "pickle")
    if head[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise RefusedModel(
            "this is a web page, not a model; was the download a login page?", "html"
        )
    if not head.strip(b"\0"):
        raise RefusedModel("the file holds nothing but zero bytes", "format")


def _is_old_pickle(head: bytes) -> bool:
    # Protocols 0 and 1 have no mark at the start: an object is named as "cmodule\nname\n".
    first, _, rest = head.partition(b"\n")
    name = first.removeprefix(b"c")
    return (
        first.startswith(b"c")
        and name.replace(b".", b"").replace(b"_", b"").isalnum()
        and rest[:1].isalpha()
        and b"\n" in rest
        and any(mark in rest for mark in (b"(", b"R", b"t"))
    )
