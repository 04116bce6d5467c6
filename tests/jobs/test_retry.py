import pytest

from jobs.retry import Retry


class TestRetry:
    @pytest.mark.parametrize(
        ("failures", "expected_s"),
        [(1, 2.0), (2, 4.0), (3, 8.0), (5, 32.0), (6, 60.0), (5000, 60.0)],
    )
    def test_doubles_the_wait_up_to_the_cap(self, failures: int, expected_s: float) -> None:
        retry = Retry(base_s=2.0, cap_s=60.0)

        assert retry.delay_s(failures=failures, spread=lambda: 0.5) == expected_s

    def test_spreads_the_wait(self) -> None:
        retry = Retry(base_s=100.0, jitter=0.25)

        waits = [retry.delay_s(failures=1, spread=lambda at=at: at) for at in (0.0, 1.0)]

        assert waits == [75.0, 125.0]
