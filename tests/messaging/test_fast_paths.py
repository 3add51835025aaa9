"""The fast paths of hand-off and receipts equal the plain rules they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from scg_adapters.transport.loopback import Behaviour
from scg_core import Message
from scg_core.messaging.lifecycle import Milestone
from scg_core.ports.storage import Session
from tests.world import World, numbers


class Slow:
    """A storage that refuses the fast paths, so that every message goes by the plain rules.

    The conditional update of a page of answers finds no row; a message that was sent seems to
    have a milestone more, so its receipt is not simple.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.refused = 0

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """The inner transaction, without fast paths."""
        with self.inner.transaction(name) as session:
            yield _Plain(session, self)  # type: ignore[misc]

    def snapshot(self) -> Any:
        """Reading is as it is."""
        return self.inner.snapshot()


class _Plain:
    def __init__(self, session: Session, storage: Slow) -> None:
        self._session, self._storage = session, storage

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._session, verb)

    def update(
        self, kind: Any, columns: Sequence[str], match: Sequence[str], rows: Sequence[Any]
    ) -> int:
        if kind is Message and tuple(match) == ("seq", "state", "milestones"):
            self._storage.refused += len(rows)
            return 0
        return self._session.update(kind, columns, match, rows)

    def rows(self, query: Any, columns: Sequence[str]) -> list[Any]:
        found = self._session.rows(query, columns)
        if query.kind is Message and tuple(columns[-3:-1]) == ("transport_id", "milestones"):
            self._storage.refused += len(found)
            return [(*row[:-2], row[-2] | Milestone.FAILED << 3, row[-1]) for row in found]
        return found


def told(url: str, behaviour: Behaviour, *, slow: bool) -> tuple[list[Message], Any, int]:
    world = World(url, behaviour)
    storage = Slow(world.storage)
    if slow:
        inner, world.storage = world.storage, storage  # type: ignore[assignment]
        world.engine = world.another_engine(world.carrier)
        world.storage = inner
        world.app = world.engine.application("acme", 1)
    request = world.send(*numbers(250))
    world.engine.run_until_idle()
    world.recount()
    return world.messages(), world.request(request.id), storage.refused


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(),
        Behaviour(refuse=0.2, pending=0.2, double=0.2, read=0.3, undelivered=0.2, early=0.3),
    ],
    ids=["all is well", "much is not"],
)
@pytest.mark.parametrize("url", ["memory:", "sqlite:///:memory:"])
def test_the_fast_paths_leave_the_same_rows_as_the_plain_rules(
    url: str, behaviour: Behaviour
) -> None:
    """Every column of every message, every counter of the request."""
    fast, counted, _ = told(url, behaviour, slow=False)
    plain, recounted, refused = told(url, behaviour, slow=True)

    assert refused > 250
    assert plain == fast
    assert recounted == counted
