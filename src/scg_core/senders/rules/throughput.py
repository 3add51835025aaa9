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
from scg_core.kernel.instant import DAY, LATEST, Instant

THROTTLED: Final = 1039


@frozen
class Limit:
    """One limit: a rate or so many a day, never both; ``key`` is equal for whoever shares it.

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


class Meter:
    """Several limits with what they remember, made ready to be asked many times.

    The fast form of ``grant``, which is made of it. ``take`` changes it; ``used`` says how it
    stands.
    """

    __slots__ = ("_days", "_from", "_limits", "_rates", "_until")

    def __init__(self, limits: Sequence[Limit], used: Mapping[str, Used]) -> None:
        self._limits = limits
        # of each rate: arrival, interval, slack, burst, key; of each day: used, most, number, limit
        self._rates: list[list[int]] = []
        self._days: list[list[int]] = []
        self._from, self._until = 0, 0
        for limit in limits:
            held = used.get(limit.key, UNUSED)
            rate = limit.rate
            if rate is not None:
                self._rates.append([held.arrival, rate.interval, rate.slack, rate.burst])
            else:
                self._days.append([held.used, limit.a_day or 0, held.day])

    def take(self, units: Sequence[int], now: Instant) -> tuple[int, int | None]:
        """Let messages of these sizes go at ``now``, in order, until one may not.

        Returns:
            How many went, and for the next one the place of the limit that holds it among the
            rates and then the days; None if all went.
        """
        at = now * NANOSECONDS
        rates, days = self._rates, self._days
        if days and not self._from <= now < self._until:
            self._turn(now)
        count = 0
        for size in units:
            place = 0
            for rate in rates:
                room = 0 if size == 1 else (min(size, rate[3]) - 1) * rate[1]
                if rate[0] - rate[2] + room > at:
                    return count, place
                place += 1
            for day in days:
                if day[0] and day[0] + size > day[1]:
                    return count, place
                place += 1
            for rate in rates:
                arrival = rate[0]
                rate[0] = (arrival if arrival > at else at) + size * rate[1]
            for day in days:
                day[0] += size
            count += 1
        return count, None

    def used(self) -> dict[str, Used]:
        """What each limit remembers now."""
        rates, days = iter(self._rates), iter(self._days)
        found = {}
        for limit in self._limits:
            if limit.rate is not None:
                found[limit.key] = Used(next(rates)[0])
            else:
                used, _, day = next(days)
                found[limit.key] = Used(0, day, used)
        return found

    def _turn(self, now: Instant) -> None:
        """A new day begins with nothing used."""
        days = iter(self._days)
        self._from, self._until = now, LATEST
        for limit in self._limits:
            if limit.rate is None:
                held = next(days)
                today = limit.day(now)
                if held[2] != today:
                    held[0], held[2] = 0, today
                self._until = min(self._until, limit.next_day(now))


def grant(
    limits: Sequence[Limit], used: Mapping[str, Used], units: Sequence[int], now: Instant
) -> Grant:
    """How many of the messages, in order, may leave at ``now`` under all limits at once.

    ``units`` are the segments of each message. A message that is larger than a whole day's number
    goes alone at the start of a day: it would never go otherwise.
    """
    meter = Meter(limits, used)
    count, place = meter.take(units, now)
    after = meter.used()
    if place is None:
        return Grant(count, after)
    held, at = _longest(limits, after, units[count], now)
    return Grant(count, after, at, held.key)


def returned(
    limits: Sequence[Limit], used: Mapping[str, Used], given: Grant, units: int
) -> dict[str, Used]:
    """What the limits remember once so many units of a grant are given back.

    A number of the day is given back on that day. A rate is only if nobody used it since: of later
    arrivals nobody knows whether they would have come as late without.
    """
    after: dict[str, Used] = {}
    for limit in limits:
        mine, held = given.used[limit.key], used.get(limit.key, UNUSED)
        if limit.rate is None:
            if held.day == mine.day:
                after[limit.key] = Used(held.arrival, held.day, max(held.used - units, 0))
        elif held.arrival == mine.arrival:
            after[limit.key] = Used(held.arrival - units * limit.rate.interval, held.day, held.used)
    return after


def _longest(
    limits: Sequence[Limit], used: Mapping[str, Used], size: int, now: Instant
) -> tuple[Limit, Instant]:
    """The limit that holds a message for longest, and until when."""
    free = [(_free_at(limit, used[limit.key], size, now), -at) for at, limit in enumerate(limits)]
    at, place = max(free)
    return limits[-place], at


def _today(limit: Limit, state: Used, now: Instant) -> Used:
    day = limit.day(now)
    return state if limit.a_day is None or state.day == day else Used(state.arrival, day, 0)


def _free_at(limit: Limit, state: Used, size: int, now: Instant) -> Instant:
    if limit.a_day is not None and state.used and state.used + size > limit.a_day:
        return limit.next_day(now)
    return now if limit.rate is None else limit.rate.free_at(state.arrival, size)


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
