"""How the queue does, as plotly figures."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go

from dashboard.core.database import utcnow
from dashboard.core.i18n import _
from dashboard.core.plots import figure, figure_json
from dashboard.job_queue.kinds import label_of
from dashboard.job_queue.models import JobState, QueueSample

HEIGHT = 320
SPAN = timedelta(hours=24)
# A portal that has just started has one sample, which a line alone would not show.
LINE = "lines+markers"
BUCKET_S = 600
Ends = Sequence[tuple[datetime, str, JobState]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its name for files and its label for everybody."""

    name: str
    label: str
    json: str


def queue_charts(samples: Sequence[QueueSample], ends: Ends) -> list[Chart]:
    """The charts of the queue's page."""
    return [depth(samples), oldest_wait(samples), throughput(ends), failures(ends)]


def depth(samples: Sequence[QueueSample]) -> Chart:
    """The most jobs that waited and ran, by ten minutes."""
    waiting = _line(_("waiting"), samples, lambda sample: sample.n_waiting)
    running = _line(_("running"), samples, lambda sample: sample.n_running)
    return _chart("queue-depth", _("Jobs that wait and run"), _("jobs"), waiting, running)


def oldest_wait(samples: Sequence[QueueSample]) -> Chart:
    """How long the job at the end of the queue had waited at most, by ten minutes."""
    line = _line(_("seconds"), samples, lambda sample: sample.oldest_wait_s)
    return _chart(
        "oldest-wait", _("How long the oldest waiting job has waited"), _("seconds"), line
    )


def throughput(ends: Ends) -> Chart:
    """Jobs that completed, by ten minutes and kind."""
    return _bars("throughput", _("Completed jobs by kind"), ends, JobState.DONE)


def failures(ends: Ends) -> Chart:
    """Jobs that failed, by ten minutes and kind."""
    return _bars("failures", _("Failed jobs by kind"), ends, JobState.FAILED)


def _line(
    name: str, samples: Sequence[QueueSample], value: Callable[[QueueSample], float]
) -> go.Scatter:
    # A sample for each minute of a day would be a smear; the peaks are what counts.
    peaks: dict[int, float] = {}
    for sample in samples:
        start = sample.minute * 60 // BUCKET_S * BUCKET_S
        peaks[start] = max(value(sample), peaks.get(start, 0))
    return go.Scatter(
        x=[_moment(second) for second in peaks], y=list(peaks.values()), name=name, mode=LINE
    )


def _bars(name: str, label: str, ends: Ends, wanted: JobState) -> Chart:
    counts: dict[str, Counter[int]] = {}
    for at, kind, state in ends:
        if state is wanted:
            seconds = int(at.replace(tzinfo=UTC).timestamp())
            counts.setdefault(kind, Counter())[seconds // BUCKET_S * BUCKET_S] += 1
    bars = [
        go.Bar(
            x=[_moment(second) for second in sorted(count)],
            y=[count[second] for second in sorted(count)],
            name=label_of(kind),
            width=BUCKET_S * 1000,
        )
        for kind, count in sorted(counts.items())
    ]
    return _chart(name, label, _("jobs in ten minutes"), *bars)


def _chart(name: str, label: str, y_title: str, *traces: object) -> Chart:
    now = utcnow()
    axis = {"title": {"text": _("time (UTC)")}, "type": "date", "range": [now - SPAN, now]}
    built = figure(
        *traces,
        height=HEIGHT,
        barmode="stack",
        xaxis=axis,
        yaxis={"title": {"text": y_title}, "rangemode": "tozero"},
    )
    return Chart(name, label, figure_json(built))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M")
