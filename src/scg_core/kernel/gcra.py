"""A rate as one number: the generic cell rate algorithm.

The whole state of a limit is the *theoretical arrival time*: the instant, in microseconds, at
which the next unit would arrive if units came exactly at the rate. Whoever asks at ``now`` may
have a unit unless that time lies further ahead than the burst allows.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from scg_core.kernel.instant import Instant

MICROSECONDS: Final = 1_000


def _positive(_: object, __: object, value: float) -> None:
    if not value > 0:
        raise ValueError("a rate is above 0; no limit is no rate")


@frozen
class Rate:
    """So many units a second, ``burst`` of which may come at once; fractions are allowed."""

    per_second: float = field(validator=_positive)
    burst: int = 1

    @property
    def interval(self) -> int:
        """Microseconds between two units, rounded up, so that the rate is never exceeded."""
        return max(-int(-1_000_000 // self.per_second), 1)

    def free_at(self, arrival: int) -> Instant:
        """When the next unit may go, given the theoretical arrival time."""
        ahead = arrival - (self.burst - 1) * self.interval
        return Instant(max(-(-ahead // MICROSECONDS), 0))

    def after(self, arrival: int, now: Instant, units: int) -> int:
        """The theoretical arrival time after taking that many units at ``now``."""
        return max(arrival, now * MICROSECONDS) + units * self.interval
