"""Who hears of events and keeps a history of them; what it was told must be what happened."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from scg_core.conformance.simulation.faults import Crash
from scg_core.kernel.instant import Instant
from scg_core.messaging.model import Message
from scg_core.ports.events import EventsCapabilities, Parcel, Reception, Reply

Arrival = tuple[str, str, int, str, str | None, str | None]
"""Event, subject, number, type, state before and after."""


def arrival(one: Parcel) -> Arrival:
    """What is noted of a parcel."""
    before, after = one.facts.get("previous_state"), one.facts.get("new_state")
    return (one.event_id, one.subject, one.sequence, one.type.value, before, after)


class Listener:
    """Takes events, or does not, as chance has it; writes down each arrival first."""

    def __init__(self, seed: int) -> None:
        self.capabilities = EventsCapabilities(batch=20)
        self.arrivals: list[Arrival] = []
        self.healed = False
        self._chance = random.Random(f"listener {seed}")

    def refusal(self, url: str | None) -> str | None:
        """Nothing is refused."""
        return None

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        """Some are taken; sometimes the process ends before or after that."""
        dice = 1.0 if self.healed else self._chance.random()
        if dice < 0.03:
            raise Crash("before deliver")
        self.arrivals += [arrival(one) for one in parcels]
        if dice < 0.06:
            raise Crash("after deliver")
        if dice < 0.1:
            raise RuntimeError("surprise")
        if dice < 0.13:
            return []
        return [self._reply() for _ in parcels]

    def _reply(self) -> Reply:
        dice = 1.0 if self.healed else self._chance.random()
        if dice < 0.2:
            return Reply(Reception.LATER, self._chance.choice(["500", "429", None]), "failed")
        if dice < 0.25:
            return Reply(Reception.REFUSED, "410")
        return Reply(Reception.UNTRIED) if dice < 0.3 else Reply(Reception.TAKEN, "200")

    def close(self) -> None:
        """Nothing to close."""


def check_told(arrivals: Iterable[Arrival], messages: Iterable[Message]) -> None:
    """Each change was told, under one id, first heard in order, and leads to where it ended."""
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    first: dict[str, list[int]] = defaultdict(list)
    moves: dict[str, dict[int, tuple[str | None, str | None]]] = defaultdict(dict)
    for event_id, subject, sequence, kind, before, after in arrivals:
        if not ids[subject, sequence]:
            first[subject].append(sequence)
        ids[subject, sequence].add(event_id)
        if kind == "message_state_change":
            moves[subject][sequence] = (before, after)
    assert all(len(some) == 1 for some in ids.values()), "an event has two ids"
    assert len({id for some in ids.values() for id in some}) == len(ids), "an id has two events"
    for subject, some in first.items():
        assert some == list(range(1, len(some) + 1)), f"{subject} was heard as {some}"
    for message in messages:
        told = [moves[message.id][number] for number in sorted(moves[message.id])]
        if not told:
            assert message.state in ("CREATED", "SCHEDULED", "PAUSED", "RECEIVED"), message.id
            continue
        assert told[-1][1] == message.state, f"{message.id} ended otherwise"
        assert all(a[1] == b[0] for a, b in pairwise(told)), f"{message.id} was told {told}"
