"""Every Nth storage call fails, for every N: after healing the result is the fault-free one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scg_core import ScgError, StorageUnavailable
from scg_core.conformance.simulation.checker import recount
from scg_core.kernel.instant import HOUR, later
from scg_core.ports.storage import Session
from tests.world import World, numbers


class Failing:
    """A storage whose N-th call (transaction, snapshot or verb) fails, once."""

    def __init__(self, inner: Any, fail_at: int) -> None:
        self.inner = inner
        self.fail_at = fail_at
        self.calls = 0

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """The inner transaction; its verbs count as calls."""
        self.called()
        with self.inner.transaction(name) as session:
            yield _Verbs(session, self)  # type: ignore[misc]
            self.called()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """The inner snapshot."""
        self.called()
        with self.inner.snapshot() as session:
            yield _Verbs(session, self)  # type: ignore[misc]

    def called(self) -> None:
        """One more call."""
        self.calls += 1
        if self.calls == self.fail_at:
            raise StorageUnavailable("told to fail")


class _Verbs:
    def __init__(self, session: Session, storage: Failing) -> None:
        self._session, self._storage = session, storage

    def __getattr__(self, verb: str) -> Any:
        self._storage.called()
        return getattr(self._session, verb)


def until_done(call: Callable[[], Any]) -> Any:
    """What a host does: try again what may be tried again."""
    while True:
        try:
            return call()
        except ScgError as reason:
            assert reason.retry, reason


def scenario(world: World) -> dict[str, str]:
    """Two requests, one scheduled and canceled; what became of every recipient."""
    app = world.app
    sent = until_done(
        lambda: app.message_requests.create(
            from_=world.sender.id, to=[*numbers(12), "nobody"], body="a", idempotency_key="a"
        )
    )
    due = later(world.clock.now(), HOUR)
    held = until_done(
        lambda: app.message_requests.create(
            from_=world.sender.id, to=numbers(5, 100), body="b", idempotency_key="b",
            scheduled_delivery_time=due,
        )
    )  # fmt: skip
    until_done(lambda: world.engine.run_until_idle(until=later(due, -HOUR // 2)))
    until_done(lambda: app.message_requests.cancel(held.id))
    until_done(world.engine.run_until_idle)
    return {
        f"{m.message_request_id == sent.id} {m.to_address}": m.state.value for m in world.messages()
    }


def world_that_fails(kind: str, fail_at: int) -> tuple[World, Failing]:
    world = World("memory:" if kind == "memory" else "sqlite:///:memory:")
    inner = world.storage
    world.storage = failing = Failing(inner, 0)  # type: ignore[assignment]
    world.engine = world.another_engine(world.carrier)
    world.app = world.engine.application("acme", 1)
    failing.fail_at = failing.calls + fail_at
    world.storage = inner
    return world, failing


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_after_any_one_failing_call_the_result_is_the_same(kind: str) -> None:
    """Every call of the scenario fails once; the host tries again; nothing is lost or doubled."""
    world, storage = world_that_fails(kind, 0)
    expected, calls = scenario(world), storage.calls
    assert sorted(set(expected.values())) == ["CANCELED", "DELIVERED", "FAILED"]

    for fail_at in range(1, calls + 1, 1 if kind == "memory" else 3):
        world, storage = world_that_fails(kind, fail_at)
        assert scenario(world) == expected, fail_at
        assert storage.calls >= fail_at
        recount(world.storage)
