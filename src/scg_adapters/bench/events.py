"""What events cost a bulk request: none, another company's subscription, one of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from scg_adapters import bulk
from scg_adapters.bench.pipeline import folder_or_temporary, numbers
from scg_adapters.embedded import open_engine
from scg_adapters.events.callback import CallbackEvents
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier

TURNS = 3


def measure(recipients: int, folder: Path | None = None) -> dict[str, Any]:
    """Messages a second, the best of three turns each; of the last also events a second.

    With a subscription each message is told of twice (SENT, DELIVERED), to a function that counts;
    all of them are delivered before the time is taken.
    """
    found: dict[str, float] = {}
    events = 0
    with folder_or_temporary(folder) as place:
        for turn in range(TURNS):
            for name, listens in (("none", None), ("of_another", "other"), ("own", "bench")):
                where = place / f"{name}-{turn}"
                where.mkdir()
                rate, told = _run(recipients, where, listens)
                found[name] = max(found.get(name, 0), rate)
                events = max(events, told)
    return {
        "recipients": recipients,
        "without_subscription_per_second": found["none"],
        "with_another_companys_per_second": found["of_another"],
        "with_its_own_per_second": found["own"],
        "events_per_second": found["own"] * events / recipients,
        "another_to_none": found["of_another"] / found["none"],
        "own_to_none": found["own"] / found["none"],
    }


def _run(recipients: int, place: Path, listens: str | None) -> tuple[float, int]:
    clock, told = SystemClock(), [0]

    def take(_: object) -> None:
        told[0] += 1

    carrier = LoopbackCarrier(behaviour=Behaviour(delay=1, spread=100), log=place / "carrier")
    engine = open_engine(
        f"sqlite:///{place}/scg.db", {"loopback": carrier}, clock=clock, events=CallbackEvents(take)
    )
    sender = engine.operator().add_sender_id("bench", address="55512", country="USA")
    if listens is not None:
        engine.application(listens, 1).subscriptions.create(topics=["SCG-Message"])
    app = engine.application("bench", 1)
    began = time.perf_counter()
    request = bulk.submit(
        app, bulk.cut(numbers(recipients)), None, lambda _: None, from_=sender.id, body="Hello!"
    )
    bulk.run(engine, app, request.id, clock, lambda _: None)
    engine.run_until_idle()
    return recipients / (time.perf_counter() - began), told[0]
