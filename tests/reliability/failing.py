"""A world in which exactly one call of a port fails, and a host that tries again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scg_adapters.storage.schema import KINDS
from scg_adapters.translation.table import TableTranslator
from scg_adapters.transport.loopback import Behaviour
from scg_adapters.voice.simulator import Phone, VoiceSimulator
from scg_core import ContentUnavailable, ScgError, Settings, StorageUnavailable
from scg_core.events.records import EventSequence
from scg_core.kernel.errors import TransportUnavailable
from scg_core.kernel.instant import MINUTE, Instant, later
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import declaration
from scg_core.messaging.model import Message
from scg_core.messaging.records import LoggedReceipt
from scg_core.messaging.rules.status import UNKNOWN_OUTCOME
from scg_core.ports.events import EventsCapabilities, Parcel, Reception, Reply
from scg_core.ports.message_transport import Inbound
from scg_core.ports.storage import Session
from tests.stories.calls import OURS, VoiceWorld

FAILS = {
    "storage": StorageUnavailable,
    "carrier": TransportUnavailable,
    "switch": TransportUnavailable,
    "events": TransportUnavailable,
    "blobs": ContentUnavailable,
}
WORDS = TableTranslator({("en", "es"): {"Hello": "Hola"}})
_ASKED = {
    "carrier": ("submit", "query", "poll"),
    "switch": ("originate", "answer", "hang_up", "place", "remove", "close", "play", "press",
               "look", "poll"),
    "events": ("deliver",),
    "blobs": ("put", "read", "delete"),
}  # fmt: skip
_ID = re.compile(r"[0-9A-Za-z]{22}")
_LATER = ", 1009 the transport cannot be reached"
_SHIFTING = frozenset({
    "version_number", "seq", "sequence", "fence", "stamp", "digest", "transport_id",
    "external_transaction_ids", "chargeable_duration", "arrival",
})  # fmt: skip
"""What ids, instants and the times tried are made into."""


class Count:
    """Counts the calls of all ports; the one whose number is ``fail_at`` fails, once."""

    def __init__(self) -> None:
        self.fail_at = self.calls = 0
        self.by_port: dict[str, int] = {}
        self.failed: str | None = None

    def called(self, port: str) -> None:
        """One more call of a port."""
        self.calls += 1
        self.by_port[port] = self.by_port.get(port, 0) + 1
        if self.calls == self.fail_at:
            self.failed = port
            raise FAILS[port]("told to fail")


class FailingStorage:
    """A storage whose transactions, snapshots, verbs and commits are counted."""

    def __init__(self, inner: Any, count: Count) -> None:
        self.inner, self.count = inner, count

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """The inner transaction; its verbs count as calls."""
        self.count.called("storage")
        with self.inner.transaction(name) as session:
            yield _Asked(session, self.count)  # type: ignore[misc]
            self.count.called("storage")

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """The inner snapshot."""
        self.count.called("storage")
        with self.inner.snapshot() as session:
            yield _Asked(session, self.count)  # type: ignore[misc]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Asked:
    """A session that counts each verb."""

    def __init__(self, session: Session, count: Count) -> None:
        self._session, self._count = session, count

    def __getattr__(self, verb: str) -> Any:
        self._count.called("storage")
        return getattr(self._session, verb)


class FailingPort:
    """Another port; it fails before it has done anything."""

    def __init__(self, port: str, inner: Any, count: Count) -> None:
        self.port, self.inner, self.count = port, inner, count

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in _ASKED[self.port]:
            return found

        def asked(*args: Any, **named: Any) -> Any:
            self.count.called(self.port)
            return found(*args, **named)

        return asked


class Postbox:
    """Takes every event, or refuses as long as it is told to."""

    capabilities = EventsCapabilities()

    def __init__(self) -> None:
        self.taken: dict[tuple[str, str], list[Parcel]] = {}
        self.refuses = False

    def refusal(self, url: str | None) -> str | None:
        """Any place is good."""

    def deliver(self, parcels: Any, now: Instant) -> list[Reply]:
        """Into the box."""
        if self.refuses:
            return [Reply(Reception.REFUSED, "404", "it answered 404") for _ in parcels]
        for one in parcels:
            self.taken.setdefault((one.subscription_id, one.subject), []).append(one)
        return [Reply(Reception.TAKEN) for _ in parcels]

    def close(self) -> None:
        """Nothing to close."""


def until_done(call: Callable[[], Any]) -> Any:
    """What a host does: try again what may be tried again."""
    while True:
        try:
            return call()
        except ScgError as reason:
            assert reason.retry, reason


class Patient:
    """Anything with methods, each called until it is done."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return Patient(found)
        return lambda *args, **named: until_done(lambda: found(*args, **named))


