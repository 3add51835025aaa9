"""Bridges: calls take their places, are connected, put on hold, and leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from scg_core.calling.lifecycle import (
    BRIDGE,
    CALL,
    CALL_BRIDGE,
    OVER,
    BridgeEvent,
    BridgeState,
    CallEvent,
    CallState,
)
from scg_core.calling.model import Bridge, Call, Happened
from scg_core.calling.records import Verb
from scg_core.calling.rules.asking import BRIDGED
from scg_core.calling.rules.hearing import bridged
from scg_core.calling.steps.commanding import order, order_seat
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.telling import note, tell_bridge
from scg_core.kernel.errors import IllegalTransition, InvalidField
from scg_core.kernel.query import Query, eq
from scg_core.ports.voice_transport import RoomKind
from scg_core.unit import Unit

_OVER: Final = frozenset({BridgeState.COMPLETED, BridgeState.ERROR})


def calls_in(unit: Unit, room: str) -> list[Call]:
    """The calls that have a place in a room."""
    return unit.session.find(Query(Call, [eq("room_id", room)]))


def move_bridge(
    unit: Unit, bridge: Bridge, event: BridgeEvent, exchange: Exchange, **changes: Any
) -> Bridge:
    """Let a bridge hear something; a loop that changes nothing stores nothing.

    Raises:
        IllegalTransition: it is in no state for it.
    """
    to = BRIDGE.step(bridge.state, event)
    if to is bridge.state:
        return unit.save(bridge, **changes) if changes else bridge
    if to in _OVER:
        changes["completed_time"] = unit.now
    if bridge.state is BridgeState.CREATED and to in (BridgeState.ACTIVE, BridgeState.HOLD):
        changes["activated_time"] = unit.now
    after = unit.save(bridge, state=to, **changes)
    tell_bridge(unit, bridge.state.value, after)
    if to in _OVER:
        _release(unit, after, exchange)
    return after


def check_free(call: Call) -> None:
    """Refuse a call that cannot take a place anywhere.

    Raises:
        IllegalTransition: it is over, or has a place already.
    """
    CALL.step(call.phase, CallEvent.JOIN)
    if call.room_id is not None:
        place = "in a bridge or conference"
        raise IllegalTransition("call", place, CallEvent.JOIN, ("JOIN once it has left",))


def check_switch(room: str, calls: Sequence[Call], call: Call) -> None:
    """Refuse a call that goes through another switch than those it is to hear.

    Raises:
        InvalidField: it does; ``room`` names the field that brings them together.
    """
    if any(one.connector != call.connector for one in calls):
        raise InvalidField(room, "brings calls of different switches together")


def take_place(unit: Unit, bridge: Bridge, call: Call, exchange: Exchange) -> Bridge:
    """Give a call a place on a bridge; it joins now, or when it is answered.

    Raises:
        IllegalTransition: the bridge is over, or the call is or has a place already.
        InvalidField: the bridge has two calls already.
    """
    if bridge.state in _OVER:
        BRIDGE.step(bridge.state, BridgeEvent.JOIN)
    check_free(call)
    present = calls_in(unit, bridge.id)
    if len(present) >= BRIDGED:
        raise InvalidField("bridge_id", f"the bridge has {BRIDGED} calls already")
    check_switch("bridge_id", present, call)
    same = bridge.connector == call.connector
    changes = {} if same else {"connector": call.connector}
    held = move_bridge(unit, bridge, BridgeEvent.JOIN, exchange, **changes)
    seated = unit.save(call, room_id=bridge.id, bridge_id=bridge.id)
    if seated.state is CallState.ACTIVE:
        return join(unit, held, seated, exchange)
    return held


def join(unit: Unit, bridge: Bridge, call: Call, exchange: Exchange) -> Bridge:
    """Connect an ACTIVE call to its bridge; with the second one the bridge is ACTIVE."""
    order_seat(unit, call, bridge.id, RoomKind.BRIDGE, bridged(bridge.bridge_audio))
    note(unit, call, Happened.JOINED, f"bridge {bridge.id}", most=exchange.settings.moments)
    up = [one for one in calls_in(unit, bridge.id) if one.state is CallState.ACTIVE]
    if len(up) < BRIDGED or bridge.state is not BridgeState.CREATED:
        return bridge
    audio = bridge.bridge_audio
    event = BridgeEvent.CONNECT if audio else BridgeEvent.CONNECT_SILENT
    return move_bridge(unit, bridge, event, exchange)


def set_audio(unit: Unit, bridge: Bridge, audio: bool, exchange: Exchange) -> Bridge:
    """Put a bridge on hold or release it; before both calls are there the wish is kept.

    Raises:
        IllegalTransition: the bridge is over.
    """
    event = BridgeEvent.RELEASE if audio else BridgeEvent.HOLD
    BRIDGE.step(bridge.state, event)
    if bridge.bridge_audio == audio:
        return bridge
    after = move_bridge(unit, bridge, event, exchange, bridge_audio=audio)
    for call in calls_in(unit, bridge.id):
        if call.state is CallState.ACTIVE:
            order_seat(unit, call, bridge.id, RoomKind.BRIDGE, bridged(audio))
    return after


def leave(unit: Unit, bridge: Bridge, call: Call, exchange: Exchange) -> tuple[Bridge, Call]:
    """A call ends, or is taken out: a connected bridge is COMPLETED, the other call stays up."""
    note(unit, call, Happened.LEFT, f"bridge {bridge.id}", most=exchange.settings.moments)
    after = unit.save(call, room_id=None)
    is_over = call.state in OVER
    to = (
        CALL_BRIDGE.follow(call.state, bridge.state)
        if is_over
        else BRIDGE.step(bridge.state, BridgeEvent.LEAVE)
    )
    if to is not bridge.state:
        return move_bridge(unit, bridge, BridgeEvent.LEAVE, exchange), after
    if call.state is CallState.ACTIVE:
        facts = {"room": bridge.id, "leg": call.leg}
        order(unit, call.connector, call.company_id, bridge.id, Verb.REMOVE, **facts)
    return bridge, after


def _release(unit: Unit, bridge: Bridge, exchange: Exchange) -> None:
    """A bridge is over: its calls stay up, and are free."""
    for call in calls_in(unit, bridge.id):
        after = unit.save(call, room_id=None)
        note(unit, after, Happened.LEFT, f"bridge {bridge.id}", most=exchange.settings.moments)
    if bridge.connector:
        order(unit, bridge.connector, bridge.company_id, bridge.id, Verb.CLOSE, room=bridge.id)
