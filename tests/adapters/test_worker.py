"""The worker: real threads, stopped cleanly."""

from __future__ import annotations

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


class Ticking(SystemClock):
    """The system's clock, and an event that is set when a request is seen to be done."""


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

    def failing(limit: int = 100) -> object:
        if failures:
            raise failures.pop(0)
        due = run_due(limit)
        if world.states() == ["DELIVERED"]:
            done.set()
        if due is not None:
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
clock = SystemClock()
engine = open_engine(sys.argv[1], {"carrier": LoopbackCarrier()}, clock=clock)
print("ready", flush=True)
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

    assert (rest, child.returncode) == ("clean\n", 0)
