"""Drift, against numbers worked out by hand."""

import math

import pytest

from dashboard.serving import drift

NUMBERS = {"x": {"edges": [0.0, 1.0, 2.0], "shares": [0.5, 0.5, 0.0]}}
WORDS = {"w": {"values": ["a", "b"], "shares": [0.5, 0.5, 0.0]}}


@pytest.mark.parametrize(
    ("value", "place"),
    [(0.0, 0), (0.5, 0), (1.0, 1), (2.0, 1), (2.1, 2), (-1, 2), ("text", 2), (math.nan, 2)],
)
def test_numbers_fall_into_bins(value: object, place: int) -> None:
    counts = drift.bins_of([{"x": value}], NUMBERS)["x"]

    assert counts.index(1) == place


def test_unseen_words_fall_into_the_last_bin() -> None:
    records = [{"w": "a"}, {"w": "z"}, {"w": None}, {}]

    assert drift.bins_of(records, WORDS) == {"w": [1, 0, 1]}


def test_the_same_spread_does_not_drift() -> None:
    (found,) = drift.measure(NUMBERS, {"x": [50, 50, 0]})

    assert (found.psi, found.ks, found.level) == (0.0, 0.0, "ok")


def test_a_shift_is_measured() -> None:
    (found,) = drift.measure(NUMBERS, {"x": [90, 10, 0]})

    # (0.9 - 0.5) ln(0.9 / 0.5) + (0.1 - 0.5) ln(0.1 / 0.5)
    assert found.psi == pytest.approx(0.4 * math.log(1.8) - 0.4 * math.log(0.2))
    assert found.ks == pytest.approx(0.4)
    assert found.level == "alarm"


def test_words_have_no_ks() -> None:
    (found,) = drift.measure(WORDS, {"w": [0, 0, 10]})

    assert found.ks is None
    assert found.unseen == 1.0


def test_what_was_not_counted_is_left_out() -> None:
    assert drift.measure(NUMBERS, {}) == []


def test_a_range_alone_shows_where_the_values_fall() -> None:
    (found,) = drift.measure({"x": {"edges": [0.0, 1.0, 2.0], "shares": None}}, {"x": [3, 0, 1]})

    assert (found.psi, found.ks, found.level, found.expected) == (None, None, "", [])
    assert (found.found, found.unseen) == ([0.75, 0.0, 0.25], 0.25)


def test_a_baseline_of_a_table() -> None:
    columns = [
        drift.Column("x", "x"),
        drift.Column("v[1]", "v", 1),
        drift.Column("w", "w", numeric=False),
    ]
    rows = [{"x": n, "v": [0, -n], "w": "ab"[n % 2]} for n in range(100)]

    found, n_rows = drift.baseline_of([*rows, {"x": "text", "w": None}], columns)

    assert n_rows == 101
    assert found["x"]["edges"][0::5] == [0.0, 49.5, 99.0]
    assert found["x"]["shares"] == [0.1] * 10 + [0.0]
    assert found["w"] == {"values": ["a", "b"], "shares": [0.5, 0.5, 0.0], "of": ["w", None]}
    assert drift.bins_of([{"v": [0, -99]}], found)["v[1]"][0] == 1
