"""The front door: everything a host asks of the engine, each call one transaction.

Every call into the engine is one transaction and sends nothing. What must leave is filed as
due work in the same transaction; ``engine.run_due(limit)`` does it and returns when to call
again, or ``None``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from scg_core.kernel.codec import read_integer, read_text
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import DEFAULT_LIMIT, listing
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.settings import Settings
from scg_core.messaging.usecases import messages, requests
from scg_core.messaging.usecases.answers import answers_arrived
from scg_core.messaging.usecases.receipts import receipts_arrived
from scg_core.ports.clock import Clock
from scg_core.ports.ids import Ids
from scg_core.ports.message_transport import LateAnswer, MessageTransport, Receipt
from scg_core.ports.places import Places
from scg_core.ports.storage import Storage
from scg_core.pump import Pump
from scg_core.senders.model import SenderId
from scg_core.senders.usecases import add_sender_id
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

PIECES: Final = 100


class Engine:
    """An embedded communication gateway on the storage, transports and clock it is given.

    ``transports`` maps a gateway's name to what delivers for it. A sender id whose ``type_id``
    is such a name goes out there; any other needs the engine to have a single transport.

    Raises:
        InvalidField: there is no transport, or one with a window below 1.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        transports: Mapping[str, MessageTransport],
        clock: Clock,
        ids: Ids,
        places: Places,
        settings: Settings | None = None,
    ) -> None:
        if not transports:
            raise InvalidField("transports", "must hold at least one transport")
        for name, transport in transports.items():
            read_text("transports", name, most=64)
            read_integer(f"transports[{name}].window", transport.capabilities.window, 1)
        self._storage = storage
        self._transports = dict(transports)
        self._clock = clock
        self._ids = ids
        self.places: Final = places
        self.connectors: Final = tuple(transports)
        self.settings: Final = settings or Settings()
        self.pump: Final = Pump(
            storage, self._transports, places, clock, self.settings, self.transaction
        )
        for connector, transport in self._transports.items():
            transport.connect(connector, self)

    def application(self, company: str, application_id: int) -> Application:
        """A company's application; everything done through it is the company's own.

        Raises:
            InvalidField: the company is empty or the application's id is no positive number.
        """
        read_text("company", company, most=64)
        read_integer("application_id", application_id, 1)
        return Application(self, Caller(company, application_id))

    def operator(self) -> Operator:
        """Who runs the gateway: provisions sender ids for companies."""
        return Operator(self)

    def run_due(
        self, limit: int = PIECES, *, connectors: Collection[str] | None = None
    ) -> Instant | None:
        """Do up to ``limit`` pieces of due work, each a page in transactions of its own.

        With ``connectors`` only these transports are served, so that threads of a worker can each
        hold one and a slow transport holds up nobody else; an empty list serves none and does
        everything but hand-off.

        Returns:
            When to call again: now if there is more, a later instant, or None if nothing waits.
        """
        return self.pump.run_due(read_integer("limit", limit, 1), connectors)

    def overdue(self) -> int:
        """For how many milliseconds the longest due work has been waiting; 0 if none is due.

        Lanes that rest (throttled, sender not active) and work in hand do not count.
        """
        with self.reading() as unit:
            due = unit.session.next_due(self.connectors)
            return 0 if due is None else max(unit.now - due, 0)

    def run_until_idle(self, until: Instant | None = None) -> None:
        """Do due work until none waits, letting the clock run to each next instant.

        For scripts and tests; with ``until``, what is due after it is left.
        """
        due = self.run_due()
        while due is not None and (until is None or due <= until):
            if due > self._clock.now():
                self._clock.wait(due)
            due = self.run_due()

    def answers_arrived(self, connector: str, answers: Sequence[LateAnswer]) -> None:
        """A transport brings answers that were PENDING.

        Raises:
            InvalidField: the engine has no such connector.
        """
        self._known(connector)
        capabilities = self._transports[connector].capabilities
        with self.transaction("answers") as unit:
            answers_arrived(unit, connector, answers, capabilities, self.settings)

    def receipts_arrived(self, connector: str, receipts: Sequence[Receipt]) -> None:
        """A transport brings receipts, in any order, late or doubled.

        Raises:
            InvalidField: the engine has no such connector.
        """
        self._known(connector)
        capabilities = self._transports[connector].capabilities
        with self.transaction("receipts") as unit:
            receipts_arrived(unit, connector, receipts, capabilities, self.settings)

    @contextmanager
    def transaction(self, name: str) -> Iterator[Unit]:
        """One transaction at the clock's present instant."""
        with self._storage.transaction(name) as session:
            yield Unit(session, self._ids, self._clock.now())

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """One moment, to read from."""
        with self._storage.snapshot() as session:
            yield Unit(session, self._ids, self._clock.now())

    def _known(self, connector: str) -> None:
        if connector not in self._transports:
            raise InvalidField("connector", f"there is no transport {connector!r}")


class Application:
    """What one company's application may do."""

    def __init__(self, engine: Engine, caller: Caller) -> None:
        self.message_requests: Final = MessageRequests(engine, caller)
        self.messages: Final = Messages(engine, caller)
        self.sender_ids: Final = SenderIds(engine, caller)


