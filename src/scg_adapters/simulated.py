"""A clock that stands still until told otherwise, and ids that repeat with their seed."""

from __future__ import annotations

import random

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.ids import credential, time_ordered
from scg_core.kernel.instant import Instant, later

NEW_YEAR = Instant(1_767_225_600_000)
"""Midnight UTC on 1 January 2026, where a simulated clock starts."""


class SimulatedClock:
    """Time for tests: waiting is jumping there."""

    def __init__(self, start: Instant = NEW_YEAR) -> None:
        self._now = start

    def now(self) -> Instant:
        """The present instant."""
        return self._now

    def wait(self, until: Instant) -> None:
        """Jump to the instant, unless it has passed."""
        self._now = max(self._now, until)

    def advance(self, milliseconds: float) -> Instant:
        """Let that much time pass.

        Raises:
            InvalidField: time does not go back.
        """
        if milliseconds < 0:
            raise InvalidField("milliseconds", "must not be negative: time does not go back")
        self._now = later(self._now, milliseconds)
        return self._now


class SeededIds:
    """Ids that are the same in every run with the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._last = Instant(0)
        self._chance = 0

    def new(self, now: Instant, count: int = 1) -> list[str]:
        """That many new ids."""
        if now > self._last:
            self._last = now
            self._chance = self._random.getrandbits(64)
        ids = []
        for _ in range(count):
            self._chance += 1 + self._random.getrandbits(32)
            ids.append(time_ordered(self._last, self._chance))
        return ids

    def credential(self) -> str:
        """22 characters; not for anything but tests."""
        return credential(self._random.getrandbits(192))
