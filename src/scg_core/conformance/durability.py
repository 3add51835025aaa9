"""What every ``Storage`` that outlives its process must do; part of ``StorageContract``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scg_core.conformance.samples import LANE, NOW, a_key, a_message, a_request, a_run
from scg_core.conformance.strategies import resources
from scg_core.kernel.errors import Duplicate, StorageUnavailable
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query
from scg_core.kernel.resource import Resource, declaration, stored
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.records import IdempotencyKey
from scg_core.ports.storage import Storage, Work

_TIMES = settings(
    max_examples=3, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


class DurabilityContract(ABC):
    """The laws of being there again; skipped for what keeps nothing beyond its process."""

    @abstractmethod
    def empty(self) -> Storage:
        """A new storage with nothing in it."""

    def reopen(self, storage: Storage) -> Storage:
        """The same storage in a new process; the old one was not closed. For what is durable.

        What can be open only once closes the old one here.
        """
        pytest.skip("it keeps nothing beyond its process")

    def breaking(self, storage: Storage) -> AbstractContextManager[object]:
        """A block in which no commit can be kept, as on a full disk. For what is durable."""
        pytest.skip("how its commits fail is not shown")

    def test_what_was_committed_is_there_after_reopening(self) -> None:
        """Resources, counters, due work and runs; what failed is not, what was removed is gone."""
        storage = self.empty()
        with storage.transaction("keep") as session:
            session.add(a_request(to=("ä", "b")))
            session.add(a_message(5, state=MessageState.SENT))
            session.add(a_key())
            session.file(Work("prepare", "key", NOW, position=7))
            held = session.lane(LANE).id
            session.queue([a_run(held)])
            last = session.number(10) + 9
            session.remember("scope", [3])
        with pytest.raises(ZeroDivisionError), storage.transaction("fails") as session:
            session.add(a_request("other"))
            raise ZeroDivisionError
        with storage.transaction("again") as session:
            session.remove(a_key())
            session.update(Message, ("state",), ("seq",), [("READ", 5)])

        storage = self.reopen(storage)
        with storage.transaction("look") as session:
            assert session.find(Query(MessageRequest)) == [a_request(to=("ä", "b"))]
            after = a_message(5, state=MessageState.READ, version_number=2)
            assert session.get(Message, "message-5") == after
            assert session.find(Query(IdempotencyKey)) == []
            session.add(a_key())
            assert session.number(1) > last, "numbers are given again"
            assert session.remember("scope", [3, 4]) == {4}, "who was seen is forgotten"
            work = session.claim(["prepare"], NOW, later(NOW, 9))
            assert work is not None and work.position == 7, "due work is gone"
            assert session.lane(LANE).id == held, "the lanes are gone"
            lane = session.next_lane({LANE.connector}, NOW)
            assert lane is not None and lane.key == LANE, "the runs of the lane are gone"
            assert session.claim_runs(lane, 99, NOW, later(NOW, 9)).runs[0].last == 10

    def test_every_kind_of_resource_is_there_after_reopening(self) -> None:
        """One of each, with whatever its declaration allows, as it was; and it can be removed."""

        @_TIMES
        @given(st.tuples(*map(resources, _kinds())))
        def is_there(some: tuple[Any, ...]) -> None:
            storage = self.empty()
            with storage.transaction("keep") as session:
                for one in some:
                    session.add(one)
            storage = self.reopen(storage)
            with storage.transaction("look") as session:
                for one in some:
                    found = session.find(Query(type(one)))
                    assert found == [stored(one)], f"of the kind {declaration(type(one)).title}"
                    session.remove(one)

        is_there()

    def test_a_value_that_was_handed_over_is_held_after_reopening(self) -> None:
        """By its new holder, whichever of the two was touched first; the old value is free."""
        storage = self.empty()
        with storage.transaction("before") as session:
            session.add(a_key("a", value="given"))
            session.add(a_key("b", value="other"))
        with storage.transaction("hand over") as session:
            session.remove(a_key("b", value="other"))
            session.remove(a_key("a", value="given"))
            session.add(a_key("b", value="given"))

        storage = self.reopen(storage)
        with storage.transaction("free") as session:
            session.add(a_key("c", value="other"))
        with pytest.raises(Duplicate), storage.transaction("taken") as session:
            session.add(a_key("d", value="given"))

    def test_a_commit_that_cannot_be_kept_has_not_happened(self) -> None:
        """It raises ``StorageUnavailable``; neither now nor after reopening is any of it there."""
        storage = self.empty()
        with storage.transaction("before") as session:
            session.add(a_request("one"))
        with self.breaking(storage), pytest.raises(StorageUnavailable):
            with storage.transaction("lost") as session:
                session.add(a_request("two"))
                session.add(a_message(5))
                session.file(Work("prepare", "key", NOW))
        with storage.transaction("after") as session:
            assert session.get(MessageRequest, "two") is None
            session.add(a_request("three"))

        storage = self.reopen(storage)
        with storage.snapshot() as session:
            assert [one.id for one in session.find(Query(MessageRequest))] == ["one", "three"]
            assert session.get(Message, "message-5") is None
            assert session.next_due(()) is None


def _kinds() -> list[type[Resource]]:
    """Every kind of resource that the engine stores."""
    found = [one for one in _below(Resource) if one.__module__.startswith("scg_core.")]
    return sorted(found, key=lambda kind: declaration(kind).name)


def _below(kind: type[Resource]) -> Iterator[type[Resource]]:
    for one in kind.__subclasses__():
        if "__declaration__" in vars(one):
            yield one
        yield from _below(one)