class MessageRequests:
    """A company's message requests."""

    def __init__(self, engine: Engine, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def create(self, *, idempotency_key: str | None = None, **fields: object) -> MessageRequest:
        """Take an order to send ``body`` ``from_`` a sender ``to`` recipients.

        With ``to`` (at most 10,000) it is ACCEPTED and due at once or when scheduled. Without, it
        is SUBMITTED: append recipients in pages, then accept. Nothing is sent by this call. A
        repeated ``idempotency_key`` (kept 24 hours) answers with the first request.

        Raises:
            InvalidField: it names the field and the rule; nothing is stored.
            Duplicate: the key was used for another request.
        """
        with self._engine.transaction("create") as unit:
            return requests.create_request(
                unit, self._caller, fields, idempotency_key,
                self._engine.places, self._engine.connectors, self._engine.settings,
            )  # fmt: skip

    def append_recipients(
        self, request_id: str, recipients: Sequence[str], *, start: int
    ) -> MessageRequest:
        """Add up to 10,000 recipients to a SUBMITTED request, the first at position ``start``.

        Safe to repeat: a page that is known already is ignored.

        Raises:
            InvalidField: the page is empty or too large, leaves a gap or overlaps another.
            IllegalTransition: the request takes no more recipients.
        """
        with self._engine.transaction("append") as unit:
            return requests.append_recipients(
                unit, self._caller, request_id, recipients, start, self._engine.settings
            )

    def accept(self, request_id: str) -> MessageRequest:
        """All recipients are appended: let the request go; accepting twice changes nothing.

        Raises:
            NotFound: the company has no such request.
            InvalidField: it has no recipients.
            IllegalTransition: it was canceled.
        """
        with self._engine.transaction("accept") as unit:
            return requests.accept_request(unit, self._caller, request_id)

    def get(self, request_id: str) -> MessageRequest:
        """The request as it is now.

        Raises:
            NotFound: the company has no such request, or it was deleted.
        """
        with self._engine.reading() as unit:
            return unit.get(MessageRequest, self._caller.company_id, request_id)

    def find(
        self,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **filters: object,
    ) -> list[MessageRequest]:
        """Requests whose fields equal the filters; several values of one mean any of them."""
        with self._engine.reading() as unit:
            return requests.find_requests(unit, self._caller, filters, sort, limit, offset)

    def update(self, request_id: str, **fields: object) -> MessageRequest:
        """Set ``state`` to CANCELED or, to resume, TRANSMITTING.

        Raises:
            NotFound: the company has no such request.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: another state, or a changed attribute.
            IllegalTransition: the request is in no state for it.
        """
        with self._engine.transaction("update") as unit:
            return requests.update_request(unit, self._caller, request_id, fields)

    def cancel(self, request_id: str) -> MessageRequest:
        """Withdraw every message that has not left yet.

        Raises:
            NotFound: the company has no such request.
            IllegalTransition: it is finished already.
        """
        with self._engine.transaction("cancel") as unit:
            return requests.cancel_request(unit, self._caller, request_id)

    def resume(self, request_id: str) -> MessageRequest:
        """Let a PAUSED request's messages go.

        Raises:
            NotFound: the company has no such request.
            IllegalTransition: it is not paused.
        """
        with self._engine.transaction("resume") as unit:
            return requests.resume_request(unit, self._caller, request_id)

    def delete(self, request_id: str) -> None:
        """Delete a request, canceling it first if it is not finished.

        Raises:
            NotFound: the company has no such request, or it is deleted already.
        """
        with self._engine.transaction("delete") as unit:
            requests.delete_request(unit, self._caller, request_id)


class Messages:
    """A company's messages."""

    def __init__(self, engine: Engine, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def get(self, message_id: str) -> Message:
        """The message as it is now.

        Raises:
            NotFound: the company has no such message, or it was deleted.
        """
        with self._engine.reading() as unit:
            return unit.get(Message, self._caller.company_id, message_id)

    def find(
        self,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **filters: object,
    ) -> list[Message]:
        """Messages whose fields equal the filters, for example ``message_request_id``."""
        with self._engine.reading() as unit:
            return messages.find_messages(unit, self._caller, filters, sort, limit, offset)

    def update(self, message_id: str, **fields: object) -> Message:
        """Set ``state`` to CONVERTED, PROCESSED or DELETED.

        Raises:
            NotFound: the company has no such message.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: another state.
            IllegalTransition: the message is in no state for it.
        """
        with self._engine.transaction("update") as unit:
            return messages.update_message(unit, self._caller, message_id, fields)

    def delete(self, message_id: str) -> None:
        """Delete a message; one still queued does not leave.

        Raises:
            NotFound: the company has no such message, or it is deleted already.
        """
        with self._engine.transaction("delete") as unit:
            messages.delete_message(unit, self._caller, message_id)


class SenderIds:
    """The sender ids a company may use."""

    def __init__(self, engine: Engine, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def get(self, sender_id: str) -> SenderId:
        """One of the company's sender ids.

        Raises:
            NotFound: the company has no such sender id.
        """
        with self._engine.reading() as unit:
            return unit.get(SenderId, self._caller.company_id, sender_id)

    def find(
        self,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **filters: object,
    ) -> list[SenderId]:
        """The company's sender ids whose fields equal the filters."""
        with self._engine.reading() as unit:
            query = listing(
                SenderId, self._caller.company_id, filters, sort=sort, limit=limit, offset=offset
            )
            return unit.session.find(query)


class Operator:
    """What only the gateway's operator may do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_sender_id(self, company: str, **fields: object) -> SenderId:
        """Provision a sender id for a company; it is ACTIVE unless another state is given.

        Raises:
            InvalidField: it names the field and the rule.
            Duplicate: the company has this address, type and country already.
        """
        with self._engine.transaction("add_sender_id") as unit:
            return add_sender_id(unit, company, fields)
