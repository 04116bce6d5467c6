"""The plotly theme and the tables behind charts."""

import csv
import io
import json

import plotly.graph_objects as go

from dashboard.core.plots import csv_text, figure, figure_json, json_text, short


class TestFigure:
    def test_wears_the_theme_with_chinese_fonts(self) -> None:
        drawn = json.loads(figure_json(figure(go.Bar(x=["中文"], y=[1]), height=300)))

        layout = drawn["layout"]["template"]["layout"]
        assert "Noto Sans CJK SC" in layout["font"]["family"]
        assert layout["paper_bgcolor"] == "rgba(0,0,0,0)"
        assert drawn["layout"]["height"] == 300


class TestCsvText:
    def test_opens_in_a_spreadsheet_with_chinese(self) -> None:
        text = csv_text(["标题", "n"], [["数据,分析", -3], [None, 1.5]])

        assert text.startswith("\ufeff")
        assert list(csv.reader(io.StringIO(text[1:]))) == [
            ["标题", "n"],
            ["数据,分析", "-3"],
            ["", "1.5"],
        ]


class TestJsonText:
    def test_is_a_list_of_objects_as_they_are(self) -> None:
        assert json.loads(json_text(["a", "b"], [["=1", 2]])) == [{"a": "=1", "b": 2}]


class TestShort:
    def test_cuts_long_titles(self) -> None:
        assert short("abcdef", length=4) == "abc…"
        assert short("abcd", length=4) == "abcd"
