"""Two workers on one storage, stepped at random, dying at random, with a switch that misbehaves."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Generator
from typing import Any

import pytest

from scg_adapters.voice.simulator import Does, Faults, Phone, VoiceSimulator
from scg_core import Engine, ScgError
from scg_core.calling.model import Call, Conference
from scg_core.calling.records import VoiceCommand
from scg_core.kernel.instant import MINUTE, SECOND
from scg_core.tenancy.model import CreditAccount
from tests.stories.calls import OURS, VoiceWorld

STEPS = 400


class Run:
    """One history, from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        faults = Faults(
            lost=self.chance.choice([0, 0.2]), doubled=self.chance.choice([0, 0.3]),
            breaks=self.chance.choice([0, 0.1]), early=self.chance.random() < 0.3, seed=seed,
        )  # fmt: skip
        self.world = VoiceWorld(switch=VoiceSimulator(faults=faults))
        self.world.engine.operator().add_tariff(kind="CALL", price=0.01)
        self.engines = [self.world.engine, self.world.another_engine(self.world.carrier)]
        self.rounds: list[Generator[Any, Any, Any] | None] = [None, None]
        self.numbers = 0
        self.asked = 0

    def go(self) -> None:
        """Random steps, then everything is healed and ended."""
        for _ in range(STEPS):
            self.chance.choice([self.step, self.step, self.step, self.ask, self.tick])()
        self.world.switch.reachable = True
        self.rounds = [None, None]
        self.world.wait(2 * MINUTE)
        for call in self.world.app.calls.all():
            if call.state in ("STARTED", "ACTIVE"):
                self.world.app.calls.hang_up(call.id)
        self.world.wait(5 * MINUTE)

    def step(self) -> None:
        """One worker goes on to its next port call, or dies there."""
        at = self.chance.randrange(2)
        held = self.rounds[at]
        if held is None:
            engine: Engine = self.engines[at]
            held = self.rounds[at] = engine.pump.round(engine.pump.capabilities)
        if self.chance.random() < 0.02:
            held.close()
            self.rounds[at] = None
            return
        try:
            next(held)
        except StopIteration:
            self.rounds[at] = None

    def tick(self) -> None:
        """Time passes, seldom much; the switch goes away and comes back."""
        self.world.clock.advance(self.chance.choice([10, 100, 1_000, 5_000, 20_000]))
        if self.chance.random() < 0.1:
            self.world.switch.reachable = not self.world.switch.reachable

    def ask(self) -> None:
        """A customer, or a phone, does something; it may be refused."""
        self.asked += 1
        wishes = [self.dial, self.dial, self.arrive, self.bridge, self.confer, self.change,
                  self.speak]  # fmt: skip
        with contextlib.suppress(ScgError):
            self.chance.choice(wishes)()

    def party(self) -> str:
        """A phone with a script of its own."""
        self.numbers += 1
        party = f"+1415555{1000 + self.numbers}"
        does = self.chance.choice([Does.ANSWERS] * 4 + [Does.IS_BUSY, Does.RINGS])
        after = self.chance.choice([0, 2_000, 15_000])
        talks = self.chance.choice([None, 10_000, 90_000])
        self.world.switch.phones[party] = Phone(does, after, talks)
        return party

    def dial(self) -> None:
        """A call, for at least as long as a lease."""
        self.world.call(self.party(), answer_timeout=self.chance.choice([30, 120]) * SECOND)

    def arrive(self) -> None:
        """An incoming one."""
        self.world.switch.call_in(self.party(), OURS, self.world.clock.now())

    def some(self) -> str:
        """Any call."""
        found = [one.id for one in self.world.app.calls.find()]
        return self.chance.choice([*found, "nobody"])

    def bridge(self) -> None:
        """Of any two."""
        self.world.app.bridges.create(call_ids=[self.some(), self.some()])

    def confer(self) -> None:
        """Any call joins the last conference, or a new one."""
        held = self.world.app.conferences.find(state=["created", "active"])
        conference = held[-1] if held else self.world.app.conferences.create()
        self.world.app.conference_members.create(conference.id, call_id=self.some())
        self.world.app.conferences.update(conference.id, mute=self.chance.random() < 0.5)

    def change(self) -> None:
        """Something ends, is answered or is deleted."""
        app, id = self.world.app, self.some()
        self.chance.choice([app.calls.hang_up, app.calls.answer, app.calls.delete])(id)

    def speak(self) -> None:
        """On a call."""
        self.world.app.calls.play_tts(self.some(), text="hello")


def agreed(run: Run) -> None:
    """Nobody is on the line, nothing waits, nobody was dialled twice, the books are closed."""
    world = run.world
    open_calls = [one.state for one in world.all(Call) if one.state in ("STARTED", "ACTIVE")]
    assert open_calls == [] and world.switch.up() == {} and world.all(VoiceCommand) == []
    assert len(set(world.switch.dialled)) == len(world.switch.dialled)
    for conference in world.all(Conference):
        assert conference.active_members == 0
    price = sum(one.price or 0 for one in world.all(Call))
    books = [(one.reserved, one.confirmed) for one in world.all(CreditAccount)]
    assert books in ([], [(0, price)])
    world.recount()


@pytest.mark.parametrize("seed", range(12))
def test_two_workers_that_die_leave_nobody_on_the_line(seed: int) -> None:
    """Whatever they were doing, and whatever the switch told them."""
    run = Run(seed)
    run.go()
    agreed(run)


@pytest.mark.long
def test_a_thousand_histories_of_two_workers_leave_nobody_on_the_line() -> None:
    """Run it with ``-m long -s`` to see how much was asked."""
    asked = 0
    for seed in range(1_000, 2_000):
        run = Run(seed)
        run.go()
        agreed(run)
        asked += run.asked
    print(f"1000 histories, {asked} wishes, nobody left on the line, nobody dialled twice")
