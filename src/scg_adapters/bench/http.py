"""Durable single sends over REST: how many a second, and how long each waits at half that.

The server is a process of its own without a worker, the load client another; a bare durable commit
is timed before and after in the same run.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from scg_adapters.http.routes import BASE

_CONNECTIONS: Final = 32
_COMMITS: Final = 2_000


def measure(seconds: float) -> dict[str, Any]:
    """Figures of one server: alone at full speed, at half of it, and beside a bulk job."""
    with tempfile.TemporaryDirectory(prefix="scg-bench-") as folder:
        before = bare_commits(Path(folder) / "before.db")
        with _server(folder, "--no-worker") as facts:
            load = _job(facts, seconds)
            full = _loaded(load)
            half = _loaded(load | {"rate": full["per_second"] / 2})
            with _bulk(folder, facts):
                beside = _loaded(load | {"rate": full["per_second"] / 2})
        with _server(folder) as facts:
            working = _loaded(_job(facts, seconds))
        after = bare_commits(Path(folder) / "after.db")
    bare = (before + after) / 2
    figures: dict[str, Any] = {
        "bare_commits_per_second": bare,
        "sends_per_second": full["per_second"],
        "ratio_to_bare": full["per_second"] / bare,
        "sends_per_second_with_the_worker_in_the_process": working["per_second"],
    }
    for name, one in (("full", full), ("half_load", half), ("half_load_beside_bulk", beside)):
        figures |= {f"{name}_{key}": value for key, value in one.items() if key != "per_second"}
    figures["half_load_beside_bulk_per_second"] = beside["per_second"]
    return figures


def bare_commits(path: Path) -> float:
    """Transactions a second of one small row each, durable, with nothing else round them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in (
            "pragma journal_mode = wal",
            "pragma synchronous = full",
            "create table one (id integer primary key, text text)",
        ):
            db.execute(statement)
        began = time.perf_counter()
        for number in range(_COMMITS):
            db.execute("begin immediate")
            db.execute("insert into one values (?, ?)", (number, "x" * 300))
            db.execute("commit")
        return _COMMITS / (time.perf_counter() - began)


def _job(facts: dict[str, Any], seconds: float) -> dict[str, Any]:
    host, _, port = facts["url"].removeprefix("http://").rpartition(":")
    body = {
        "from": f"sender_id:{facts['senders']['sms']}",
        "to": [facts["mdn"]],
        "body": "Your code is 1234.",
    }
    return {
        "host": host, "port": int(port), "path": f"{BASE}/messaging/message_requests",
        "token": facts["token"], "body": json.dumps(body), "seconds": seconds,
        "connections": _CONNECTIONS,
    }  # fmt: skip


def _loaded(job: dict[str, Any]) -> dict[str, float]:
    command = [sys.executable, "-m", "scg_adapters.bench.load"]
    ran = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


@contextmanager
def _server(folder: str, *options: str) -> Iterator[dict[str, Any]]:
    db = f"sqlite:///{folder}/scg.db"
    command = [sys.executable, "-m", "scg_adapters.cli", "serve", "--dev", "--json", "--port", "0",
               "--db", db, *options]  # fmt: skip
    with (Path(folder) / "server.log").open("ab") as log:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert running.stdout is not None
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.wait(30)
        running.stdout.close()


_BULK: Final = """
import sys
from scg_adapters import bulk
from scg_adapters.bench.pipeline import numbers
from scg_adapters.devworld import carrier
from scg_adapters.embedded import open_engine
url, sender = sys.argv[1:]
engine = open_engine(url, {"loopback": carrier()})
app = engine.application("dev", 1)
print("ready", flush=True)
while True:
    request = bulk.submit(app, bulk.cut(numbers(20_000)), None, lambda _: None,
                          from_=sender, body="sale")
    while app.message_requests.get(request.id).state.value != "COMPLETED":
        engine.run_due(20)
"""


@contextmanager
def _bulk(folder: str, facts: dict[str, Any]) -> Iterator[None]:
    """Bulk jobs of another process on the same file, one after the other."""
    command = [sys.executable, "-c", _BULK, f"sqlite:///{folder}/scg.db", facts["senders"]["sms"]]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        running.stdout.readline()
        yield
    finally:
        running.kill()
        running.wait(30)
        running.stdout.close()
