"""A carrier that fails by a script, for tests of what a lost or refused hand-over leaves."""

from __future__ import annotations

from collections.abc import Sequence

from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.kernel.errors import TransportUnavailable
from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import Answer, Attempt, OnUnknown, Outcome
from tests.world import World


class Scripted:
    """A carrier whose next submissions fail as told, and which may then be asked."""

    def __init__(self, inner: LoopbackCarrier, script: list[str]) -> None:
        self.inner, self.script, self.asked = inner, script, 0
        self.capabilities = inner.capabilities
        self.connect, self.poll = inner.connect, inner.poll

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
        step = self.script.pop(0) if self.script else "ok"
        if step == "unreachable":
            raise TransportUnavailable("carrier")
        if step == "lost":
            return [Answer(Outcome.UNKNOWN) for _ in attempts]
        answers = self.inner.submit(attempts, now)
        if step == "silent":
            return [Answer(Outcome.UNKNOWN) for _ in attempts]
        return answers

    def query(self, attempts: Sequence[str], now: Instant) -> Sequence[Answer]:
        self.asked += 1
        if self.script and self.script[0] == "deaf":
            self.script.pop(0)
            return [Answer(Outcome.UNKNOWN) for _ in attempts]
        return self.inner.query(attempts, now)


def scripted(
    url: str, on_unknown: OnUnknown, *script: str, **options: bool
) -> tuple[World, Scripted]:
    world = World(url, Behaviour(delay=100, spread=0), on_unknown=on_unknown, **options)
    carrier = Scripted(world.carrier, list(script))
    world.engine = world.another_engine(carrier)
    world.app = world.engine.application("acme", 1)
    return world, carrier
