"""Writes of many requests in one commit: none is answered before it, none spoils another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scg_adapters.http.answers import Overloaded
from scg_adapters.http.desk import Desk
from scg_core import MessageRequest
from scg_core.kernel.errors import BrokenInvariant, InvalidField, StorageUnavailable
from scg_core.kernel.query import Query
from tests.http.server import Served
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world on a file."""
    return World(f"sqlite:///{tmp_path}/scg.db")


def test_calls_that_wait_are_made_durable_in_one_commit(world: World) -> None:
    """While the first is under way the others gather; each gets its own answer."""
    commits: list[int] = []
    together = world.engine.together
    gate = threading.Event()

    @contextmanager
    def counted() -> Iterator[None]:
        with together():
            yield
        commits.append(1)

    world.engine.together = counted  # type: ignore[method-assign]
    desk = Desk(world.engine)

    async def go() -> list[object]:
        first = asyncio.ensure_future(desk.write(lambda: gate.wait(5)))
        await asyncio.sleep(0)
        rest = [asyncio.ensure_future(desk.write(lambda n=n: _send(world, n))) for n in range(20)]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    answers = asyncio.run(go())
    desk.close()

    assert len(commits) <= 3
    assert sum(isinstance(one, InvalidField) for one in answers) == 10
    made = {one for one in answers if isinstance(one, str)}
    with world.storage.snapshot() as session:
        assert {one.id for one in session.find(Query(MessageRequest))} == made
    assert len(made) == 10


def _send(world: World, number: int) -> str:
    body = "hello" if number % 2 else ""
    return world.send("+14155550100", body=body).id


def test_nobody_is_told_of_a_commit_that_failed(world: World) -> None:
    """Whatever the calls themselves returned."""
    together = world.engine.together

    @contextmanager
    def failing() -> Iterator[None]:
        with together():
            yield
            raise StorageUnavailable("the disk is full")

    world.engine.together = failing  # type: ignore[method-assign]
    desk = Desk(world.engine)
    with pytest.raises(StorageUnavailable):
        asyncio.run(desk.write(lambda: world.send("+14155550100")))
    desk.close()

    with world.storage.snapshot() as session:
        assert session.count(Query(MessageRequest)) == 0


def test_more_than_may_wait_are_told_to_come_back(world: World) -> None:
    """503 and Retry-After instead of memory without bound."""
    desk = Desk(world.engine, most=3)
    gate = threading.Event()

    async def go() -> list[object]:
        calls = [desk.write(lambda: gate.wait(5)) for _ in range(6)]
        tasks = [asyncio.ensure_future(one) for one in calls]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(go())
    desk.close()

    assert any(isinstance(one, Overloaded) for one in answers)
    assert any(one is True for one in answers)


def test_a_storage_that_is_down_is_503_with_retry_after() -> None:
    """For reads and writes alike; the process lives on."""
    with Served() as served:
        operate = served.world.storage.together
        down = StorageUnavailable("the disk is gone")

        @contextmanager
        def broken() -> Iterator[None]:
            raise down
            yield

        served.world.storage.together = broken  # type: ignore[method-assign]
        body = {"from": served.world.sender.id, "to": ["+14155550100"], "body": "x"}
        answer = served.call("POST", "/messaging/message_requests", body)
        assert (answer.status, answer.code) == (503, "503")
        assert answer.headers["retry-after"] == "1"

        served.world.storage.together = operate  # type: ignore[method-assign]
        assert served.call("POST", "/messaging/message_requests", body).status == 200


def test_a_fault_of_ours_is_500_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The cause stands in the log under the request's id."""
    with Served() as served:

        def broken() -> None:
            raise RuntimeError("a secret cause")

        served.world.storage.snapshot = broken  # type: ignore[method-assign,assignment]
        served.call("GET", "/messaging/messages")
        answer = served.call("GET", "/messaging/messages", headers={"X-Request-Id": "find-me"})

    assert (answer.status, answer.code) == (500, "500")
    assert "secret" not in answer.body.decode()
    assert "find-me" in answer.json["error_description"]
    assert any("find-me" in one.getMessage() for one in caplog.records)


def test_nothing_is_sent_for_calls_that_are_not_durable_yet(world: World) -> None:
    """Due work inside ``together`` is a defect of the host, with an error of its own."""
    with pytest.raises(BrokenInvariant), world.engine.together():
        world.send("+14155550100")
        world.engine.run_due()

    world.engine.run_until_idle()
    assert not list(world.carrier.log.entries())
