"""The loop round ``run_due``: threads that do due work until they are told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from scg_core.engine import Engine
from scg_core.kernel.errors import InvalidField, ScgError
from scg_core.ports.clock import Clock
from scg_core.ports.events import EVENTS

log: Final = logging.getLogger("scg_adapters.worker")

STALLED_AFTER: Final = 60.0
EVENT_THREADS: Final = 6
_LONGEST_NAP: Final = 0.2
_AFTER_A_FAULT: Final = 1.0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Worker:
    """Runs an engine's due work on threads of its own.

    Each transport has ``threads`` of its own, so that a slow one holds up nobody else, events have
    ``event_threads``, each for one subscription at a time, and one more does nothing but what else
    is due, which all do. Another process may file work on the same storage,
    so a thread that has nothing to do looks again after a fifth of a second; ``wake`` makes it
    look at once. ``stop`` lets each thread finish the page in hand.

    When work has been due for ``stalled_after`` seconds and nothing moves, a warning is logged.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        threads: int = 1,
        event_threads: int = EVENT_THREADS,
        stalled_after: float = STALLED_AFTER,
    ) -> None:
        if threads < 1 or event_threads < 1:
            field = "threads" if threads < 1 else "event_threads"
            raise InvalidField(field, "must be at least 1")
        self._engine = engine
        self._clock = clock
        self._stalled_after = stalled_after
        self._stopping = threading.Event()
        self._progress = time.monotonic()
        shares: list[tuple[str, ...]] = [()]
        for name in engine.connectors:
            shares += [(name,)] * (event_threads if name == EVENTS else threads)
        self._wakes = [threading.Event() for _ in shares]
        self._threads = [
            threading.Thread(
                target=self._loop, args=(share, wake), daemon=True,
                name=f"scg-worker-{'-'.join(share) or 'jobs'}",
            )
            for share, wake in zip(shares, self._wakes, strict=True)
        ]  # fmt: skip

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something to do now."""
        for wake in self._wakes:
            wake.set()

    def stop(self, timeout: float | None = None) -> bool:
        """Finish the pages in hand and end; whether all threads ended in time (seconds)."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def run(self) -> None:
        """Work until the process is asked to end (SIGTERM, SIGINT), then stop cleanly."""
        asked = threading.Event()
        before = {one: signal.signal(one, _setter(asked)) for one in _SIGNALS}
        try:
            self.start()
            asked.wait()
            self.stop()
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _loop(self, connectors: Sequence[str], wake: threading.Event) -> None:
        while not self._stopping.is_set():
            nap = self._turn(connectors)
            if not connectors:
                self._watch()
            if nap > 0:
                wake.wait(nap)
                wake.clear()

    def _turn(self, connectors: Sequence[str]) -> float:
        """Do some due work; for how many seconds there is nothing more."""
        try:
            pieces = 1 if EVENTS in connectors else _PIECES  # receivers may be slow
            due = self._engine.run_due(pieces, connectors=connectors)
        except ScgError as reason:
            log.warning("due work is put off: %s", reason)
            return _AFTER_A_FAULT
        except Exception:
            log.exception("due work failed; it is tried again")
            return _AFTER_A_FAULT
        left = _LONGEST_NAP if due is None else (due - self._clock.now()) / 1000
        if left <= 0:
            self._progress = time.monotonic()
        return min(left, _LONGEST_NAP)

    def _watch(self) -> None:
        """Warn when work is due, nothing stands in its way, and nothing has moved for long."""
        now = time.monotonic()
        if now - self._progress < self._stalled_after:
            return
        self._progress = now
        try:
            overdue = self._engine.overdue() / 1000
        except ScgError:
            return
        if overdue >= self._stalled_after:
            log.warning("work has been due for %.0f s and nothing moves", overdue)


_PIECES: Final = 20


def _setter(event: threading.Event) -> Callable[[int, object], None]:
    return lambda _, __: event.set()
