"""The engine's words in Chinese: all that it says of a wrong input, and why it refuses a file."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.serving.models import Model
from dashboard.serving.services import wording
from jobs.engines.scoring.checking import Checker
from jobs.engines.scoring.description import Field, Interval, ModelDescription
from tests.factories.browsing import csrf

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FIELDS = (
    Field("whole", "integer"),
    Field("number", "double", intervals=(Interval(0, 1),)),
    Field("word", "string", "categorical", values=("a", "b")),
    Field("any", "string"),
    Field("truth", "boolean"),
    Field("small", "tensor(int8)"),
    Field("row", "tensor(float)", dimension=(2,), shape=(None, 2)),
)
WRONG: list[Any] = [
    1,
    {},
    {"other": 1},
    dict.fromkeys((field.name for field in FIELDS), None),
    {"whole": 1.5, "number": 2, "word": "z", "any": 1, "truth": 1, "small": 300, "row": [1]},
    {"whole": "x", "number": float("nan"), "word": 1, "row": [1, "x"]},
    {"row": [1, None]},
]


@pytest.fixture
def description() -> ModelDescription:
    blank = dict.fromkeys(
        ("engine", "name", "model_type", "algorithm", "version", "description", "producer"), ""
    )
    return ModelDescription(
        **{**blank, "format": "pmml", "format_version": "", "sha256": "", "size_bytes": 0},  # type: ignore[arg-type]
        inputs=FIELDS,
        outputs=(),
    )


def test_every_expectation_is_translated(app: Flask, description: ModelDescription) -> None:
    problems = Checker(description).problems(WRONG)
    assert {each.code for each in problems} == {
        *("record", "missing", "name", "type", "range", "category", "shape")
    }

    with app.test_request_context(headers={"Accept-Language": "zh"}):
        said = {each.expected: wording.expected(each.expected) for each in problems}

    assert [text for text, chinese in said.items() if not CHINESE.search(chinese)] == []


def test_english_stays_as_the_engine_says_it(app: Flask, description: ModelDescription) -> None:
    problems = Checker(description).problems(WRONG)

    with app.test_request_context(headers={"Accept-Language": "en"}):
        for each in problems:
            assert wording.expected(each.expected) == each.expected


def test_an_expectation_that_is_not_known_stays(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert wording.expected("something 100% new") == "something 100% new"


def test_a_refusal_is_translated_and_keeps_its_detail(
    line: Model, analyst: User, sign_in: Callable[[User], FlaskClient]
) -> None:
    client = sign_in(analyst)
    headers = {**csrf(client), "Accept-Language": "zh"}

    page = client.post(
        f"/models/{line.id}/versions",
        data={"file": (BytesIO(b"<PMML version='4.4'><TreeModel>"), "x.pmml")},
        headers=headers,
    )

    assert "文件不是完整、格式正确的 XML" in page.text
    assert "line 1" in page.text
