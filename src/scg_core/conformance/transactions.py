"""What every ``Storage`` must do about transactions; part of ``StorageContract``."""

from __future__ import annotations

from abc import ABC
from threading import Thread

import pytest

from scg_core.conformance.durability import DurabilityContract
from scg_core.conformance.samples import NOW, a_message, a_request
from scg_core.conformance.upkeep import UpkeepContract
from scg_core.kernel.errors import BrokenInvariant, Duplicate
from scg_core.kernel.query import Query
from scg_core.messaging.model import Message, MessageRequest

_A_MOMENT = 0.1
"""Seconds in which another thread gets as far as it can."""


class TransactionsContract(DurabilityContract, UpkeepContract, ABC):
    """The laws of beginning, ending, grouping and isolating."""

    # -- transactions ------------------------------------------------------------------------

    def test_what_a_failed_transaction_wrote_is_gone(self) -> None:
        """An exception inside a transaction undoes everything in it."""
        storage = self.empty()
        with storage.transaction("before") as session:
            session.add(a_request(sent_count=1))
            session.add(a_message())

        with pytest.raises(ZeroDivisionError), storage.transaction("fails") as session:
            session.add(a_request("other"))
            session.increase(MessageRequest, "request", {"sent_count": 5}, NOW)
            session.update(Message, ("state",), ("seq",), [("SENT", 1)])
            session.remember("scope", [1, 2])
            session.number(10)
            raise ZeroDivisionError

        with storage.transaction("after") as session:
            assert session.get(MessageRequest, "other") is None
            assert session.find(Query(MessageRequest)) == [a_request(sent_count=1)]
            assert session.get(Message, "message-1") == a_message()
            assert session.remember("scope", [1, 2]) == {1, 2}

    def test_a_failed_transaction_of_a_group_undoes_only_itself(self) -> None:
        """Calls that are made durable together stay transactions of their own."""
        storage = self.empty()
        with storage.together():
            with storage.transaction("first") as session:
                session.add(a_request("one"))
            with pytest.raises(Duplicate), storage.transaction("second") as session:
                session.add(a_request("two"))
                session.add(a_request("one"))
            with storage.transaction("third") as session:
                assert session.get(MessageRequest, "two") is None
                session.add(a_request("three"))

        with storage.snapshot() as session:
            assert [one.id for one in session.find(Query(MessageRequest))] == ["one", "three"]

    def test_what_a_group_wrote_is_there_after_it(self) -> None:
        """Each call sees the earlier ones, and so does whoever comes after the commit."""
        storage = self.empty()
        with storage.together():
            with storage.transaction("first") as session:
                session.add(a_request("one"))
            with storage.snapshot() as session:
                assert session.get(MessageRequest, "one") is not None
        with storage.transaction("after") as session:
            session.add(a_request("two"))

        with storage.snapshot() as session:
            assert session.count(Query(MessageRequest)) == 2

    def test_a_group_that_is_left_by_an_exception_is_gone(self) -> None:
        """None of its calls has happened, whatever they returned."""
        storage = self.empty()
        with pytest.raises(ZeroDivisionError), storage.together():
            with storage.transaction("first") as session:
                session.add(a_request("one"))
            raise ZeroDivisionError

        with storage.transaction("after") as session:
            assert session.get(MessageRequest, "one") is None
            session.add(a_request("one"))

    def test_a_group_is_not_begun_inside_a_transaction(self) -> None:
        """That would make a commit of half a transaction."""
        storage = self.empty()
        with (
            storage.transaction("outer"),
            pytest.raises(BrokenInvariant),
            storage.together(),
        ):
            pass

    def test_a_transaction_sees_what_was_committed_before_it(self) -> None:
        """What one transaction wrote, the next one reads."""
        storage = self.empty()
        with storage.transaction("first") as session:
            session.add(a_request())

        with storage.transaction("second") as session:
            assert session.get(MessageRequest, "request") == a_request()

    def test_a_transaction_inside_a_transaction_is_refused(self) -> None:
        """The one invariant: a call made inside another call is an error of its own."""
        storage = self.empty()

        with storage.transaction("outer"), pytest.raises(BrokenInvariant):
            with storage.transaction("inner"):
                pass

    def test_a_snapshot_sees_one_moment(self) -> None:
        """What another thread commits meanwhile is not in it; who must wait for that, waits."""
        storage = self.empty()
        with storage.transaction("before") as session:
            session.add(a_request())

        def write() -> None:
            with storage.transaction("meanwhile") as session:
                session.add(a_request("other"))

        writer = Thread(target=write)
        with storage.snapshot() as session:
            assert session.count(Query(MessageRequest)) == 1
            writer.start()
            writer.join(_A_MOMENT)
            assert session.find(Query(MessageRequest)) == [a_request()]
        writer.join()
        with storage.snapshot() as session:
            assert session.count(Query(MessageRequest)) == 2

    def test_nobody_reads_what_is_not_committed(self) -> None:
        """Neither before the commit nor if there is none."""
        storage, seen = self.empty(), list[int]()

        def read() -> None:
            with storage.snapshot() as session:
                seen.append(session.count(Query(MessageRequest)))

        reader = Thread(target=read)
        with pytest.raises(ZeroDivisionError), storage.transaction("fails") as session:
            session.add(a_request())
            reader.start()
            reader.join(_A_MOMENT)
            raise ZeroDivisionError
        reader.join()

        assert seen == [0]
