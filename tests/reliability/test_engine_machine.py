"""A stateful machine that drives the engine and a small model side by side.

The model knows what was asked and what the carrier took; after every step the books of semantics
1c must balance, counters must not have fallen, and nobody may have got a message that was
withdrawn before it left.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scg_adapters.transport.carrier_log import submissions
from scg_adapters.transport.loopback import Behaviour
from scg_core import Message, MessageRequest, ScgError, Settings
from scg_core.conformance.simulation.checker import COUNTERS, FINISHED, recount
from scg_core.kernel.instant import HOUR, MINUTE, later
from scg_core.ports.message_transport import OnUnknown
from tests.world import World, numbers

RATES = st.sampled_from([0.0, 0.0, 0.2, 0.6])
MOVES = {
    "SUBMITTED": {"ACCEPTED", "CANCELED"},
    "ACCEPTED": {"PREPARING", "REJECTED", "CANCELED"},
    "PREPARING": {"TRANSMITTING", "PAUSED", "COMPLETED", "CANCELED"},
    "PAUSED": {"TRANSMITTING", "COMPLETED", "CANCELED"},
    "TRANSMITTING": {"COMPLETED", "CANCELED"},
    "COMPLETED": {"DELETED"},
    "CANCELED": {"DELETED"},
    "REJECTED": {"DELETED"},
    "DELETED": set(),
}


def reachable(before: str) -> set[str]:
    """The states that a request may be in later."""
    found, frontier = {before}, {before}
    while frontier := {after for state in frontier for after in MOVES[state]} - found:
        found |= frontier
    return found


class EngineMachine(RuleBasedStateMachine):
    """One company, one sender, one carrier that may misbehave."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.asked: dict[str, int] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.states: dict[str, str] = {}
        self.withdrawn: dict[str, int] = {}

    @precondition(lambda self: self.world is None)
    @rule(
        refuse=RATES, defer=RATES, pending=RATES, double=RATES, early=RATES, read=RATES,
        undelivered=RATES, unknown=st.sampled_from([0.0, 0.3]), splits=st.booleans(),
        query=st.booleans(), echoes=st.booleans(),
    )  # fmt: skip
    def begin(self, splits: bool, query: bool, echoes: bool, **rates: float) -> None:
        """Decide what kind of carrier it is."""
        self.world = World(
            "memory:",
            Behaviour(**rates, delay=100, spread=9_000),
            settings=Settings(page=5),
            window=4,
            splits=splits,
            echoes=echoes,
            on_unknown=OnUnknown.QUERY if query else OnUnknown.RESEND,
        )

    @precondition(lambda self: self.world is not None and len(self.asked) < 4)
    @rule(
        size=st.integers(1, 12),
        bad=st.booleans(),
        hours=st.sampled_from([None, None, 1]),
        pause=st.booleans(),
        test=st.sampled_from([False, False, True]),
        long=st.booleans(),
    )
    def send(
        self, size: int, bad: bool, hours: int | None, pause: bool, test: bool, long: bool
    ) -> None:
        """A request of some kind."""
        to = numbers(size, 100 * len(self.asked)) + (["nobody", numbers(1)[0]] if bad else [])
        fields: dict[str, Any] = {"pause_before_transmit": pause, "test_message_flag": test}
        if hours is not None:
            fields["scheduled_delivery_time"] = later(self.the.clock.now(), hours * HOUR)
        request = self.the.send(*to, body="x" * (300 if long else 5), **fields)
        self.asked[request.id] = len(set(to))

    @precondition(lambda self: self.world is not None)
    @rule(pieces=st.integers(1, 5))
    def work(self, pieces: int) -> None:
        """Some due work."""
        self.the.engine.run_due(pieces)

    @precondition(lambda self: self.world is not None)
    @rule(step=st.sampled_from([1, 1_000, 10_000, 2 * MINUTE, HOUR]))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.the.clock.advance(step)

    @precondition(lambda self: bool(self.asked))
    @rule(data=st.data(), state=st.sampled_from(["CANCELED", "TRANSMITTING", "DELETED"]))
    def steer(self, data: st.DataObject, state: str) -> None:
        """Cancel, resume or delete a request; an illegal move is refused and changes nothing."""
        id = data.draw(st.sampled_from(sorted(self.asked)))
        before = self.the.request(id)
        requests = self.the.app.message_requests
        try:
            if state == "DELETED":
                requests.delete(id)
            else:
                requests.update(id, state=state)
        except ScgError:
            assert self.the.request(id) == before

    @precondition(lambda self: bool(self.asked))
    @rule(data=st.data(), state=st.sampled_from(["CONVERTED", "DELETED"]))
    def touch(self, data: st.DataObject, state: str) -> None:
        """Convert or delete a message; one that was still queued never leaves."""
        held = self.the.messages()
        if not held:
            return
        message: Message = data.draw(st.sampled_from(held))
        with self.the.storage.snapshot() as session:
            runs = session.runs_at([message.seq])
        try:
            self.the.app.messages.update(message.id, state=state)
        except ScgError:
            assert self.the.messages()[held.index(message)] == message
            return
        if runs and not runs[0].leased:
            attempt = f"{message.id}/1"
            self.withdrawn.setdefault(attempt, submissions(self.the.carrier.log)[attempt])

    @invariant()
    def the_books_balance(self) -> None:
        """Every counter equals a recount, the queue is exact."""
        if self.world is not None:
            recount(self.world.storage)

    @invariant()
    def counters_never_fall_and_states_move_as_the_table_says(self) -> None:
        """What was counted stays counted, and a request goes only where it may."""
        for id in self.asked:
            request: MessageRequest = self.the.request(id)
            counts = {name: getattr(request, name) for name in COUNTERS}
            for name, before in self.counts.get(id, {}).items():
                assert counts[name] >= before, name
            self.counts[id] = counts
            state = request.state.value
            assert state in reachable(self.states.get(id, state)), state
            self.states[id] = state
            assert request.recipient_count <= self.asked[id]

    @invariant()
    def what_was_withdrawn_does_not_leave(self) -> None:
        """Nor does a message of a test, or one without an address."""
        if self.world is None:
            return
        taken = submissions(self.world.carrier.log)
        for attempt, before in self.withdrawn.items():
            assert taken[attempt] == before
        for message in self.world.messages():
            if message.state == "TEST" or message.failure_code == "INVALID_RECIPIENT":
                assert not taken[f"{message.id}/1"]

    def teardown(self) -> None:
        """Left alone, every request finishes."""
        if self.world is None:
            return
        self.world.engine.run_until_idle()
        for id in self.asked:
            assert self.world.request(id).state.value in FINISHED
            assert self.world.request(id).open_count == 0
        recount(self.world.storage)

    @property
    def the(self) -> World:
        """The world, once there is one."""
        assert self.world is not None
        return self.world


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=200, stateful_step_count=50)
