"""The machine's own clock and chance."""

from __future__ import annotations

import os
import struct
import threading
import time

from scg_core.kernel.ids import credential, time_ordered
from scg_core.kernel.instant import Instant


class SystemClock:
    """The machine's time in UTC; ``now`` never goes back even if the machine's clock does."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> Instant:
        """The present instant."""
        self._last = max(self._last, time.time_ns() // 1_000_000)
        return Instant(self._last)

    def wait(self, until: Instant) -> None:
        """Sleep until the instant has come."""
        while (left := until - self.now()) > 0:
            time.sleep(left / 1000)


class SystemIds:
    """Ids from the system's random numbers; within a process they sort in the order made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._chance = 0

    def new(self, now: Instant, count: int = 1) -> list[str]:
        """That many new ids."""
        with self._lock:
            if now > self._last:
                self._last = now
                self._chance = int.from_bytes(os.urandom(10))
            steps = struct.unpack(f"<{count}I", os.urandom(4 * count))
            last = self._chance
            chances = [last := last + 1 + step for step in steps]
            self._chance = last
            return [time_ordered(Instant(self._last), chance) for chance in chances]

    def credential(self) -> str:
        """22 characters that cannot be guessed."""
        return credential(int.from_bytes(os.urandom(24)))
