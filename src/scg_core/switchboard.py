"""Due work that speaks to switches: giving them commands, asking them what they see.

Each piece is claimed by the pump in a transaction, done between two transactions, and what a
switch made of it is written down by the next.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from scg_core.calling.records import Verb, VoiceCommand
from scg_core.calling.steps.commanding import LINE, LOOK, read_sound
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.usecases.commands import (
    LineTask,
    Outcome,
    Result,
    next_commands,
    settle_commands,
)
from scg_core.calling.usecases.looking import LookTask, next_look, put_off_look, settle_look
from scg_core.kernel.errors import StorageUnavailable, TransportUnavailable, VoiceRefused
from scg_core.kernel.instant import Instant
from scg_core.ports.clock import Clock
from scg_core.ports.storage import Work
from scg_core.ports.voice_transport import (
    Leg,
    Playback,
    Presence,
    RoomKind,
    Sighting,
    VoiceTransport,
)
from scg_core.unit import Unit

log: Final = logging.getLogger("scg_core.switchboard")

Begin = Callable[[str], AbstractContextManager[Unit]]
Stream = Generator[str, None, None]


class Switchboard:
    """Does the due work of the switches."""

    def __init__(
        self, switches: Mapping[str, VoiceTransport], clock: Clock, begin: Begin, exchange: Exchange
    ) -> None:
        self._switches = switches
        self._clock = clock
        self._begin = begin
        self._exchange = exchange
        self.kinds: Final = self.kinds_of(switches)

    def kinds_of(self, connectors: Collection[str]) -> frozenset[str]:
        """The kinds of due work of those of some connectors that are switches."""
        mine = [name for name in connectors if name in self._switches]
        return frozenset(kind + name for name in mine for kind in (LINE, LOOK))

    def plan(self, unit: Unit, work: Work) -> LineTask | LookTask | None:
        """In the transaction that claimed it: what a piece of work is to do, None for nothing."""
        if work.kind.startswith(LINE):
            return next_commands(unit, work, work.kind.removeprefix(LINE), self._exchange)
        return next_look(unit, work, work.kind.removeprefix(LOOK), self._exchange)

    def do(self, task: LineTask | LookTask) -> Stream:
        """After that transaction: do it. Pauses between any two port calls."""
        if isinstance(task, LookTask):
            yield from self._look(task)
            return
        results: list[Result] = []
        for command in task.commands:
            yield "command"
            if self._clock.now() >= task.until:  # another worker may have the line soon
                break
            results.append(self._give(task.connector, command))
            if results[-1].outcome in (Outcome.LATER, Outcome.BROKE):
                break
        yield "commanded"
        with self._begin("commanded") as unit:
            settle_commands(unit, task, results, self._exchange)

    def _look(self, task: LookTask) -> Stream:
        yield "look"
        legs = [call.leg for call in task.asked]
        seen = self._seen(task.connector, legs)
        yield "looked"
        with self._begin("looked") as unit:
            if seen is None:
                put_off_look(unit, task, self._exchange)
            else:
                settle_look(unit, task, seen, self._exchange)

    def _seen(self, connector: str, legs: list[str]) -> list[Sighting] | None:
        try:
            seen = list(self._switches[connector].look(legs, self._clock.now()))
        except (TransportUnavailable, VoiceRefused):
            return None
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the switch %s failed when it was asked about calls", connector)
            return None
        if len(seen) != len(legs) or not all(_is_sound(one) for one in seen):
            log.error("the switch %s left calls without an answer", connector)
            return None
        return seen

    def _give(self, connector: str, command: VoiceCommand) -> Result:
        """Give one command to a switch; one that breaks leaves nobody but itself in doubt."""
        try:
            self._say(self._switches[connector], command, json.loads(command.facts))
        except VoiceRefused as refused:
            return Result(Outcome.REFUSED, str(refused.reason), str(refused.cause))
        except TransportUnavailable as away:
            due = away.retry_at
            return Result(Outcome.LATER, retry_at=due if isinstance(due, int) else None)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the switch %s failed at %s", connector, command.verb)
            return Result(Outcome.BROKE, "the switch failed")
        return Result(Outcome.DONE)

    def _say(self, switch: VoiceTransport, command: VoiceCommand, facts: dict[str, Any]) -> None:
        now = self._clock.now()
        leg, room = facts.get("leg", ""), facts.get("room", "")
        match command.verb:
            case Verb.ORIGINATE:
                if command.tried and self._rang(switch, leg, now):
                    return
                switch.originate(
                    Leg(leg, facts["from_address"], facts["to_address"], facts["timeout"]), now
                )
            case Verb.ANSWER:
                switch.answer(leg, now)
            case Verb.HANG_UP:
                switch.hang_up(leg, now)
            case Verb.PLACE:
                kind = RoomKind(facts["kind"])
                switch.place(room, kind, leg, facts["hears"], facts["speaks"], now)
            case Verb.REMOVE:
                switch.remove(room, leg, now)
            case Verb.CLOSE:
                switch.close(room, now)
            case Verb.PLAY:
                sound = read_sound(facts["sound"])
                switch.play(Playback(facts["id"], sound, leg or None, room or None), now)
            case Verb.PRESS:
                switch.press(leg, facts["digits"], facts["id"], now)

    def _rang(self, switch: VoiceTransport, leg: str, now: Instant) -> bool:
        """Whether a leg that was asked for before rang, for a switch that does not know itself."""
        if switch.capabilities.deduplicates:
            return False
        [seen] = switch.look([leg], now)
        return seen.presence is not Presence.UNKNOWN


def _is_sound(seen: object) -> bool:
    return (
        isinstance(seen, Sighting)
        and isinstance(seen.presence, Presence)
        and isinstance(seen.at, int | None)
        and isinstance(seen.room, str | None)
    )
