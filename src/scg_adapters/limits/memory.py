"""Throughput limits in this process: for a single process that need not remember them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from scg_core.kernel.instant import Instant
from scg_core.ports.storage import Session
from scg_core.senders.rules.throughput import Grant, Limit, Used, grant, returned


class MemoryLimits:
    """``Limits`` in a dictionary; a restart forgets them, another process does not share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, Used] = {}
        self._returned: deque[Grant] = deque(maxlen=256)

    def ask(
        self,
        session: Session,
        limits: Sequence[Limit],
        units: Sequence[int],
        now: Instant,
        *,
        spend: bool,
    ) -> Grant:
        """How many messages of these sizes may leave now under all the limits."""
        with self._lock:
            given = grant(limits, self._used, units, now)
            if spend:
                self._used.update(given.used)
            return given

    def give_back(
        self, session: Session, limits: Sequence[Limit], given: Grant, units: int
    ) -> None:
        """Take back so many units of what was granted."""
        with self._lock:
            if any(given is one for one in self._returned):
                return  # a transaction that failed had done so already
            self._returned.append(given)
            self._used.update(returned(limits, self._used, given, units))
