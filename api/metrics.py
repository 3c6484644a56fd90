"""Figures for Prometheus, all named kuaijing_*."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

# A second series for each counter, with the time of its birth, that nobody asked for.
disable_created_metrics()  # type: ignore[no-untyped-call]

LATENCY_BUCKETS_S = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0,
)  # fmt: skip


class Metrics:
    """The counters of one service; gauges are read when they are asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kuaijing_http_requests_total",
            "Requests by operation and status",
            ["operation", "status"],
            registry=self.registry,
        )
        self.request_s = Histogram(
            "kuaijing_http_request_seconds",
            "Time from request to response, streams and long-polls left out",
            ["operation"],
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.decision_s = Histogram(
            "kuaijing_decision_seconds",
            "Time of one decision, without the commit",
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.decision_phase_s = Histogram(
            "kuaijing_decision_phase_seconds",
            "A client's decision by phase: decide, and durable, which waits for the disk",
            ["phase"],
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        # Looked up once: a label's series is found under a lock each time.
        self.decide_s = self.decision_phase_s.labels("decide")
        self.durable_s = self.decision_phase_s.labels("durable")
        self.incidents = Counter(
            "kuaijing_incidents_total",
            "Incidents received, by category",
            ["category"],
            registry=self.registry,
        )
        self.arrivals = Counter(
            "kuaijing_arrivals_total",
            "First arrivals by zone class and whether the promise was kept",
            ["zone_class", "on_target"],
            registry=self.registry,
        )
        self.targets_missed = Counter(
            "kuaijing_targets_missed_total",
            "Incidents whose promised time ended with nobody on scene, by zone class",
            ["zone_class"],
            registry=self.registry,
        )
        self.fixes = Counter(
            "kuaijing_position_fixes_total",
            "Position fixes by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self.log_seq = self._gauge("log_seq", "Sequence number of the last durable event")
        self.leads = self._gauge("leads", "1 where this process decides, 0 where it follows")
        self.log_behind = self._gauge(
            "log_behind_events", "Events that this worker's board is behind the log"
        )
        self.in_flight = self._gauge("decisions_in_flight", "Decisions that wait for the disk")
        self.commit_s = Histogram(
            "kuaijing_commit_seconds",
            "Time of one group commit",
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.commit_batch = Histogram(
            "kuaijing_commit_batch",
            "Decisions in one group commit",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self.open_incidents = self._gauge("open_incidents", "Incidents that are not closed")
        self.incidents_open = Gauge(
            "kuaijing_incidents_open",
            "Incidents that are not closed, by status",
            ["status"],
            registry=self.registry,
        )
        self.pending_incidents = self._gauge("pending_incidents", "Incidents without any unit")
        self.oldest_pending_s = self._gauge(
            "oldest_pending_seconds", "Age of the oldest incident without any unit"
        )
        self.units = Gauge("kuaijing_units", "Units by status", ["status"], registry=self.registry)
        self.links = Gauge(
            "kuaijing_unit_links", "Units by age of their fix", ["link"], registry=self.registry
        )
        self.fix_age_s = Gauge(
            "kuaijing_fix_age_seconds",
            "Age of the last fix of units on duty that ever sent one, by quantile",
            ["quantile"],
            registry=self.registry,
        )
        self.alarms = Gauge(
            "kuaijing_alarms", "Alarms now, by kind", ["kind"], registry=self.registry
        )
        self.degraded = Gauge(
            "kuaijing_degraded", "1 while degraded, by cause", ["cause"], registry=self.registry
        )
        self.clock_jump_s = self._gauge("clock_jump_seconds", "How far the service's clock jumped")
        self.sheet_written_s = self._gauge(
            "sheet_written_timestamp_seconds",
            "When the sheet for paper was last written",
        )
        self.unfit_conditions = self._gauge(
            "road_conditions_unfit", "Closures and speeds that this network has no road for"
        )
        self.stream_clients = self._gauge("stream_clients", "Open streams and long-polls")
        self.loop_lag_s = self._gauge("loop_lag_seconds", "How late the event loop runs")
        self.disk_free_bytes = self._gauge("disk_free_bytes", "Room left beside the log")
        self.ready = self._gauge("ready", "1 when /readyz answers 200")

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"kuaijing_{name}", text, registry=self.registry)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)
