"""Several processes on one SQLite file share one request and send nothing twice."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from scg_adapters.embedded import open_engine
from scg_adapters.storage.sqlite import SqliteStorage
from scg_adapters.transport.carrier_log import FileLog, submissions
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core import RequestState
from scg_core.conformance.simulation.checker import recount
from tests.world import numbers

RECIPIENTS = 600
PROCESSES = 3


def work(folder: Path, number: int) -> None:
    """One process: do due work until the request is finished."""
    log = folder / f"carrier-{number}"
    carrier = LoopbackCarrier(seed=number, behaviour=Behaviour(delay=1, spread=5), log=log)
    engine = open_engine(f"sqlite:///{folder}/scg.db", {"carrier": carrier})
    app = engine.application("acme", 1)
    (request,) = app.message_requests.find()
    while app.message_requests.get(request.id).delivered_count < RECIPIENTS:
        engine.run_due(1)


def test_three_processes_share_one_request_and_double_nothing(tmp_path: Path) -> None:
    """Leases and fences keep them apart; receipts come to whoever sent."""
    engine = open_engine(f"sqlite:///{tmp_path}/scg.db", {"carrier": LoopbackCarrier()})
    sender = engine.operator().add_sender_id("acme", address="55512", country="USA")
    app = engine.application("acme", 1)
    request = app.message_requests.create(from_=sender.id, to=numbers(RECIPIENTS), body="hi")
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=work, args=(tmp_path, n)) for n in range(PROCESSES)]
    for child in children:
        child.start()
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0] * PROCESSES
    after = app.message_requests.get(request.id)
    assert (after.state, after.sent_count) == (RequestState.COMPLETED, RECIPIENTS)
    taken = [
        count
        for number in range(PROCESSES)
        for count in submissions(FileLog(tmp_path / f"carrier-{number}")).values()
    ]
    assert taken == [1] * RECIPIENTS
    recount(SqliteStorage(tmp_path / "scg.db"))
