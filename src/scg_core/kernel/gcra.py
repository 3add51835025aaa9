"""A rate as one number: the generic cell rate algorithm.

The whole state of a limit is its *arrival*: the instant, in nanoseconds, at which the next unit
would arrive if units came exactly at the rate. Whoever asks may have a unit unless that instant
lies further ahead than the limit's slack.

The slack is as large as the bound allows: in any second (from an instant on and before the same
instant a second later) there leave at most ``per_second + max(burst, units of one message)``. So
a worker that comes a little late loses nothing, and a clock of milliseconds serves thousands.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from attrs import field, frozen

from scg_core.kernel.instant import Instant

NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

_SECOND: Final = 1_000 * NANOSECONDS


def _positive(_: object, __: object, value: float) -> None:
    if not value > 0:
        raise ValueError("a rate is above 0; no limit is no rate")


@frozen(slots=False)
class Rate:
    """So many units a second, ``burst`` of which may come at once; fractions are allowed."""

    per_second: float = field(validator=_positive)
    burst: int = 1

    @cached_property
    def interval(self) -> int:
        """Nanoseconds between two units, rounded up, so that the rate is never exceeded."""
        return max(-int(-_SECOND // self.per_second), 1)

    @cached_property
    def slack(self) -> int:
        """How many nanoseconds the arrival may lie ahead for the next unit to go.

        A millisecond at least: what leaves within one has the same time.
        """
        fits = (self.burst - 1) * self.interval
        if self.per_second >= 1:
            fits = int(self.per_second + self.burst) * self.interval - _SECOND
        return max(fits, NANOSECONDS)

    def free_at(self, arrival: int, units: int = 1) -> Instant:
        """When a message of that many units may go."""
        room = (min(units, self.burst) - 1) * self.interval
        ahead = arrival - self.slack + room
        return Instant(max(-(-ahead // NANOSECONDS), 0))

    def after(self, arrival: int, now: Instant, units: int = 1) -> int:
        """The arrival after taking that many units at ``now``."""
        return max(arrival, now * NANOSECONDS) + units * self.interval
