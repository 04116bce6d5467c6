"""Records are checked against the model: engines would take what does not fit as missing."""

import math
from typing import Any

import pytest

from jobs.engines.scoring import Field, ModelDescription, sample_record, validate
from tests.jobs.engines.scoring.descriptions import (
    BYTE,
    COLOUR,
    COUNT,
    FLAG,
    IMAGE,
    LENGTH,
    NULLABLE,
    OPTIONAL,
    ROW,
    described,
)


class TestValidate:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            (LENGTH, 4.3),
            (LENGTH, 7),
            (COLOUR, "red"),
            (COUNT, 3.0),
            (NULLABLE, None),
            (OPTIONAL, None),
            (FLAG, True),
            (ROW, [1, 2.5]),
            (ROW, [[1, 2], [3, 4]]),
            (IMAGE, [[[1, 2], [3, 4]]]),
            (IMAGE, [1, 2, 3, 4]),
            (BYTE, 255),
            (BYTE, [7]),
        ],
    )
    def test_takes_what_fits(self, field: Field, value: Any) -> None:
        assert validate(described(field), [{field.name: value}]) == []

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            (LENGTH, "abc", "type"),
            (LENGTH, True, "type"),
            (LENGTH, math.nan, "type"),
            (LENGTH, math.inf, "type"),
            (LENGTH, 8, "range"),
            (LENGTH, None, "missing"),
            (LENGTH, [5.0], "type"),
            (COLOUR, "green", "category"),
            (COLOUR, 1, "type"),
            (COUNT, 3.5, "type"),
            (FLAG, 1, "type"),
            (ROW, [1], "shape"),
            (ROW, [1, [2]], "shape"),
            (ROW, [1, "b"], "type"),
            (ROW, [1, None], "missing"),
            (ROW, 1, "shape"),
            (ROW, [1, 1e300], "range"),
            (IMAGE, [1, 2, 3], "shape"),
            (BYTE, 256, "range"),
            (BYTE, -1, "range"),
        ],
    )
    def test_names_what_does_not_fit(self, field: Field, value: Any, code: str) -> None:
        (problem,) = validate(described(field), [{field.name: value}])

        assert (problem.row, problem.field, problem.code) == (1, field.name, code)

    def test_names_unknown_and_absent_inputs(self) -> None:
        found = validate(described(LENGTH, OPTIONAL, NULLABLE), [{"lenght": 5.0, "target": 1}])

        assert [(each.field, each.code) for each in found] == [
            ("lenght", "name"),
            ("length", "missing"),
            ("sky", "missing"),
        ]

    def test_numbers_the_rows(self) -> None:
        found = validate(described(LENGTH), [{"length": 5}, {"length": 9}, 7], first_row=1001)

        assert [each.row for each in found] == [1002, 1003]
        assert str(found[0]) == "row 1002, field 'length': expected a number in [4.3, 7.9], got 9"

    def test_stops_at_a_hundred_problems(self) -> None:
        assert len(validate(described(LENGTH), [{}] * 500)) == 100


class TestSampleRecord:
    def test_fits_the_model(self) -> None:
        description = described(LENGTH, COLOUR, COUNT, OPTIONAL, NULLABLE, FLAG, ROW, IMAGE, BYTE)

        assert validate(description, [sample_record(description)]) == []


class TestModelDescription:
    def test_survives_json(self) -> None:
        import orjson

        description = described(LENGTH, COLOUR, ROW, IMAGE)

        again = ModelDescription.from_json(orjson.loads(orjson.dumps(description.to_json())))

        assert again == description
