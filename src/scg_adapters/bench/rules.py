"""The pure rules of sending, timed one by one beside the plainest code that does the same.

Figures are nanoseconds an operation; ``limit`` is a bare loop over the plainest data structure, so
that a machine's speed drops out of the ratio.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Final

from scg_adapters.places import calendars
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import NEW_YEAR
from scg_core.kernel.gcra import Rate
from scg_core.kernel.instant import Instant
from scg_core.senders.rules.throughput import Limit, Meter, Used, grant
from scg_core.senders.rules.window import next_opening, read_window

_TIMES: Final = 100_000
_WINDOW: Final = {
    "USA": {
        "SAT": ["09:00-20:00"], "SUN": [], "HOL": ["10:00-18:00"], "OTH": ["08:00-21:00"],
    }
}  # fmt: skip


def window() -> dict[str, Any]:
    """Whether a window is open and when it opens next, in one look."""
    rules = read_window(_WINDOW).rules_for("USA")
    zones, holidays = ("America/New_York",), calendars.holidays_in("USA")
    began = time.perf_counter()
    next_opening(rules, zones, NEW_YEAR, holidays)
    first = time.perf_counter() - began
    edges = list(range(NEW_YEAR, NEW_YEAR + 256 * 43_200_000, 43_200_000))
    return {
        "open_and_next_ns": _timed(
            lambda number: next_opening(rules, zones, Instant(NEW_YEAR + number * 60_000), holidays)
        ),
        "limit_bisect_ns": _timed(lambda number: bisect_right(edges, NEW_YEAR + number * 60_000)),
        "first_look_ms": first * 1_000,
    }


def limiter() -> dict[str, Any]:
    """Three limits asked at once, all or none."""
    limits = [Limit("a", Rate(1e6)), Limit("b", Rate(1e6)), Limit("c", None, 10**9)]
    one, many = Meter(limits, {}), Meter(limits, {})
    state: dict[str, Used] = {}

    def page(number: int) -> None:
        nonlocal state
        state = dict(grant(limits, state, _PAGE, Instant(NEW_YEAR + number)).used)

    return {
        "three_limits_one_message_ns": _timed(
            lambda number: one.take(_ONE, Instant(NEW_YEAR + number))
        ),
        "three_limits_ns_per_message_of_a_page": _timed(
            lambda number: many.take(_PAGE, Instant(NEW_YEAR + number)), _TIMES // 100
        )
        / len(_PAGE),
        "grant_of_a_page_ns_per_message": _timed(page, _TIMES // 100) / len(_PAGE),
    }


_ONE: Final = [1]
_PAGE: Final = [1] * 100


def places() -> dict[str, Any]:
    """Country and zones of a number, the first time and again."""
    port = NumberPlaces()
    port.locate(["+14155550100"])
    spread = [f"+1{200 + n % 700}{2_000_000 + 7 * n % 7_000_000}" for n in range(_TIMES)]
    cold = _timed(lambda number: port.locate([spread[number]]), 20_000)
    again = _timed(lambda number: port.locate([spread[number]]), 20_000)
    page = spread[:500]
    began = time.perf_counter()
    for _ in range(100):
        port.locate(page)
    return {
        "cold_ns": cold,
        "memo_ns": again,
        "memo_ns_per_number_of_a_page": (time.perf_counter() - began) / 50_000 * 1e9,
    }


def _timed(do: Callable[[int], object], times: int = _TIMES) -> float:
    began = time.perf_counter()
    for number in range(times):
        do(number)
    return (time.perf_counter() - began) / times * 1e9
