"""Delivery windows against a clock on the wall, minute by minute."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import DAY, HOUR, MINUTE, Instant
from scg_core.senders.rules.window import (
    LEAST_A_DAY,
    SEARCHED,
    DayRules,
    closes_at,
    is_open,
    local_instant,
    next_opening,
    read_window,
)

START = datetime(1970, 1, 1, tzinfo=UTC)
WEEK = read_window(
    {"DEFAULT": {"SUN": [], "SAT": ["09:00-12:30", "14:00-20:00"], "FRI": ["22:00-03:30"],
                 "HOL": ["10:00-11:00"], "OTH": ["01:15-02:45", "08:00-21:00"]}}
).rules_for(None)  # fmt: skip
assert WEEK is not None
RULES: DayRules = WEEK


def none(_: int) -> frozenset[int]:
    """A country without holidays."""
    return frozenset()


def at(text: str) -> Instant:
    """An instant, written in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Instant(int(moment.timestamp() * 1000))


def allowed(rules: DayRules, zone: ZoneInfo, minute: int, holidays: frozenset[int]) -> bool:
    """What the specification says, read off the wall: nothing else is known here."""
    shown = (START + timedelta(minutes=minute)).astimezone(zone)
    clock = shown.hour * 60 + shown.minute
    today = shown.date().toordinal()
    return any(
        start <= clock + late < stop
        for day, late in ((today, 0), (today - 1, 1440))
        for start, stop in rules.on(day, holidays)
    )


def changes(zone: ZoneInfo, first: int, last: int) -> list[int]:
    """The minutes in which a zone's offset from UTC changes, found by looking at each quarter."""
    found, before = [], None
    for minute in range(first, last, 15):
        offset = (START + timedelta(minutes=minute)).astimezone(zone).utcoffset()
        if before is not None and offset != before:
            found.append(minute)
        before = offset
    return found


def compare(name: str, first: int, last: int) -> None:
    """Every minute of a stretch: whether it is open, and when it opens next."""
    zone = ZoneInfo(name)
    opens = [allowed(RULES, zone, minute, frozenset()) for minute in range(first, last + 3000)]
    following: list[int | None] = [None] * len(opens)
    for index in range(len(opens) - 1, -1, -1):
        if opens[index]:
            following[index] = first + index
        elif index + 1 < len(opens):
            following[index] = following[index + 1]
    for minute in range(first, last):
        instant = Instant(minute * MINUTE)
        wanted = following[minute - first]
        assert wanted is not None
        assert next_opening(RULES, (name,), instant, none) == wanted * MINUTE, (name, minute)
        assert is_open(RULES, (name,), instant, none) is (wanted == minute)


