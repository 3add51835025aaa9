"""How long a call counts and what it costs (semantics 3: chargeable_duration)."""

from __future__ import annotations

from scg_core.kernel.instant import SECOND, Instant
from scg_core.kernel.resource import Micros


def seconds_of(answered: Instant | None, ended: Instant) -> int:
    """Seconds from answer to end, a begun one is a whole one; 0 if it was never answered."""
    return 0 if answered is None else -(-max(ended - answered, 0) // SECOND)


def units_of(seconds: int, unit: int) -> int:
    """Begun charge units of ``unit`` milliseconds: an answered call has at least one."""
    return max(-(-seconds * SECOND // unit), 1)


def price_of(tariff: Micros | None, seconds: int, unit: int, answered: bool) -> Micros | None:
    """What a call costs that is over: the tariff for each begun unit; None: nothing is charged."""
    if tariff is None:
        return None
    return Micros(tariff * units_of(seconds, unit)) if answered else Micros(0)
