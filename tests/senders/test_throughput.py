"""Limits: never above the bound in any second, all or none, whoever counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_adapters.limits.memory import MemoryLimits
from scg_adapters.simulated import NEW_YEAR
from scg_adapters.storage.memory import MemoryStorage
from scg_core.conformance import LimitsContract
from scg_core.kernel.gcra import Rate
from scg_core.kernel.instant import DAY, HOUR, SECOND, Instant, later
from scg_core.ports.limits import Limits
from scg_core.ports.storage import Session, Storage
from scg_core.senders.rules.limits import limits_of, reason_of
from scg_core.senders.rules.throughput import Limit, Used, course, grant
from scg_core.senders.steps.limiting import StoredLimits
from tests.senders.worlds import klass

RATES = st.one_of(
    st.integers(1, 5_000).map(float), st.sampled_from([0.1, 0.5, 1.5, 2.25, 33.3, 999.9])
)


def run(
    limits: Sequence[Limit], sizes: Sequence[int], gaps: Sequence[int], start: Instant = NEW_YEAR
) -> list[tuple[Instant, int]]:
    """Send messages of these sizes as soon as the limits let them, with these pauses between."""
    used: dict[str, Used] = {}
    now, sent = start, []
    for size, gap in zip(sizes, gaps, strict=True):
        now = later(now, gap)
        while True:
            given = grant(limits, used, [size], now)
            used = dict(given.used)
            if given.count:
                break
            assert given.next_at is not None
            assert given.next_at > now
            now = given.next_at
        sent.append((now, size))
    return sent


def most_in_a_second(sent: Sequence[tuple[Instant, int]]) -> int:
    """The most units that left in any second, from an instant on and before a second later."""
    most = 0
    for index, (begin, _) in enumerate(sent):
        inside = 0
        for at, size in sent[index:]:
            if at >= begin + SECOND:
                break
            inside += size
        most = max(most, inside)
    return most


@settings(max_examples=200)
@given(RATES, st.integers(1, 20), st.data())
def test_no_second_has_more_than_the_rate_and_the_burst(
    per_second: float, burst: int, data: st.DataObject
) -> None:
    """rate + max(burst, the segments of one message), whenever the messages come."""
    sizes = data.draw(st.lists(st.integers(1, 10), min_size=1, max_size=60))
    gaps = data.draw(
        st.lists(st.sampled_from([0, 0, 0, 1, 7, 400, 5_000]), min_size=len(sizes),
                 max_size=len(sizes))
    )  # fmt: skip
    sent = run([Limit("one", Rate(per_second, burst))], sizes, gaps)

    assert most_in_a_second(sent) <= per_second + max(burst, max(sizes))


@pytest.mark.parametrize("per_second", [0.5, 1.0, 3.0, 10.0, 33.3, 100.0, 750.0, 3_000.0])
def test_an_hour_at_the_limit_reaches_99_percent_of_the_rate(per_second: float) -> None:
    """Asked at the instants it names, with a clock of milliseconds."""
    limit, used, now, count = Limit("one", Rate(per_second)), dict[str, Used](), NEW_YEAR, 0
    seconds = 3_600 if per_second <= 100 else 200
    end = later(NEW_YEAR, seconds * SECOND)
    while now < end:
        given = grant([limit], used, [1] * 50, now)
        used, count = dict(given.used), count + given.count
        now = given.next_at or now

    assert 0.99 * per_second * seconds <= count <= per_second * seconds + per_second + 1


def test_what_one_limit_refuses_no_limit_is_charged_for() -> None:
    """Ten that ask while one may go use one of the day's ten."""
    slow, day = Limit("slow", Rate(1)), Limit("day", None, 10)
    used: dict[str, Used] = {}
    for _ in range(10):
        used = dict(grant([slow, day], used, [1], NEW_YEAR).used)

    assert used["day"].used <= 2
    assert used["slow"].arrival <= (NEW_YEAR + 2 * SECOND) * 1_000_000


def test_the_limit_that_holds_longest_is_named_and_says_when() -> None:
    """A full day waits for the next one, however fast the rate is."""
    limits = [Limit("rate", Rate(5)), Limit("day", None, 3)]
    given = grant(limits, {}, [1, 1, 1, 1], NEW_YEAR)
    while given.next_at is not None and given.held_by == "rate":
        given = grant(limits, given.used, [1, 1, 1], given.next_at)

    assert given.held_by == "day"
    assert given.next_at == NEW_YEAR + DAY


def test_a_message_larger_than_the_days_number_goes_alone() -> None:
    """Otherwise it would wait for ever."""
    day = Limit("day", None, 2)
    given = grant([day], {}, [3, 1], NEW_YEAR)

    assert (given.count, given.held_by) == (1, "day")


