"""The seeded scheduler: engine, storage, carrier and several workers in one process, one seed.

At every pause between two port calls the seed decides who runs next, whether somebody's process
ends there, what fails, how the clock jumps, and what a customer asks for in the meantime. In the
end everything is healed and run until nothing waits; then the checker looks at what is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from scg_adapters.embedded import open_storage
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import SeededIds, SimulatedClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core import Engine, ScgError, Settings
from scg_core.events.model import Envelope
from scg_core.kernel.instant import HOUR, later
from scg_core.kernel.query import Query
from scg_core.messaging.model import Message
from scg_core.ports.message_transport import Inbound, OnUnknown
from tests.reliability.checker import check, recount
from tests.reliability.faults import (
    COMMIT_POINTS,
    SUBMISSION_FAULTS,
    Crash,
    FaultyCarrier,
    FaultyStorage,
)
from tests.reliability.listener import Listener, check_told

STEPS = 260
WORKERS = 3
WINDOW = 10
PATIENCE = 3_000


class Simulation:
    """One run of everything, decided by one seed."""

    def __init__(self, seed: int, url: str = "sqlite:///:memory:") -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.clock = SimulatedClock()
        self.storage = FaultyStorage(open_storage(url))
        self.settings = Settings(page=20)
        self.ids = SeededIds(seed)
        inner = LoopbackCarrier(
            seed=seed,
            behaviour=self._behaviour(),
            window=WINDOW,
            splits=self.random.random() < 0.3,
            echoes=self.random.random() < 0.3,
            on_unknown=self.random.choice([OnUnknown.RESEND, OnUnknown.QUERY]),
            deduplicates=self.random.random() < 0.2,
        )
        self.carrier = FaultyCarrier(inner, self.clock.advance)
        self.listener = Listener(seed) if seed % 3 == 1 else None
        self.engine = self.another_engine()
        self.sender = self.engine.operator().add_sender_id("acme", address="55512", country="USA")
        self.opens: int | None = None
        if self.listener is not None:
            self.engine.application("acme", 1).subscriptions.create(topics=["SCG-Message"])
        self._rules(random.Random(f"rules {seed}"))
        self.workers: list[Iterator[str] | None] = [None] * WORKERS
        self.expected: dict[str, set[str]] = {}
        self.heard = 0
        self.crashes = 0
        self.lapsed = 0
        self.in_hand: dict[int, int] = {}
        self.history: list[str] = []

    def run(self) -> str:
        """Everything, then the checks; a digest of what happened."""
        for step in range(STEPS):
            if self.random.random() < 0.12:
                self._arm()
            self.random.choice(
                [self._work, self._work, self._work, self._work, self._ask, self._jump]
            )()
            if step == self.opens:
                self._until_answered(lambda _: self.engine.operator().add_credit("acme", 1_000))
            if step % 20 == 0:
                recount(self.storage)
        self._heal()
        check(self)
        self._check_told()
        return blake2b("\n".join(self.history).encode(), digest_size=8).hexdigest()

    def _rules(self, chance: random.Random) -> None:
        """Some seeds have prices, some a class with limits, some a window, some all of it."""
        operator = self.engine.operator()
        if chance.random() < 0.5:
            operator.add_tariff(price=0.01)
            self.opens = chance.choice([None, 0, 20, 100])
        fields: dict[str, object] = {}
        if chance.random() < 0.5:
            fields["country_peak_throughput"] = chance.choice([20, 500])
            fields["country_daily_throughput"] = chance.choice([0, 5_000])
        if chance.random() < 0.3:
            fields["delivery_window"] = {"DEFAULT": {"OTH": ["00:00-11:00", "11:05-24:00"]}}
        if fields:
            operator.put_sender_id_class(id="CLASS", **fields)
            operator.update_sender_id(self.sender.id, class_id="CLASS")

    def _behaviour(self) -> Behaviour:
        draw = self.random.random
        return Behaviour(
            refuse=draw() * 0.1, defer=draw() * 0.2, throttle=draw() * 0.1, pending=draw() * 0.3,
            unknown=draw() * 0.1, unreached=draw() * 0.05,
            undelivered=draw() * 0.2, read=draw() * 0.3,
            double=draw() * 0.3, early=draw() * 0.3, delay=100, spread=20_000,
        )  # fmt: skip

    def another_engine(self) -> Engine:
        """A new process: nothing of the old one is left but storage and carrier."""
        return Engine(
            storage=self.storage,
            transports={"carrier": self.carrier},
            clock=self.clock,
            ids=self.ids,
            places=NumberPlaces(),
            settings=self.settings,
            events=self.listener,
        )

    def _arm(self) -> None:
        if self.random.random() < 0.6:
            self.storage.armed = self.random.choice([*COMMIT_POINTS, "unavailable"])
        else:
            self.carrier.armed = self.random.choice(SUBMISSION_FAULTS)

    def _work(self) -> None:
        """Let one worker go to its next pause."""
        number = self.random.randrange(WORKERS)
        worker = self.workers[number]
        if worker is None:
            pump = self.engine.pump
            worker = self.workers[number] = pump.round(pump.capabilities)
        taken = self.in_hand.pop(number, None)
        if taken is not None and self.clock.now() - taken >= self.settings.lease:
            self.lapsed += 1  # it was away for longer than its lease
        try:
            point = next(worker)
            if point in ("submit", "settle"):
                again = point == "settle" and taken is not None
                self.in_hand[number] = taken if again and taken else self.clock.now()
            self.history.append(f"worker {number} {point} {self.clock.now()}")
        except StopIteration:
            self.workers[number] = None
        except ScgError as reason:
            self.history.append(f"worker {number} {type(reason).__name__}")
            self.workers[number] = None
        except Crash as reason:
            self._crashed(number, str(reason))

    def _crashed(self, number: int, where: str) -> None:
        """One process is gone; another one takes its place."""
        self.crashes += 1
        self.history.append(f"worker {number} crashed {where}")
        self.workers[number] = None
        self.engine = self.another_engine()

    def _jump(self) -> None:
        far = self.random.choice([0, 1, 500, 5_000, 61_000])
        self.clock.advance(far)
        self.history.append(f"clock +{far}")

    def _ask(self) -> None:
        """A customer asks for something; a call that failed is not repeated unless it is keyed."""
        app = self.engine.application("acme", 1)
        ask = self.random.choice(
            [
                self._send,
                self._send,
                self._cancel,
                self._delete,
                self._resume,
                self._touch,
                self._hear,
            ]
        )
        try:
            ask(app)
        except ScgError as reason:
            self.history.append(f"{ask.__name__} {type(reason).__name__}")
        except Crash as reason:
            self.crashes += 1
            self.history.append(f"{ask.__name__} crashed {reason}")
            self.engine = self.another_engine()

    def _send(self, app: Any) -> None:
        if len(self.expected) >= 6:
            return
        key = f"request-{len(self.expected)}"
        first = len(self.expected) * 1000
        numbers = [f"+1415{2_000_000 + first + n}" for n in range(self.random.randint(1, 70))]
        fields: dict[str, Any] = {
            "from_": self.sender.id,
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
        message = Inbound(handset, "55512", "hello", self.clock.now(), f"mo-{self.heard}")
        for _ in range(self.random.choice([1, 1, 2])):
            self._until_answered(lambda _: self.engine.inbound_arrived("carrier", [message]))
        self.history.append(f"heard {self.heard}")

    def _until_answered(self, call: Callable[[Any], Any]) -> None:
        """A keyed call is repeated until it answers, whatever crashed in between."""
        while True:
            try:
                call(self.engine.application("acme", 1))
                return
            except (ScgError, Crash) as reason:
                self.crashes += isinstance(reason, Crash)
                if not isinstance(reason, Crash) and not reason.retry:
                    raise

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
        """No more faults: every worker dies, a new one does all that is left."""
        self.storage.armed = self.carrier.armed = None
        if self.listener is not None:
            self.listener.healed = True
        self.crashes += len(self.in_hand)
        self.workers = [None] * WORKERS
        self.engine = self.another_engine()
        app = self.engine.application("acme", 1)
        for request in app.message_requests.find(state="PAUSED"):
            with suppress(ScgError):
                app.message_requests.resume(request.id)
        self._run_until_idle()
        for request in app.message_requests.find(state="PAUSED"):
            app.message_requests.resume(request.id)
        self._run_until_idle()

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

    def _run_until_idle(self) -> None:
        """As the engine's own, but a world that never comes to rest is given up."""
        for _ in range(PATIENCE):
            due = self.engine.run_due()
            if due is None:
                return
            self.clock.wait(due)
        raise AssertionError("it never comes to rest")
