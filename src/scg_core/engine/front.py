"""The engine itself: what a host starts, feeds and drives.

Every call into the engine is one transaction and sends nothing. What must leave is filed as
due work in the same transaction; ``engine.run_due(limit)`` does it and returns when to call
again, or ``None``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

from scg_core.attachments.model import AccessToken, Attachment, TokenScope
from scg_core.attachments.usecases.tokens import opened
from scg_core.calling.settings import CallSettings
from scg_core.calling.steps.commanding import LOOK
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.usecases.hearing import calls_heard
from scg_core.consent.steps.keywords import KeywordBook
from scg_core.courier import Courier
from scg_core.engine import content
from scg_core.engine.application import Application
from scg_core.engine.content import opened_attachment
from scg_core.engine.operator import Operator
from scg_core.engine.spoken import SpokenMessages
from scg_core.engine.switches import lines_of, timers
from scg_core.events.model import Envelope
from scg_core.events.records import Outlet
from scg_core.events.settings import EventSettings
from scg_core.kernel.codec import read_integer, read_text
from scg_core.kernel.errors import BrokenInvariant, InvalidField
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, ne
from scg_core.messaging.model import Message
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.usecases.answers import answers_arrived
from scg_core.messaging.usecases.inbound import inbound_arrived
from scg_core.messaging.usecases.links import link_followed, link_target
from scg_core.messaging.usecases.pruning import pruners
from scg_core.messaging.usecases.receipts import receipts_arrived
from scg_core.ports.blobs import Blobs
from scg_core.ports.clock import Clock
from scg_core.ports.events import EVENTS, Events
from scg_core.ports.ids import Ids
from scg_core.ports.limits import Limits
from scg_core.ports.message_transport import File, Inbound, LateAnswer, MessageTransport, Receipt
from scg_core.ports.patterns import Patterns
from scg_core.ports.places import Places
from scg_core.ports.prices import Prices
from scg_core.ports.storage import Backlog, Storage
from scg_core.ports.translator import Translator
from scg_core.ports.voice_transport import VoiceEvent, VoiceTransport
from scg_core.ports.watch import UNWATCHED, Watch
from scg_core.pump import NO_SWITCHES, Pump
from scg_core.senders.steps.limiting import StoredLimits
from scg_core.streaming import Files
from scg_core.switchboard import Switchboard
from scg_core.tenancy.model import OPERATOR, Caller, Identity
from scg_core.tenancy.usecases import authenticate
from scg_core.unit import Unit

PIECES: Final = 100
ROUNDS: Final = 8
"""So often ``attend`` looks for what came of what it did."""

NO_TRANSPORTS: Final[Mapping[str, MessageTransport]] = MappingProxyType({})


class Engine:
    """An embedded communication gateway on the storage, transports and clock it is given.

    ``transports`` maps a gateway's name to what delivers for it. A sender id whose ``type_id``
    is such a name, or whose type's gateway is, goes out there; any other needs the engine to have
    a single transport. ``limits`` are kept in the storage unless a host has its own, ``prices``
    come from the tariffs in the storage unless a host has its own. Without ``patterns`` keywords
    are plain words only, without a ``translator`` requests that ask for a translation are refused,
    without ``blobs`` files have nowhere to lie and are refused. ``voice`` maps names to switches:
    calls, and messages that are spoken, go through the one that their sender id's type names, or
    the only one; without any, calls are refused. Without ``events`` nobody can subscribe to what
    happens. ``watch`` hears how long things take and how often they happen.

    Raises:
        InvalidField: there is neither transport nor switch, two have one name, or one has a window
            below 1.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        transports: Mapping[str, MessageTransport] = NO_TRANSPORTS,
        clock: Clock,
        ids: Ids,
        places: Places,
        settings: Settings | None = None,
        limits: Limits | None = None,
        prices: Prices | None = None,
        patterns: Patterns | None = None,
        translator: Translator | None = None,
        blobs: Blobs | None = None,
        voice: Mapping[str, VoiceTransport] = NO_SWITCHES,
        call_settings: CallSettings | None = None,
        events: Events | None = None,
        event_settings: EventSettings | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        _check_transports(transports, voice, EVENTS if events is not None else None)
        self._storage = storage
        self._together: ContextVar[bool] = ContextVar("together", default=False)
        self._transports = dict(transports)
        self._clock = clock
        self._ids = ids
        self._blobs = blobs
        self._voice = dict(voice)
        self._events = events
        self._watch = watch
        self.event_settings: Final = event_settings or EventSettings()
        self.connectors: Final = (*transports, *voice, *((EVENTS,) if events is not None else ()))
        self.settings: Final = settings or Settings()
        self.exchange: Final = Exchange(
            places, {name: one.capabilities for name, one in voice.items()}, prices,
            call_settings or CallSettings(),
        )  # fmt: skip
        spoken = {name: SpokenMessages(self.transaction, name, self.exchange) for name in voice}
        carriers: dict[str, MessageTransport] = {**transports, **spoken}
        self.sources: Final = Sources(
            places=places,
            connectors={name: one.capabilities.kinds for name, one in carriers.items()},
            settings=self.settings,
            limits=limits or StoredLimits(),
            prices=prices,
            keywords=KeywordBook(patterns),
            translates=translator is not None,
        )
        self.pump: Final = Pump(
            storage, carriers, clock, self.sources, self.transaction, translator,
            None if blobs is None
            else Files(blobs, self.transaction, self.reading, self.new_credential),
            Switchboard(voice, clock, self.transaction, self.exchange) if voice else None,
            voice, timers(self.exchange),
            None if events is None
            else Courier(events, clock, self.transaction, self.event_settings, watch),
            watch,
            pruners(self.settings, self.event_settings.keep_envelopes), self.event_settings,
        )  # fmt: skip
        for connector, transport in self._transports.items():
            transport.connect(connector, self)
        for connector, switch in self._voice.items():
            switch.connect(connector, self)

    def application(
        self, company: str, application_id: int, *, lenient: bool = False
    ) -> Application:
        """A company's application; everything done through it is the company's own.

        ``lenient`` reads values as HTTP clients write them: unknown names and read-only fields
        are ignored, ``"1"`` and ``"true"`` understood.

        Raises:
            InvalidField: the company is empty or the application's id is no positive number.
        """
        if read_text("company", company, most=64) == OPERATOR:
            raise InvalidField("company", "is the operator's own; use operator()")
        read_integer("application_id", application_id, 1)
        return Application(self, Caller(company, application_id, lenient))

    @property
    def blobs(self) -> Blobs:
        """Where contents lie.

        Raises:
            InvalidField: the engine was given no such place.
        """
        if self._blobs is None:
            raise InvalidField("content", "the engine was given no place to keep files (blobs)")
        return self._blobs

    def upload(self, token: str, chunks: Iterable[bytes]) -> Attachment:
        """Put the content of the attachment that an access token opens.

        Raises:
            NotFound: the token opens no attachment, or not any more.
            IllegalTransition: a message carries the attachment already.
            InvalidField: the content is too large (1019); nothing is kept.
            ContentUnavailable: it cannot be kept now.
        """
        return content.upload(self, lambda unit: opened_attachment(unit, token), chunks)

    def attachment_of(self, token: str) -> Attachment:
        """The attachment that an access token opens.

        Raises:
            NotFound: the token opens no attachment, or not any more.
        """
        with self.reading() as unit:
            return opened_attachment(unit, token)

    def download(self, token: str) -> tuple[Attachment, Iterator[bytes]]:
        """The attachment that an access token opens, and its content in chunks.

        Raises:
            NotFound: the token opens no attachment, or not any more; or there is no content.
        """
        return content.download(self, lambda unit: opened_attachment(unit, token))

    def contact_token(self, token: str) -> AccessToken:
        """What an access token of a contact opens: ``resource_id`` is the contact.

        Its holder may read that contact and register its application tokens, nothing else; it is
        for the host to hold them to it.

        Raises:
            NotFound: the token opens no contact, or not any more.
        """
        with self.reading() as unit:
            return opened(unit, read_text("token", token), TokenScope.CONTACT)

    def operator(self) -> Operator:
        """Who runs the gateway: registers companies, provisions what they may use."""
        return Operator(self)

    def new_credential(self) -> str:
        """22 characters that nobody can guess and nobody else gets."""
        return self._ids.credential()

    def authenticate(self, token: str) -> Identity:
        """Whom a bearer token speaks for.

        Raises:
            Unauthorized: it is none of ours, was revoked, or has expired.
        """
        with self.reading() as unit:
            return authenticate(unit, read_text("token", token))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make the calls of this block durable in one commit, for the price of one.

        Each call is still a transaction of its own: one that fails undoes only itself. Nothing is
        durable, and nothing may be answered, before the block is left; if leaving it fails, none
        of the calls has happened.

        Raises:
            StorageUnavailable: the commit failed; nothing of the block is stored.
        """
        with self._storage.together():
            before = self._together.set(True)
            try:
                yield
            finally:
                self._together.reset(before)

    def run_due(
        self, limit: int = PIECES, *, connectors: Collection[str] | None = None
    ) -> Instant | None:
        """Do up to ``limit`` pieces of due work, each a page in transactions of its own.

        With ``connectors`` only these transports are served, so that threads of a worker can each
        hold one and a slow transport holds up nobody else; an empty list serves none and does
        everything but hand-off.

        Returns:
            When to call again: now if there is more, a later instant, or None if nothing waits.

        Raises:
            BrokenInvariant: it is called inside ``together``: what it sends must be durable first.
        """
        if self._together.get():
            raise BrokenInvariant("due work was asked for inside together(): nothing is durable")
        return self.pump.run_due(read_integer("limit", limit, 1), connectors)

    def overdue(self) -> int:
        """For how many milliseconds the longest due work has been waiting; 0 if none is due.

        Lanes that rest (throttled, sender not active) and work in hand do not count.
        """
        due = self.pump.due()
        return 0 if due is None else max(self._clock.now() - due, 0)

    def messages_by_state(self) -> dict[str, int]:
        """How many messages there are in each state, of all companies; for those who watch.

        It looks at every message: at a million of them it takes a noticeable moment.
        """
        with self.reading() as unit:
            return unit.session.census(Message, "state")

    def backlog(self, most: int = 100) -> tuple[Instant, Backlog]:
        """What waits to be done now: due work by kind, and the ``most`` longest due lanes."""
        with self.reading() as unit:
            return unit.now, unit.session.backlog(unit.now, most)

    def silent_receivers(self, most: int = 20) -> list[tuple[str, Instant]]:
        """Subscriptions of which nothing has come back, each with since when, the longest first."""
        query = Query(Outlet, [ne("failing_since", None)], (("failing_since", False),), limit=most)
        with self.reading() as unit:
            return [(id, at) for id, at in unit.session.rows(query, ("id", "failing_since"))]

    def envelopes_by_state(self) -> dict[str, int]:
        """How many envelopes there are in each state, of all companies; for those who watch."""
        with self.reading() as unit:
            return unit.session.census(Envelope, "state")

    def run_until_idle(self, until: Instant | None = None) -> None:
        """Do due work until none waits, letting the clock run to each next instant.

        For scripts and tests; with ``until``, what is due after it is left. Without it, calls that
        go on and events that are to be delivered later (again, or by a throttle) do not keep it
        busy: what recurs is left too.
        """
        due = self.run_due()
        while due is not None and (until is None or due <= until):
            if until is None and due > self._clock.now() and self.pump.only_what_recurs():
                return
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
            answers_arrived(unit, connector, answers, capabilities, self.sources)

    def receipts_arrived(self, connector: str, receipts: Sequence[Receipt]) -> None:
        """A transport brings receipts, in any order, late or doubled.

        Raises:
            InvalidField: the engine has no such connector.
        """
        self._known(connector)
        capabilities = self._transports[connector].capabilities
        with self.transaction("receipts") as unit:
            receipts_arrived(unit, connector, receipts, capabilities, self.settings)

    def inbound_arrived(self, connector: str, messages: Sequence[Inbound]) -> None:
        """A transport brings messages from handsets.

        Each is kept as an MO message of whom it belongs to, heard for keywords and consent, and
        answered if a keyword says so. One that comes again under its external id within seven days
        is not taken again.

        Raises:
            InvalidField: the engine has no such connector, or one of them is no message; none is
                taken.
        """
        self._known(connector)
        contents = content.received(self, messages) if self._blobs is not None else {}
        with self.transaction("inbound") as unit:
            inbound_arrived(unit, connector, messages, self.sources, contents)

    def content_of(self, file: File) -> Iterator[bytes]:
        """The content of a file that an attempt carries, in chunks; for transports.

        Raises:
            NotFound: it was deleted.
        """
        return self.blobs.read(file.key)

    def calls_heard(self, connector: str, events: Sequence[VoiceEvent]) -> None:
        """A switch brings what happened on calls, in any order, late or doubled.

        Raises:
            InvalidField: the engine has no such switch, or one of them is no event; none is taken.
        """
        self._known_switch(connector)
        with self.transaction("calls") as unit:
            calls_heard(unit, connector, events, self.exchange)

    def switch_restored(self, connector: str) -> None:
        """A switch's connection was lost and is back: it is asked at once about calls not over.

        Raises:
            InvalidField: the engine has no such switch.
        """
        self._known_switch(connector)
        with self.transaction("restored") as unit:
            unit.later(LOOK + connector, connector, unit.now)

    def attend(self, id: str) -> None:
        """Do at once what is due on one call, bridge or conference, and hear what comes of it.

        For those who answer a person that waits: with a switch that is quick, the next call of
        the engine sees the result. Whatever is not done by then is done by ``run_due``.

        Raises:
            BrokenInvariant: it is called inside ``together``.
        """
        if self._together.get():
            raise BrokenInvariant("due work was asked for inside together(): nothing is durable")
        for _ in range(ROUNDS):
            with self.reading() as unit:
                lines = lines_of(unit, id)
            moved = [self.pump.attend(connector, line) for connector, line in lines]
            if not any(moved):
                return

    def link_followed(self, token: str) -> str:
        """A person followed a tracked link: its message is CONVERTED, by SCG/URL.

        Returns:
            Where to send them: the address that the message's author gave, and nothing else.

        Raises:
            NotFound: no link has this token.
        """
        with self.transaction("link_followed") as unit:
            return link_followed(unit, read_text("token", token))

    def link_target(self, token: str) -> str:
        """Where a tracked link leads, for who only looks (HEAD requests, previews of links).

        Raises:
            NotFound: no link has this token.
        """
        with self.reading() as unit:
            return link_target(unit, read_text("token", token))

    @property
    def events(self) -> Events:
        """What delivers events.

        Raises:
            InvalidField: the engine was given nothing to do it.
        """
        if self._events is None:
            raise InvalidField(
                "url", "the engine was given nothing to deliver events with (events)"
            )
        return self._events

    @property
    def watch(self) -> Watch:
        """Who hears how long things take and how often they happen."""
        return self._watch

    @contextmanager
    def transaction(self, name: str) -> Iterator[Unit]:
        """One transaction at the clock's present instant."""
        with self._watch.span("transaction", of=name):
            with self._storage.transaction(name) as session:
                unit = Unit(session, self._ids, self._clock.now())
                yield unit
        for (what, *labels), amount in unit.notes.items():
            self._watch.count(what, tuple(labels), amount)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """One moment, to read from."""
        with self._storage.snapshot() as session:
            yield Unit(session, self._ids, self._clock.now())

    def _known_switch(self, connector: str) -> None:
        if not isinstance(connector, str) or connector not in self._voice:
            raise InvalidField("connector", f"there is no switch {connector!r}")

    def _known(self, connector: str) -> None:
        if not isinstance(connector, str) or connector not in self._transports:
            raise InvalidField("connector", f"there is no transport {connector!r}")


def _check_transports(
    transports: Mapping[str, MessageTransport],
    voice: Mapping[str, VoiceTransport],
    taken: str | None,
) -> None:
    if not transports and not voice:
        raise InvalidField("transports", "must hold at least one transport")
    for where, named in (("transports", transports), ("voice", voice)):
        for name, one in named.items():
            read_text(where, name, most=40)
            if name == taken:
                raise InvalidField(where, f"{name!r} stands for the delivery of events")
            if not hasattr(one, "capabilities"):
                raise InvalidField(f"{where}[{name}]", "is no transport")
            read_integer(f"{where}[{name}].window", one.capabilities.window, 1)
            if where == "voice" and name in transports:
                raise InvalidField(where, f"{name!r} is a transport's name already")
