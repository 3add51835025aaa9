"""The seeded scheduler: hosts, storage, carrier, switch and customers in one process, one seed.

At every pause between two port calls the seed decides who runs next, whether somebody's process
ends there, what fails, how the clock jumps, and what a customer asks for in the meantime. In the
end everything is healed and run until nothing waits; then the checker looks at what is left.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Final

from attrs import define, field

from scg_core.conformance.simulation.calling import Callers
from scg_core.conformance.simulation.checker import CLOSED, check, recount
from scg_core.conformance.simulation.faults import (
    STORAGE_FAULTS,
    SUBMISSION_FAULTS,
    SWITCH_FAULTS,
    Crash,
    FaultyCarrier,
    FaultyStorage,
)
from scg_core.conformance.simulation.listener import Listener, check_told
from scg_core.conformance.simulation.parts import Parts
from scg_core.engine import Engine
from scg_core.events.model import Envelope
from scg_core.kernel.errors import BrokenInvariant, ScgError
from scg_core.kernel.instant import HOUR, Instant, later
from scg_core.kernel.query import Query
from scg_core.messaging.model import Message
from scg_core.messaging.settings import Settings
from scg_core.ports.message_transport import Inbound

STEPS: Final = 150
HOSTS: Final = 2
WORKERS: Final = 2
"""Of each host."""
PATIENCE: Final = 4_000


@define
class Worker:
    """A thread of a host: where its round stands, since when it holds a window, what it sent."""

    round: Generator[str, None, Any] | None = None
    taken: Instant | None = None
    sent: list[str] = field(factory=list)
    judged: Instant | None = None
    submits: bool = False


@define
class Host:
    """A process that embeds the engine; when it ends, its workers are gone with it."""

    engine: Engine
    workers: list[Worker] = field(factory=lambda: [Worker() for _ in range(WORKERS)])


class Simulation:
    """One run of everything, decided by one seed; ``parts`` are what it is built of.

    ``run`` raises AssertionError if a law was broken, and gives a digest of the history. After it,
    ``coverage`` says what was met on the way.
    """

    def __init__(self, seed: int, parts: Parts) -> None:
        self.seed = seed
        self.parts = parts
        self.random = random.Random(seed)
        self.clock = parts.clock()
        self.storage = FaultyStorage(parts.storage(), self.clock.advance)
        self.settings = Settings(page=20)
        self.ids = parts.ids(seed)
        self.places = parts.places()
        self.patterns = parts.patterns()
        self.carrier = FaultyCarrier(parts.carrier(self.random), self.clock.advance)
        self.listener = Listener(seed) if seed % 3 == 1 else None
        with_voice = parts.switch is not None and seed % 4 in (0, 3)
        self.callers = Callers(self, parts.switch) if with_voice and parts.switch else None
        self.hosts = [Host(self.another_engine()) for _ in range(HOSTS)]
        operator = self.engine.operator()
        self.sender = operator.add_sender_id("acme", address="55512", country="USA")
        self.opens: int | None = None
        self.peak: int | None = None
        self.windowed = False
        if self.listener is not None:
            self.engine.application("acme", 1).subscriptions.create(topics=["SCG-Message"])
        self._rules(random.Random(f"rules {seed}"))
        if self.callers is not None:
            self.callers.begin()
        self.expected: dict[str, set[str]] = {}
        self.said: dict[str, list[tuple[Instant, str]]] = {}
        self.heard = 0
        self.ended = 0
        self.lapsed = 0
        self.history: list[str] = []
        self.coverage: Counter[str] = Counter()

    @property
    def engine(self) -> Engine:
        """The engine of the host that was begun last."""
        return self.hosts[-1].engine

    def run(self) -> str:
        """Everything, then the checks; a digest of what happened.

        Raises:
            AssertionError: a promise was broken.
            BrokenInvariant: Python runs without assertions (``-O``), of which the checks are made.
        """
        if not __debug__:
            raise BrokenInvariant("without assertions (python -O) nothing is checked")
        for step in range(STEPS):
            if self.random.random() < 0.12:
                self._arm()
            work = [self._work] * 4
            self.random.choice([*work, self._ask, self._jump])()
            if step == self.opens:
                self._until_answered(lambda _: self.engine.operator().add_credit("acme", 1_000))
            if step % 30 == 0:
                recount(self.storage)
        self._heal()
        if self.parts.reopen is not None:
            left = self.storage.inner
            self.storage.inner = self.parts.reopen(left)
            left.close()
        try:
            check(self)
            self._check_told()
        finally:
            self._cover()
        return blake2b("\n".join(self.history).encode(), digest_size=8).hexdigest()

    def _rules(self, chance: random.Random) -> None:
        """Some seeds have prices, some a class with limits, some a window, some all of it."""
        operator = self.engine.operator()
        if chance.random() < 0.5:
            operator.add_tariff(price=0.01)
            operator.add_tariff(kind="CALL", price=0.01)
            self.opens = chance.choice([None, 0, 20, 100])
        fields: dict[str, object] = {}
        if chance.random() < 0.5:
            fields["country_peak_throughput"] = self.peak = chance.choice([10, 20, 500])
            fields["country_daily_throughput"] = chance.choice([0, 5_000])
        if chance.random() < 0.4:
            self.windowed = True
            open_ = [f"00:00-{CLOSED[0]}", f"{CLOSED[1]}-24:00"]
            fields["delivery_window"] = {"DEFAULT": {"OTH": open_}}
        if fields:
            operator.put_sender_id_class(id="CLASS", **fields)
            operator.update_sender_id(self.sender.id, class_id="CLASS")

    def another_engine(self) -> Engine:
        """A new process: nothing of the old one is left but storage, carrier and switch."""
        voice = {} if self.callers is None else {"switch": self.callers.switch}
        return Engine(
            storage=self.storage,
            transports={"carrier": self.carrier},
            clock=self.clock,
            ids=self.ids,
            places=self.places,
            patterns=self.patterns,
            settings=self.settings,
            events=self.listener,
            voice=voice,
        )

    def _arm(self) -> None:
        dice = self.random.random()
        if dice < 0.55:
            self.storage.armed = self.random.choice(STORAGE_FAULTS)
        elif dice < 0.9 or self.callers is None:
            self.carrier.armed = self.random.choice(SUBMISSION_FAULTS)
        else:
            self.callers.switch.armed = self.random.choice(SWITCH_FAULTS)

    def _work(self) -> None:
        """Let one worker go to its next pause."""
        host = self.random.choice(self.hosts)
        number = self.random.randrange(WORKERS)
        worker = host.workers[number]
        if worker.round is None:
            pump = host.engine.pump
            worker = host.workers[number] = Worker(pump.round(pump.capabilities))
        taken, worker.taken = worker.taken, None
        begun, handed = self.clock.now(), len(self.carrier.handed)
        lapsed = taken is not None and begun - taken >= self.settings.lease
        self.lapsed += lapsed  # it was away for longer than its lease
        self.carrier.judged_at = worker.judged if worker.submits else None
        settles, worker.submits = bool(worker.sent), False
        try:
            assert worker.round is not None
            point = next(worker.round)
            if point in ("submit", "settle"):
                worker.taken = taken if point == "settle" and taken else begun
                worker.judged, worker.submits = begun, point == "submit"
            self.history.append(f"worker {number} {point} {self.clock.now()}")
            if settles and not lapsed:
                worker.sent.clear()
        except StopIteration:
            worker.round = None
            if settles and not lapsed:
                worker.sent.clear()
        except ScgError as reason:
            self.history.append(f"worker {number} {type(reason).__name__}")
            worker.round = None
            lapsed = True
        except Crash as reason:
            self.history.append(f"worker {number} crashed {reason}")
            self._crashed(host)
        worker.sent += [one.id for one, _ in self.carrier.handed[handed:]]
        if lapsed:
            self._forgotten(worker)
        self.carrier.judged_at = None

    def _forgotten(self, worker: Worker) -> None:
        """What it sent and had no answer written down of may be sent once more."""
        self.carrier.doubtful.update(worker.sent)
        worker.sent.clear()

    def _crashed(self, host: Host) -> None:
        """A host is gone, whatever its workers were doing; another one takes its place."""
        self.ended += 1
        for worker in host.workers:
            self._forgotten(worker)
        self.hosts.remove(host)
        self.hosts.append(Host(self.another_engine()))

    def _jump(self) -> None:
        far = self.random.choice([0, 1, 500, 5_000, 61_000])
        self.clock.advance(far)
        self.history.append(f"clock +{far}")

    def _ask(self) -> None:
        """A customer asks for something; a call that failed is not repeated unless it is keyed."""
        app = self.engine.application("acme", 1)
        wishes: list[Callable[[Any], None]] = [
            self._send, self._send, self._cancel, self._delete, self._resume, self._touch,
            self._hear,
        ]  # fmt: skip
        ask = self.random.choice(wishes)
        if self.callers is not None and self.random.random() < 0.5:
            ask = self.callers.ask
        try:
            ask(app)
        except ScgError as reason:
            self.history.append(f"{ask.__name__} {type(reason).__name__}")
        except Crash as reason:
            self.history.append(f"{ask.__name__} crashed {reason}")
            self._crashed(self.hosts[-1])

    def _send(self, app: Any) -> None:
        if len(self.expected) >= 5:
            return
        key = f"request-{len(self.expected)}"
        first = len(self.expected) * 1000
        numbers = [f"+1415{2_000_000 + first + n}" for n in range(self.random.randint(1, 25))]
        fields: dict[str, Any] = {
            "from_": self.sender.id,
            "consent_requirement": "OPT_OUT",
            "body": "x" * self.random.choice([9, 400]),
        }
        if self.random.random() < 0.3:
            fields["scheduled_delivery_time"] = later(
                self.clock.now(), self.random.randint(1, HOUR)
            )
        if self.random.random() < 0.2:
            fields["pause_before_transmit"] = True
        self.expected[key] = set(numbers)
        self._until_answered(
            lambda app: app.message_requests.create(idempotency_key=key, to=numbers, **fields)
        )
        self.history.append(f"sent {key} {len(numbers)}")

    def _hear(self, app: Any) -> None:
        """A handset writes; the transport brings it until it is taken, sometimes again after."""
        self.heard += 1
        handset = f"+1415{self.random.randint(2_000_000, 2_000_050)}"
        text = self.random.choice(["hello", "hello", "STOP", "START"])
        message = Inbound(handset, "55512", text, self.clock.now(), f"mo-{self.heard}")
        for _ in range(self.random.choice([1, 1, 2])):
            self._until_answered(lambda _: self.engine.inbound_arrived("carrier", [message]))
        self.said.setdefault(handset, []).append((self.clock.now(), text))
        self.history.append(f"heard {self.heard} {text}")

    def _until_answered(self, call: Callable[[Any], Any]) -> None:
        """A keyed call is repeated until it answers, whatever crashed in between."""
        for _ in range(PATIENCE):
            try:
                call(self.engine.application("acme", 1))
                return
            except (ScgError, Crash) as reason:
                if isinstance(reason, Crash):
                    self._crashed(self.hosts[-1])
                if not isinstance(reason, Crash) and not reason.retry:
                    raise
        raise AssertionError("it never answers")

    def _some(self, found: list[Any]) -> Any:
        return self.random.choice(found) if found else None

    def _cancel(self, app: Any) -> None:
        request = self._some(app.message_requests.find())
        if request is not None and self.random.random() < 0.3:
            app.message_requests.cancel(request.id)
            self.history.append("canceled")

    def _delete(self, app: Any) -> None:
        request = self._some(app.message_requests.find())
        if request is not None and self.random.random() < 0.2:
            app.message_requests.delete(request.id)
            self.history.append("deleted")

    def _resume(self, app: Any) -> None:
        request = self._some(app.message_requests.find(state="PAUSED"))
        if request is not None:
            app.message_requests.resume(request.id)
            self.history.append("resumed")

    def _touch(self, app: Any) -> None:
        message = self._some(app.messages.find(limit=50))
        if message is None:
            return
        state = self.random.choice(["CONVERTED", "DELETED"])
        app.messages.update(message.id, state=state)
        self.history.append(f"{message.state.value} {state}")

    def _heal(self) -> None:
        """No more faults: every host ends, a new one does all that is left."""
        self.storage.armed = self.carrier.armed = None
        if self.listener is not None:
            self.listener.healed = True
        for host in list(self.hosts):
            self._crashed(host)
        if self.callers is not None:
            self.callers.heal()
        app = self.engine.application("acme", 1)
        for request in app.message_requests.find(state="PAUSED"):
            with suppress(ScgError):
                app.message_requests.resume(request.id)
        self._run_until_idle()
        for request in app.message_requests.find(state="PAUSED"):
            app.message_requests.resume(request.id)
        self._run_until_idle()

    def _cover(self) -> None:
        """Note what was met."""
        for (name, point), times in self.storage.visited.items():
            self.coverage[f"{point} of {name}"] += times
        self.coverage.update(self.carrier.visited)
        with self.storage.snapshot() as session:
            for state, count in session.census(Message, "state").items():
                self.coverage[f"messages {state}"] += count
        self.coverage["messages handed over"] += len(self.carrier.handed)
        self.coverage["messages from handsets"] += self.heard
        self.coverage["processes that ended"] += self.ended
        self.coverage["leases that lapsed"] += self.lapsed
        if self.callers is not None:
            self.coverage.update(self.callers.coverage())

    def _check_told(self) -> None:
        """Who listened heard everything; what it had refused it gets when it asks again."""
        if self.listener is None:
            return
        app = self.engine.application("acme", 1)
        for one in app.subscriptions.find():
            app.subscriptions.replay_failed(one.id)
        self._run_until_idle()
        with self.storage.snapshot() as session:
            messages = session.find(Query(Message))
            states = session.census(Envelope, "state")
        assert set(states) <= {"SUCCESS"}, states
        check_told(self.listener.arrivals, messages)

    def wait(self, milliseconds: int) -> None:
        """Let time pass, doing what becomes due."""
        until = later(self.clock.now(), milliseconds)
        self._run_until_idle(until)
        self.clock.wait(until)

    def _run_until_idle(self, until: Instant | None = None) -> None:
        """As the engine's own, but a world that never comes to rest is given up."""
        for _ in range(PATIENCE):
            due = self.engine.run_due()
            if due is None or (until is not None and due > until):
                return
            self.clock.wait(due)
        raise AssertionError("it never comes to rest")
