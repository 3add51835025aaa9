"""The words every context shares: times, ids, countries, lifecycles, errors."""

from __future__ import annotations

import contextlib
import copy
import pickle
import sys
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_adapters.simulated import SeededIds, SimulatedClock
from scg_adapters.system import SystemClock, SystemIds
from scg_core.kernel import errors
from scg_core.kernel.countries import ALPHA2, ALPHA3, read_country
from scg_core.kernel.errors import (
    IllegalTransition,
    InvalidField,
    LeaseLost,
    NotFound,
    ScgError,
)
from scg_core.kernel.ids import is_id, time_ordered
from scg_core.kernel.instant import (
    LATEST,
    Instant,
    from_datetime,
    later,
    read_instant,
    to_datetime,
)
from scg_core.kernel.lifecycle import Joint, Lifecycle

MOMENT = Instant(1_452_203_554_473)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (1_452_203_554_473, MOMENT),
        ("1452203554473", MOMENT),
        (1_452_203_554, 1_452_203_554_000),
        ("2016-01-07T21:52:34.473Z", MOMENT),
        ("2016-01-07T22:52:34.473+01:00", MOMENT),
        ("2016-01-07T21:52:34.473+0000", MOMENT),
        ("2016-01-07T21:52:34", 1_452_203_554_000),
        ("2016-01-07 21:52", 1_452_203_520_000),
        ("2016-01-07", 1_452_124_800_000),
        ("Thu, 07 Jan 2016 21:52:34 GMT", 1_452_203_554_000),
        (datetime(2016, 1, 7, 21, 52, 34, 473_000), MOMENT),
        (datetime(2016, 1, 7, 22, 52, 34, 473_000, timezone(timedelta(hours=1))), MOMENT),
        (0, 0),
    ],
)
def test_a_time_is_read_however_it_is_written(text: object, instant: int) -> None:
    """Semantics rule 7: epoch milliseconds, ten digits as seconds, ISO 8601, RFC 2822."""
    assert read_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2016-13-01", "2016-01-07T25:00", True, None, 1.5, [], -5, 10**16,
     "99999999999999999999", "2016-01-07T21:52:34 Mars", "0000-01-01", "1 Jan"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError):
        read_instant(text)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    """No other error ever escapes, and what is read is in bounds."""
    with contextlib.suppress(ValueError):
        assert 0 <= read_instant(text) <= LATEST


@given(st.integers(0, 4_102_444_800_000))
def test_a_time_survives_a_datetime(milliseconds: int) -> None:
    """There and back is the same."""
    moment = Instant(milliseconds)

    assert from_datetime(to_datetime(moment)) == moment
    assert read_instant(to_datetime(moment).isoformat()) == moment


def test_time_ends_with_the_year_9999() -> None:
    """Adding does not overflow."""
    assert later(LATEST, 10**18) == LATEST
    assert to_datetime(LATEST) < datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


@given(st.lists(st.integers(0, 2**42), min_size=2, max_size=5), st.integers(0, 2**90))
def test_ids_have_their_shape_and_sort_by_time(times: list[int], chance: int) -> None:
    """22 characters of base 62; text order is time order."""
    ids = [time_ordered(Instant(moment), chance) for moment in times]

    assert all(is_id(id) for id in ids)
    assert sorted(ids) == [time_ordered(Instant(moment), chance) for moment in sorted(times)]


@pytest.mark.parametrize("source", [SystemIds(), SeededIds(3)], ids=["system", "seeded"])
def test_ids_are_never_repeated_and_sort_in_the_order_made(source: SystemIds) -> None:
    """Also within one millisecond, and when the clock stands still or goes back."""
    ids = source.new(MOMENT, 1000) + source.new(MOMENT, 1000) + source.new(Instant(MOMENT - 5))

    assert len(set(ids)) == 2001
    assert ids == sorted(ids)
    assert is_id(source.credential())
    assert source.credential() != source.credential()


def test_seeded_ids_repeat_with_their_seed() -> None:
    """A run can be run again."""
    assert SeededIds(1).new(MOMENT, 3) == SeededIds(1).new(MOMENT, 3)
    assert SeededIds(1).new(MOMENT) != SeededIds(2).new(MOMENT)


def test_a_clock_never_goes_back_and_waits_until_it_is_time() -> None:
    """Simulated time jumps, the system's passes."""
    simulated = SimulatedClock()
    simulated.wait(later(simulated.now(), 5))
    simulated.wait(Instant(0))
    assert simulated.advance(5) == simulated.now()
    with pytest.raises(InvalidField):
        simulated.advance(-1)

    system = SystemClock()
    until = later(system.now(), 2)
    system.wait(until)
    assert system.now() >= until


def test_countries_are_those_of_the_standard() -> None:
    """Compared with another table of ISO 3166; three more have telephone numbers."""
    standard = {c.alpha_2: c.alpha_3 for c in pycountry.countries}

    assert {k: v for k, v in ALPHA3.items() if k not in ("AC", "TA", "XK")} == standard
    assert len(ALPHA2) == len(ALPHA3)
    assert read_country(" us ") == read_country("USA") == "USA"
    with pytest.raises(ValueError):
        read_country("UK")


class S(StrEnum):
    """Two states."""

    A = "A"
    B = "B"


class E(StrEnum):
    """Two events."""

    GO = "GO"
    STAY = "STAY"


def test_an_illegal_move_names_current_wanted_and_allowed() -> None:
    """Error 409 is one a person can act on."""
    machine = Lifecycle[S, E]("thing", frozenset({S.A}), {S.A: {E.GO: S.B}, S.B: {E.STAY: S.B}})
    with pytest.raises(IllegalTransition) as refused:
        machine.step(S.B, E.GO)

    error = refused.value
    assert (error.current, error.wanted, error.allowed) == ("B", "GO", ("STAY",))
    assert str(error) == "thing is B: GO is not possible, only STAY"
    assert list(machine.cells()) == [(S.A, E.GO, S.B), (S.B, E.STAY, S.B)]


def test_a_joint_table_moves_the_second_machine_or_leaves_it() -> None:
    """Coupled machines: an absent cell is no move."""
    joint = Joint[S, E]("pair", {(S.B, E.GO): E.STAY})

    assert joint.follow(S.B, E.GO) is E.STAY
    assert joint.follow(S.A, E.GO) is E.GO


@pytest.mark.parametrize("kind", ScgError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_error_says_what_it_is_and_what_to_do(kind: type[ScgError]) -> None:
    """A published code, a status hint, a docstring of one sentence."""
    assert kind.code in range(300, 2000)
    assert kind.status in range(400, 600)
    assert (kind.__doc__ or "").splitlines()[0].endswith(".")
    home = errors if kind.__module__.startswith("scg_core") else sys.modules[kind.__module__]
    assert kind.__module__.startswith(("scg_core.kernel.errors", "scg_adapters.http."))
    assert kind.__name__ in vars(home)


def test_errors_can_be_raised_chained_copied_and_pickled() -> None:
    """They are ordinary exceptions."""
    error = NotFound("Message", "abc")
    try:
        raise error from ValueError("why")
    except NotFound as caught:
        caught.add_note("while testing")
    twin = pickle.loads(pickle.dumps(error))

    assert (twin.kind, twin.id, twin.code) == ("Message", "abc", 404)
    assert copy.copy(error).id == "abc"
    assert str(error) == "no Message has the id 'abc'"
    assert str(LeaseLost("work", 1)).startswith("The lease ran out")
