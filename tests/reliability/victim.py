"""A process that sends one bulk request and kills itself with SIGKILL at its n-th commit point.

Run by ``test_sigkill``: ``python -m tests.reliability.victim FOLDER NOW KILL_AT``. Time is
simulated from NOW on, so that leases of a killed predecessor have run out without waiting.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scg_adapters import bulk
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import SimulatedClock
from scg_adapters.storage.sqlite import SqliteStorage
from scg_adapters.system import SystemIds
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core import Engine, Settings
from scg_core.kernel.instant import Instant
from scg_core.ports.events import Parcel, Reply
from tests.reliability.listener import FileListener

RECIPIENTS = 130
WINDOW = 20
BEHAVIOUR = Behaviour(refuse=0.05, defer=0.1, pending=0.2, undelivered=0.1, read=0.2, double=0.1,
                      early=0.1, delay=50, spread=500)  # fmt: skip


class Killer:
    """Counts commit points and ends the process at the chosen one."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.passed = 0

    def at(self, point: str) -> None:
        """One more point is reached."""
        self.passed += 1
        if self.passed == self.kill_at:
            sys.stdout.write(f"killed {point}\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)


class Storage:
    """SQLite with a point before and after each commit."""

    def __init__(self, path: Path, killer: Killer) -> None:
        self.inner = SqliteStorage(path)
        self.killer = killer

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        """The inner transaction, with its two points."""
        with self.inner.transaction(name) as session:
            yield session
            self.killer.at(f"before commit of {name}")
        self.killer.at(f"after commit of {name}")

    def snapshot(self) -> Any:
        """Reading has no points."""
        return self.inner.snapshot()


class Carrier(LoopbackCarrier):
    """The carrier, with a point before and after each submission."""

    killer: Killer

    def submit(self, attempts: Sequence[Any], now: Instant) -> list[Any]:
        """The submission, with its two points."""
        self.killer.at("before submit")
        answers = super().submit(attempts, now)
        self.killer.at("after submit")
        return answers


class Heard(FileListener):
    """Who hears of events, with a point before and after each batch."""

    def __init__(self, path: Path, killer: Killer) -> None:
        super().__init__(path)
        self.killer = killer

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        """The batch, with its two points."""
        self.killer.at("before deliver")
        replies = super().deliver(parcels, now)
        self.killer.at("after deliver")
        return replies


def main(folder: Path, now: int, kill_at: int) -> None:
    """Send the request, or go on with it."""
    killer = Killer(kill_at)
    clock = SimulatedClock(Instant(now))
    carrier = Carrier(seed=1, behaviour=BEHAVIOUR, log=folder / "carrier", window=WINDOW)
    carrier.killer = killer
    engine = Engine(
        storage=Storage(folder / "scg.db", killer),  # type: ignore[arg-type]
        transports={"carrier": carrier},
        clock=clock,
        ids=SystemIds(),
        places=NumberPlaces(),
        settings=Settings(page=50),
        events=Heard(folder / "heard", killer),
    )
    app = engine.application("acme", 1)
    if not app.subscriptions.find():
        app.subscriptions.create(topics=["SCG-Message"])
    senders = app.sender_ids.find()
    sender = senders[0] if senders else engine.operator().add_sender_id("acme", address="1")
    numbers = [f"+1415{2_000_000 + n}" for n in range(RECIPIENTS)]
    bulk.submit(app, bulk.cut(numbers, 50), "bulk", lambda _: None, from_=sender.id, body="hello")
    engine.run_until_idle()
    sys.stdout.write(f"done {killer.passed}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
