"""What a page of tests was given: the form written from the inputs, pasted JSON, or a file."""

import json
from typing import Any

from flask import request

from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving import queries
from dashboard.serving.models import ModelVersion
from dashboard.serving.services import fields

WAYS = ("form", "json", "file")
MAX_JSON = 2**20


class TestInput:
    """The input of a test: which way, what was typed, and the records it made."""

    __test__ = False

    def __init__(self, version: ModelVersion) -> None:
        self.version = version
        way = request.form.get("way", "form")
        self.way = way if way in WAYS else "form"
        self.script = request.form.get("script", "")
        self.records: list[dict[str, Any]] = []
        sample = version.sample_record
        self.values = {
            field.name: fields.as_text(sample.get(field.name))
            for field in fields.inputs_of(version)
        }
        self.text = json.dumps([sample], ensure_ascii=False, indent=2)
        if request.method == "POST":
            self.values |= {
                name: request.form.get(f"field-{place}", "")
                for place, name in enumerate(self.values)
            }
            self.text = request.form.get("records", self.text)


def read_test_input(given: TestInput) -> list[dict[str, Any]]:
    """The records that were given. Raises Invalid, naming field or row."""
    if given.way == "json":
        given.records = parse_records(given.version, given.text)
    elif given.way == "file":
        given.records = _read_file(given.version)
    else:
        given.records = [fields.record_of_texts(given.version, given.values)]
    return given.records


def parse_records(version: ModelVersion, text: str) -> list[dict[str, Any]]:
    """Records in JSON: one object, a list of them, {"records": [...]}, or {"columns": [...], "data": [[...]]}."""
    if len(text) > MAX_JSON:
        raise _invalid(_("At most one megabyte of JSON, please: send a file."))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid(_("This is no JSON: %(reason)s", reason=str(error))) from error
    return fields.records_of(version, value)[0]


def _read_file(version: ModelVersion) -> list[dict[str, Any]]:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid(problems=[Problem("file", _("Choose a file first."))])
    data = sent.stream.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        message = _("At most one megabyte: for more, deploy the model and send a batch.")
        raise Invalid(problems=[Problem("file", message)])
    path = queries.folder() / "tests"
    path.mkdir(parents=True, exist_ok=True)
    return fields.read_small_table(data, sent.filename, version=version, folder=path)


def _invalid(message: str) -> Invalid:
    return Invalid(message, problems=[Problem("records", message)])
