"""The whole path of one bulk request, beside the plainest possible code in the same run.

"Raw" is one table with the same number of columns, the same rows by ``executemany`` in
transactions of the same size, and for the whole path three updates by key on top.
"""

from __future__ import annotations

import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from scg_adapters import bulk
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.kernel.resource import declaration
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import Message

_PAGE: Final = 500


def measure(recipients: int, folder: Path | None = None) -> dict[str, Any]:
    """Run the engine and then raw SQLite; rates per second, CPU in milliseconds a message.

    The engine's CPU includes the simulated carrier's, which runs in the same process.
    """
    with folder_or_temporary(folder) as place:
        figures = _engine(recipients, place)
        raw_insert, raw_path = _raw(recipients, place)
    figures["raw_insert_per_second"] = raw_insert
    figures["raw_path_per_second"] = raw_path
    figures["accept_to_raw"] = figures["accepted_per_second"] / raw_insert
    figures["path_to_raw"] = figures["messages_per_second"] / raw_path
    return figures


def _engine(recipients: int, place: Path) -> dict[str, Any]:
    clock = SystemClock()
    carrier = LoopbackCarrier(behaviour=Behaviour(delay=1, spread=100), log=place / "carrier")
    engine = open_engine(f"sqlite:///{place}/scg.db", {"loopback": carrier}, clock=clock)
    sender = engine.operator().add_sender_id("bench", address="55512", country="USA")
    app = engine.application("bench", 1)
    began, cpu = time.perf_counter(), time.process_time()
    request = bulk.submit(
        app, bulk.cut(numbers(recipients)), None, lambda _: None, from_=sender.id, body=_TEXT
    )
    while app.message_requests.get(request.id).state is not RequestState.TRANSMITTING:
        engine.run_due(1)
    accepted = time.perf_counter() - began
    request = bulk.run(engine, app, request.id, clock, lambda _: None)
    seconds = time.perf_counter() - began
    spent = time.process_time() - cpu
    return {
        "recipients": request.recipient_count,
        "sent": request.sent_count,
        "delivered": request.delivered_count,
        "failed": request.failed_count,
        "seconds": seconds,
        "accepted_per_second": recipients / accepted,
        "messages_per_second": recipients / seconds,
        "cpu_ms_per_message": spent / recipients * 1000,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


_TEXT: Final = "Your parcel arrives today between 14:00 and 16:00."


def numbers(count: int) -> Iterator[str]:
    """That many possible numbers, spread over the area codes of North America."""
    for number in range(count):
        yield f"+1{201 + number % 700}{2_000_000 + number // 700:07d}"


def _raw(recipients: int, place: Path) -> tuple[float, float]:
    """Rows per second of plain inserts, and of inserts with three updates each."""
    columns = len(declaration(Message).attributes)
    connection = sqlite3.connect(place / "raw.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    names = ", ".join(f"c{number}" for number in range(columns - 1))
    connection.execute(f"create table message (seq integer primary key, {names})")
    marks = ", ".join("?" * columns)
    rest = ("0" * 22, "+12012000000", _TEXT, "CREATED", 1_767_225_600_000)
    filler = tuple((*rest, *(None,) * (columns - 1))[: columns - 1])
    began = time.perf_counter()
    for first in range(0, recipients, _PAGE):
        page = range(first, min(first + _PAGE, recipients))
        connection.execute("begin immediate")
        connection.executemany(
            f"insert into message values ({marks})", [(seq, *filler) for seq in page]
        )
        connection.execute("commit")
    inserted = time.perf_counter() - began
    for state in ("CLAIMED", "SENT", "DELIVERED"):
        for first in range(0, recipients, _PAGE):
            page = range(first, min(first + _PAGE, recipients))
            connection.execute("begin immediate")
            connection.executemany(
                "update message set c3 = ?, c4 = ? where seq = ?",
                [(state, 1_767_225_600_001, seq) for seq in page],
            )
            connection.execute("commit")
    whole = time.perf_counter() - began
    connection.close()
    return recipients / inserted, recipients / whole


@contextmanager
def folder_or_temporary(folder: Path | None) -> Iterator[Path]:
    """The folder that was given, or one that is gone afterwards."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="scg-bench-") as made:
        yield Path(made)
