"""A small world to test in: an engine on a simulated clock with a simulated carrier.

``recount`` checks the books of semantics 1c from the outside: every counter of every request
against its message rows, the balance, and that the queue holds exactly what is open.
"""

from __future__ import annotations

from typing import Any

from scg_adapters.embedded import open_storage
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import SeededIds, SimulatedClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core import Engine, Message, MessageRequest, Settings
from scg_core.kernel.query import Query
from scg_core.messaging.lifecycle import Milestone
from scg_core.messaging.rules.status import TEST_MESSAGE
from scg_core.ports.message_transport import MessageTransport

QUEUED = ("CREATED", "SCHEDULED", "PAUSED")
COUNTERS = {
    "sent_count": Milestone.SENT,
    "delivered_count": Milestone.DELIVERED,
    "read_count": Milestone.READ,
    "converted_count": Milestone.CONVERTED,
    "canceled_count": Milestone.CANCELED,
    "failed_count": Milestone.FAILED,
}


class World:
    """Everything a story needs, built on one storage URL."""

    def __init__(
        self,
        url: str = "memory:",
        behaviour: Behaviour | None = None,
        carrier: MessageTransport | None = None,
        settings: Settings | None = None,
        **options: Any,
    ) -> None:
        self.clock = SimulatedClock()
        self.carrier = LoopbackCarrier(behaviour=behaviour, **options)
        self.storage = open_storage(url)
        self.ids = SeededIds()
        self.settings = settings
        self.engine = self.another_engine(carrier or self.carrier)
        self.sender = self.engine.operator().add_sender_id("acme", address="55512", country="USA")
        self.app = self.engine.application("acme", 1)

    def another_engine(self, carrier: MessageTransport) -> Engine:
        """One more engine on the same storage, as a second process would have."""
        return Engine(
            storage=self.storage,
            transports={"carrier": carrier},
            clock=self.clock,
            ids=self.ids,
            places=NumberPlaces(),
            settings=self.settings,
        )

    def send(self, *to: str, **fields: Any) -> MessageRequest:
        """Ask for a message from the world's sender."""
        values: dict[str, Any] = {"from_": self.sender.id, "body": "hello", "to": to}
        return self.app.message_requests.create(**(values | fields))

    def request(self, id: str) -> MessageRequest:
        """A request as it is stored, deleted or not."""
        with self.storage.snapshot() as session:
            found = session.get(MessageRequest, id)
        assert found is not None
        return found

    def messages(self, request_id: str | None = None) -> list[Message]:
        """All messages, or those of one request, deleted ones included."""
        with self.storage.snapshot() as session:
            found = session.find(Query(Message))
        return [m for m in found if request_id in (None, m.message_request_id)]

    def states(self, request_id: str | None = None) -> list[str]:
        """The states of the messages, in the order they were made."""
        return [message.state.value for message in self.messages(request_id)]

    def recount(self) -> None:
        """Every counter equals a recount, the balance holds, the queue holds what is open."""
        with self.storage.snapshot() as session:
            messages = session.find(Query(Message))
            requests = session.find(Query(MessageRequest))
            runs = {m.seq: session.runs_at([m.seq]) for m in messages}
        for request in requests:
            mine = [m for m in messages if m.message_request_id == request.id]
            assert request.recipient_count == len(mine)
            for counter, bit in COUNTERS.items():
                assert getattr(request, counter) == sum(bool(m.milestones & bit) for m in mine)
            tests = sum(bool(m.milestones & TEST_MESSAGE) for m in mine)
            assert request.test_count == tests
            open_ = sum(self._is_open(m, runs[m.seq]) for m in mine)
            assert request.open_count == open_
        for message in messages:
            if message.state in QUEUED:
                assert len(runs[message.seq]) == 1, message
            else:
                assert all(run.leased for run in runs[message.seq]), message

    @staticmethod
    def _is_open(message: Message, runs: list[Any]) -> bool:
        if message.milestones & Milestone.SENT:
            return False
        return message.state in QUEUED or any(run.leased for run in runs)


def numbers(count: int, start: int = 0) -> list[str]:
    """That many different numbers."""
    return [f"+1415{2_000_000 + start + number}" for number in range(count)]
