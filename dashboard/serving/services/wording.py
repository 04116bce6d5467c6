"""The engine's words in the reader's language: what an input should have been, and why a model file is refused.

The engine speaks English, so that it stands alone. What has no translation here stays as the engine said it.
"""

import re
from typing import Any

from dashboard.core.i18n import _, current_language, lazy

# What the engine expects, as it says it; each group is put into the translation, itself translated where it can be.
_EXPECTED: list[tuple[re.Pattern[str], Any]] = [
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in [
        (r"a whole number", lazy("a whole number")),
        (r"a finite number", lazy("a finite number")),
        (r"true or false", lazy("true or false")),
        (r"text", lazy("text")),
        (r"a value", lazy("a value")),
        (r"a single value", lazy("a single value")),
        (r"(.+) in every place", lazy("%(a)s in every place")),
        (r"a value \((.+)\)", lazy("a value (%(a)s)")),
        (r"a value of type (.+)", lazy("a value of type %(a)s")),
        (r"a number between (\S+) and (\S+)", lazy("a number between %(a)s and %(b)s")),
        (r"a number in (.+)", lazy("a number in %(a)s")),
        (r"one of the model's inputs: (.+)", lazy("one of the model's inputs: %(a)s")),
        (r"one of (.+)", lazy("one of %(a)s")),
        (
            r"a single value, or a list of shape (.+) for a whole batch",
            lazy("a single value, or a list of shape %(a)s for a whole batch"),
        ),
        (r"a list of shape (.+)", lazy("a list of shape %(a)s")),
        (
            r"a column of this name; the table has (.+)",
            lazy("a column of this name; the table has %(a)s"),
        ),
        (
            r"a row of (\d+) values, one for each of `columns`",
            lazy("a row of %(a)s values, one for each of `columns`"),
        ),
        (
            r"a record: an object of input names and values",
            lazy("a record: an object of input names and values"),
        ),
    ]
]
# By the engine's code; the engine's own words, which know the place and the name, follow.
_REFUSED = {
    "archive": lazy("This is an archive: unpack it and upload the model file itself."),
    "crash": lazy("The engine broke down on this model."),
    "depth": lazy("The XML is nested too deeply."),
    "dtd": lazy("The file has a document type declaration (DTD), which can pull in other files."),
    "external_data": lazy("The weights are in another file: export the model as a single file."),
    "format": lazy("This is neither a PMML nor an ONNX model."),
    "html": lazy("This is a web page, not a model."),
    "memory": lazy("The model needs more memory than it may use."),
    "no_model": lazy("The file holds no model."),
    "onnx": lazy("The file is no whole ONNX model: was it cut short?"),
    "operator": lazy("The model uses an operator that is not supported."),
    "opset": lazy("The model uses a newer operator set than the one that is supported."),
    "pickle": lazy(
        "This is a Python pickle, which can run code: export the model to ONNX or PMML."
    ),
    "program": lazy("This is a program, not a model."),
    "root": lazy("This is XML, but not PMML."),
    "timeout": lazy("The model took longer than it may."),
    "too_large": lazy("The model is too large."),
    "trial": lazy("The model loads, but could not answer a sample record."),
    "unsupported": lazy("The engine cannot load this model."),
    "version": lazy("The file is of a version that is not supported."),
    "xml": lazy("The file is not whole, well-formed XML."),
}


def expected(text: str) -> str:
    """What the engine expects, in the reader's language."""
    for pattern, translation in _EXPECTED:
        if found := pattern.fullmatch(text):
            parts = {name: expected(part) for name, part in zip("ab", found.groups(), strict=False)}
            return str(translation) % parts
    return text


def refusal(message: str, code: str) -> str:
    """Why a model file is refused. Other languages than the engine's get its words as well, for the detail in them."""
    if current_language() == "en" or code not in _REFUSED:
        return message
    return _("%(reason)s (%(detail)s)", reason=_REFUSED[code], detail=message)
