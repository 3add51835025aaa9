"""What a switch is told: the commands of a line, a few at a time, and what it made of them.

Two transactions with the switch between them. A command that was given and not settled is given
again: the ids in it let the switch know it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

from scg_core.calling.lifecycle import OVER
from scg_core.calling.model import Call, Happened
from scg_core.calling.records import Verb, VoiceCommand
from scg_core.calling.rules.lines import sift, wait_of
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.hearing import leg_ended, leg_of, room_failed
from scg_core.calling.steps.speaking import playback_of
from scg_core.calling.steps.telling import note
from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, eq
from scg_core.ports.storage import Work
from scg_core.ports.voice_transport import NOT_THERE, Cause, Ended
from scg_core.unit import Unit

AT_ONCE: Final = 20
_AWAITS: Final = 200


class Outcome(StrEnum):
    """What became of a command."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    LATER = "LATER"  # the switch could not be reached
    BROKE = "BROKE"  # nobody knows


@frozen
class Result:
    """What a switch made of a command, and why."""

    outcome: Outcome
    reason: str = ""
    cause: str = ""
    retry_at: Instant | None = None


@frozen
class LineTask:
    """Commands of one line to be given now; ``work`` is the lease on the line."""

    work: Work
    connector: str
    commands: tuple[VoiceCommand, ...]


def next_commands(unit: Unit, work: Work, connector: str) -> LineTask | None:
    """The commands of a line to be given now; None if there are none any more."""
    held = unit.session.find(Query(VoiceCommand, [eq("line", work.key)], (("seq", False),)))
    sifted = sift(held)
    for command in sifted.drop:
        unit.session.remove(command)
    if not sifted.give:
        unit.session.complete(work)
        return None
    give = sifted.give[:AT_ONCE]
    blocked = _blocked(unit, connector, give)
    if blocked is not None:
        at, call = blocked
        if at == 0:
            return _served_first(unit, work, connector, call)
        give = give[:at]
    rows = [(command.tried + 1, command.id) for command in give]
    unit.session.update(VoiceCommand, ("tried",), ("id",), rows)
    return LineTask(work, connector, give)


def _blocked(
    unit: Unit, connector: str, commands: Sequence[VoiceCommand]
) -> tuple[int, Call] | None:
    """The first command that places a leg whose own line is not served yet, and its call."""
    for at, command in enumerate(commands):
        if command.verb is Verb.PLACE:
            call = leg_of(unit, connector, json.loads(command.facts)["leg"])
            if call is not None and _waits(unit, call.id):
                return at, call
    return None


def _served_first(unit: Unit, work: Work, connector: str, call: Call) -> LineTask | None:
    """A leg is taken up, or let go, before it is placed: its line is served instead."""
    other = unit.session.claim([work.kind], unit.now, work.due, call.id)
    due = later(unit.now, _AWAITS) if other is None else unit.now
    unit.session.again(work, due, work.position)
    return None if other is None else next_commands(unit, other, connector)


def settle_commands(
    unit: Unit, task: LineTask, results: Sequence[Result], exchange: Exchange
) -> None:
    """Write down what the switch made of the commands; ``results`` end with the first not done.

    Raises:
        LeaseLost: it took longer than the lease; another worker has the line now.
    """
    work = task.work
    last = results[-1] if results else Result(Outcome.DONE)
    tried = task.commands[len(results) - 1].tried + 1 if results else 0
    given_up = last.outcome is Outcome.BROKE and tried >= exchange.settings.tries
    stopped = last.outcome in (Outcome.LATER, Outcome.BROKE) and not given_up
    if stopped:
        again = last.retry_at or later(unit.now, wait_of(work.position + 1))
        unit.session.again(work, again, work.position + 1)
    else:
        unit.session.again(work, unit.now, 0)
    if last.outcome is Outcome.LATER:  # it was not taken, so it was not tried
        rows = [(one.tried, one.id) for one in task.commands[len(results) - 1 :]]
        unit.session.update(VoiceCommand, ("tried",), ("id",), rows)
    for command, result in zip(task.commands, results, strict=False):
        if result.outcome in (Outcome.LATER, Outcome.BROKE) and not given_up:
            break
        if unit.session.get(VoiceCommand, command.id) is not None:
            unit.session.remove(command)
        if result.outcome is not Outcome.DONE:
            _refused(unit, task, command, result, exchange)
    if not _waits(unit, work.key):
        unit.session.withdraw(work.kind, work.key)


def _waits(unit: Unit, line: str) -> bool:
    return bool(unit.session.count(Query(VoiceCommand, [eq("line", line)]), at_most=1))


def _refused(
    unit: Unit, task: LineTask, command: VoiceCommand, result: Result, exchange: Exchange
) -> None:
    """What a refusal means: a call that does not come about, a room that cannot be made."""
    facts = json.loads(command.facts)
    reason = result.reason or "the switch failed"
    match command.verb:
        case Verb.ORIGINATE | Verb.ANSWER:
            call = leg_of(unit, task.connector, facts["leg"])
            if call is not None:
                cause = _cause(result.cause)
                leg_ended(unit, call, Ended(call.leg, unit.now, cause, reason), exchange)
        case Verb.PLACE if result.cause != NOT_THERE:
            room_failed(unit, task.connector, facts["room"], exchange)
        case Verb.PLAY | Verb.PRESS if "leg" in facts:
            _unheard(unit, task.connector, facts, reason, exchange)


def _unheard(
    unit: Unit, connector: str, facts: dict[str, Any], reason: str, exchange: Exchange
) -> None:
    """A sound or digits cannot be played; a message that cannot be spoken fails its call."""
    call = leg_of(unit, connector, facts["leg"])
    if call is None:
        return
    note(unit, call, Happened.FAILED, reason[:255], most=exchange.settings.moments)
    if facts["id"] == playback_of(call) and call.state not in OVER:
        failed = Ended(call.leg, unit.now, Cause.FAILED, reason)
        leg_ended(unit, call, failed, exchange, hang_up=True)


def _cause(named: str) -> Cause:
    return Cause(named) if named in list(Cause) else Cause.FAILED
