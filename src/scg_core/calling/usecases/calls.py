"""Calls: dialled, answered, hung up, deleted (semantics 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.calling.lifecycle import CALL, OVER, CallEvent, CallState, Direction
from scg_core.calling.model import Bridge, Call
from scg_core.calling.records import Verb
from scg_core.calling.rules.asking import insists, read_ring
from scg_core.calling.steps import bridging
from scg_core.calling.steps.charging import set_aside, tariff_of
from scg_core.calling.steps.commanding import order_leg
from scg_core.calling.steps.dialing import dial
from scg_core.calling.steps.exchange import Exchange, switch_of
from scg_core.calling.steps.finding import (
    called_party,
    calling_sender,
    check_sender,
    held,
    named_bridge,
)
from scg_core.calling.steps.moving import RING_OUT, leave_room, move_call
from scg_core.calling.steps.versions import NEW, one_step
from scg_core.kernel import codec
from scg_core.kernel.errors import IllegalTransition, InvalidField
from scg_core.kernel.instant import later
from scg_core.kernel.resource import Writer
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_FIXED: Final = ("from_", "from_address", "to")
_KEPT: Final = ("from", "from_", "from_address", "to", "answer_timeout")
"""What null does not clear, since a call always has one: it means not given."""

_PLAIN: Final = ("external_id", "recording_enabled")


def create_call(
    unit: Unit, caller: Caller, given: Mapping[str, object], exchange: Exchange
) -> Call:
    """Dial a phone; with ``bridge_id`` the call has its place on that bridge at once.

    Raises:
        InvalidField: it names the field; the sender id carries no VOICE (1003).
        IllegalTransition: the bridge is over.
        InsufficientCredit: the first unit is not covered.
    """
    values = codec.read(Call, given, lenient=caller.lenient)
    company = caller.company_id
    if values.get("from_") is None and values.get("from_address"):
        values["from_"] = f"address:{values['from_address']}"
    codec.mandatory(Call, values, Writer.CUSTOMER)
    sender = calling_sender(unit, company, values["from_"])
    _check_address(values.get("from_address"), sender.address)
    party = called_party(unit, company, values["to"], sender.country, exchange.places)
    check_sender(unit, sender, party.country)
    timeout = values.get("answer_timeout")
    tariff = tariff_of(unit, company, sender.root_id, party.country, exchange)
    facts: dict[str, Any] = {
        name: values[name] for name in _PLAIN if values.get(name) is not None
    }  # fmt: skip
    call = dial(
        unit, exchange, switch_of(unit, sender, exchange), company_id=company,
        application_id=caller.application_id, from_=values["from_"], from_address=sender.address,
        to=values["to"], to_address=party.address, sender_id=sender.id, tariff=tariff,
        answer_timeout=exchange.settings.answer_timeout if timeout is None else read_ring(timeout),
        reserved=set_aside(unit, company, tariff), **facts,
    )  # fmt: skip
    if values.get("bridge_id"):
        bridge = named_bridge(unit, company, values["bridge_id"])
        bridging.take_place(unit, bridge, call, exchange)
        one_step(unit, Bridge, bridge.id, bridge.version_number)
    one_step(unit, Call, call.id, NEW)
    return held(unit, Call, company, call.id)


def update_call(
    unit: Unit, caller: Caller, id: str, given: Mapping[str, object], exchange: Exchange
) -> Call:
    """Change what is given of a call: ``state`` COMPLETED hangs it up, ACTIVE answers it.

    Raises:
        NotFound: the company has no such call.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field; some never change.
        IllegalTransition: the call is in no state for it.
    """
    call = held(unit, Call, caller.company_id, id)
    unit.check_version(call, given.get("version_number"))
    before = call.version_number
    plain = {
        name: value
        for name, value in given.items()
        if name not in ("state", _VERSION) and not (name in _KEPT and value in (None, ""))
    }
    changes = codec.changes(call, codec.read(Call, plain, lenient=caller.lenient))
    _refuse_fixed(call, changes)
    kept = {name: value for name, value in changes.items() if name in _PLAIN}
    if "answer_timeout" in changes:
        kept["answer_timeout"] = _ring_anew(unit, call, changes["answer_timeout"])
    if kept:
        call = unit.save(call, **kept)
    wanted = changes.get("bridge_id", call.bridge_id) or None
    if "bridge_id" in changes or (insists(given, "bridge_id") and call.room_id != wanted):
        _change_bridge(unit, call, wanted, exchange)
        call = held(unit, Call, caller.company_id, id)
    if given.get("state") is not None:
        call = _set_state(unit, call, given["state"], exchange)
    one_step(unit, Call, id, before)
    return held(unit, Call, caller.company_id, id)


def hang_up(unit: Unit, call: Call, exchange: Exchange) -> Call:
    """End a call from our side.

    Raises:
        IllegalTransition: it was rejected.
    """
    return move_call(unit, call, CallEvent.HANG_UP, exchange, hang_up=True)


def delete_call(unit: Unit, caller: Caller, id: str, version: object, exchange: Exchange) -> None:
    """Delete a call, hanging it up first if it is not over.

    Raises:
        NotFound: the company has no such call.
        StaleData: a version is given and is not the present one.
    """
    call = held(unit, Call, caller.company_id, id)
    unit.check_version(call, version)
    if call.state not in OVER:
        call = hang_up(unit, call, exchange)
    unit.save(call, deleted=True)


def _set_state(unit: Unit, call: Call, wanted: object, exchange: Exchange) -> Call:
    state = codec.read_text("state", wanted).strip().upper()
    if state == call.state.value:
        return call
    match state:
        case CallState.ACTIVE:
            after = move_call(unit, call, CallEvent.ANSWER, exchange)
            order_leg(unit, after, Verb.ANSWER)
            return after
        case CallState.COMPLETED:
            return hang_up(unit, call, exchange)
        case _:
            raise InvalidField("state", "may be set to ACTIVE or COMPLETED only")


def _change_bridge(unit: Unit, call: Call, wanted: str | None, exchange: Exchange) -> None:
    if wanted is None:
        if call.room_id is not None and call.room_id == call.bridge_id:
            call = leave_room(unit, call, exchange)
        unit.save(call, bridge_id=None)
        return
    bridge: Bridge = named_bridge(unit, call.company_id, wanted)
    bridging.take_place(unit, bridge, call, exchange)


def _ring_anew(unit: Unit, call: Call, timeout: int) -> int:
    """Let a call that still rings ring for another time, counted from its start."""
    if call.state is not CallState.STARTED:
        raise IllegalTransition(
            "call", call.state.value, "answer_timeout", CALL.allowed(call.phase)
        )
    timeout = read_ring(timeout)
    if timeout > call.answer_timeout and call.direction is Direction.OUT:
        raise InvalidField("answer_timeout", "can only become shorter: the phone rings already")
    unit.session.withdraw(RING_OUT, call.id)
    unit.later(RING_OUT, call.id, later(call.start_time or unit.now, timeout))
    return timeout


def _refuse_fixed(call: Call, changes: Mapping[str, Any]) -> None:
    for name in _FIXED:
        if name in changes:
            if name == "from_address" and _same(changes[name], call.from_address):
                continue
            raise InvalidField(name.rstrip("_"), "never changes; make another call")


def _check_address(given: str | None, address: str) -> None:
    if given and not _same(given, address):
        raise InvalidField("from_address", "is not the address of the sender id that from names")


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").strip().removeprefix("+") == (other or "").removeprefix("+")


_VERSION: Final = "version_number"