def minutes(year: int) -> int:
    """The first minute of a year."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) // 60


@pytest.mark.parametrize(
    "name",
    ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu",
     "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Pyongyang", "America/Caracas",
     "Antarctica/Troll"],
)  # fmt: skip
def test_a_window_agrees_with_the_clock_on_the_wall_round_changes(name: str) -> None:
    """A sample of zones: 36 hours round each of their first changes since 2015, each minute."""
    zone = ZoneInfo(name)
    found = changes(zone, minutes(2015), minutes(2026))
    for change in [*found[:2], *found[-1:], minutes(2024)]:
        compare(name, change - 36 * 60, change + 36 * 60)


@pytest.mark.long
def test_a_window_agrees_with_the_clock_on_the_wall_in_every_zone() -> None:
    """Every zone, round every change from 2015 to 2037; zones that change alike are one."""
    seen: set[tuple[object, ...]] = set()
    compared = 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        found = changes(zone, minutes(2015), minutes(2038))
        offsets = [(START + timedelta(minutes=m)).astimezone(zone).utcoffset() for m in found]
        key = (zone.utcoffset(datetime(2015, 1, 1)), tuple(found), tuple(offsets))
        if key in seen:
            continue
        seen.add(key)
        for change in found or [minutes(2020)]:
            compare(name, change - 26 * 60, change + 26 * 60)
            compared += 1
    print(f"{len(seen)} kinds of zones, {compared} changes")
    assert compared > 1_500


def test_a_gap_opens_when_the_clock_has_jumped_over_it() -> None:
    """02:30 does not exist on that night: a window from there opens at 03:00."""
    rules = read_window({"DEFAULT": {"OTH": ["02:30-04:00"]}}).rules_for(None)

    opens = next_opening(rules, ("Europe/Berlin",), at("2026-03-29T00:00"), none)

    assert opens == at("2026-03-29T01:00")


def test_a_repeated_hour_opens_twice() -> None:
    """01:15 to 01:45 comes twice in the night the clocks go back."""
    rules = read_window({"DEFAULT": {"OTH": ["01:15-01:45"]}}).rules_for(None)
    night = at("2026-11-01T05:00")

    first = next_opening(rules, ("America/New_York",), night, none)
    assert first == at("2026-11-01T05:15")
    shut = closes_at(rules, ("America/New_York",), first, none)
    assert shut == at("2026-11-01T05:45")
    second = next_opening(rules, ("America/New_York",), shut, none)
    assert second == at("2026-11-01T06:15")


def test_a_shut_window_closes_at_once_and_an_open_one_at_its_end() -> None:
    """Also where it was open before on the same day, and to the millisecond."""
    rules = read_window({"DEFAULT": {"OTH": ["08:00-12:00", "14:00-20:00"]}}).rules_for(None)

    for shut in ("2026-01-05T03:00", "2026-01-05T12:00", "2026-01-05T13:00", "2026-01-05T23:00"):
        assert closes_at(rules, ("UTC",), at(shut), none) == at(shut)
    assert closes_at(rules, ("UTC",), at("2026-01-05T08:00"), none) == at("2026-01-05T12:00")
    assert closes_at(rules, ("UTC",), at("2026-01-05T15:00"), none) == at("2026-01-05T20:00")


def test_the_tail_of_an_interval_runs_on_into_a_closed_day_or_a_holiday() -> None:
    """An interval that crosses midnight belongs to the day it begins on."""
    saturday = at("2026-01-03T02:00")  # in UTC, the morning after a Friday from 22:00 to 03:30

    assert is_open(RULES, ("UTC",), saturday, none)
    holiday = frozenset({datetime(2026, 1, 3).toordinal()})
    assert is_open(RULES, ("UTC",), saturday, lambda _: holiday)
    assert not is_open(RULES, ("UTC",), Instant(saturday + 2 * HOUR), lambda _: holiday)


def test_an_interval_of_the_night_ends_to_the_minute() -> None:
    """At 06:00, not a minute later, on the day after it began."""
    night = read_window({"DEFAULT": {"MON": ["22:00-06:00"], "OTH": []}}).rules_for(None)
    ends = at("2026-01-06T06:00")

    assert is_open(night, ("UTC",), Instant(ends - 1), none)
    assert not is_open(night, ("UTC",), ends, none)
    assert next_opening(night, ("UTC",), ends, none) == at("2026-01-12T22:00")


def test_a_holiday_counts_only_where_the_window_speaks_of_holidays() -> None:
    """HOL if it is given and the day is one, else the weekday, else OTH, else closed."""
    day = frozenset({datetime(2026, 1, 6).toordinal()})
    with_holidays = read_window({"DEFAULT": {"HOL": [], "OTH": ["08:00-21:00"]}}).rules_for(None)
    without = read_window({"DEFAULT": {"OTH": ["08:00-21:00"]}}).rules_for(None)
    noon = at("2026-01-06T12:00")

    assert not is_open(with_holidays, ("UTC",), noon, lambda _: day)
    assert is_open(without, ("UTC",), noon, lambda _: day)


def test_a_country_of_its_own_replaces_the_default_and_nothing_given_is_open() -> None:
    """No keys are merged; alpha-2 and alpha-3 name the same country."""
    window = read_window({"DEFAULT": {"OTH": ["08:00-21:00"]}, "US": {"SAT": ["09:00-20:00"]}})

    assert window.rules_for("USA") is not window.rules_for("DEU")
    assert not is_open(window.rules_for("USA"), ("UTC",), at("2026-01-05T12:00"), none)
    assert is_open(window.rules_for("DEU"), ("UTC",), at("2026-01-05T12:00"), none)
    for nothing in (None, "", "  ", {}, "{}", "null"):
        assert read_window(nothing).rules_for("USA") is None
    only = read_window({"USA": {"OTH": []}})
    assert only.rules_for("DEU") is None
    assert next_opening(only.rules_for("USA"), ("UTC",), at("2026-01-05T12:00"), none) is None


def test_several_zones_must_all_be_open() -> None:
    """From the last to open to the first to shut."""
    rules = read_window({"DEFAULT": {"OTH": ["08:00-21:00"]}}).rules_for(None)
    zones = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu")

    opens = next_opening(rules, zones, at("2026-01-05T10:00"), none)
    assert opens == at("2026-01-05T18:00")  # 08:00 in Honolulu
    assert closes_at(rules, zones, opens, none) == at("2026-01-06T02:00")  # 21:00 in New York


def test_each_zone_has_its_own_noon() -> None:
    """What is open without a break in one zone is cut by the break of another."""
    rules = read_window({"DEFAULT": {"OTH": ["08:00-12:00", "13:00-20:00"]}}).rules_for(None)
    zones = ("America/New_York", "America/Los_Angeles")
    now, found = at("2026-01-05T12:00"), []

    for _ in range(3):
        opens = next_opening(rules, zones, now, none)
        assert opens is not None
        now = closes_at(rules, zones, opens, none) or now
        found.append((opens, now))

    assert found == [
        (at("2026-01-05T16:00"), at("2026-01-05T17:00")),  # 08:00 in the west, noon in the east
        (at("2026-01-05T18:00"), at("2026-01-05T20:00")),  # noon in the west
        (at("2026-01-05T21:00"), at("2026-01-06T01:00")),  # 20:00 in the east
    ]


def test_where_all_zones_leave_less_than_an_hour_the_reference_zone_counts() -> None:
    """The first of the zones, on each day by itself."""
    rules = read_window({"DEFAULT": {"OTH": ["09:00-12:00"], "SUN": ["09:00-16:00"]}}).rules_for(
        None
    )
    zones = ("Europe/Moscow", "Asia/Kamchatka")  # three hours and twelve

    monday = next_opening(rules, zones, at("2026-01-05T00:00"), none)
    assert monday == at("2026-01-05T06:00")
    assert closes_at(rules, zones, monday, none) == at("2026-01-05T09:00")
    assert LEAST_A_DAY == HOUR


def test_what_never_opens_is_none_after_400_days() -> None:
    """And a window that opens on one day of the year is found."""
    never = read_window({"DEFAULT": {"OTH": []}}).rules_for(None)
    rarely = read_window({"DEFAULT": {"OTH": [], "HOL": ["10:00-11:00"]}}).rules_for(None)
    start = at("2026-01-02T00:00")
    day = frozenset({datetime(2027, 1, 1).toordinal()})

    assert next_opening(never, ("UTC",), start, none) is None
    assert closes_at(read_window({"DEFAULT": {"OTH": ["00:00-24:00"]}}).rules_for(None), ("UTC",),
                     start, none) is None  # fmt: skip
    holidays = cache(lambda year: day if year == 2027 else frozenset())
    assert next_opening(rarely, ("UTC",), start, holidays) == at("2027-01-01T10:00")
    assert SEARCHED == 400 * DAY


@pytest.mark.parametrize(
    ("window", "path"),
    [
        ("nonsense", "delivery_window"),
        ("[1]", "delivery_window"),
        ({"XX": {}}, "delivery_window.XX"),
        ({"USA": []}, "delivery_window.USA"),
        ({"USA": {"MONDAY": []}}, "delivery_window.USA.MONDAY"),
        ({"USA": {"MON": "08:00-21:00"}}, "delivery_window.USA.MON"),
        ({"USA": {"MON": ["8:00-21:00"]}}, "delivery_window.USA.MON[0]"),
        ({"USA": {"MON": ["08:00-21:00", "10:00-10:00"]}}, "delivery_window.USA.MON[1]"),
        ({"USA": {"MON": ["08:00-25:00"]}}, "delivery_window.USA.MON[0]"),
        ({"USA": {"MON": ["24:00-08:00"]}}, "delivery_window.USA.MON[0]"),
        ({"USA": {"MON": [800]}}, "delivery_window.USA.MON[0]"),
        ({"USA": {"MON": ["08:60-09:00"]}}, "delivery_window.USA.MON[0]"),
        ({"US": {}, "USA": {}}, "delivery_window.USA"),
        ("[" * 5_000, "delivery_window"),
        ("x" * 70_000, "delivery_window"),
    ],
)  # fmt: skip
def test_a_window_that_does_not_parse_is_refused_with_its_path(window: Any, path: str) -> None:
    """The field of the error is the path inside the JSON."""
    for given_as in {str(window) if isinstance(window, str) else json.dumps(window)}:
        with pytest.raises(InvalidField) as refused:
            read_window(given_as)
        assert refused.value.field == path


def test_a_window_has_up_to_65536_characters() -> None:
    """Blanks count as well; but nothing except blanks is nothing, and that is always open."""
    short = json.dumps({"DEFAULT": {"OTH": ["08:00-21:00"]}})
    full = short.ljust(65_536)

    assert read_window(full) == read_window(short) != read_window(None)
    with pytest.raises(InvalidField) as refused:
        read_window(full + " ")

    assert refused.value.field == "delivery_window"
    assert read_window(" " * 65_537) == read_window(None)


clock = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
intervals = st.lists(st.builds("{}-{}".format, clock, clock).filter(lambda t: t[:5] != t[6:]),
                     max_size=3)  # fmt: skip
windows = st.dictionaries(
    st.sampled_from(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "OTH"]), intervals
)
ZONES = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
                         "Pacific/Apia", "America/St_Johns"])  # fmt: skip


@settings(max_examples=150)
@given(windows, ZONES, st.integers(minutes(2015), minutes(2037)))
def test_any_window_opens_when_the_clock_says_so(
    days: dict[str, list[str]], zone: str, minute: int
) -> None:
    """Open exactly where the wall clock is in an interval; nothing before the next opening is."""
    rules = read_window({"DEFAULT": days}).rules_for(None)
    assert rules is not None
    where = ZoneInfo(zone)
    opens = next_opening(rules, (zone,), Instant(minute * MINUTE), none)

    if opens is None:
        assert not any(rules.weekdays)
        return
    assert opens % MINUTE == 0
    assert allowed(rules, where, opens // MINUTE, frozenset())
    for probe in range(minute, min(opens // MINUTE, minute + 3_000), 7):
        assert not allowed(rules, where, probe, frozenset())


def test_a_local_time_in_a_gap_moves_on_and_a_repeated_one_is_the_first() -> None:
    """02:30 becomes 03:30 when the clock jumps; 01:30 that comes twice means the first."""
    assert local_instant(at("2026-03-08T02:30"), "America/New_York") == at("2026-03-08T07:30")
    assert local_instant(at("2026-11-01T01:30"), "America/New_York") == at("2026-11-01T05:30")
    assert local_instant(at("2026-06-01T09:00"), "Asia/Kathmandu") == at("2026-06-01T03:15")


CORPUS = json.loads((Path(__file__).parent / "windows.json").read_text(encoding="utf-8"))
odd = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), clock,
        st.sampled_from(["08:00-21:00", "21:00-08:00", "00:00-24:00", "24:00-24:00", "8-9"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["USA", "US", "DEFAULT", "MON", "HOL", "OTH", "X"]),
                      st.text(max_size=3)),
            inner, max_size=3,
        ),
    ),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("text", CORPUS)
def test_the_corpus_of_windows_is_read_or_refused(text: str) -> None:
    """What once was odd stays harmless."""
    read_or_refused(text)


@settings(max_examples=300)
@given(st.one_of(odd, st.text(max_size=60)))
def test_anything_is_read_as_a_window_or_refused(given_as: Any) -> None:
    """With the path of what is wrong, and nothing else; what breaks goes into the corpus."""
    read_or_refused(given_as)
    if not isinstance(given_as, str):
        read_or_refused(json.dumps(given_as))


def read_or_refused(given_as: Any) -> None:
    """A window that can be asked, or an error that names the path."""
    try:
        window = read_window(given_as)
    except InvalidField as refused:
        assert refused.field.startswith("delivery_window")
    else:
        for country in ("USA", "DEU", None):
            rules = window.rules_for(country)
            if rules is not None:
                next_opening(rules, ("Europe/Berlin",), Instant(0), none)
