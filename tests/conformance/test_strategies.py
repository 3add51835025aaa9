"""What the strategies make the engine's own readers take, and every storage keeps."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_adapters.events.callback import CallbackEvents
from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.plain import packed, unpacked
from scg_adapters.storage.schema import KINDS
from scg_adapters.storage.sqlite import SqliteStorage
from scg_core import Call
from scg_core.conformance import strategies
from scg_core.conformance.samples import NOW
from scg_core.consent.rules.keywords import check_value
from scg_core.contacts.rules.criteria import parse
from scg_core.kernel.lifecycle import Lifecycle
from scg_core.kernel.query import Query, eq, meets
from scg_core.kernel.resource import declaration, stored
from scg_core.messaging.lifecycle import MT, Phase
from scg_core.messaging.model import Message
from scg_core.ports.voice_transport import Arrived
from scg_core.senders.rules.window import read_window
from scg_core.templates.rules.language import read_template
from tests.lifecycles import TABLES
from tests.stories.calls import VoiceWorld

PLACES, PATTERNS = NumberPlaces(), PosixPatterns()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_resource_comes_back_as_it_went_in(kind: type[Any]) -> None:
    """Of each kind whatever its declaration allows: from SQLite, from memory, from JSON."""
    storages = SqliteStorage(":memory:"), MemoryStorage()

    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(strategies.resources(kind))
    def comes_back(resource: Any) -> None:
        assert unpacked(packed(resource)) == stored(resource)
        key = declaration(kind).key
        for storage in storages:
            with storage.transaction("keep") as session:
                session.add(resource)
                found = session.find(Query(kind, [eq(key, getattr(resource, key))]))
                session.remove(resource)
            assert found == [stored(resource)]

    comes_back()


@settings(max_examples=15, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_queries_mean_what_meets_says(data: st.DataObject) -> None:
    """On SQLite and in memory, for messages and conditions of chance."""
    messages = [
        data.draw(strategies.resources(Message, seq=seq, id=f"m{seq}", transport_id=None))
        for seq in (1, 2, 3)
    ]
    query = data.draw(strategies.queries(Message))
    wanted = [m for m in messages if all(meets(stored(m), one) for one in query.where)]
    end = None if query.limit is None else query.offset + query.limit
    for storage in (MemoryStorage(), SqliteStorage(":memory:")):
        with storage.transaction("find") as session:
            for one in messages:
                session.add(one)
            assert [m.seq for m in session.find(query)] == [
                m.seq for m in wanted[query.offset : end]
            ]


@given(strategies.windows())
def test_windows_are_read(window: dict[str, Any]) -> None:
    """By the rule that reads customers' windows."""
    read_window(window)


@given(strategies.templates())
def test_templates_are_read(text: str) -> None:
    """By the rule that reads templates."""
    read_template(text)


@given(strategies.keywords())
def test_keywords_are_taken(word: str) -> None:
    """By the rule and by the pattern port."""
    check_value(word)
    PATTERNS.check(word)


@given(strategies.criteria())
def test_criteria_are_read(text: str) -> None:
    """Into a condition."""
    assert parse(text, {})


@given(strategies.numbers())
def test_numbers_lie_somewhere(number: str) -> None:
    """Each is a possible number of a country, and stands as the network writes it."""
    [place] = PLACES.locate([number])

    assert place is not None and place.address == number and place.country


@given(strategies.clocks(), strategies.instants())
def test_clocks_never_go_back(steps: list[int], at: int) -> None:
    """And instants begin where they were told to."""
    assert all(step >= 0 for step in steps) and at >= NOW


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_histories_are_legal(table: Lifecycle[Any, Any]) -> None:
    """From a beginning of the lifecycle on, each event finds a cell."""

    @settings(max_examples=40)
    @given(strategies.histories(table))
    def legal(history: tuple[Any, list[Any]]) -> None:
        begin, events = history
        assert begin in table.start
        assert reduce(table.step, events, begin) in table.rows

    legal()


@settings(max_examples=40)
@given(st.lists(strategies.voice_events(st.sampled_from(["a", "b"])), max_size=6))
def test_whatever_a_switch_tells_is_heard(events: list[Any]) -> None:
    """Of legs that nobody knows too; a phone that arrives is a call."""
    world = VoiceWorld()
    world.engine.calls_heard("switch", events)
    arrived = {one.leg for one in events if isinstance(one, Arrived)}

    assert len(world.all(Call)) == len(arrived)


@settings(max_examples=40)
@given(st.lists(strategies.parcels(), max_size=4))
def test_parcels_are_delivered(parcels: list[Any]) -> None:
    """To a callback, as they are; their secrets are not shown."""
    told: list[Any] = []
    CallbackEvents(told.append).deliver(parcels, NOW)

    assert told == parcels
    assert not any(secret in repr(one) for one in parcels for secret in one.secrets)


def test_what_fails_shrinks_to_little() -> None:
    """The smallest number, the emptiest window."""
    from hypothesis import find

    assert find(strategies.numbers(), lambda _: True) == "+14152000000"
    assert find(strategies.windows(), lambda _: True) == {"DEFAULT": {"OTH": []}}
    assert find(strategies.histories(MT), lambda _: True) == (Phase.CREATED, [])
    assert len(find(strategies.templates(), lambda text: "$" in text)) <= 12
