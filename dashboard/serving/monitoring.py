"""What a deployment did, ready to show: sums over hours or days, quantiles of each step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dashboard.serving.journal import STEPS, quantile
from dashboard.serving.models import PredictionHour

QUANTILES = (0.5, 0.95, 0.99)
# Ways of calling in which somebody waits for the answer. How long a file takes says nothing of that.
WAITED_FOR = ("sync", "v2")


@dataclass(slots=True)
class Span:
    """An hour, a day, or the whole time. Times are those of the calls in which somebody waited."""

    start: datetime | None = None
    n_requests: int = 0
    n_errors: int = 0
    n_records: int = 0
    total_ms: float = 0.0
    min_ms: float | None = None
    max_ms: float | None = None
    by_face: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    steps: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def mean_ms(self) -> float | None:
        """Mean time of a request; None before the first."""
        n_timed = sum(self.steps.get("total", {}).values())
        return self.total_ms / n_timed if n_timed else None

    def quantiles(self, step: str = "total") -> list[float | None]:
        """p50, p95 and p99 of a step, milliseconds."""
        return [quantile(self.steps.get(step, {}), share) for share in QUANTILES]

    def add(self, row: PredictionHour) -> None:
        """Add what one row holds."""
        self.n_requests += row.n_requests
        self.n_errors += row.n_errors
        self.n_records += row.n_records
        self.by_face[row.face] = self.by_face.get(row.face, 0) + row.n_requests
        for code, count in row.errors.items():
            self.errors[code] = self.errors.get(code, 0) + count
        if row.face in WAITED_FOR:
            self._add_times(row)

    def _add_times(self, row: PredictionHour) -> None:
        self.total_ms += row.total_ms
        for name, better in (("min_ms", min), ("max_ms", max)):
            mine, other = getattr(self, name), getattr(row, name)
            if other is not None:
                setattr(self, name, other if mine is None else better(mine, other))
        for step, counts in row.steps.items():
            mine_ = self.steps.setdefault(step, {})
            for bucket, count in counts.items():
                mine_[int(bucket)] = mine_.get(int(bucket), 0) + count


def total(rows: Sequence[PredictionHour]) -> Span:
    """All rows together."""
    span = Span()
    for row in rows:
        span.add(row)
    return span


def spans(rows: Sequence[PredictionHour], *, hours: int = 1) -> list[Span]:
    """The rows put together by spans of so many hours, oldest first; spans without a request are left out."""
    found: dict[int, Span] = {}
    for row in rows:
        start = row.hour - row.hour % hours
        if start not in found:
            at = datetime.fromtimestamp(start * 3600, UTC).replace(tzinfo=None)
            found[start] = Span(start=at)
        found[start].add(row)
    return [found[start] for start in sorted(found)]


def step_table(span: Span) -> list[tuple[str, int, list[float | None]]]:
    """Each step that was timed: name, how often, p50, p95, p99."""
    return [
        (step, sum(span.steps[step].values()), span.quantiles(step))
        for step in STEPS
        if step in span.steps
    ]
