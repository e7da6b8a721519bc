"""How a process does, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from .health import Health
from .responses import Answer


class Metrics:
    """Of the process that answers, each time anew; it keeps nothing."""

    def __init__(self, examine: Callable[[], Health]) -> None:
        """`examine` must answer at once, without asking the store."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(_OfHealth(examine))

    def answer(self) -> Answer:
        return Answer(200, [("content-type", CONTENT_TYPE_PLAIN_0_0_4)], generate_latest(self._registry))


class _OfHealth(Collector):
    """What /health tells, for whoever draws it over time."""

    def __init__(self, examine: Callable[[], Health]) -> None:
        self._examine = examine

    def collect(self) -> Iterator[Metric]:
        health = self._examine()
        yield InfoMetricFamily("coal_mine", "The program's version.", {"version": str(health.details.get("version", ""))})
        yield GaugeMetricFamily("coal_mine_healthy", "1 unless this process has a fault.", value=0 if health.fault else 1)
        ages = GaugeMetricFamily("coal_mine_seconds_since_success", "Since the last success of each loop of this process.", labels=["loop"])
        for name, seconds in health.details.get("seconds_since_success", {}).items():
            ages.add_metric([name], seconds)
        yield ages
        backgrounds = GaugeMetricFamily("coal_mine_backgrounds", "Backgrounds that share the store, as last seen.", labels=["state"])
        for state, count in health.details.get("backgrounds", {}).items():
            backgrounds.add_metric([state], count)
        yield backgrounds
