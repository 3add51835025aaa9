"""The worker: real threads, stopped cleanly."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_adapters.worker import Worker
from scg_core import InvalidField, RequestState, StorageUnavailable
from tests.world import World, numbers


def wait_for(worker: Worker, done: threading.Event) -> None:
    assert done.wait(30)
    assert worker.stop(30)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_worker_does_due_work_until_it_is_stopped(tmp_path: Path, threads: int) -> None:
    """Several threads share the work and send nothing twice."""
    done = threading.Event()

    class Counting(LoopbackCarrier):
        brought = 0

        def _bring(self, now: object) -> None:
            super()._bring(now)  # type: ignore[arg-type]
            if app.message_requests.get(request.id).delivered_count == 400:
                done.set()

    clock = SystemClock()
    carrier = Counting(behaviour=Behaviour(delay=1, spread=5))
    engine = open_engine(f"sqlite:///{tmp_path}/scg.db", {"carrier": carrier}, clock=clock)
    sender = engine.operator().add_sender_id("acme", address="55512", country="USA")
    app = engine.application("acme", 1)
    request = app.message_requests.create(from_=sender.id, to=numbers(400), body="hi")
    worker = Worker(engine, clock, threads=threads)
    worker.start()

    wait_for(worker, done)

    after = app.message_requests.get(request.id)
    assert (after.state, after.sent_count) == (RequestState.COMPLETED, 400)


def test_a_worker_survives_a_storage_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """It logs the fault, without bodies or numbers, and goes on."""
    world = World()
    failures, done = [StorageUnavailable("busy"), RuntimeError("surprise")], threading.Event()
    run_due = world.engine.run_due

    def failing(limit: int = 100, connectors: object = None) -> object:
        if connectors and failures:
            raise failures.pop(0)
        due = run_due(limit, connectors=connectors)  # type: ignore[arg-type]
        if world.states() == ["DELIVERED"]:
            done.set()
        if due is not None and connectors == ("carrier",):
            world.clock.wait(due)
        return due

    world.engine.run_due = failing  # type: ignore[method-assign, assignment]
    world.send("+14155550100", body="secret words")
    worker = Worker(world.engine, world.clock)
    worker.start()
    worker.wake()
    worker.wake()

    wait_for(worker, done)

    assert "put off" in caplog.text and "surprise" in caplog.text
    assert "secret" not in caplog.text and "4155550100" not in caplog.text


def test_a_worker_needs_a_thread() -> None:
    """Zero threads would do nothing for ever."""
    world = World()
    with pytest.raises(InvalidField):
        Worker(world.engine, world.clock, threads=0)


MAIN = """
import sys
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_adapters.worker import Worker
class Carrier(LoopbackCarrier):
    def poll(self, now):
        print("ready", flush=True)
        return super().poll(now)
clock = SystemClock()
engine = open_engine(sys.argv[1], {"carrier": Carrier()}, clock=clock)
Worker(engine, clock).run()
print("clean", flush=True)
"""


def test_sigterm_ends_a_worker_process_cleanly(tmp_path: Path) -> None:
    """The page in hand is finished, and the process ends by itself."""
    child = subprocess.Popen(
        [sys.executable, "-c", MAIN, f"sqlite:///{tmp_path}/scg.db"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    os.kill(child.pid, signal.SIGTERM)
    rest, _ = child.communicate(timeout=30)

    assert rest.endswith("clean\n")
    assert child.returncode == 0


def test_a_slow_connector_holds_up_no_other(tmp_path: Path) -> None:
    """While one transport hangs in a submission, the other's messages are sent and settled."""
    hanging, go_on, done = threading.Event(), threading.Event(), threading.Event()

    class Slow(LoopbackCarrier):
        def submit(self, attempts: object, now: object) -> object:  # type: ignore[override]
            hanging.set()
            go_on.wait(30)
            return super().submit(attempts, now)  # type: ignore[arg-type]

    class Fast(LoopbackCarrier):
        def submit(self, attempts: object, now: object) -> object:  # type: ignore[override]
            answers = super().submit(attempts, now)  # type: ignore[arg-type]
            done.set()
            return answers

    clock = SystemClock()
    engine = open_engine(
        f"sqlite:///{tmp_path}/scg.db", {"slow": Slow(), "fast": Fast()}, clock=clock
    )
    operator, app = engine.operator(), engine.application("acme", 1)
    slow = operator.add_sender_id("acme", address="1", country="USA", type_id="slow")
    fast = operator.add_sender_id("acme", address="2", country="USA", type_id="fast")
    worker = Worker(engine, clock)
    worker.start()
    app.message_requests.create(from_=slow.id, to=numbers(1), body="hi")
    worker.wake()
    assert hanging.wait(30)
    app.message_requests.create(from_=fast.id, to=numbers(1), body="hi")
    worker.wake()

    assert done.wait(30)
    go_on.set()
    assert worker.stop(30)


def test_a_watchdog_warns_when_work_is_due_and_nothing_moves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every attempt to work fails; the log says for how long work has been waiting."""
    world, warned = World(), threading.Event()
    world.send("+14155550100")
    world.clock.advance(90_000)

    def failing(limit: int = 100, connectors: object = None) -> object:
        return world.clock.now() + 60_000

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "nothing moves" in record.getMessage():
                warned.set()

    logging.getLogger("scg_adapters.worker").addHandler(handler := Handler())
    world.engine.run_due = failing  # type: ignore[method-assign, assignment]
    worker = Worker(world.engine, world.clock, stalled_after=0.05)
    worker.start()

    assert warned.wait(30)
    assert worker.stop(30)
    logging.getLogger("scg_adapters.worker").removeHandler(handler)
    assert "work has been due for 90 s" in caplog.text
