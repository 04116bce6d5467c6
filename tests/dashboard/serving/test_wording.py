"""The engines' words in Chinese: all that they say of a wrong input, why they refuse a file, and why a run failed."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.serving import tables
from dashboard.serving.models import Model
from dashboard.serving.services import wording
from dashboard.serving.services.phrases import PHRASES
from jobs.engines.scoring import InvalidInput, RefusedModel, Script, ScriptFailed
from jobs.engines.scoring.checking import Checker
from jobs.engines.scoring.description import Field, Interval, ModelDescription
from jobs.engines.scoring.formats import recognise
from jobs.engines.scoring.inputs import read_csv_text, request_of
from tests.conftest import ROOT
from tests.factories.browsing import csrf
from tests.factories.shared_data import shared_data
from tests.jobs.engines.scoring.test_refusals import BAD

ENGINES = ROOT / "jobs" / "engines"
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
        said = {each.expected: wording.said(each.expected) for each in problems}

    assert [text for text, chinese in said.items() if not CHINESE.search(chinese)] == []


def test_english_stays_as_the_engine_says_it(app: Flask, description: ModelDescription) -> None:
    problems = Checker(description).problems(WRONG)

    with app.test_request_context(headers={"Accept-Language": "en"}):
        for each in problems:
            assert wording.said(each.expected) == each.expected


def test_an_expectation_that_is_not_known_stays(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert wording.said("something 100% new") == "something 100% new"


def test_what_a_request_should_have_been_is_translated(
    app: Flask, description: ModelDescription
) -> None:
    wrong: list[Any] = [
        *(3, [], {"columns": 1, "data": []}, {"columns": ["a", "a"], "data": []}),
        *({"columns": ["a"], "data": 1}, {"columns": ["a"], "data": [[1, 2]]}),
        *({"records": [{}], "outputs": ["x"]}, {"outputs": ["x"]}),
    ]
    expected = []
    for body in wrong:
        with pytest.raises(InvalidInput) as caught:
            request_of(body, description)
        expected += [each.expected for each in caught.value.problems]
    for text in ("", "a", "whole,other\n1"):
        with pytest.raises(InvalidInput) as caught:
            read_csv_text(text, description)
        expected += [each.expected for each in caught.value.problems]

    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert [text for text in expected if not CHINESE.search(wording.said(text))] == []


@pytest.mark.parametrize("name", sorted(BAD))
def test_every_refusal_is_translated(app: Flask, name: str) -> None:
    path = shared_data(f"models/bad/{name}")
    with pytest.raises(RefusedModel) as caught:
        recognise(path).check(path)

    with app.test_request_context(headers={"Accept-Language": "zh"}):
        chinese = wording.said(caught.value.reason)

    # What an XML parser says, and names, stay as they came.
    english = set(re.findall(r"[A-Za-z:]{4,}", re.sub(r"：[a-z() -]+）$", "", chinese)))
    names = {"PMML", "ONNX", "pickle", "Python", "gzip", "note", "nobody::NoSuchOp", "ai.onnx"}
    assert english <= names | {"onnx"}
    assert CHINESE.search(chinese)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "the model loads, but cannot be scored: the engine failed: Shape mismatch",
            "模型可以加载，但无法用于预测：引擎出错：Shape mismatch",
        ),
        ("line 3: the script was stopped: x", "第 3 行：脚本被终止：x"),
        ("a value (one of 'text', 'a value')", "一个值（'text', 'a value' 之一）"),
        ("a whole number in every place", "每个位置都是整数"),
    ],
)
def test_phrases_within_phrases_are_translated_and_names_are_not(
    app: Flask, english: str, chinese: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert wording.said(english) == chinese


@pytest.mark.parametrize(
    "source", ["x = 1", "def prepare(record):\n    return 3", "def prepare_all(r):\n    return 3"]
)
def test_what_is_wrong_with_a_script_is_translated(app: Flask, source: str) -> None:
    with pytest.raises(ScriptFailed) as caught:
        Script(source).run([{}])

    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert CHINESE.search(wording.said(str(caught.value)))


def test_the_engines_still_say_every_phrase(app: Flask) -> None:
    """A phrase whose words changed in an engine would be English again."""
    files = [path for name in ("scoring", "learning") for path in (ENGINES / name).rglob("*.py")]
    # Texts of several lines, and what follows a reason, are put together as Python does.
    source = re.sub(r"[\"']\s*f?[\"']", "", "".join(path.read_text("utf-8") for path in files))
    with app.test_request_context(headers={"Accept-Language": "en"}):
        phrases = [str(phrase) for phrase in PHRASES]

    lost = []
    for phrase in phrases:
        parts = re.split(r"(?:line )?%\(\w+\)s|; export|: (?=it holds|a name)", phrase)
        if not all(part.strip() in source for part in parts):
            lost.append(phrase)
    assert lost == []


def test_a_refusal_is_translated_on_the_page(
    line: Model, analyst: User, sign_in: Callable[[User], FlaskClient]
) -> None:
    client = sign_in(analyst)
    headers = {**csrf(client), "Accept-Language": "zh"}

    page = client.post(
        f"/models/{line.id}/versions",
        data={"file": (BytesIO(b"<PMML version='4.4'><TreeModel>"), "x.pmml")},
        headers=headers,
    )

    assert "文件不是完整、格式正确的 XML（第 1 行：" in page.text
    assert "well-formed" not in page.text


def test_what_is_wrong_with_a_table_is_translated(app: Flask, tmp_path: Path) -> None:
    wrong = {"csv": [b"", b"a,a\n", b"a,\n", b"a\n1,2\n", b"a\n\xff\n"], "json": [b"[1", b"[3]"]}
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        for form, contents in wrong.items():
            for content in contents:
                path = tmp_path / "table"
                path.write_bytes(content)
                with pytest.raises(tables.BadTable) as caught:
                    list(tables.read_rows(path, form))
                assert CHINESE.search(str(caught.value)), content
