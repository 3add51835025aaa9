"""When a message may reach its recipient: delivery windows in the recipient's own time.

A window is read once into day rules by country (semantics 5). For a zone, the days of a block of
time become a sorted list of stretches of UTC in which sending is allowed; "may it leave now" and
"when may it" are the same look into that list. Nothing else knows of daylight saving: an instant is
allowed if and only if what the clock on the recipient's wall shows then lies in an interval.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as TimeOfDay  # noqa: N812
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from attrs import field, frozen

from scg_core.kernel.countries import read_country
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import DAY, MINUTE, Instant

WEEKDAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
HOLIDAY: Final = "HOL"
OTHER: Final = "OTH"
DEFAULT: Final = "DEFAULT"
SEARCHED: Final = 400 * DAY
LEAST_A_DAY: Final = 60 * MINUTE

_DAYS: Final = frozenset({*WEEKDAYS, HOLIDAY, OTHER})
_INTERVAL: Final = re.compile(
    r"^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))$"
)
_BLOCK: Final = 128
LARGEST: Final = 64 * 1024
_EPOCH: Final = date(1970, 1, 1).toordinal()

Intervals = tuple[tuple[int, int], ...]
"""Minutes of a day, half-open; an end above 1440 lies in the next day."""

Holidays = frozenset[int]
"""Days on which a country has a public holiday, as ordinals of ``datetime.date``."""

HolidaysOf = Callable[[int], Holidays]
"""The holidays of a year; one and the same object for one country, since answers are kept by it."""


@frozen(cache_hash=True)
class DayRules:
    """When sending is allowed in one country, by the kind of day it is there."""

    weekdays: tuple[Intervals, ...]
    holiday: Intervals | None = None

    def on(self, ordinal: int, holidays: Collection[int]) -> Intervals:
        """The intervals that begin on a day."""
        if self.holiday is not None and ordinal in holidays:
            return self.holiday
        return self.weekdays[(ordinal + 6) % 7]


@frozen
class Window:
    """Day rules by country; ``fallback`` is for countries that have none of their own."""

    by_country: Mapping[str, DayRules] = field(factory=dict)
    fallback: DayRules | None = None

    def rules_for(self, country: str | None) -> DayRules | None:
        """The rules of a country, or None: always open. A country's entry replaces the default."""
        return self.by_country.get(country or "", self.fallback)


ALWAYS: Final = Window()


def read_window(given: object) -> Window:
    """A window from its JSON, as text or as the object itself; empty or null is always open.

    Raises:
        InvalidField: it does not parse; the field is the path inside the JSON.
    """
    return _read_text(given) if isinstance(given, str) else _read(given)


@lru_cache(maxsize=256)
def _read_text(text: str) -> Window:
    if not text.strip():
        return ALWAYS
    if len(text) > LARGEST:
        raise InvalidField("delivery_window", "is larger than 64 KiB")
    try:
        return _read(json.loads(text))
    except (ValueError, RecursionError) as reason:
        raise InvalidField("delivery_window", f"is not JSON: {str(reason)[:80]}") from None


def _read(given: object) -> Window:
    if given is None:
        return ALWAYS
    if not isinstance(given, Mapping):
        raise InvalidField("delivery_window", "must be an object of countries")
    rules: dict[str, DayRules] = {}
    for name, days in given.items():
        path = f"delivery_window.{str(name)[:16]}"
        country = _country(path, name)
        if country in rules:
            raise InvalidField(path, "is given twice")
        rules[country] = _day_rules(path, days)
    return Window(rules, rules.pop(DEFAULT, None))


def _country(path: str, name: object) -> str:
    if name == DEFAULT:
        return DEFAULT
    try:
        return read_country(str(name))
    except ValueError as reason:
        raise InvalidField(path, str(reason)) from None


def _day_rules(path: str, days: object) -> DayRules:
    if not isinstance(days, Mapping):
        raise InvalidField(path, "must be an object of days: MON to SUN, HOL, OTH")
    read: dict[str, Intervals] = {}
    for name, given in days.items():
        here = f"{path}.{str(name)[:16]}"
        if name not in _DAYS:
            raise InvalidField(here, "is no day; MON to SUN, HOL and OTH are")
        read[name] = _intervals(here, given)
    other = read.get(OTHER, ())
    weekdays = tuple(read.get(name, other) for name in WEEKDAYS)
    return DayRules(weekdays, read.get(HOLIDAY))


