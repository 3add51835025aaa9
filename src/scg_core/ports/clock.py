"""The time, and waiting for it. Read by the engine once a call; nothing else asks."""

from __future__ import annotations

from typing import Protocol

from scg_core.kernel.instant import Instant


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> Instant:
        """The present instant.

        Laws:
            - ``now_never_goes_back``
        """
        ...

    def wait(self, until: Instant) -> None:
        """Return when ``until`` has come; a simulated clock jumps there.

        Laws:
            - ``after_waiting_it_is_time``
        """
        ...
