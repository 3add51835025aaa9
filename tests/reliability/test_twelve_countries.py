"""Twelve countries with windows, holidays and limits: the carrier's own log says who kept them.

What is expected is computed here from a table written by hand (``twelve_countries.md``), not by the
engine's own sources.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scg_adapters.transport.carrier_log import SUBMITTED
from scg_adapters.transport.loopback import Behaviour
from scg_core.kernel.instant import SECOND
from tests.world import World

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = (Path(__file__).parent / "twelve_countries.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\w{3}) \| (\+\d+) \| ([+-]?[\d.]+) \| ([\d, ]*)\|$", re.MULTILINE)
COUNTRIES = {
    country: (prefix, float(offset), {int(day) for day in holidays.replace(",", " ").split()})
    for country, prefix, offset, holidays in ROW.findall(TABLE)
}
USUAL = {"SAT": [(10, 16)], "SUN": [], "HOL": [(12, 14)], "OTH": [(9, 20)]}
WINDOWS = {
    "DEU": {**USUAL, "HOL": []},
    "JPN": {"HOL": [], "OTH": [(22, 26)]},
}
FIRST = {
    "USA": 0.0, "CAN": 0.0, "GBR": 12.0, "DEU": 32.0, "FRA": 11.0, "ESP": 11.0, "ITA": 11.0,
    "ZAF": 10.0, "IND": 3.5, "JPN": 37.0, "AUS": 1.0, "BRA": 15.0,
}  # fmt: skip
"""Hours after the start at which the first message of each country may leave."""

RATE, TOTAL, BURST = 40, 60, 4


def written(window: dict[str, list[tuple[int, int]]]) -> dict[str, list[str]]:
    """A window as the engine reads it."""
    return {
        day: [f"{start:02}:00-{stop % 24:02}:00" for start, stop in intervals]
        for day, intervals in window.items()
    }


def on(country: str, day: datetime) -> list[tuple[int, int]]:
    """The hours that begin on a day, by the table."""
    window = WINDOWS.get(country, USUAL)
    if (day.year, day.month) == (2026, 1) and day.day in COUNTRIES[country][2]:
        return window["HOL"]
    name = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")[day.weekday()]
    return window.get(name, window["OTH"])


def allowed(country: str, at: int) -> bool:
    """Whether a message may leave at an instant, by the table alone."""
    there = datetime.fromtimestamp(at / 1000, UTC) + timedelta(hours=COUNTRIES[country][1])
    hour = there.hour + there.minute / 60 + there.second / 3600
    yesterday = there - timedelta(days=1)
    return any(start <= hour < stop for start, stop in on(country, there)) or any(
        start <= hour + 24 < stop for start, stop in on(country, yesterday)
    )


def numbers(count: int) -> Iterator[tuple[str, str]]:
    """That many numbers of each country."""
    for country, (prefix, _, _) in COUNTRIES.items():
        digits = {"USA": 11, "CAN": 11, "GBR": 12, "DEU": 13, "FRA": 11, "ESP": 11, "ITA": 12,
                  "ZAF": 11, "IND": 12, "JPN": 12, "AUS": 11, "BRA": 13}[country]  # fmt: skip
        for number in range(count):
            width = digits - len(prefix) + 1
            yield country, f"{prefix}{number:0{width}}"


def run(world: World, each: int) -> dict[str, list[int]]:
    """Send to every country, for two companies; when messages left, by country."""
    operator = world.engine.operator()
    window = {country: written(WINDOWS.get(country, USUAL)) for country in COUNTRIES}
    operator.put_sender_id_class(
        id="CLASS", delivery_window=window, country_peak_throughput=RATE,
        country_peak_total_throughput=TOTAL, burst=BURST,
    )  # fmt: skip
    shared = operator.add_sender_id("operator", address="777", class_id="CLASS", ownership="SHARED")
    wanted = list(numbers(each))
    for part, company in enumerate(("acme", "rival")):
        app = world.engine.application(company, 1)
        sender = app.sender_ids.purchase(shared.id)
        mine = [number for index, (_, number) in enumerate(wanted) if index % 2 == part]
        request = app.message_requests.create(from_=sender.id, body="hello", idempotency_key="k")
        for start in range(0, len(mine), 5_000):
            page = mine[start : start + 5_000]
            app.message_requests.append_recipients(request.id, page, start=start)
        app.message_requests.accept(request.id)
    world.engine.run_until_idle()
    of = {number: country for country, number in wanted}
    left: defaultdict[str, list[int]] = defaultdict(list)
    for entry in world.carrier.log.entries():
        if entry.kind == SUBMITTED:
            left[of[entry.to_address]].append(entry.at)
    return {country: sorted(times) for country, times in left.items()}


def judge(left: dict[str, list[int]], each: int) -> str:
    """Everyone left, inside the window, under the limits, and not later than need be."""
    start = int(NEW_YEAR.timestamp() * 1000)
    fastest = 0
    for country in COUNTRIES:
        times = left[country]
        assert len(times) == each
        outside = [at for at in times if not allowed(country, at)]
        assert not outside, (country, outside[:3])
        assert times[0] - start == FIRST[country] * 3_600_000, country
        begin = 0
        for index, at in enumerate(times):
            while times[begin] <= at - SECOND:
                begin += 1
            fastest = max(fastest, index - begin + 1)
    assert fastest <= TOTAL + BURST
    total = sum(map(len, left.values()))
    return f"{total} messages in {len(left)} countries, at most {fastest} a second in each"


def test_messages_of_twelve_countries_leave_inside_their_windows_and_limits() -> None:
    """A short form: 200 recipients a country."""
    assert len(COUNTRIES) == 12
    world = World("memory:", Behaviour(spread=50, delay=5))

    assert "2400 messages" in judge(run(world, 200), 200)


@pytest.mark.long
def test_100000_messages_of_twelve_countries_leave_inside_their_windows_and_limits(
    tmp_path: Path,
) -> None:
    """On an SQLite file."""
    each = 8_334
    world = World(f"sqlite:///{tmp_path}/scg.db", Behaviour(spread=50, delay=5))

    print(judge(run(world, each), each))
    world.recount()
