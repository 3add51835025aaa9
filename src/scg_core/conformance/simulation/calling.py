"""What customers and phones do in a simulation, and how it must end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from scg_core.calling.model import Call, Conference
from scg_core.calling.records import VoiceCommand
from scg_core.conformance.simulation.faults import FaultySwitch
from scg_core.conformance.simulation.parts import Switch
from scg_core.kernel.errors import ScgError
from scg_core.kernel.instant import MINUTE, SECOND
from scg_core.kernel.query import Query

if TYPE_CHECKING:
    from scg_core.conformance.simulation.scheduler import Simulation

OURS: Final = "+14155559000"
PHONES: Final = tuple(f"+1415555{1000 + number}" for number in range(120))


class Callers:
    """The calling half of a simulated world."""

    def __init__(
        self, world: Simulation, make: Callable[[random.Random, Sequence[str]], Switch]
    ) -> None:
        self.world = world
        self.random = random.Random(f"calls {world.seed}")
        self.switch = FaultySwitch(make(self.random, PHONES))
        self.dialled = 0
        self.number: Any = None

    def begin(self) -> None:
        """The company gets a number that can call."""
        self.number = self.world.engine.operator().add_sender_id(
            "acme", address=OURS, country="USA", capabilities=["VOICE"]
        )

    def ask(self, app: Any) -> None:
        """A customer or a phone does something; it may be refused."""
        wishes = [self._dial, self._dial, self._arrive, self._bridge, self._confer, self._change,
                  self._speak, self._leave]  # fmt: skip
        wish = self.random.choice(wishes)
        self.world.history.append(f"calls {wish.__name__}")
        wish(app)

    def heal(self) -> None:
        """The switch is there, everybody hangs up."""
        self.switch.armed = None
        self.switch.inner.reachable = True
        self.world.wait(2 * MINUTE)
        app = self.world.engine.application("acme", 1)
        for call in app.calls.all():
            if call.state in ("STARTED", "ACTIVE"):
                with suppress(ScgError):
                    app.calls.hang_up(call.id)
        self.world.wait(5 * MINUTE)

    def check(self) -> None:
        """Nobody is on the line, no command waits, no phone rang twice, rooms are recounted."""
        with self.world.storage.snapshot() as session:
            calls = session.find(Query(Call))
            conferences = session.find(Query(Conference))
            commands = session.find(Query(VoiceCommand))
        assert not [one.state for one in calls if one.state in ("STARTED", "ACTIVE")]
        assert self.switch.inner.up() == {} and commands == []
        rung = self.switch.inner.dialled
        assert len(set(rung)) == len(rung), "a phone rang twice"
        assert all(one.active_members == 0 for one in conferences)

    def coverage(self) -> Counter[str]:
        """What was met."""
        with self.world.storage.snapshot() as session:
            states = session.census(Call, "state")
        found = Counter({f"calls {state}": count for state, count in states.items()})
        found.update(self.switch.visited)
        return found

    def _next(self) -> str:
        self.dialled += 1
        return PHONES[self.dialled % len(PHONES)]

    def _some(self, app: Any) -> str:
        return str(self.random.choice([*(one.id for one in app.calls.find()), "nobody"]))

    def _dial(self, app: Any) -> None:
        if self.dialled < len(PHONES) - 1:
            timeout = self.random.choice([30, 120]) * SECOND
            wish = {"from": self.number.id, "to": self._next(), "answer_timeout": timeout}
            app.calls.create(wish)

    def _arrive(self, app: Any) -> None:
        if self.dialled < len(PHONES) - 1:
            self.switch.inner.call_in(self._next(), OURS, self.world.clock.now())

    def _bridge(self, app: Any) -> None:
        app.bridges.create(call_ids=[self._some(app), self._some(app)])

    def _confer(self, app: Any) -> None:
        held = app.conferences.find(state=["created", "active"])
        conference = held[-1] if held else app.conferences.create()
        app.conference_members.create(conference.id, call_id=self._some(app))
        app.conferences.update(conference.id, mute=self.random.random() < 0.5)

    def _change(self, app: Any) -> None:
        wish = self.random.choice([app.calls.hang_up, app.calls.answer, app.calls.delete])
        wish(self._some(app))

    def _speak(self, app: Any) -> None:
        app.calls.play_tts(self._some(app), text="hello")

    def _leave(self, app: Any) -> None:
        """A phone hangs up, or the whole switch goes away or comes back."""
        if self.random.random() < 0.3:
            self.switch.inner.reachable = not self.switch.inner.reachable
        up = sorted(self.switch.inner.up())
        if up:
            self.switch.inner.hangs_up(self.random.choice(up), self.world.clock.now())
