"""How a PMML file says that its inputs are spread, by the elements of PMML 4.4's Statistics."""

from pathlib import Path
from typing import Any

import pytest

from jobs.engines.scoring.description import Field, Interval, ModelDescription
from jobs.engines.scoring.spreads import declared_spreads


def spread(tmp_path: Path, statistics: str, declared: Field) -> Any:
    """What is found out about one field of a file with these UnivariateStats."""
    path = tmp_path / "model.pmml"
    path.write_text(
        '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><TreeModel><ModelStats>'
        f'<UnivariateStats field="x">{statistics}</UnivariateStats>'
        "</ModelStats></TreeModel></PMML>"
    )
    blank = dict.fromkeys(
        ("engine", "name", "model_type", "algorithm", "version", "description", "producer"), ""
    )
    description = ModelDescription(
        **{**blank, "format": "pmml", "format_version": "4.4", "sha256": "", "size_bytes": 0},  # type: ignore[arg-type]
        inputs=(declared,),
        outputs=(),
    )
    return declared_spreads(path, description).get("x")


NUMBER, WORD = Field("x", "double"), Field("x", "string", "categorical")


def test_counts_of_categories(tmp_path: Path) -> None:
    statistics = (
        '<DiscrStats><Array n="2" type="string">"a b" c</Array><Array n="2" type="int">3 1</Array>'
        "</DiscrStats>"
    )

    assert spread(tmp_path, statistics, WORD) == {
        "values": ["a b", "c"],
        "shares": [0.75, 0.25, 0.0],
    }


def test_counts_of_intervals(tmp_path: Path) -> None:
    statistics = (
        '<ContStats><Interval closure="openClosed" leftMargin="0" rightMargin="1"/>'
        '<Interval closure="openClosed" leftMargin="1" rightMargin="5"/>'
        '<Array n="2" type="int">1 4</Array></ContStats>'
    )

    assert spread(tmp_path, statistics, NUMBER) == {
        "edges": [0.0, 1.0, 5.0],
        "shares": [0.2, 0.8, 0.0],
    }


def test_quantiles(tmp_path: Path) -> None:
    statistics = (
        '<NumericInfo minimum="0" maximum="10" median="4">'
        '<Quantile quantileLimit="25" quantileValue="1"/></NumericInfo>'
    )

    assert spread(tmp_path, statistics, NUMBER) == {
        "edges": [0.0, 1.0, 4.0, 10.0],
        "shares": [0.25, 0.25, 0.5, 0.0],
    }


@pytest.mark.parametrize(
    ("statistics", "declared", "expected"),
    [
        ('<NumericInfo minimum="0" maximum="10"/>', NUMBER, [0, 1, 10]),
        ("", Field("x", "double", intervals=(Interval(0, 10),)), [0, 1, 10]),
        ('<NumericInfo minimum="1" maximum="1"/>', NUMBER, None),
        ("", Field("x", "double", intervals=(Interval(0, None),)), None),
        ('<NumericInfo minimum="nan" maximum="x"/>', NUMBER, None),
        ("", NUMBER, None),
    ],
    ids=["least and largest", "declared", "one value", "half open", "no numbers", "nothing"],
)
def test_a_range_alone_has_no_shares(
    tmp_path: Path, statistics: str, declared: Field, expected: list[float] | None
) -> None:
    found = spread(tmp_path, statistics, declared)

    if expected is None:
        assert found is None
    else:
        assert found["shares"] is None
        assert [found["edges"][place] for place in (0, 1, -1)] == expected
        assert len(found["edges"]) == 11
