"""Metrics for Prometheus: what happens is counted as it happens, what stands is asked at a scrape.

What is asked of the storage is asked at most every few seconds, and the less often the longer it
took, so that a curious scraper costs little. Names begin with ``scg_``; labels are names of the
engine's own (states, connectors, kinds of work, patterns of paths) and the ids of companies and
sender ids on lanes, of which the longest due are shown.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scg_core.engine import Engine
from scg_core.kernel.errors import InvalidField, ScgError, TooBroad
from scg_core.ports.storage import Backlog

LANES: Final = 100

log: Final = logging.getLogger("scg_adapters.watching")

_SCRAPED_AGAIN_AFTER: Final = 5.0
_TIMES_ITS_COST: Final = 20
_VERBS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_SOON: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COUNTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "late_receipts": ("Receipts that changed nothing.", ("kind",)),
    "parked_receipts": ("Receipts that came before their message was known.", ()),
    "limiter_waits": ("Times a lane had to wait for a throughput limit.", ("connector",)),
    "event_deliveries": ("Deliveries of events, by what became of the envelope.", ("state",)),
    "pruned": ("Resources dropped because of their age.", ("what",)),
}
_SPANS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "transaction": ("transaction", "Transactions of the engine.", ("of",)),
    "submit": ("hand_off", "Handing a window of messages over to a transport.", ("connector",)),
    "deliver": ("event_delivery", "Delivering a batch of events.", ()),
}


class Metrics:
    """A watch that counts and measures; ``text`` is what a scraper gets.

    ``registry`` is one of the host's own, if it has one.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry: Final = registry if registry is not None else CollectorRegistry()
        self._counts = {
            what: Counter(f"scg_{what}", about, labels, registry=self.registry)
            for what, (about, labels) in _COUNTS.items()
        }
        self._spans = {
            name: Histogram(
                f"scg_{said}_seconds", about, labels, buckets=_SOON, registry=self.registry
            )
            for name, (said, about, labels) in _SPANS.items()
        }
        self._handed_over = Counter(
            "scg_handed_over", "Messages handed over to a transport.", ("connector",),
            registry=self.registry,
        )  # fmt: skip
        self._requests = Histogram(
            "scg_http_request_seconds", "Requests to the API.", ("method", "path", "status"),
            buckets=_SOON, registry=self.registry,
        )  # fmt: skip

    def watch(self, engine: Engine) -> None:
        """Ask this engine what stands, whenever somebody scrapes."""
        self.registry.register(_Standing(engine))

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self.registry)

    def serve(self, host: str, port: int) -> None:
        """Serve the text on a port of its own, on a thread of its own; for a private network.

        Raises:
            InvalidField: the port cannot be listened on.
        """
        try:
            start_http_server(port, host, self.registry)
        except OSError as taken:
            rule = f"{host}:{port} cannot be listened on: {taken}"
            raise InvalidField("metrics_port", rule) from None

    def span(self, name: str, /, **facts: str | int) -> AbstractContextManager[None]:
        """Something begins now; its end is measured."""
        if name == "submit":
            self._handed_over.labels(facts["connector"]).inc(int(facts["messages"]))
        histogram = self._spans.get(name)
        if histogram is None:
            return _Unmeasured()
        labels = _SPANS[name][2]
        return _Measured(histogram.labels(*(facts[one] for one in labels)) if labels else histogram)

    def count(self, what: str, labels: tuple[str, ...], amount: int, /) -> None:
        """Something happened so many times."""
        counter = self._counts.get(what)
        if counter is not None:
            (counter.labels(*labels) if labels else counter).inc(amount)

    def request(self, facts: Mapping[str, object]) -> None:
        """A request was answered; ``facts`` are what the server notes of it."""
        verb = str(facts["method"])
        self._requests.labels(
            verb if verb in _VERBS else "OTHER", str(facts["path"]), str(facts["status"])
        ).observe(float(str(facts["ms"])) / 1000)


class _Measured:
    """Measures a block."""

    __slots__ = ("_began", "_histogram")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._histogram.observe(time.perf_counter() - self._began)


class _Unmeasured:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


class _Standing(Collector):
    """What an engine's storage holds at present."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: list[Metric] = []
        self._again = 0.0
        self._lock = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when it is registered."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Ask again, unless that was done just now."""
        with self._lock:
            return self._collected()

    def _collected(self) -> list[Metric]:
        began = time.monotonic()
        if began >= self._again:
            up = 1
            try:
                self._held = list(self._ask())
            except Exception as reason:
                if not isinstance(reason, ScgError):
                    log.exception("what stands cannot be told")
                up, self._held = 0, []
            self._held.append(GaugeMetricFamily("scg_storage_up", "1: it answers.", up))
            took = time.monotonic() - began
            self._again = time.monotonic() + max(_SCRAPED_AGAIN_AFTER, _TIMES_ITS_COST * took)
        return self._held

    def _ask(self) -> Iterable[Metric]:
        messages = GaugeMetricFamily("scg_messages", "Messages by state.", labels=("state",))
        with suppress(TooBroad):  # there are too many to look at: the rest is told all the same
            for state, many in sorted(self._engine.messages_by_state().items()):
                messages.add_metric((state,), many)
        yield messages
        envelopes = GaugeMetricFamily("scg_envelopes", "Envelopes by state.", labels=("state",))
        with suppress(TooBroad):
            for state, many in sorted(self._engine.envelopes_by_state().items()):
                envelopes.add_metric((state,), many)
        yield envelopes
        now, backlog = self._engine.backlog(LANES)
        yield from _work(now, backlog)
        yield from _lanes(now, backlog)
        silent = GaugeMetricFamily(
            "scg_receiver_silent_seconds", "For how long nothing has come back of a receiver.",
            labels=("subscription",),
        )  # fmt: skip
        for id, since in self._engine.silent_receivers():
            silent.add_metric((id,), max(now - since, 0) / 1000)
        yield silent


def _work(now: int, backlog: Backlog) -> Iterable[Metric]:
    families = (
        GaugeMetricFamily("scg_work", "Work that is filed.", labels=("kind",)),
        GaugeMetricFamily("scg_due_work", "Work that is due.", labels=("kind",)),
        GaugeMetricFamily("scg_due_work_age_seconds", "For how long work has been due.",
                          labels=("kind",)),
    )  # fmt: skip
    for one in backlog.work:
        values = (one.count, one.due, max(now - one.earliest, 0) / 1000 if one.due else 0)
        for family, value in zip(families, values, strict=True):
            family.add_metric((one.kind,), value)
    return families


def _lanes(now: int, backlog: Backlog) -> Iterable[Metric]:
    names = ("connector", "sender_id", "country", "company", "priority")
    families = (
        GaugeMetricFamily("scg_lane_due_messages", "Messages of a lane that are due.",
                          labels=names),
        GaugeMetricFamily("scg_lane_age_seconds", "For how long the oldest of them has been due.",
                          labels=names),
        GaugeMetricFamily("scg_lane_rests_seconds", "For how long the lane still waits.",
                          labels=names),
    )  # fmt: skip
    for one in backlog.lanes:
        key = one.lane.key
        labels = (key.connector, key.sender_id, key.country, key.company_id, str(key.priority))
        rests = max(one.lane.wait_until - now, 0) / 1000
        values = (one.due, max(now - one.since, 0) / 1000, rests)
        for family, value in zip(families, values, strict=True):
            family.add_metric(labels, value)
    return families