class Stage:
    """A world for a scenario; from ``begin`` on its ports' calls are counted.

    ``behaviour`` is the carrier's; everything it does is certain, so that two runs are alike.
    """

    def __init__(self, url: str, behaviour: Behaviour | None = None) -> None:
        self.count, self.box = Count(), Postbox()
        self.switch = VoiceSimulator()
        self.world = VoiceWorld(
            url, self.switch, {"translator": WORDS}, behaviour=behaviour,
            settings=Settings(link_base="https://go.example/"),
            kinds=frozenset({"SMS", "MMS"}),
        )  # fmt: skip
        world, count = self.world, self.count
        self.storage, self.carrier = world.storage, world.carrier
        world.storage = FailingStorage(world.storage, count)  # type: ignore[assignment]
        world.blobs = FailingPort("blobs", world.blobs, count)  # type: ignore[assignment]
        world.ports["voice"] = {"switch": FailingPort("switch", self.switch, count)}
        world.ports["events"] = FailingPort("events", self.box, count)
        world.engine = world.another_engine(FailingPort("carrier", world.carrier, count))  # type: ignore[arg-type]
        self.engine, self.clock = Patient(world.engine), world.clock
        self.app = Patient(world.engine.application("acme", 1))
        self.operator = Patient(world.engine.operator())
        self.sender, self.number = world.sender.id, world.number.id

    def begin(self, fail_at: int) -> None:
        """Calls are counted from here on."""
        self.count.calls, self.count.by_port, self.count.fail_at = 0, {}, fail_at

    def send(self, *to: str, **fields: Any) -> Any:
        """Ask for a message."""
        given = {"from_": self.sender, "body": "Hello", "to": to, **fields}
        return self.app.message_requests.create(**given)

    def says(self, text: str, handset: str = "+14155550100", **more: Any) -> None:
        """A handset sends a text."""
        self.engine.inbound_arrived("carrier", [
            Inbound(handset, "55512", text, self.clock.now(), **more)
        ])  # fmt: skip

    def phone(self, address: str, **script: Any) -> None:
        """What a phone does."""
        self.switch.phones[address] = Phone(**script)

    def call(self, to: str, **fields: Any) -> Any:
        """Dial a phone."""
        return self.app.calls.create({"from": self.number, "to": to, **fields})

    def call_in(self, caller: str) -> None:
        """A phone calls us."""
        self.switch.call_in(caller, OURS, self.clock.now())

    def wait(self, milliseconds: int) -> None:
        """Let time pass, doing what becomes due."""
        until = later(self.clock.now(), milliseconds)
        self.engine.run_until_idle(until)
        self.clock.wait(until)
        self.engine.run_until_idle(until)

    def idle(self) -> None:
        """Until nothing is left to do, and what was in the hands of the dead is taken up."""
        self.engine.run_until_idle()
        self.wait(5 * MINUTE)

    @property
    def most_often(self) -> int:
        """How often the network took the message that it took most often."""
        return max(Counter(one.attempt_id for one in self.carrier.taken()).values(), default=1)

    def rows(self, *, twice: bool) -> dict[str, list[str]]:
        """Everything that is stored, but for ids, instants, versions and that one was unsure.

        ``twice``: but for what second receipts leave, too.
        """
        kinds = [one for one in KINDS if not (twice and one in (LoggedReceipt, EventSequence))]
        with self.storage.snapshot() as session:
            return {
                declaration(kind).name: sorted(
                    _told(one)
                    for one in session.find(Query(kind)) if not (twice and _is_late(one))
                )
                for kind in kinds
            }  # fmt: skip

    def _of(self, attempt_id: str) -> tuple[str, str]:
        """Whose message an attempt was, and what it said."""
        with self.storage.snapshot() as session:
            [one] = session.find(Query(Message, [eq("id", attempt_id.partition("/")[0])]))
        return one.to_address or "", _ID.sub("*", one.body or "")

    def outside(self) -> dict[str, Any]:
        """What the world outside has seen, each thing once."""
        return {
            "carrier": sorted({self._of(one.attempt_id) for one in self.carrier.taken()}),
            "phones": sorted(self.switch.dialled),
            "events": sorted(
                str([one.type for one in {one.event_id: one for one in parcels}.values()
                     if not _is_late(one)])
                for parcels in self.box.taken.values()
            ),
        }  # fmt: skip


def _is_late(one: Any) -> bool:
    """Whether an event or its parcel tells of a receipt that changed nothing."""
    return bool(getattr(one, "type", None) == "late_receipt")


def _told(one: Any) -> str:
    """A resource without what differs between two runs that are alike."""
    parts = {}
    for attribute in declaration(type(one)).attributes:
        value = getattr(one, attribute.name)
        if attribute.name in _SHIFTING:
            continue
        if "Instant" in str(attribute.type):
            value = value is not None
        if attribute.name == "milestones":
            value &= ~UNKNOWN_OUTCOME
        if attribute.name == "failure_details" and value:
            value = value.removesuffix(_LATER)
        parts[attribute.name] = _ID.sub("*", str(value))
    return str(parts)
