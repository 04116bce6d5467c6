from datetime import datetime

import pytest

from jobs.cron import BadCron, parse

START = datetime(2026, 2, 27, 23, 58, 30)  # a Friday


class TestParse:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("* * * * *", datetime(2026, 2, 27, 23, 59)),
            ("30 3 * * *", datetime(2026, 2, 28, 3, 30)),
            ("*/20 * * * *", datetime(2026, 2, 28, 0, 0)),
            ("5/15 8-9 * * *", datetime(2026, 2, 28, 8, 5)),
            ("0 0 29 2 *", datetime(2028, 2, 29)),
            ("0 12 * * 1", datetime(2026, 3, 2, 12, 0)),
            ("0 12 * * 7", datetime(2026, 3, 1, 12, 0)),
            ("0 0 1 * 0", datetime(2026, 3, 1)),  # day or weekday
            ("59 23 31 12 *", datetime(2026, 12, 31, 23, 59)),
            ("0 6,18 * 4 *", datetime(2026, 4, 1, 6, 0)),
        ],
    )
    def test_finds_the_next_time(self, expression: str, expected: datetime) -> None:
        assert parse(expression).next_after(START) == expected

    @pytest.mark.parametrize(
        "expression", ["", "* * * *", "60 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"]
    )
    def test_refuses_nonsense(self, expression: str) -> None:
        with pytest.raises(BadCron):
            parse(expression)

    def test_refuses_what_never_comes(self) -> None:
        with pytest.raises(BadCron):
            parse("0 0 30 2 *").next_after(START)
