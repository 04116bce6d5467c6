"""Deployments for Prometheus: the exact sums of the database, not those of one process."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.serving import monitoring, queries


class Deployments(Collector):
    """Requests, errors, records and seconds of each deployment, and how many replicas are ready."""

    def describe(self) -> Iterable[Metric]:
        return ()  # registering asks nothing of the database

    def collect(self) -> Iterator[Metric]:
        hours = queries.list_all_hours()
        label = ["deployment"]
        requests = CounterMetricFamily("atrium_predictions", "Calls answered.", labels=label)
        errors = CounterMetricFamily("atrium_prediction_errors", "Calls that failed.", labels=label)
        records = CounterMetricFamily("atrium_prediction_records", "Records sent.", labels=label)
        seconds = CounterMetricFamily("atrium_prediction_seconds", "Time taken.", labels=label)
        ready = GaugeMetricFamily("atrium_replicas_ready", "Replicas that answer.", labels=label)
        for deployment in queries.list_all_deployments():
            span = monitoring.total([row for row in hours if row.deployment_id == deployment.id])
            name = [deployment.name]
            requests.add_metric(name, span.n_requests)
            errors.add_metric(name, span.n_errors)
            records.add_metric(name, span.n_records)
            seconds.add_metric(name, span.total_ms / 1000)
            ready.add_metric(name, deployment.n_ready)
        yield from (requests, errors, records, seconds, ready)