def _intervals(path: str, given: object) -> Intervals:
    if not isinstance(given, list | tuple):
        raise InvalidField(path, 'must be a list of intervals such as "08:00-21:00"')
    found = []
    for at, text in enumerate(given):
        match = _INTERVAL.match(text) if isinstance(text, str) else None
        if match is None:
            raise InvalidField(f"{path}[{at}]", 'must look like "08:00-21:00"')
        hours, minutes, *end = (int(part) for part in match.groups() if part is not None)
        start, stop = hours * 60 + minutes, end[0] * 60 + end[1]
        if start == stop:
            raise InvalidField(f"{path}[{at}]", "begins when it ends; write 00:00-24:00 for always")
        found.append((start, stop if stop > start else stop + 1440))
    return tuple(sorted(found))


def is_open(
    rules: DayRules | None, zones: Sequence[str], at: Instant, holidays_of: HolidaysOf
) -> bool:
    """Whether a message may leave at an instant for a recipient in one of these zones.

    With several zones it must be allowed in each; the first is the reference, which counts alone
    on days when that would leave less than an hour. None of rules: always open.
    """
    return next_opening(rules, zones, at, holidays_of) == at


def next_opening(
    rules: DayRules | None, zones: Sequence[str], at: Instant, holidays_of: HolidaysOf
) -> Instant | None:
    """The first instant from ``at`` on at which a message may leave; None: not within 400 days."""
    if rules is None:
        return at
    where = zones if type(zones) is tuple else tuple(zones)
    block = at // _SPAN
    edges = _edges(rules, where, block, holidays_of)
    after = bisect_right(edges, at)
    if after & 1:
        return at
    while after == len(edges):
        block += 1
        if block * _SPAN > at + SEARCHED:
            return None
        edges, after = _edges(rules, where, block, holidays_of), 0
    found = edges[after]
    return Instant(found) if found <= at + SEARCHED else None


def closes_at(
    rules: DayRules | None, zones: Sequence[str], at: Instant, holidays_of: HolidaysOf
) -> Instant | None:
    """When a window that is open at ``at`` shuts; None: not within 400 days."""
    if rules is None:
        return None
    last = at + SEARCHED
    while at <= last:
        block = at // _SPAN
        edges = _edges(rules, tuple(zones), block, holidays_of)
        after = bisect_right(edges, at)
        if after % 2 == 0 or edges[after] < (block + 1) * _SPAN:
            return at if after % 2 == 0 else Instant(edges[after])
        at = Instant((block + 1) * _SPAN)
    return None


UTC_ONLY: Final = ("UTC",)
_SPAN: Final = _BLOCK * DAY
_NO_HOLIDAYS: Final[Holidays] = frozenset()


def _holidays(rules: DayRules, block: int, holidays_of: HolidaysOf) -> Holidays:
    """The holidays of the years that a block touches, or none where they make no difference."""
    if rules.holiday is None:
        return _NO_HOLIDAYS
    first, last = _years(block)
    return holidays_of(first) if first == last else holidays_of(first) | holidays_of(last)


def _years(block: int) -> tuple[int, int]:
    first = date.fromordinal(_EPOCH + block * _BLOCK - 2)
    last = date.fromordinal(_EPOCH + (block + 1) * _BLOCK + 2)
    return first.year, last.year


@lru_cache(maxsize=2048)
def _edges(
    rules: DayRules, zones: tuple[str, ...], block: int, holidays_of: HolidaysOf
) -> list[int]:
    """Openings and closings of one block in turn, in UTC milliseconds, cut to the block."""
    begin, end = block * _SPAN, (block + 1) * _SPAN
    zones = zones or UTC_ONLY
    holidays = _holidays(rules, block, holidays_of)
    opened = [_stretches(rules, zone, block, holidays) for zone in zones]
    common = opened[0]
    for other in opened[1:]:
        common = _shared(common, other)
    if len(opened) > 1:
        common = _where_enough(opened[0], common, zones[0], block)
    edges: list[int] = []
    for start, stop in common:
        if stop > begin and start < end:
            edges += (max(start, begin), min(stop, end))
    return edges


