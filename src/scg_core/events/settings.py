"""Numbers a host may choose; the defaults are the specification's."""

from __future__ import annotations

from attrs import frozen

from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND


@frozen
class EventSettings:
    """Limits of events; times are milliseconds.

    An envelope that is not taken is tried again after ``retry_first``, doubled up to
    ``retry_longest``, and given up after ``give_up``. A receiver of which nothing comes back is
    left alone for up to ``longest_rest``. After a rotation both secrets sign for ``grace``. A
    company has at most ``most`` subscriptions, of which workers hold ``at_once`` at a time.
    Envelopes that were settled longer than ``keep_envelopes`` ago are dropped; None keeps them.
    """

    retry_first: int = 5 * SECOND
    retry_longest: int = HOUR
    give_up: int = 72 * HOUR
    longest_rest: int = MINUTE
    grace: int = DAY
    most: int = 20
    at_once: int = 2
    keep_envelopes: int | None = None
