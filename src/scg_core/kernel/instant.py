"""Points in time, as the core counts them.

An ``Instant`` is a whole number of milliseconds since 1970-01-01 UTC. The core never reads a
clock: ``now`` is always an argument. People's spellings of a time are read here, at the edge.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NewType

from dateutil import parser

Instant = NewType("Instant", int)

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

LATEST: Final = Instant(253_402_300_799_999)  # the last millisecond of the year 9999
_DIGITS: Final = re.compile(r"^-?\d{1,15}$")
_SECONDS: Final = range(1_000_000_000, 10_000_000_000)  # a ten-digit number means seconds
_SPELLING: Final = re.compile(
    r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$"
    r"|^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}"
    r" (?P<zone>[A-Z]{1,5}|[+-]\d{2}:?\d{2})$"
)
_ZONES: Final = {"GMT": 0, "UTC": 0, "UT": 0, "Z": 0} | {
    name: hours * 3600
    for name, hours in (
        ("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8),
        ("PDT", -7), ("CET", 1), ("CEST", 2),
    )
}  # fmt: skip


def later(instant: Instant, milliseconds: float) -> Instant:
    """The instant that many milliseconds after this one, never past the year 9999."""
    return Instant(min(int(instant + milliseconds), LATEST))


def to_datetime(instant: Instant) -> datetime:
    """The same point in time as an aware ``datetime`` in UTC."""
    return datetime.fromtimestamp(instant / 1000, UTC)


def to_iso(instant: Instant) -> str:
    """The same point in time as ISO 8601 in UTC, to the millisecond."""
    return f"{to_datetime(instant):%Y-%m-%dT%H:%M:%S}.{instant % SECOND:03d}Z"


def from_datetime(value: datetime) -> Instant:
    """An aware ``datetime``, or a naive one read as UTC, as an ``Instant``."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return Instant(round(aware.timestamp() * 1000))


def read_instant(value: object) -> Instant:
    """Read a point in time from what people send (semantics rule 7).

    Epoch milliseconds as a number, ten digits as epoch seconds, ISO 8601 (no zone means UTC, a
    bare date means midnight UTC), RFC 2822 and ``datetime`` are understood.

    Raises:
        ValueError: the value is none of these, or not between the years 1970 and 9999.
    """
    if isinstance(value, bool):
        raise ValueError("a boolean is not a point in time")
    if isinstance(value, datetime):
        return _bounded(from_datetime(value))
    if isinstance(value, str) and _DIGITS.match(value.strip()):
        value = int(value)
    if isinstance(value, int):
        return _bounded(Instant(value * SECOND if value in _SECONDS else value))
    if isinstance(value, str):
        value = _offset_alone(value.strip())
    spelling = _SPELLING.match(value.strip()) if isinstance(value, str) else None
    if spelling is not None and isinstance(value, str):
        zone = spelling["zone"]
        if zone and zone.isalpha() and zone not in _ZONES:
            raise ValueError(f"the time zone {zone} is not known; write an offset such as +0100")
        try:
            return _bounded(from_datetime(parser.parse(value.strip(), tzinfos=_ZONES)))
        except (OverflowError, parser.ParserError) as reason:
            raise ValueError(str(reason)) from None
    raise ValueError("write epoch milliseconds or an ISO 8601 date and time")


def _offset_alone(text: str) -> str:
    """``GMT+02:00`` as Java writes it, and an offset whose plus came as a blank in a query."""
    return _BLANK.sub(r"\1+\2", _NAMED_OFFSET.sub(r"\1", text))


_NAMED_OFFSET: Final = re.compile(r"(?:GMT|UTC)([+-][0-9]{2}:?[0-9]{2})$")
_BLANK: Final = re.compile(
    r"(:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?) ((?:0[0-9]|1[0-4]):?(?:00|15|30|45))$"
)


def _bounded(instant: Instant) -> Instant:
    if not 0 <= instant <= LATEST:
        raise ValueError("outside the years 1970 to 9999")
    return instant
