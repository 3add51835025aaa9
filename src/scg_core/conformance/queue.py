"""What every ``Storage`` must do about due work and lanes; part of ``StorageContract``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import pytest
from attrs import evolve

from scg_core.conformance.samples import LANE, NOW, a_run
from scg_core.kernel.errors import LeaseLost
from scg_core.kernel.instant import Instant, later
from scg_core.messaging.model import Claim, LaneKey
from scg_core.ports.storage import Session, Storage, Work
from scg_core.senders.model import Priority

LEASE = 60_000
UNTIL = later(NOW, LEASE)


class QueueContract(ABC):
    """The laws of due work and lanes."""

    @abstractmethod
    def empty(self) -> Storage:
        """A new storage with nothing in it."""

    # -- due work ----------------------------------------------------------------------------

    def test_filed_work_is_claimed_when_due_and_not_before(self) -> None:
        """Work waits for its instant, then the longest due is given first."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "later", later(NOW, 2)))
            session.file(Work("prepare", "first", later(NOW, 1)))
            session.file(Work("other", "not ours", NOW))

            assert session.claim(["prepare"], NOW, UNTIL) is None
            given = [session.claim(["prepare"], later(NOW, 2), UNTIL) for _ in range(3)]

        assert [work and work.key for work in given] == ["first", "later", None]

    def test_work_filed_twice_is_done_once(self) -> None:
        """Of two filings of one kind and key the earlier due instant stands."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", later(NOW, 9)))
            session.file(Work("prepare", "key", NOW))
            session.file(Work("prepare", "key", later(NOW, 5)))
            work = session.claim(["prepare"], NOW, UNTIL)
            assert work is not None
            session.complete(work)

            assert session.claim(["prepare"], UNTIL, UNTIL) is None

    def test_claimed_work_is_not_given_to_a_second_worker(self) -> None:
        """Until the lease runs out the work is the claimer's."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW))
            assert session.claim(["prepare"], NOW, UNTIL) is not None

            assert session.claim(["prepare"], Instant(UNTIL - 1), UNTIL) is None

    def test_work_whose_lease_ran_out_is_claimed_again_with_a_higher_fence(self) -> None:
        """A worker that died leaves its work to the next one."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW, position=3))
            first = session.claim(["prepare"], NOW, UNTIL)
            second = session.claim(["prepare"], UNTIL, later(UNTIL, LEASE))

        assert first is not None and second is not None
        assert (first.position, second.position) == (3, 3)
        assert second.fence > first.fence
        assert second.attempt == first.attempt + 1

    def test_completing_with_an_old_fence_raises_lease_lost(self) -> None:
        """Who lost the lease cannot finish the work of another."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW))
            old = session.claim(["prepare"], NOW, UNTIL)
            new = session.claim(["prepare"], UNTIL, later(UNTIL, LEASE))
        assert old is not None and new is not None

        with pytest.raises(LeaseLost), storage.transaction("old") as session:
            session.complete(old)
        with storage.transaction("new") as session:
            session.complete(new)

    def test_doing_again_with_an_old_fence_raises_lease_lost(self) -> None:
        """Nor can it move the work."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW))
            old = session.claim(["prepare"], NOW, UNTIL)
            session.claim(["prepare"], UNTIL, later(UNTIL, LEASE))
        assert old is not None

        with pytest.raises(LeaseLost), storage.transaction("old") as session:
            session.again(old, NOW, 1)

    def test_work_done_again_keeps_its_position(self) -> None:
        """Work that goes on begins where it says."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW))
            work = session.claim(["prepare"], NOW, UNTIL)
            assert work is not None
            session.again(work, later(NOW, 1), 500)

            assert session.claim(["prepare"], NOW, UNTIL) is None
            on = session.claim(["prepare"], later(NOW, 1), UNTIL)

        assert on is not None
        assert (on.position, on.attempt) == (500, 1)

    def test_work_put_off_waits_and_counts_its_attempts(self) -> None:
        """Work that fails again and again can wait longer each time: its attempts are known."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "key", NOW))
            work = session.claim(["prepare"], NOW, UNTIL)
            assert work is not None
            session.put_off(work, later(NOW, 5))

            assert session.claim(["prepare"], later(NOW, 4), UNTIL) is None
            again = session.claim(["prepare"], later(NOW, 5), UNTIL)

        assert again is not None and again.attempt == 2

    def test_withdrawn_work_is_not_done(self) -> None:
        """Work that is no longer wanted goes; withdrawing what is not there is no error."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("expire", "key", NOW))
            session.withdraw("expire", "key")
            session.withdraw("expire", "key")

            assert session.claim(["expire"], UNTIL, UNTIL) is None

    def test_next_due_is_the_earliest_of_work_and_lanes(self) -> None:
        """The engine sleeps until then; other connectors' lanes and held runs do not count."""
        storage = self.empty()
        with storage.transaction("file") as session:
            assert session.next_due(["carrier"]) is None
            lane = session.lane(LANE).id
            session.queue([a_run(lane, held=True)])
            assert session.next_due(["carrier"]) is None
            session.file(Work("expire", "key", later(NOW, 50)))
            assert session.next_due(["carrier"]) == later(NOW, 50)
            session.queue([a_run(lane, 11, 20, due=later(NOW, 20))])
            assert session.next_due(["carrier"]) == later(NOW, 20)
            assert session.next_due(["other"]) == later(NOW, 50)
            session.wait(lane, later(NOW, 30), "throttled")
            assert session.next_due(["carrier"]) == later(NOW, 30)

    def test_next_due_can_be_asked_of_some_kinds(self) -> None:
        """Who serves not everything does not wake up for what it leaves to others."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("expire", "key", later(NOW, 50)))
            session.file(Work("prepare", "key", later(NOW, 70)))

            assert session.next_due([], ["prepare", "other"]) == later(NOW, 70)
            assert session.next_due([], ["other"]) is None
            assert session.next_due([], []) is None

    def test_work_of_one_key_can_be_claimed(self) -> None:
        """Before other work that is longer due, and only if it is due."""
        storage = self.empty()
        with storage.transaction("file") as session:
            session.file(Work("prepare", "first", NOW))
            session.file(Work("prepare", "second", later(NOW, 1)))
            session.file(Work("expire", "third", NOW))

            assert session.claim(["prepare"], NOW, UNTIL, "second") is None
            assert session.claim(["prepare"], NOW, UNTIL, "third") is None
            work = session.claim(["prepare"], later(NOW, 1), UNTIL, "second")

        assert work is not None and work.key == "second"

    # -- lanes -------------------------------------------------------------------------------

    def test_a_lane_is_made_once(self) -> None:
        """The same key is the same lane."""
        storage = self.empty()
        with storage.transaction("lane") as session:
            one, same = session.lane(LANE), session.lane(LANE)
            other = session.lane(evolve(LANE, country="CAN"))

        assert one == same
        assert one.key == LANE
        assert other.id != one.id

    def test_a_queued_run_is_claimed_when_due(self) -> None:
        """A run waits for its instant."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE)
            session.queue([a_run(lane.id, due=later(NOW, 5))])

            assert _claim(session) is None
            claim = _claim(session, later(NOW, 5))

        assert claim is not None
        assert claim.lane.key == LANE
        assert [(r.first, r.last, r.attempt, r.leased) for r in claim.runs] == [(1, 10, 1, True)]
        assert claim.lapsed == ()

    def test_a_held_run_is_not_claimed(self) -> None:
        """A run waits for its request, too."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id, held=True)])

            assert _claim(session) is None

    def test_a_claim_takes_at_most_the_limit_and_leaves_the_rest(self) -> None:
        """A larger run is split; nothing is lost at the cut."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            session.queue([a_run(lane, 1, 3), a_run(lane, 4, 12)])
            claims = [_claim(session, limit=5) for _ in range(4)]

        spans = [[(run.first, run.last) for run in claim.runs] for claim in claims if claim]
        assert spans == [[(1, 3), (4, 5)], [(6, 10)], [(11, 12)]]

    def test_leased_runs_are_not_given_to_a_second_worker(self) -> None:
        """Until the lease runs out the messages are the claimer's."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id)])
            assert _claim(session) is not None

            assert _claim(session, Instant(UNTIL - 1)) is None

    def test_a_lapsed_lease_is_claimed_again_and_said_so(self) -> None:
        """The next worker learns that the messages may have left already."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id)])
            _claim(session)
            again = _claim(session, UNTIL)

        assert again is not None
        assert again.lapsed == again.runs
        assert again.runs[0].attempt == 2

    def test_pending_attempts_are_counted_until_their_time_runs_out(self) -> None:
        """They fill the window of their own connector."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            session.queue([a_run(lane, 1, 4, leased=True, pending=True, due=later(NOW, 9))])
            session.queue([a_run(lane, 5, 7, leased=True, pending=True, due=later(NOW, 5))])
            session.queue([a_run(lane, 8, 9, leased=True, due=later(NOW, 5))])

            assert session.pending("carrier", NOW) == (7, later(NOW, 5))
            assert session.pending("carrier", later(NOW, 5)) == (4, later(NOW, 9))
            assert session.pending("carrier", later(NOW, 9)) == (0, None)
            assert session.pending("other", NOW) == (0, None)

    def test_the_id_of_a_run_is_never_used_again(self) -> None:
        """A worker that holds an old claim must not take it for another's run."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            (first,) = session.queue([a_run(lane)])
            session.drop([first])
            (second,) = session.queue([a_run(lane)])

        assert second.id != first.id

    def test_finishing_takes_the_runs_out(self) -> None:
        """What is finished is claimed no more, even after the lease."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id)])
            claim = _claim(session)
            assert claim is not None
            session.finish(claim)

            assert _claim(session, UNTIL) is None
            assert session.next_due(["carrier"]) is None

    def test_finishing_after_the_lease_was_taken_over_raises_lease_lost(self) -> None:
        """Who lost the lease cannot settle the messages of another."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id)])
            old = _claim(session)
            new = _claim(session, UNTIL)
        assert old is not None and new is not None

        with pytest.raises(LeaseLost), storage.transaction("old") as session:
            session.finish(old)
        with storage.transaction("new") as session:
            session.finish(new)

    def test_lanes_of_one_priority_take_turns(self) -> None:
        """No lane starves another of the same priority; a higher priority goes first."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            for company, priority in (("a", 1), ("b", 1), ("urgent", 0)):
                key = LaneKey("carrier", "sender", "USA", company, Priority(priority).value)
                session.queue([a_run(session.lane(key).id, 1, 20)])
            order = [claim.lane.key.company_id for _ in range(9) if (claim := _claim(session))]

        assert order[:2] == ["urgent"] * 2
        assert sorted(order[2:4]) == sorted(order[4:6]) == ["a", "b"]

    def test_companies_take_turns_however_many_lanes_they_have(self) -> None:
        """A company that sends to many countries gets no more turns for it."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            for company, country in (
                ("big", "USA"),
                ("big", "CAN"),
                ("big", "MEX"),
                ("one", "USA"),
            ):
                key = LaneKey("carrier", "sender", country, company)
                session.queue([a_run(session.lane(key).id, 1, 90)])
            order = [_claimed(session).lane.key for _ in range(12)]

        assert [key.company_id for key in order].count("one") == 6
        assert {key.country for key in order if key.company_id == "big"} == {"USA", "CAN", "MEX"}

    def test_one_slot_in_twenty_goes_to_lower_priorities(self) -> None:
        """So that the low ones move, however much is urgent."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            for priority in Priority:
                key = LaneKey("carrier", "sender", "USA", "acme", priority.value)
                session.queue([a_run(session.lane(key).id, 1, 1000)])
            order = [_claimed(session).lane.key.priority for _ in range(80)]

        counts = {priority: order.count(priority.value) for priority in Priority}
        assert counts == {Priority.HIGH: 76, Priority.NORMAL: 2, Priority.LOW: 2}

    def test_connectors_take_turns(self) -> None:
        """One connector's queue does not hold up another's."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            for connector in ("a", "b"):
                key = LaneKey(connector, "sender", "USA", "acme")
                session.queue([a_run(session.lane(key).id, 1, 100)])
            claims = [claim_next(session, {"a": 10, "b": 5}, NOW, UNTIL) for _ in range(4)]

        taken = [(one.lane.key.connector, one.runs[0].size) for one in claims if one]
        assert sorted(taken) == [("a", 10), ("a", 10), ("b", 5), ("b", 5)]

    def test_a_waiting_lane_gives_nothing(self) -> None:
        """A lane that rests is left alone until its instant."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            session.queue([a_run(lane)])
            session.wait(lane, later(NOW, 9), "throttled")

            assert _claim(session, later(NOW, 8)) is None
            claim = _claim(session, later(NOW, 9))

        assert claim is not None

    def test_a_woken_lane_gives_again(self) -> None:
        """What it rested for has changed; lanes of other senders rest on."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            for number, key in enumerate([LANE, evolve(LANE, sender_id="other")]):
                lane = session.lane(key).id
                session.queue([a_run(lane, 10 * number + 1)])
                session.wait(lane, later(NOW, 9), "throttled")
            session.wake([LANE.sender_id])

            claim = _claim(session, NOW)
            assert claim is not None and claim.lane.key == LANE
            assert claim.lane.reason is None
            assert _claim(session, NOW) is None

    def test_a_lane_of_another_connector_is_not_claimed(self) -> None:
        """A worker claims only for connectors it holds."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            session.queue([a_run(session.lane(LANE).id)])

            assert session.next_lane({"other"}, NOW) is None

    def test_released_runs_are_claimed(self) -> None:
        """A request lets its held runs go, at one instant or each at its own."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            session.queue([a_run(lane, held=True, due=later(NOW, 3))])
            session.queue([a_run(lane, 21, 30, held=True, request_id="other")])

            assert session.release("request", None) == 1
            assert _claim(session) is None
            mine = _claim(session, later(NOW, 3))
            assert session.release("other", later(NOW, 4)) == 1
            theirs = _claim(session, later(NOW, 4))

        assert mine is not None and [run.first for run in mine.runs] == [1]
        assert theirs is not None and [run.first for run in theirs.runs] == [21]

    def test_the_runs_of_a_request_are_found_unless_leased(self) -> None:
        """To cancel or resume a request its runs are looked up by it."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            session.queue([a_run(lane, 1, 10), a_run(lane, 11, 20, held=True)])
            session.queue([a_run(lane, 21, 30, request_id="other")])
            _claim(session)

            assert [run.first for run in session.runs_of("request", 9)] == [11]
            assert [run.first for run in session.runs_of("request", 9, held=True)] == [11]
            assert session.runs_of("request", 9, held=False) == []
            assert [run.first for run in session.runs_of("other", 9)] == [21]

    def test_a_number_is_found_in_its_run(self) -> None:
        """A message in a run is queued or in flight; one outside of all runs is neither."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            lane = session.lane(LANE).id
            stored = session.queue([a_run(lane, 1, 5), a_run(lane, 8, 9)])

            assert session.runs_at([8, 3, 9, 6, 100]) == stored
            assert session.runs_at([6]) == []

    def test_a_sender_is_queued_while_a_run_of_its_lanes_is_there(self) -> None:
        """Held and leased runs count; another company's lane of the same sender does not."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            stored = session.queue([a_run(session.lane(LANE).id)])

            assert session.queued(LANE.sender_id, LANE.company_id)
            assert not session.queued(LANE.sender_id, "another")
            session.drop(stored)
            assert not session.queued(LANE.sender_id, LANE.company_id)

    def test_dropped_runs_are_gone(self) -> None:
        """A dropped run is neither claimed nor waited for."""
        storage = self.empty()
        with storage.transaction("queue") as session:
            stored = session.queue([a_run(session.lane(LANE).id)])
            session.drop(stored)

            assert _claim(session, UNTIL) is None
            assert session.next_due(["carrier"]) is None


def _claim(session: Session, now: Instant = NOW, limit: int = 10) -> Claim | None:
    return claim_next(session, {"carrier": limit}, now, later(now, LEASE))


def _claimed(session: Session) -> Claim:
    claim = _claim(session)
    assert claim is not None
    return claim


def claim_next(
    session: Session, windows: Mapping[str, int], now: Instant, lease_until: Instant
) -> Claim | None:
    """Lease what the lane whose turn it is gives, at most its connector's window."""
    lane = session.next_lane(windows.keys(), now)
    if lane is None:
        return None
    return session.claim_runs(lane, windows[lane.key.connector], now, lease_until)
