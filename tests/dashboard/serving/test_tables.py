"""Tables of records in files."""

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from dashboard.serving import tables


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "table"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestCSV:
    def test_reads_rows(self, tmp_path: Path) -> None:
        path = write(tmp_path, '\ufeffa,b\r\n1,"x, y"\r\n,z\r\n')

        assert list(tables.read_rows(path, "csv")) == [
            {"a": "1", "b": "x, y"},
            {"a": None, "b": "z"},
        ]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "empty"),
            ("a,a\n1,2", "twice"),
            ("a,\n1,2", "empty name"),
            ("a,b\n1", "row 1 has 1 cells"),
            ('a,b\n"1,2', "line"),
            (b"a,b\n\xff\xfe,1", "UTF-8"),
        ],
        ids=["empty", "twice", "no name", "ragged", "quote", "encoding"],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, text: str | bytes, says: str) -> None:
        with pytest.raises(tables.BadTable, match=says):
            list(tables.read_rows(write(tmp_path, text), "csv"))


class TestJSON:
    @pytest.mark.parametrize(
        "text",
        ['[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"a": 2}\n', '\n[\n{"a":1}\n,{"a":2}]\n'],
        ids=["array", "lines", "spread"],
    )
    def test_reads_objects(self, tmp_path: Path, text: str) -> None:
        assert list(tables.read_rows(write(tmp_path, text), "json")) == [{"a": 1}, {"a": 2}]

    def test_reads_past_the_end_of_a_piece(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tables, "PIECE_CHARACTERS", 7)
        path = write(tmp_path, '[{"a": 1234567, "b": "x"}, {"a": 2}]')

        assert list(tables.read_rows(path, "json")) == [{"a": 1234567, "b": "x"}, {"a": 2}]

    @pytest.mark.parametrize(
        "text",
        ["[1]", '[{"a": 1}', '[{"a": NaN}]', "[" * 100_000, '[{"a":1} x]'],
        ids=["number", "cut", "nan", "deep", "junk"],
    )
    def test_refuses_what_is_none(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(tables.BadTable):
            list(tables.read_rows(write(tmp_path, text), "json"))


class TestParquet:
    def test_reads_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "t.parquet"
        parquet.write_table(pyarrow.table({"a": [1.5, None], "b": ["x", "y"]}), path)

        assert tables.format_of(path.read_bytes()[:64]) == "parquet"
        assert tables.count_rows(path, "parquet") == 2
        assert list(tables.read_rows(path, "parquet")) == [
            {"a": 1.5, "b": "x"},
            {"a": None, "b": "y"},
        ]

    def test_refuses_a_broken_one(self, tmp_path: Path) -> None:
        with pytest.raises(tables.BadTable):
            tables.count_rows(write(tmp_path, b"PAR1 nothing"), "parquet")
