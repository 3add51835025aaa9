"""The loop round ``run_due``: threads that do due work until they are told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from typing import Final

from scg_core.engine import Engine
from scg_core.kernel.errors import InvalidField, ScgError
from scg_core.ports.clock import Clock

log: Final = logging.getLogger("scg_adapters.worker")

_LONGEST_NAP: Final = 0.2
_AFTER_A_FAULT: Final = 1.0


class Worker:
    """Runs an engine's due work on threads of its own.

    Another process may file work on the same storage, so a worker that has nothing to do looks
    again after a fifth of a second; ``wake`` makes it look at once. ``stop`` lets each thread
    finish the page in hand.
    """

    def __init__(self, engine: Engine, clock: Clock, *, threads: int = 1) -> None:
        if threads < 1:
            raise InvalidField("threads", "must be at least 1")
        self._engine = engine
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, name=f"scg-worker-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something to do now."""
        self._wake.set()

    def stop(self, timeout: float | None = None) -> bool:
        """Finish the pages in hand and end; whether all threads ended in time (seconds)."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
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

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                due = self._engine.run_due()
            except ScgError as reason:
                log.warning("due work is put off: %s", reason)
                self._nap(_AFTER_A_FAULT)
                continue
            except Exception:
                log.exception("due work failed; it is tried again")
                self._nap(_AFTER_A_FAULT)
                continue
            left = _LONGEST_NAP if due is None else (due - self._clock.now()) / 1000
            if left > 0:
                self._nap(min(left, _LONGEST_NAP))

    def _nap(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()


_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def _setter(event: threading.Event) -> Callable[[int, object], None]:
    return lambda _, __: event.set()
