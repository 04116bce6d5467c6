"""Callers send records in several forms, and tables."""

from pathlib import Path
from typing import Any

import pytest

from jobs.engines.scoring import InvalidInput, parse_request, read_csv_text, read_rows
from tests.jobs.engines.scoring.descriptions import COLOUR, COUNT, FLAG, LENGTH, ROW, described

MODEL = described(LENGTH, COLOUR)
RECORD = {"length": 5.0, "colour": "red"}


class TestParseRequest:
    @pytest.mark.parametrize(
        "body",
        [
            b'[{"length": 5.0, "colour": "red"}]',
            b'{"length": 5.0, "colour": "red"}',
            b'{"records": [{"length": 5.0, "colour": "red"}]}',
            b'{"X": [{"length": 5.0, "colour": "red"}]}',
            b'{"columns": ["length", "colour"], "data": [[5.0, "red"]]}',
            b'{"split": {"columns": ["length", "colour"], "data": [[5.0, "red"]]}}',
            b'{"X": {"columns": ["length", "colour"], "data": [[5.0, "red"]]}, "filter": ["y"]}',
        ],
    )
    def test_reads_every_form(self, body: bytes) -> None:
        assert parse_request(body, MODEL).records == [RECORD]

    def test_reads_the_outputs_wanted(self) -> None:
        assert parse_request(b'{"records": [{}], "outputs": ["z"]}', MODEL).outputs == ("z",)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"3",
            b"[]",
            b'"text"',
            b'{"records": 3}',
            b'{"columns": ["a", "a"], "data": [[1, 2]]}',
            b'{"columns": ["a"], "data": [[1, 2]]}',
            b'{"columns": ["a"], "data": 1}',
            b'{"columns": 1, "data": []}',
            b'{"records": [{}], "outputs": ["no such"]}',
            b'{"outputs": ["y"]}',
            b"[NaN]",
            b"\xff\xfe",
        ],
    )
    def test_refuses_other_things(self, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            parse_request(body, MODEL)


class TestReadCsv:
    @pytest.mark.parametrize(
        "text",
        [
            "length,colour\n5.0,red\n",
            "colour;length;more\nred;5.0;x\n",
            "length\tcolour\r\n5.0\tred\r\n",
        ],
    )
    def test_finds_columns_by_name(self, text: str) -> None:
        assert read_csv_text(text, MODEL) == [RECORD]

    def test_keeps_the_zeros_of_text_and_leaves_cells_empty(self) -> None:
        code = described(COLOUR, COUNT, FLAG)

        found = read_csv_text("colour,count,flag\n001,,true\n", code)

        assert found == [{"colour": "001", "count": None, "flag": True}]

    @pytest.mark.parametrize("header", ["x[0],x[1]", "a,b"])
    def test_gathers_columns_into_a_row_of_numbers(self, header: str) -> None:
        assert read_csv_text(f"{header}\n1,2.5\n", described(ROW)) == [{"x": [1, 2.5]}]

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("length,hue\n5,red\n", "'colour'"),
            ("length,colour\n5,red,7\n", "row 1"),
            ("length,colour\n", "at least one row"),
            ("", "first line"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, part: str) -> None:
        with pytest.raises(InvalidInput, match=part):
            read_csv_text(text, MODEL)

    def test_refuses_other_encodings(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes("length,colour\n5,红\n".encode("gbk"))

        with pytest.raises(InvalidInput, match="UTF-8"):
            list(read_rows(path, MODEL))

    def test_reads_json_by_content(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_text('[{"length": 5.0, "colour": "red"}]')
        rows: list[Any] = list(read_rows(path, MODEL))

        assert rows == [RECORD]
