"""Prometheus metrics, through Ray's exporter: each node's agent serves them (docs/cluster.md says where).

Names begin with `ray_whorl_` when scraped: Ray puts its own prefix before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Metrics"]

_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]


class Metrics:
    """The driver's metrics. Needs a process that is connected to Ray."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Gauge, Histogram

        self._attempts = Counter("whorl_attempts", "Attempts that ended, by outcome", tag_keys=("outcome",))
        self._delivered = Counter("whorl_tasks", "Tasks that were delivered, by result", tag_keys=("result",))
        self._queue = Gauge("whorl_queue", "Proofs by state: waiting, running, backing_off", tag_keys=("state",))
        self._jobs = Gauge("whorl_jobs", "Jobs that are not done")
        self._places = Gauge("whorl_places", "Places that can prove")
        self._stage = Histogram("whorl_stage_seconds", "Seconds of an attempt by stage", boundaries=_SECONDS, tag_keys=("stage",))
        self._memory = Gauge("whorl_device_memory_bytes", "Device memory by place: total, free, last_proof", tag_keys=("place", "what"))
        self._busy = Gauge("whorl_utilisation", "Share of the last interval in which the place proved", tag_keys=("place",))
        self._trouble = Gauge("whorl_store_trouble", "1 while a write to the store is tried again")
        self._last: dict[str, tuple[float, float]] = {}

    def attempt(self, outcome: str, stages: Mapping[str, float], place: str, device_bytes: int) -> None:
        """Count one attempt that ended."""
        self._attempts.inc(1.0, {"outcome": outcome})
        for stage, seconds in stages.items():
            self._stage.observe(max(seconds, 1e-9), {"stage": stage})
        if device_bytes:
            self._memory.set(float(device_bytes), {"place": place, "what": "last_proof"})

    def delivered(self, result: str) -> None:
        """Count one task that was delivered."""
        self._delivered.inc(1.0, {"result": result})

    def state(self, totals: Mapping[str, int], num_jobs: int, num_places: int, has_trouble: bool) -> None:
        """Set the gauges of the whole."""
        for state in ("waiting", "running", "backing_off"):
            self._queue.set(float(totals[state]), {"state": state})
        self._jobs.set(float(num_jobs))
        self._places.set(float(num_places))
        self._trouble.set(float(has_trouble))

    def place(self, name: str, report: Mapping[str, Any]) -> None:
        """Set the gauges of a place, from `Worker.report()`."""
        self._memory.set(float(report["memory_bytes"]), {"place": name, "what": "total"})
        if report["free_bytes"]:
            self._memory.set(float(report["free_bytes"]), {"place": name, "what": "free"})
        busy, up = self._last.get(name, (0.0, 0.0))
        if report["up_s"] > up:
            self._busy.set(min(1.0, (report["busy_s"] - busy) / (report["up_s"] - up)), {"place": name})
        self._last[name] = (report["busy_s"], report["up_s"])

    def place_gone(self, name: str) -> None:
        """A place that is gone does nothing."""
        self._last.pop(name, None)
        self._busy.set(0.0, {"place": name})
