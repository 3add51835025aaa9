"""How many messages may leave now, and when the next one may (semantics 6).

Three limits are asked together and reserved together: the customer's rate to a country, the
address's rate to that country for all customers, and the customer's number for the day. The unit is
the segment: a message of three takes three slots in a row. What one limit refuses, none is
charged for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from scg_core.kernel.gcra import NANOSECONDS, Rate
from scg_core.kernel.instant import DAY, Instant

THROTTLED: Final = 1039


@frozen
class Limit:
    """One limit: a rate, or so many a day; ``key`` is equal for whoever shares it.

    ``day_offset`` is how many milliseconds after midnight UTC the day of the limit begins.
    """

    key: str
    rate: Rate | None = None
    a_day: int | None = None
    day_offset: int = 0

    def day(self, now: Instant) -> int:
        """The number of the day that an instant lies in."""
        return (now - self.day_offset) // DAY

    def next_day(self, now: Instant) -> Instant:
        """When the next day begins."""
        return Instant((self.day(now) + 1) * DAY + self.day_offset)


@frozen
class Used:
    """What a limit remembers: the next arrival (``kernel.gcra``), and how many on which day."""

    arrival: int = 0
    day: int = 0
    used: int = 0


UNUSED: Final = Used()


@frozen
class Grant:
    """How many of the messages may leave, what the limits are then, and when to ask again.

    ``next_at`` is given if not all may leave; ``held_by`` names the limit that says so.
    """

    count: int
    used: Mapping[str, Used]
    next_at: Instant | None = None
    held_by: str | None = None


def grant(
    limits: Sequence[Limit], used: Mapping[str, Used], units: Sequence[int], now: Instant
) -> Grant:
    """How many of the messages, in order, may leave at ``now`` under all limits at once.

    ``units`` are the segments of each message. A message that is larger than a whole day's number
    goes alone at the start of a day: it would never go otherwise.
    """
    states = [_today(limit, used.get(limit.key, UNUSED), now) for limit in limits]
    count = 0
    for size in units:
        held = _first_refusal(limits, states, size, now)
        if held is not None:
            return Grant(count, _by_key(limits, states), held[1], held[0].key)
        states = [
            _taken(limit, state, size, now) for limit, state in zip(limits, states, strict=True)
        ]
        count += 1
    return Grant(count, _by_key(limits, states))


def _today(limit: Limit, state: Used, now: Instant) -> Used:
    day = limit.day(now)
    return state if state.day == day else Used(state.arrival, day, 0)


def _first_refusal(
    limits: Sequence[Limit], states: Sequence[Used], size: int, now: Instant
) -> tuple[Limit, Instant] | None:
    """The limit that holds a message for longest, and until when; None: it may go."""
    held: tuple[Limit, Instant] | None = None
    for limit, state in zip(limits, states, strict=True):
        at = _free_at(limit, state, size, now)
        if at > now and (held is None or at > held[1]):
            held = limit, at
    return held


def _free_at(limit: Limit, state: Used, size: int, now: Instant) -> Instant:
    if limit.a_day is not None and state.used and state.used + size > limit.a_day:
        return limit.next_day(now)
    return now if limit.rate is None else limit.rate.free_at(state.arrival, size)


def _taken(limit: Limit, state: Used, size: int, now: Instant) -> Used:
    arrival = state.arrival
    if limit.rate is not None:
        arrival = limit.rate.after(arrival, now, size)
    used = state.used + size if limit.a_day is not None else state.used
    return Used(arrival, state.day, used)


def _by_key(limits: Sequence[Limit], states: Sequence[Used]) -> dict[str, Used]:
    return {limit.key: state for limit, state in zip(limits, states, strict=True)}


@frozen
class Course:
    """How far a queue gets: how many are left, when the last of the others leaves, the limits."""

    left: int
    at: Instant
    used: Mapping[str, Used]


def course(
    limits: Sequence[Limit],
    used: Mapping[str, Used],
    size: int,
    count: int,
    now: Instant,
    until: Instant | None = None,
) -> Course:
    """How ``count`` messages of ``size`` units leave if nothing else is sent, before ``until``.

    The same as asking ``grant`` again and again, without doing so a million times.
    """
    at, last, left = now, now, count
    states = {limit.key: used.get(limit.key, UNUSED) for limit in limits}
    rates = [limit for limit in limits if limit.rate is not None]
    days = [limit for limit in limits if limit.a_day is not None]
    while left and (until is None or at < until):
        states = {limit.key: _today(limit, states[limit.key], at) for limit in limits}
        ends = min((limit.next_day(at) for limit in days), default=None)
        stop = min((one for one in (ends, until) if one is not None), default=None)
        fits = min([left, *(_fit(limit, states[limit.key], size) for limit in days)])
        fits = _fitting_before(rates, states, size, fits, at, stop)
        if fits:
            last = max((_nth(one, states[one.key], size, fits, at) for one in rates), default=at)
            states = {
                limit.key: _many(limit, states[limit.key], size, fits, at) for limit in limits
            }
            left -= fits
        if stop is None:
            break
        at = stop
    return Course(left, last, states)


def _fit(limit: Limit, state: Used, size: int) -> int:
    room = (limit.a_day or 0) - state.used
    return max(room // size, 1 if not state.used else 0)


def _nth(limit: Limit, state: Used, size: int, number: int, now: Instant) -> Instant:
    """When the n-th message of a size may go under one rate."""
    assert limit.rate is not None
    begin = max(state.arrival, now * NANOSECONDS)
    arrival = begin + (number - 1) * size * limit.rate.interval
    return Instant(max(now, limit.rate.free_at(arrival, size)))


def _fitting_before(
    rates: Sequence[Limit],
    states: Mapping[str, Used],
    size: int,
    most: int,
    now: Instant,
    end: Instant | None,
) -> int:
    """How many of at most so many may go before ``end``."""
    if end is None or not rates:
        return most
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        last = max(_nth(limit, states[limit.key], size, middle, now) for limit in rates)
        low, high = (middle, high) if last < end else (low, middle - 1)
    return low


def _many(limit: Limit, state: Used, size: int, number: int, now: Instant) -> Used:
    arrival = state.arrival
    if limit.rate is not None:
        arrival = max(arrival, now * NANOSECONDS) + number * size * limit.rate.interval
    used = state.used + number * size if limit.a_day is not None else state.used
    return Used(arrival, state.day, used)
