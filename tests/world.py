"""A small world to test in: an engine on a simulated clock with a simulated carrier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scg_adapters.embedded import open_blobs, open_storage
from scg_adapters.events.callback import CallbackEvents
from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import SeededIds, SimulatedClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core import Engine, Message, MessageRequest, Settings
from scg_core.conformance.simulation.checker import recount
from scg_core.kernel.query import Query
from scg_core.ports.events import Parcel
from scg_core.ports.message_transport import MessageTransport


class World:
    """Everything a story needs, built on one storage URL."""

    def __init__(
        self,
        url: str = "memory:",
        behaviour: Behaviour | None = None,
        carrier: MessageTransport | None = None,
        settings: Settings | None = None,
        ports: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.clock = SimulatedClock()
        self.carrier = LoopbackCarrier(behaviour=behaviour, **options)
        self.storage = open_storage(url)
        self.ids = SeededIds()
        self.blobs = open_blobs(url)
        self.settings = settings
        self.told: list[Parcel] = []
        self.ports = dict(ports or {})
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
            patterns=PosixPatterns(),
            settings=self.settings,
            **{"blobs": self.blobs, "events": CallbackEvents(self.told.append), **self.ports},
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
        recount(self.storage)


def numbers(count: int, start: int = 0) -> list[str]:
    """That many different numbers."""
    return [f"+1415{2_000_000 + start + number}" for number in range(count)]