Stretches = list[tuple[int, int]]


@lru_cache(maxsize=4096)
def _stretches(rules: DayRules, zone: str, block: int, holidays: Holidays) -> Stretches:
    """The merged stretches of UTC that are allowed in one zone, a little beyond the block."""
    first = _EPOCH + block * _BLOCK - 2
    found: Stretches = []
    for begin, end, offset in _offsets(zone, block):
        for ordinal in range(first, first + _BLOCK + 5):
            midnight = (ordinal - _EPOCH) * DAY - offset
            if midnight > end or midnight + 2 * DAY < begin:
                continue
            for start, stop in rules.on(ordinal, holidays):
                opens = max(midnight + start * MINUTE, begin)
                shuts = min(midnight + stop * MINUTE, end)
                if opens < shuts:
                    found.append((opens, shuts))
    return _merged(found)


def _merged(stretches: Iterable[tuple[int, int]]) -> Stretches:
    merged: Stretches = []
    for start, stop in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _shared(one: Stretches, other: Stretches) -> Stretches:
    """What two sorted lists of stretches have in common."""
    found: Stretches = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, stop = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < stop:
            found.append((start, stop))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def _where_enough(reference: Stretches, common: Stretches, zone: str, block: int) -> Stretches:
    """What all zones allow, but the reference's own on days when that is under an hour."""
    found: Stretches = []
    for day in _days(zone, block):
        own, shared = _shared(reference, [day]), _shared(common, [day])
        enough = sum(stop - start for start, stop in shared) >= LEAST_A_DAY
        found += shared if enough or not own else own
    return _merged(found)


@lru_cache(maxsize=512)
def _days(zone: str, block: int) -> Stretches:
    """The calendar days of a zone, each from midnight to midnight, a little beyond the block."""
    first = _EPOCH + block * _BLOCK - 2
    begins = sorted({_local(zone, ordinal) for ordinal in range(first, first + _BLOCK + 6)})
    return list(pairwise(begins))


def _local(zone: str, ordinal: int) -> int:
    """When a day begins in a zone."""
    midnight = datetime.combine(date.fromordinal(ordinal), _MIDNIGHT, ZoneInfo(zone))
    return round(midnight.timestamp() * 1000)


@lru_cache(maxsize=4096)
def _offsets(zone: str, block: int) -> list[tuple[int, int, int]]:
    """Stretches of UTC with one offset from UTC each (milliseconds), round a block."""
    info = ZoneInfo(zone)
    at, end = (block * _BLOCK - 3) * DAY, ((block + 1) * _BLOCK + 4) * DAY
    found = []
    offset = _offset(info, at)
    begin = at
    while at < end:
        step = min(at + _PROBE, end)
        after = _offset(info, step)
        if after != offset:
            change = _change(info, at, step, offset)
            found.append((begin, change, offset))
            begin, step, after = change, change, _offset(info, change)
        at, offset = step, after
    found.append((begin, end, offset))
    return found


_PROBE: Final = 6 * 60 * MINUTE
_MIDNIGHT: Final = TimeOfDay()
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _offset(info: ZoneInfo, at: int) -> int:
    shift = (_START + timedelta(milliseconds=at)).astimezone(info).utcoffset() or timedelta(0)
    return shift // timedelta(milliseconds=1)


def _change(info: ZoneInfo, low: int, high: int, offset: int) -> int:
    """The instant at which the offset changes, between two instants."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(info, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def local_instant(reading: Instant, zone: str) -> Instant:
    """The instant at which clocks in a zone show what UTC clocks show at ``reading``.

    A reading that a clock change leaves out is moved on by the length of the gap (02:30 becomes
    03:30); one that comes twice means the first.
    """
    shown = _START + timedelta(milliseconds=reading)
    there = shown.replace(tzinfo=ZoneInfo(zone), fold=0)
    return Instant(round(there.timestamp() * 1000))
