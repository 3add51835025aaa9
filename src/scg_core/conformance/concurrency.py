"""What every ``Storage`` must do when two write at once; part of ``StorageContract``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from scg_core.conformance.samples import LANE, NOW, a_request, a_run
from scg_core.kernel.errors import Duplicate, ScgError, StaleData
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query
from scg_core.kernel.resource import evolve
from scg_core.messaging.model import MessageRequest
from scg_core.ports.storage import Session, Storage, Work

_A_MOMENT = 0.05
"""Seconds in which another thread gets as far as it can."""
_TRIES = 200
_UNTIL = later(NOW, 60_000)


class ConcurrencyContract(ABC):
    """The laws of two writers: it may let them wait, refuse one for now, or let one win."""

    @abstractmethod
    def empty(self) -> Storage:
        """A new storage with nothing in it."""

    def of_both(self, storage: Storage, act: Callable[[Session], Any]) -> list[Any]:
        """What two threads get whose transactions overlap as far as the storage lets them.

        What may be tried again is; another error of the engine is what that thread gets.
        """
        begun, second_did, first_done = Event(), Event(), Event()
        got: list[Any] = []

        def first(session: Session) -> Any:
            found = act(session)
            begun.set()
            second_did.wait(_A_MOMENT)
            return found

        def second(session: Session) -> Any:
            found = act(session)
            second_did.set()
            first_done.wait(_A_MOMENT)
            return found

        def one() -> None:
            got.append(_persistent(storage, first))
            begun.set()
            first_done.set()

        def other() -> None:
            begun.wait(5)
            got.append(_persistent(storage, second))

        threads = [Thread(target=one), Thread(target=other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return got

    def test_of_two_writers_one_gets_the_work(self) -> None:
        """And a lease that one holds is not given to the other."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW))
        got = self.of_both(storage, lambda session: session.claim(["prepare"], NOW, _UNTIL))

        assert sorted(one is None for one in got) == [False, True], got

    def test_of_two_writers_one_gets_the_runs(self) -> None:
        """No number is in the hands of both."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id, 1, 10)])

        def claim(session: Session) -> list[int]:
            lane = session.next_lane({LANE.connector}, NOW)
            runs = session.claim_runs(lane, 10, NOW, _UNTIL).runs if lane is not None else ()
            return [number for run in runs for number in range(run.first, run.last + 1)]

        got = self.of_both(storage, claim)
        assert sorted(number for some in got for number in some) == list(range(1, 11)), got

    def test_two_writers_are_given_different_numbers(self) -> None:
        """Each in a row."""
        got = self.of_both(self.empty(), lambda session: session.number(5))

        assert abs(got[0] - got[1]) >= 5, got

    def test_of_two_writers_of_a_version_one_is_stale(self) -> None:
        """The other's change stands."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_request())

        after = evolve(a_request(), version_number=2, sent_count=1)
        got = self.of_both(storage, lambda session: session.replace(after))
        with storage.snapshot() as session:
            [held] = session.find(Query(MessageRequest))
        assert sorted(isinstance(one, StaleData) for one in got) == [False, True], got
        assert (held.version_number, held.sent_count) == (2, 1)

    def test_what_two_writers_add_to_a_counter_is_all_counted(self) -> None:
        """Neither overwrites the other."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_request())
        self.of_both(
            storage,
            lambda session: session.increase(MessageRequest, "request", {"sent_count": 3}, NOW),
        )

        with storage.snapshot() as session:
            assert [one.sent_count for one in session.find(Query(MessageRequest))] == [6]

    def test_of_two_writers_of_an_id_one_is_refused(self) -> None:
        """With ``Duplicate``, whoever it is."""
        storage = self.empty()
        got = self.of_both(storage, lambda session: session.add(a_request()))

        assert sorted(isinstance(one, Duplicate) for one in got) == [False, True], got


def _persistent(storage: Storage, act: Callable[[Session], Any]) -> Any:
    """What a transaction gives, or the error that ends it; one that passes is tried again."""
    for _ in range(_TRIES):
        try:
            with storage.transaction("at once") as session:
                return act(session)
        except ScgError as reason:
            if not reason.retry or isinstance(reason, StaleData):
                return reason
    raise AssertionError("a writer was never let in")