@settings(max_examples=60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.integers(0, 10_000))
def test_accounting_does_not_depend_on_how_the_messages_are_cut(
    sizes: list[int], seed: int
) -> None:
    """One question for many, or one for each: the same messages go at the same instants."""
    limits = [Limit("a", Rate(7)), Limit("b", Rate(3, 4)), Limit("c", None, 25, seed)]
    single = run(limits, sizes, [0] * len(sizes))
    used: dict[str, Used] = {}
    now, sent, left = NEW_YEAR, list[tuple[Instant, int]](), list(sizes)
    while left:
        given = grant(limits, used, left, now)
        used = dict(given.used)
        sent += [(now, size) for size in left[: given.count]]
        left = left[given.count :]
        now = given.next_at or now

    assert sent == single


@settings(max_examples=60)
@given(RATES, st.integers(1, 60), st.integers(1, 3), st.sampled_from([None, 5, 50]))
def test_the_course_of_a_queue_is_what_asking_again_and_again_would_give(
    per_second: float, count: int, size: int, a_day: int | None
) -> None:
    """Computed, not counted out."""
    limits = [Limit("rate", Rate(per_second))]
    if a_day is not None:
        limits.append(Limit("day", None, a_day))
    sent = run(limits, [size] * count, [0] * count)
    went = course(limits, {}, size, count, NEW_YEAR)

    assert went.left == 0
    assert went.at == sent[-1][0]
    until = later(NEW_YEAR, 3 * SECOND)
    before = sum(at < until for at, _ in sent)
    assert course(limits, {}, size, count, NEW_YEAR, until).left == count - before


class TestMemoryLimits(LimitsContract):
    """The port's laws, on the adapter in this process."""

    def empty(self) -> tuple[Limits, Storage]:
        return MemoryLimits(), MemoryStorage()


def test_the_day_of_a_class_begins_in_its_zone() -> None:
    """Midnight UTC unless the class says otherwise."""
    [utc] = limits_of(klass(country_daily_throughput=1), "a", "r", "USA", NEW_YEAR)
    [local] = limits_of(klass(country_daily_throughput=1, day_zone="America/New_York"), "a",
                        "r", "USA", NEW_YEAR)  # fmt: skip

    assert utc.next_day(NEW_YEAR) == NEW_YEAR + DAY
    assert local.next_day(NEW_YEAR) == NEW_YEAR + 5 * HOUR


@pytest.mark.parametrize(("number", "a_day"), [(0.5, 1), (1, 1), (2.9, 2)])
def test_a_day_has_whole_segments_and_at_least_one(number: float, a_day: int) -> None:
    """Less than one a day would be none ever, which is said in another way."""
    [daily] = limits_of(klass(country_daily_throughput=number), "a", "r", "USA", NEW_YEAR)

    assert daily.a_day == a_day


def test_nothing_or_zero_is_no_limit() -> None:
    """A class without rates, and no class at all."""
    none = klass(country_peak_throughput=0, country_daily_throughput=0)

    assert limits_of(none, "a", "r", "USA", NEW_YEAR) == ()
    assert limits_of(None, "a", "r", "USA", NEW_YEAR) == ()


def test_a_message_that_is_held_is_told_by_which_limit() -> None:
    """Each of the three has a name for people, after the published code."""
    rates = {"country_peak_throughput": 1, "country_peak_total_throughput": 1}
    limits = limits_of(klass(**rates, country_daily_throughput=1), "a", "r", "USA", NEW_YEAR)

    assert [reason_of(one.key) for one in limits] == [
        "1039 throttled by the customer's rate to the country",
        "1039 throttled by the address's rate to the country",
        "1039 throttled by the customer's number for the day",
    ]


class TestStoredLimits(LimitsContract):
    """The same laws, on the engine's own, which lie in the storage."""

    def empty(self) -> tuple[Limits, Storage]:
        return StoredLimits(), MemoryStorage()

    def test_what_a_failed_transaction_took_is_given_back(self) -> None:
        """It is part of the transaction."""
        storage, one = MemoryStorage(), [Limit("one", Rate(2))]
        with pytest.raises(ZeroDivisionError), storage.transaction("fails") as session:
            StoredLimits().ask(session, one, [1, 1], NEW_YEAR, spend=True)
            raise ZeroDivisionError

        with storage.transaction("after") as session:
            assert StoredLimits().ask(session, one, [1, 1], NEW_YEAR, spend=True).count == 2


def _taken(limits: Limits, session: Session, asked: Sequence[Sequence[Limit]]) -> list[int]:
    return [limits.ask(session, one, [1] * 9, NEW_YEAR, spend=True).count for one in asked]
