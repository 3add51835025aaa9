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
from scg_core.calling.rules.lines import BEGINNINGS, ENDS, sift, wait_of
from scg_core.calling.steps.commanding import order, waits
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.hearing import leg_ended, leg_of, plain, room_failed
from scg_core.calling.steps.speaking import playback_of
from scg_core.calling.steps.telling import note
from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, among, eq
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
    """Commands of one line to be given until an instant; ``work`` is the lease on the line."""

    work: Work
    connector: str
    commands: tuple[VoiceCommand, ...]
    until: Instant


def next_commands(unit: Unit, work: Work, connector: str, exchange: Exchange) -> LineTask | None:
    """The commands of a line to be given now; None if there are none any more.

    The lease on the line becomes a short one: a phone that rings does not wait for long.
    """
    give = _sifted(unit, work.key, connector)
    if not give:
        if waits(unit, [work.key]):
            unit.session.again(work, unit.now, work.position)
        else:
            unit.session.complete(work)
        return None
    blocked = _blocked(unit, connector, give)
    if blocked is not None:
        at, call = blocked
        if at == 0:
            return _served_first(unit, work, connector, call, exchange)
        give = give[:at]
    until = later(unit.now, exchange.settings.lease)
    unit.session.again(work, until, work.position)
    rows = [(command.tried + 1, command.id) for command in give]
    unit.session.update(VoiceCommand, ("tried",), ("id",), rows)
    return LineTask(work, connector, give, later(unit.now, exchange.settings.lease // 2))


def _sifted(unit: Unit, line: str, connector: str) -> tuple[VoiceCommand, ...]:
    """The first commands of a line; all are looked at only if it ends."""
    ends = unit.session.count(
        Query(VoiceCommand, [eq("line", line), among("verb", ENDS)]), at_most=1
    )
    most = None if ends else AT_ONCE
    held = unit.session.find(Query(VoiceCommand, [eq("line", line)], (("seq", False),), limit=most))
    sifted = sift(held)
    stale = [one for one in sifted.give[:AT_ONCE] if _is_stale(unit, connector, one)]
    for command in (*sifted.drop, *stale):
        unit.session.remove(command)
    return tuple(one for one in sifted.give[:AT_ONCE] if one not in stale)


def _is_stale(unit: Unit, connector: str, command: VoiceCommand) -> bool:
    """Whether a call has another place by now than the one it is to be put in."""
    if command.verb is not Verb.PLACE:
        return False
    call = leg_of(unit, connector, json.loads(command.facts)["leg"])
    return call is None or call.room_id != command.line


def _blocked(
    unit: Unit, connector: str, commands: Sequence[VoiceCommand]
) -> tuple[int, Call] | None:
    """The first command that places a leg which is still to be taken up, and its call."""
    for at, command in enumerate(commands):
        if command.verb is Verb.PLACE:
            call = leg_of(unit, connector, json.loads(command.facts)["leg"])
            if call is not None and waits(unit, [call.id], BEGINNINGS):
                return at, call
    return None


def _served_first(
    unit: Unit, work: Work, connector: str, call: Call, exchange: Exchange
) -> LineTask | None:
    """A leg is taken up, or let go, before it is placed: its line is served instead."""
    other = unit.session.claim([work.kind], unit.now, work.due, call.id)
    due = later(unit.now, _AWAITS) if other is None else unit.now
    unit.session.again(work, due, work.position)
    return None if other is None else next_commands(unit, other, connector, exchange)


def settle_commands(
    unit: Unit, task: LineTask, results: Sequence[Result], exchange: Exchange
) -> None:
    """Write down what the switch made of the commands; ``results`` end with the first not done.

    Raises:
        LeaseLost: it took longer than the lease; another worker has the line now.
    """
    work = task.work
    last = results[-1] if results else Result(Outcome.DONE)
    stopped = last.outcome in (Outcome.LATER, Outcome.BROKE)
    given_up = stopped and _given_up(task.commands[len(results) - 1], last, exchange)
    if stopped and not given_up:
        again = later(unit.now, wait_of(work.position + 1))
        unit.session.again(work, max(again, last.retry_at or again), work.position + 1)
    else:
        unit.session.again(work, unit.now, 0)
    taken = len(results) - (last.outcome is Outcome.LATER)
    rows = [(one.tried, one.id) for one in task.commands[taken:]]  # these were not given
    unit.session.update(VoiceCommand, ("tried",), ("id",), rows)
    for command, result in zip(task.commands, results, strict=False):
        if result.outcome in (Outcome.LATER, Outcome.BROKE) and not given_up:
            break
        if unit.session.get(VoiceCommand, command.id) is not None:
            unit.session.remove(command)
        if result.outcome is not Outcome.DONE:
            _refused(unit, task, command, result, exchange)
        if result.outcome is Outcome.BROKE and command.verb in (Verb.ORIGINATE, Verb.ANSWER):
            _let_go(unit, task.connector, command)
    if not waits(unit, [work.key]):
        unit.session.withdraw(work.kind, work.key)


def _given_up(command: VoiceCommand, last: Result, exchange: Exchange) -> bool:
    """Whether a command that breaks the switch is not given again; the end of something always."""
    tried = command.tried + 1
    broke = last.outcome is Outcome.BROKE and tried >= exchange.settings.tries
    return broke and command.verb not in ENDS


def _let_go(unit: Unit, connector: str, command: VoiceCommand) -> None:
    """A switch may have done what it broke on: a leg that may be there is hung up."""
    leg = json.loads(command.facts)["leg"]
    order(unit, connector, command.company_id, command.line, Verb.HANG_UP, leg=leg)


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
                ended = Ended(call.leg, unit.now, _cause(result.cause), reason)
                up = command.verb is Verb.ANSWER  # it rings, whatever the switch made of it
                leg_ended(unit, call, ended, exchange, hang_up=up)
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
    note(unit, call, Happened.FAILED, plain(reason), most=exchange.settings.moments)
    if facts["id"] == playback_of(call) and call.state not in OVER:
        failed = Ended(call.leg, unit.now, Cause.FAILED, reason)
        leg_ended(unit, call, failed, exchange, hang_up=True)


def _cause(named: str) -> Cause:
    return Cause(named) if named in list(Cause) else Cause.FAILED
