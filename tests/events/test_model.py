"""Chance decides what customers, receivers and workers do; in the end everything is delivered."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Generator
from typing import Any

import pytest

from scg_core.events.model import Envelope, Event, EventType, Topic
from scg_core.events.settings import EventSettings
from scg_core.kernel.instant import HOUR, MINUTE
from scg_core.ports.events import Parcel, Reception, Reply
from tests.stories.test_events import EventWorld

MOODS = ("ok", "silent", "bad", "mixed")
PATIENCE = 60_000


class Run:
    """Several subscriptions of one company, several workers, one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.give_up = chance.choice([72 * HOUR, 72 * HOUR, 20 * MINUTE])
        settings = EventSettings(at_once=chance.choice([1, 1, 2, 3]), give_up=self.give_up)
        self.world = EventWorld(
            "memory:", batch=chance.choice([1, 3, 100]), ports={"event_settings": settings}
        )
        self.subscriptions = [
            self.world.app.subscriptions.create(
                topics=["SCG-Message"], throttle=chance.choice([None, None, 6, 60, 600])
            ).id
            for _ in range(chance.randint(2, 6))
        ]
        self.deleted: set[str] = set()
        self.moods = dict.fromkeys(self.subscriptions, "ok")
        self.calls: list[tuple[str, str, int]] = []
        self.world.box.answer = self._answer
        self.workers = [self._worker() for _ in range(chance.randint(1, 5))]

    def _worker(self) -> Generator[str, None, Any]:
        return self.world.engine.pump.round({})

    def _answer(self, parcel: Parcel) -> Reply:
        self.calls.append((parcel.subscription_id, parcel.subject, parcel.sequence))
        mood = self.moods[parcel.subscription_id]
        if mood == "ok" or (mood == "mixed" and self.chance.random() < 0.5):
            return Reply(Reception.TAKEN, "200")
        if mood == "silent":
            return Reply(Reception.LATER)
        return self.chance.choice(
            [
                Reply(Reception.LATER),
                Reply(Reception.LATER, "503"),
                Reply(Reception.REFUSED, "410"),
                Reply(Reception.UNTRIED),
                Reply(Reception.LATER, "429", None, 7_000),
            ]
        )

    def step(self, number: int) -> bool:
        """Let a worker go to its next pause; whether it ended a round in which it did something."""
        try:
            next(self.workers[number])
        except StopIteration as stop:
            self.workers[number] = self._worker()
            return bool(stop.value[0])
        return False

    def tell(self) -> None:
        """Some things happen."""
        with self.world.engine.transaction("tell") as unit:
            unit.tell(
                *(
                    Event(
                        Topic.MESSAGE, EventType.CLICK, "acme", f"s{self.chance.randrange(6)}", {}
                    )
                    for _ in range(self.chance.randint(1, 4))
                )
            )

    def crash(self) -> None:
        """A worker is gone, wherever it was."""
        number = self.chance.randrange(len(self.workers))
        self.workers[number].close()
        self.workers[number] = self._worker()

    def ask(self) -> None:
        """A customer changes, deletes, replays."""
        id = self.chance.choice(self.subscriptions)
        if id in self.deleted:
            return
        app, dice = self.world.app, self.chance.random()
        if dice < 0.5:
            state = self.chance.choice(["ACTIVE", "ACTIVE", "PAUSED", "INACTIVE"])
            app.subscriptions.update(id, state=state)
        elif dice < 0.55 and len(self.deleted) < len(self.subscriptions) - 1:
            app.subscriptions.delete(id)
            self.deleted.add(id)
        elif dice < 0.75:
            app.subscriptions.replay_failed(id)
        else:
            held = [one for one in self.world.all(Envelope) if one.subscription_id == id]
            if held:
                app.envelopes.update(id, self.chance.choice(held).id, state="PENDING")

    def open(self) -> list[Envelope]:
        """What is to be delivered still."""
        return [
            one
            for one in self.world.all(Envelope)
            if one.open is not None and one.subscription_id not in self.deleted
        ]

    def check(self) -> None:
        """Of each subject with something open exactly one envelope has its due instant."""
        heads = Counter(
            (one.subscription_id, one.subject) for one in self.open() if one.due is not None
        )
        assert set(heads) == {(one.subscription_id, one.subject) for one in self.open()}
        assert all(many == 1 for many in heads.values())

    def heal(self) -> None:
        """All receivers are well, and everything open is delivered."""
        for id in self.subscriptions:
            self.moods[id] = "ok"
            if id not in self.deleted:
                self.world.app.subscriptions.update(id, state="ACTIVE")
        for _ in range(PATIENCE):
            if not self.open():
                return
            if not sum(self.step(n) for n in range(len(self.workers)) for _ in range(6)):
                due = self.world.engine.pump.due()
                assert due is not None, "nobody will deliver what is open"
                self.world.clock.wait(max(due, self.world.clock.now()))
        raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_everything_open_is_delivered_in_order(seed: int) -> None:
    """Pauses, deletions, replays, silence, refusals, crashes and several workers."""
    run = Run(seed)
    chance = run.chance
    for _ in range(250):
        dice = chance.random()
        if dice < 0.55:
            run.step(chance.randrange(len(run.workers)))
        elif dice < 0.66:
            run.tell()
        elif dice < 0.74:
            run.world.clock.advance(chance.choice([10, 500, 5_000, 31_000, 70_000]))
        elif dice < 0.78:
            run.crash()
        elif dice < 0.84:
            run.moods[chance.choice(run.subscriptions)] = chance.choice(MOODS)
        else:
            run.ask()
        run.check()
    run.heal()

    first: dict[tuple[str, str], list[int]] = defaultdict(list)
    for subscription, subject, sequence in run.calls:
        if sequence not in first[subscription, subject]:
            first[subscription, subject].append(sequence)
    if run.give_up == 72 * HOUR:  # else some are given up untried, and first heard when replayed
        assert all(some == sorted(some) for some in first.values())
