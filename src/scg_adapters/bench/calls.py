"""How many calls a second one process takes from dialling to the end, on an SQLite file.

Calls are dialled in pairs, bridged, answered, and hung up: five engine calls a pair, and what the
switch tells. A conference shows what a hold of everybody costs in one transaction.
"""

from __future__ import annotations

import tempfile
import time
from typing import Any, Final

from scg_adapters.embedded import open_engine
from scg_adapters.simulated import SimulatedClock
from scg_adapters.system import SystemIds
from scg_adapters.voice.simulator import VoiceSimulator
from scg_core.engine import Application, Engine
from scg_core.kernel.instant import Instant

_MEMBERS: Final = 100


def measure(calls: int) -> dict[str, Any]:
    """Calls a second over their whole life, and milliseconds of the engine's calls."""
    with tempfile.TemporaryDirectory(prefix="scg-bench-") as folder:
        clock, switch = SimulatedClock(), VoiceSimulator()
        engine = open_engine(
            f"sqlite:///{folder}/scg.db", clock=clock, ids=SystemIds(), voice={"switch": switch}
        )
        number = engine.operator().add_sender_id(
            "bench", address="+14155559000", country="USA", capabilities=["VOICE"]
        )
        app = engine.application("bench", 1)
        began = time.perf_counter()
        dialled = [_pair(engine, app, clock.now(), number.id, at) for at in range(calls // 2)]
        took = time.perf_counter() - began
        held = _conference(engine, app, clock.now(), number.id)
    creates = sorted(dialled)
    return {
        "calls": calls // 2 * 2,
        "per_second": round(calls // 2 * 2 / took, 1),
        "create_p50_ms": creates[len(creates) // 2],
        "create_p99_ms": creates[int(len(creates) * 0.99)],
        "hold_of_100_members_ms": held,
    }


def _pair(engine: Engine, app: Application, now: Instant, number: str, at: int) -> float:
    """Two calls from dialling to the end; how long the first took to be made."""
    began = time.perf_counter()
    first = app.calls.create({"from": number, "to": f"+1415{2_000_000 + 2 * at}"})
    took = (time.perf_counter() - began) * 1000
    second = app.calls.create({"from": number, "to": f"+1415{2_000_001 + 2 * at}"})
    app.bridges.create(call_ids=[first.id, second.id])
    engine.run_until_idle(now)
    app.calls.hang_up(first.id)
    app.calls.hang_up(second.id)
    engine.run_until_idle(now)
    return took


def _conference(engine: Engine, app: Application, now: Instant, number: str) -> float:
    """How many milliseconds it takes to put a conference on hold."""
    conference = app.conferences.create()
    for at in range(_MEMBERS):
        call = app.calls.create({"from": number, "to": f"+1415{3_000_000 + at}"})
        app.conference_members.create(conference.id, call_id=call.id)
    engine.run_until_idle(now)
    began = time.perf_counter()
    app.conferences.update(conference.id, hold=True)
    return (time.perf_counter() - began) * 1000
