"""Calls begin: dialled by us, or brought by a switch."""

from __future__ import annotations

from typing import Any

from scg_core.calling.lifecycle import CallState, Direction
from scg_core.calling.model import Call, Happened
from scg_core.calling.records import Verb
from scg_core.calling.steps.commanding import LOOK, order_leg
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.moving import RING_OUT
from scg_core.calling.steps.telling import note, tell_call
from scg_core.kernel.instant import later
from scg_core.unit import Unit


def dial(unit: Unit, exchange: Exchange, connector: str, **facts: Any) -> Call:
    """Store an outgoing call, ask its switch to dial, and see to it that it ends."""
    id = unit.new_id()
    call = begin(unit, exchange, id=id, leg=id, connector=connector, direction=Direction.OUT,
                 **facts)  # fmt: skip
    order_leg(
        unit, call, Verb.ORIGINATE, from_address=call.from_address, to_address=call.to_address,
        timeout=call.answer_timeout,
    )  # fmt: skip
    return call


def begin(unit: Unit, exchange: Exchange, **facts: Any) -> Call:
    """Store a call that begins now."""
    call = unit.add(
        Call(
            state=CallState.STARTED, start_time=unit.now, created_date=unit.now,
            last_updated_date=unit.now, **facts,
        )
    )  # fmt: skip
    unit.later(RING_OUT, call.id, later(unit.now, call.answer_timeout))
    unit.later(LOOK + call.connector, call.connector, later(unit.now, exchange.settings.look))
    tell_call(unit, None, call)
    note(unit, call, Happened.STATE, call.state.value, most=exchange.settings.moments)
    return call
