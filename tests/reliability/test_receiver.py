"""A receiver that fails in three of ten deliveries, is silent, gone and killed gets everything.

What it got is read from its own history, which it writes before it answers; nothing of the engine's
is believed but the states that messages ended in.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from scg_adapters.events.webhooks import WebhookEvents
from scg_adapters.transport.loopback import Behaviour
from scg_core.events.model import Envelope
from scg_core.kernel.instant import Instant
from tests.world import World, numbers

SLOW = 0.6
PATIENCE = 0.25


class Process:
    """The receiver as a process that is killed without warning and begun anew on its port."""

    def __init__(self, history: Path) -> None:
        self._history, self._seed, self.kills, self.port = history, 0, 0, 0
        self._running: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._seed += 1
        self._running = subprocess.Popen(
            [sys.executable, "-m", "tests.events.receiver", str(self._history), str(self._seed),
             str(self.port), str(SLOW)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._running.stdout is not None
        self.port = int(self._running.stdout.readline())

    def kill(self) -> None:
        assert self._running is not None and self._running.stdout is not None
        self._running.kill()
        self._running.wait()
        self._running.stdout.close()
        self.kills += 1


def run(tmp_path: Path, messages: int, every: int) -> dict[str, int]:
    """Send, deliver, kill the receiver every so many rounds, replay; what the history says."""
    history = tmp_path / "history"
    receiver = Process(history)
    receiver.start()
    behaviour = Behaviour(delay=50, spread=400, undelivered=0.03, read=0.3, double=0.05)
    events = WebhookEvents(allow=["127.0.0.1"], timeout=PATIENCE, patience=3)
    world = World(f"sqlite:///{tmp_path}/scg.db", behaviour, ports={"events": events})
    subscription = world.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["message_state_change"],
        url=f"http://127.0.0.1:{receiver.port}/events",
    )  # fmt: skip
    for begin in range(0, messages, 5_000):
        world.send(*numbers(min(5_000, messages - begin), start=begin))
    began, rounds = time.monotonic(), 0
    for _ in range(40):
        due: Instant | None = world.clock.now()
        while due is not None:
            rounds += 1
            if rounds % every == 0:
                receiver.kill()
                world.engine.run_due(3)  # nobody listens now
                receiver.start()
            due = world.engine.run_due(10)
            if due is not None:
                world.clock.wait(due)
        if not world.app.envelopes.page(subscription.id, state="FAILED").total:
            break
        world.app.subscriptions.replay_failed(subscription.id)
    receiver.kill()
    events.close()
    found = check(history, world)
    with world.storage.snapshot() as session:
        states = {str(state): many for state, many in session.census(Envelope, "state").items()}
    assert states == {"SUCCESS": found["events"]}
    world.recount()
    return {**found, "kills": receiver.kills, "seconds": round(time.monotonic() - began)}


def check(history: Path, world: World) -> dict[str, int]:
    """Every change, at least once, in order per message, each with one event id."""
    lines = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    first: dict[str, list[int]] = defaultdict(list)
    changes: dict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
    taken: set[str] = set()
    for event_id, message, sequence, status, before, after in lines:
        ids[message, sequence].add(event_id)
        if sequence not in changes[message]:
            first[message].append(sequence)
        changes[message][sequence] = (before, after)
        if status == 200:
            taken.add(event_id)
    assert all(len(some) == 1 for some in ids.values())
    assert len({id for some in ids.values() for id in some}) == len(ids)
    assert all(some == list(range(1, len(some) + 1)) for some in first.values())
    for message in world.messages():
        told = [changes[message.id][n] for n in range(1, len(changes[message.id]) + 1)]
        assert told[0][0] == "CREATED" and told[-1][1] == message.state
        assert all(before[1] == after[0] for before, after in pairwise(told))
    assert {id for some in ids.values() for id in some} == taken
    statuses = Counter(line[3] for line in lines)
    return {
        "messages": len(first),
        "events": len(ids),
        "arrivals": len(lines),
        "refused": sum(many for status, many in statuses.items() if status >= 400),
        "silent": statuses[0],
        "cut off": statuses[-1],
        "gone (410)": statuses[410],
        "too many (429)": statuses[429],
    }


def test_a_bad_receiver_gets_every_change(tmp_path: Path) -> None:
    """The short form: 130 messages, killed now and then."""
    found = run(tmp_path, 130, every=9)

    assert found["messages"] == 130 and found["kills"] >= 2
    assert found["silent"] and found["gone (410)"] and found["too many (429)"]


@pytest.mark.long
def test_a_bad_receiver_gets_every_change_of_ten_thousand(tmp_path: Path) -> None:
    """The campaign, with its counts."""
    found = run(tmp_path, 10_000, every=60)
    print(f"\n{found}")

    assert found["messages"] == 10_000 and found["kills"] >= 10
