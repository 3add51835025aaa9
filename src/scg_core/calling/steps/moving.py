"""Calls go on, and pull along what hangs on them: a bridge, a membership, a message, the credit."""

from __future__ import annotations

from typing import Final

from scg_core.calling.lifecycle import CALL, CALL_STATE, OVER, CallEvent, CallState
from scg_core.calling.model import (
    Bridge,
    Call,
    CallFailure,
    Conference,
    ConferenceMember,
    Happened,
)
from scg_core.calling.records import Verb
from scg_core.calling.rules.charging import seconds_of
from scg_core.calling.rules.ending import SAYS
from scg_core.calling.steps import bridging, conferring
from scg_core.calling.steps.charging import begin_meter, settled
from scg_core.calling.steps.commanding import order_leg
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.speaking import begin_to_speak, settle_message
from scg_core.calling.steps.telling import note, tell_call
from scg_core.kernel.instant import Instant
from scg_core.unit import Unit

RING_OUT: Final = "call_rings_out"
"""The due work of ending a call that nobody answered; the key is the call's id."""


def move_call(
    unit: Unit,
    call: Call,
    event: CallEvent,
    exchange: Exchange,
    *,
    at: Instant | None = None,
    failure: CallFailure | None = None,
    details: str | None = None,
    hang_up: bool = False,
) -> Call:
    """Let a call hear something, at an instant that a network may name; a loop changes nothing.

    ``details`` say more of a ``failure`` than its own sentence. ``hang_up`` tells the switch to end
    its leg, if the event ends the call.

    Raises:
        IllegalTransition: the call is in no state for it.
    """
    to = CALL.step(call.phase, event)
    if to is call.phase:
        return call
    state = CALL_STATE[to]
    when = _within(call, unit.now if at is None else at, unit.now)
    changes: dict[str, object] = {"state": state}
    if failure is not None:
        changes |= {"failure_code": failure, "failure_details": details or SAYS[failure]}
    if state is CallState.ACTIVE:
        changes["answer_time"] = when
    else:
        seconds = seconds_of(call.answer_time, when)
        changes |= {"end_time": when, "chargeable_duration": seconds}
        changes |= settled(unit, call, seconds, exchange)
    after = unit.save(call, **changes)
    unit.session.withdraw(RING_OUT, call.id)
    tell_call(unit, call.state.value, after)
    note(unit, after, Happened.STATE, state.value, at=when, most=exchange.settings.moments)
    if state is CallState.ACTIVE:
        return _answered(unit, after, exchange)
    return _over(unit, after, exchange, hang_up)


def _within(call: Call, at: Instant, now: Instant) -> Instant:
    """An instant of a network's, not before the call's last and not ahead."""
    return Instant(max(min(at, now), call.answer_time or call.start_time or 0))


def _answered(unit: Unit, call: Call, exchange: Exchange) -> Call:
    begin_meter(unit, call, exchange)
    begin_to_speak(unit, call, exchange)
    if call.room_id is None:
        return call
    bridge = unit.session.get(Bridge, call.room_id)
    if bridge is not None:
        bridging.join(unit, bridge, call, exchange)
        return call
    held = unit.session.get(Conference, call.room_id)
    member = unit.session.get(ConferenceMember, call.member_id or "")
    if held is not None and member is not None:
        conferring.join(unit, held, member, call, exchange)
    return call


def _over(unit: Unit, call: Call, exchange: Exchange, hang_up: bool) -> Call:
    assert call.state in OVER
    settle_message(unit, call)
    if hang_up:
        order_leg(unit, call, Verb.HANG_UP)
    return leave_room(unit, call, exchange)


def leave_room(unit: Unit, call: Call, exchange: Exchange) -> Call:
    """Take a call out of the bridge or conference it has a place in, if any."""
    if call.room_id is None:
        return call
    bridge = unit.session.get(Bridge, call.room_id)
    if bridge is not None:
        return bridging.leave(unit, bridge, call, exchange)[1]
    held = unit.session.get(Conference, call.room_id)
    member = unit.session.get(ConferenceMember, call.member_id or "")
    if held is not None and member is not None:
        conferring.leave(unit, held, member, call, exchange)
    return unit.session.get(Call, call.id) or call
