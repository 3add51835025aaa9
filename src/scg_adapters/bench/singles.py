"""How long a single send waits while another process runs a bulk job on the same file.

Each send is one durable transaction. It is timed alone first, then beside the bulk job.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from scg_adapters import bulk
from scg_adapters.bench.pipeline import numbers
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.engine import Engine

_EVERY: Final = 0.005


def measure(sends: int) -> dict[str, Any]:
    """Milliseconds at the median, the 99th percentile and the longest; alone and beside bulk."""
    with tempfile.TemporaryDirectory(prefix="scg-bench-") as folder:
        url = f"sqlite:///{folder}/scg.db"
        engine = _engine(url, Path(folder) / "carrier")
        sender = engine.operator().add_sender_id("bench", address="55512", country="USA").id
        alone = _timed(engine, sender, sends)
        context = multiprocessing.get_context("spawn")
        ready, enough = context.Event(), context.Event()
        other = context.Process(target=_run_bulk, args=(url, folder, sender, ready, enough))
        other.start()
        ready.wait()
        beside = _timed(engine, sender, sends)
        enough.set()
        other.join()
    return {"sends": sends, **_figures("alone", alone), **_figures("beside_bulk", beside)}


def _engine(url: str, log: Path) -> Engine:
    carrier = LoopbackCarrier(behaviour=Behaviour(delay=1, spread=100), log=log)
    return open_engine(url, {"loopback": carrier}, clock=SystemClock())


def _timed(engine: Engine, sender: str, sends: int) -> list[float]:
    app = engine.application("bench", 1)
    taken = []
    for _ in range(sends):
        began = time.perf_counter()
        app.message_requests.create(from_=sender, to=["+14155550100"], body="Your code is 1234.")
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(_EVERY)
    return sorted(taken)


def _figures(name: str, taken: list[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": taken[len(taken) // 2],
        f"{name}_p99_ms": taken[len(taken) * 99 // 100],
        f"{name}_max_ms": taken[-1],
    }


def _run_bulk(url: str, folder: str, sender: str, ready: Any, enough: Any) -> None:
    """The other process: one bulk request after the other, fan-out and hand-off, until stopped."""
    engine = _engine(url, Path(folder) / "carrier-bulk")
    app = engine.application("bench", 1)
    number = 0
    while not enough.is_set():
        number += 1
        pages = bulk.cut(numbers(20_000))
        bulk.submit(app, pages, None, lambda _: None, from_=sender, body=f"Sale number {number}")
        ready.set()
        while not enough.is_set() and app.message_requests.find(
            state=("ACCEPTED", "PREPARING", "TRANSMITTING"), limit=1
        ):
            engine.run_due(20)
