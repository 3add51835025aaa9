"""A stateful machine that drives a storage and plain dictionaries side by side.

An adapter joins with one line::

    TestMyStorageByMachine = storage_machine(lambda: MyStorage(...))

A storage that outlives its process says how it is opened again, and is, at any moment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve as changed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scg_core.conformance.queue import claim_next
from scg_core.conformance.samples import LANE, NOW, a_key, a_message, a_request, a_run
from scg_core.kernel.errors import Duplicate, LeaseLost, NotFound, ScgError, StaleData
from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query
from scg_core.kernel.resource import evolve
from scg_core.messaging.model import Claim, Message, MessageRequest
from scg_core.messaging.records import IdempotencyKey
from scg_core.ports.storage import Session, Storage, Work

LEASE = 1_000
IDS = st.sampled_from(["a", "b", "c"])
SEQS = st.integers(1, 5)
STATES = st.sampled_from(["CREATED", "SENT", "DELIVERED"])


class StorageMachine(RuleBasedStateMachine):
    """The model is dictionaries; a failing transaction must leave both as they were."""

    make: Callable[[], Storage]
    again: Callable[[Storage], Storage] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.storage = type(self).make()
        self.left: list[Storage] = []
        self.requests: dict[str, MessageRequest] = {}
        self.messages: dict[int, Message] = {}
        self.keys: dict[str, IdempotencyKey] = {}
        self.work: dict[str, Work] = {}
        self.fences: list[Work] = []
        self.claims: list[Claim] = []
        self.queued: dict[int, Instant] = {}
        self.next_number = 1
        self.now = NOW

    # -- resources ---------------------------------------------------------------------------

    @rule(id=IDS, text=st.text(max_size=5), to=st.lists(st.text(max_size=3), max_size=2))
    def add(self, id: str, text: str, to: list[str]) -> None:
        """A new request, unless the id is known."""
        request = a_request(id, body=text, to=tuple(to))
        lost = Duplicate if id in self.requests else None
        if self._same(lost, lambda session: session.add(request)):
            self.requests[id] = request

    @rule(id=IDS, value=st.sampled_from(["x", "y"]))
    def add_unique(self, id: str, value: str) -> None:
        """A new key, unless its id or its value is taken."""
        key = a_key(id, value=value)
        taken = id in self.keys or value in {one.value for one in self.keys.values()}
        if self._same(Duplicate if taken else None, lambda session: session.add(key)):
            self.keys[id] = key

    @rule(id=IDS, behind=st.integers(-2, 2), count=st.integers(0, 9))
    def replace(self, id: str, behind: int, count: int) -> None:
        """A successor, if its version is the next one."""
        known = self.requests.get(id)
        version = (known.version_number if known else 1) + 1 - behind
        after = evolve(known or a_request(id), version_number=version, sent_count=count)
        lost = NotFound if known is None else StaleData if behind else None
        if self._same(lost, lambda session: session.replace(after)):
            self.requests[id] = after

    @rule(id=IDS, amount=st.integers(0, 5))
    def increase(self, id: str, amount: int) -> None:
        """Counters by delta; an unknown id is no error."""
        amounts = {"sent_count": amount}
        self._same(None, lambda s: s.increase(MessageRequest, id, amounts, self.now))
        if id in self.requests:
            held = self.requests[id]
            count = held.sent_count + amount
            self.requests[id] = evolve(held, sent_count=count, last_updated_date=self.now)

    @rule(id=IDS)
    def remove(self, id: str) -> None:
        """Out it goes, if it is there."""
        held = self.requests.get(id)
        gone = held or a_request(id)
        if self._same(None if held else NotFound, lambda session: session.remove(gone)):
            del self.requests[id]

    @rule(seqs=st.sets(SEQS, min_size=1))
    def insert(self, seqs: set[int]) -> None:
        """A page of messages, all of it or nothing."""
        columns = ("seq", "id", "direction", "state", "application_id", "created_date",
                   "last_updated_date", "company_id")  # fmt: skip
        rows = [
            (seq, f"message-{seq}", "MT", "CREATED", 1, NOW, NOW, "acme") for seq in sorted(seqs)
        ]
        lost = Duplicate if seqs & self.messages.keys() else None
        if self._same(lost, lambda session: session.insert(Message, columns, rows)):
            self.messages.update({seq: a_message(seq) for seq in seqs})

    @rule(seqs=st.lists(SEQS, max_size=4, unique=True), expected=STATES, after=STATES)
    def update(self, seqs: list[int], expected: str, after: str) -> None:
        """A conditional page update; it says how many rows it changed."""
        rows = [(after, seq, expected) for seq in seqs]
        hit = [s for s in seqs if s in self.messages and self.messages[s].state == expected]
        with self.storage.transaction("update") as session:
            assert session.update(Message, ("state",), ("seq", "state"), rows) == len(hit)
        for seq in hit:
            held = self.messages[seq]
            state = type(held.state)(after)
            self.messages[seq] = evolve(held, state=state, version_number=held.version_number + 1)

    @rule(count=st.integers(1, 5))
    def number(self, count: int) -> None:
        """Numbers are never given twice."""
        with self.storage.transaction("number") as session:
            first = session.number(count)
        assert first >= self.next_number
        self.next_number = first + count

    # -- due work ----------------------------------------------------------------------------

    @rule(key=IDS, delay=st.integers(0, 3 * LEASE))
    def file(self, key: str, delay: int) -> None:
        """Of two filings the earlier due stands."""
        due = later(self.now, delay)
        self._same(None, lambda session: session.file(Work("job", key, due)))
        known = self.work.get(key)
        if known is None:
            self.work[key] = Work("job", key, due)
        elif due < known.due:
            self.work[key] = changed(known, due=due)

    @rule()
    def claim(self) -> None:
        """The longest due, with a higher fence."""
        due = [work for work in self.work.values() if work.due <= self.now]
        until = later(self.now, LEASE)
        with self.storage.transaction("claim") as session:
            taken = session.claim(["job"], self.now, until)
        if not due:
            assert taken is None
            return
        held = min(due, key=lambda work: (work.due, work.key))
        wanted = changed(held, due=until, attempt=held.attempt + 1, fence=held.fence + 1)
        assert taken == wanted
        self.work[held.key] = wanted
        self.fences.append(wanted)

    @precondition(lambda self: bool(self.fences))
    @rule(data=st.data(), again=st.booleans())
    def finish(self, data: st.DataObject, again: bool) -> None:
        """Only who holds the newest lease may finish or move the work."""
        mine = data.draw(st.sampled_from(self.fences))
        held = self.work.get(mine.key)
        lost = None if held is not None and held.fence == mine.fence else LeaseLost

        def act(session: Session) -> None:
            if again:
                session.again(mine, self.now, 7)
            else:
                session.complete(mine)

        if self._same(lost, act):
            if again:
                self.work[mine.key] = changed(mine, due=self.now, position=7, attempt=0)
            else:
                del self.work[mine.key]
                self.fences = [one for one in self.fences if one.key != mine.key]

    # -- lanes -------------------------------------------------------------------------------

    @rule(size=st.integers(1, 6), delay=st.integers(0, 2 * LEASE))
    def queue(self, size: int, delay: int) -> None:
        """A run of new numbers."""
        due = later(self.now, delay)
        with self.storage.transaction("queue") as session:
            first = session.number(size)
            session.queue([a_run(session.lane(LANE).id, first, first + size - 1, due=due)])
        assert first >= self.next_number
        self.next_number = first + size
        self.queued.update(dict.fromkeys(range(first, first + size), due))

    @rule(limit=st.integers(1, 5))
    def claim_runs(self, limit: int) -> None:
        """What is due and nobody's, at most the limit, never twice within a lease."""
        until = later(self.now, LEASE)
        with self.storage.transaction("claim_runs") as session:
            claim = claim_next(session, {LANE.connector: limit}, self.now, until)
        due = {number for number, when in self.queued.items() if when <= self.now}
        if claim is None:
            assert not due
            return
        taken = [n for run in claim.runs for n in range(run.first, run.last + 1)]
        assert len(taken) == len(set(taken)) == min(limit, len(due))
        assert due.issuperset(taken)
        self.queued.update(dict.fromkeys(taken, until))
        self.claims.append(claim)

    @precondition(lambda self: bool(self.claims))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """A claim is finished whole, or not at all if any of it was taken over."""
        claim = data.draw(st.sampled_from(self.claims))
        self.claims.remove(claim)
        mine = {n for run in claim.runs for n in range(run.first, run.last + 1)}
        others = {
            n for other in self.claims for run in other.runs for n in range(run.first, run.last + 1)
        }
        try:
            with self.storage.transaction("settle") as session:
                session.finish(claim)
        except LeaseLost:
            assert any(self.queued.get(n) != claim.runs[0].due for n in mine) or mine & others
        else:
            for number in mine:
                del self.queued[number]

    @rule(step=st.sampled_from([0, 1, LEASE, 3 * LEASE]))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.now = later(self.now, step)

    @precondition(lambda self: type(self).again is not None)
    @rule()
    def reopen(self) -> None:
        """Another process opens it; the old one is not closed."""
        again = type(self).again
        assert again is not None
        self.left.append(self.storage)
        self.storage = again(self.storage)

    @rule()
    def fail(self) -> None:
        """A transaction that fails leaves nothing."""
        try:
            with self.storage.transaction("fails") as session:
                session.add(a_request("never"))
                session.number(3)
                session.file(Work("job", "never", self.now))
                session.queue([a_run(session.lane(LANE).id, 2**40, 2**40 + 9)])
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """Both sides agree on everything after every step."""
        with self.storage.snapshot() as session:
            requests = {one.id: one for one in session.find(Query(MessageRequest))}
            messages = {one.seq: one for one in session.find(Query(Message))}
            keys = {one.id: one for one in session.find(Query(IdempotencyKey))}
            due = session.next_due([LANE.connector])
            runs = session.runs_at(sorted(self.queued))
        assert requests == self.requests
        assert messages == self.messages
        assert keys == self.keys
        wanted = [work.due for work in self.work.values()] + list(self.queued.values())
        assert due == min(wanted, default=None)
        held = [n for run in runs for n in range(run.first, run.last + 1)]
        assert sorted(held) == sorted(self.queued)

    def teardown(self) -> None:
        """Let go of the storage."""
        for one in (*self.left, self.storage):
            one.close()

    def _same(self, lost: type[ScgError] | None, act: Callable[[Session], object]) -> bool:
        """Do it; the error must be the expected one. Whether it took place."""
        try:
            with self.storage.transaction("step") as session:
                act(session)
        except ScgError as reason:
            assert lost is not None and isinstance(reason, lost), reason
            return False
        assert lost is None, f"{lost} was expected"
        return True


def storage_machine(
    make: Callable[[], Storage], reopen: Callable[[Storage], Storage] | None = None
) -> Any:
    """A test case that runs the machine on storages from this factory.

    ``reopen`` is for what is durable: the same storage in a new process, the old one not closed.
    """
    given: dict[str, Any] = {"make": staticmethod(make), "again": reopen and staticmethod(reopen)}
    kind: Any = type("Machine", (StorageMachine,), given)
    return kind.TestCase
