"""What every ``Storage`` must do for those who watch and tidy; part of ``StorageContract``."""

from __future__ import annotations

from abc import ABC

from scg_core.conformance.queue import QueueContract
from scg_core.conformance.samples import LANE, NOW, a_key, a_message, a_run
from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, eq
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import LaneKey, Message
from scg_core.messaging.records import IdempotencyKey
from scg_core.ports.storage import Waiting, Work


class UpkeepContract(QueueContract, ABC):
    """The laws of counting by value, of telling what waits, and of dropping many."""

    def test_discarded_resources_are_gone_and_not_counted(self) -> None:
        """Unknown keys are passed over; what is counted apart is counted down."""
        storage = self.empty()
        with storage.transaction("add") as session:
            for seq in range(1, 6):
                state = MessageState.DELETED if seq == 5 else MessageState.SENT
                session.add(a_message(seq, state=state))
            session.add(a_message(6, company_id="another"))
            session.add(a_key("one"))
            session.add(a_key("two", value="twice"))

            assert session.discard(Message, [1, 5, 99]) == 2
            assert session.discard(Message, []) == 0
            assert session.discard(IdempotencyKey, ["two", "three"]) == 1

        mine = eq("company_id", "acme")
        with storage.snapshot() as session:
            assert [one.seq for one in session.find(Query(Message))] == [2, 3, 4, 6]
            assert session.count(Query(Message, [mine])) == 3
            gone = [mine, eq("state", MessageState.DELETED)]
            assert session.count(Query(Message, gone)) == 0
            assert session.get(Message, "message-1") is None
            assert [one.id for one in session.find(Query(IdempotencyKey))] == ["one"]
        with storage.transaction("again") as session:
            session.add(a_message(1))
            session.add(a_key("two", value="twice"))

    def test_a_census_counts_by_value(self) -> None:
        """All companies together, deleted ones too; a kind without rows has no values."""
        storage = self.empty()
        with storage.transaction("add") as session:
            assert session.census(Message, "state") == {}
            for seq, state in enumerate(("SENT", "SENT", "DELETED", "FAILED"), 1):
                session.add(a_message(seq, state=MessageState(state), company_id=f"c{seq}"))

        with storage.snapshot() as session:
            assert session.census(Message, "state") == {"SENT": 2, "DELETED": 1, "FAILED": 1}
            assert session.census(Message, "type") == {"SMS": 4}

    def test_the_backlog_tells_work_by_kind_and_due_lanes(self) -> None:
        """Held, leased and later runs do not count; a run at the front counts since its making."""
        storage = self.empty()
        other = LaneKey("carrier", "other", "USA", "acme")
        with storage.transaction("file") as session:
            session.file(Work("b", "1", NOW))
            session.file(Work("a", "1", later(NOW, 5)))
            session.file(Work("b", "2", later(NOW, -9)))
            first, second = session.lane(LANE), session.lane(other)
            session.add(a_message(11, created_date=later(NOW, -7)))
            session.queue([a_run(first.id, 1, 3, due=later(NOW, -4)),
                           a_run(first.id, 4, 5, due=later(NOW, 1)),
                           a_run(first.id, 6, 7, held=True),
                           a_run(first.id, 8, 9, leased=True),
                           a_run(second.id, 11, 12, due=Instant(0))])  # fmt: skip

        with storage.snapshot() as session:
            backlog = session.backlog(NOW, 10)
            shortest = session.backlog(NOW, 1)
        assert backlog.work == (
            Waiting("a", 1, 0, later(NOW, 5)),
            Waiting("b", 2, 2, later(NOW, -9)),
        )
        standing = [(one.lane.key, one.due, one.since) for one in backlog.lanes]
        assert standing == [(other, 2, later(NOW, -7)), (LANE, 3, later(NOW, -4))]
        assert [one.lane.key for one in shortest.lanes] == [other]
