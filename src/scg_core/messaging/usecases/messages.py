"""What a customer may do to one message, and reading them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.messaging.lifecycle import (
    MO,
    Direction,
    InboundEvent,
    MessageEvent,
    MessageState,
)
from scg_core.messaging.model import Message
from scg_core.messaging.rules.status import Status, delete
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import News, hear_news
from scg_core.messaging.steps.queueing import cut_out, is_in_flight
from scg_core.messaging.steps.telling import Move, tell_moves
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

CUSTOMER = "CUSTOMER"


def update_message(
    unit: Unit, caller: Caller, message_id: str, given: Mapping[str, object]
) -> Message:
    """Set a message's state: CONVERTED (MT), PROCESSED (MO) or DELETED (semantics 1a, 1b).

    A conversion without a date happened now, without a source it is the CUSTOMER's.

    Raises:
        StaleData: a version number was given and is not the present one.
        InvalidField: another state.
        IllegalTransition: the message is in no state for it.
    """
    message = unit.get(Message, caller.company_id, message_id)
    unit.check_version(message, given.get("version_number"))
    values = codec.read(
        Message, {name: value for name, value in given.items() if name != "state"}, lenient=True
    )
    match given.get("state"):
        case "DELETED":
            delete_message(unit, caller, message_id)
            return message
        case None | message.state:
            return message
        case "CONVERTED" if message.direction is Direction.MT:
            _convert(unit, message, values)
        case "PROCESSED" if message.direction is Direction.MO:
            _move(unit, message, MO.step(message.state, InboundEvent.PROCESSED))
        case _:
            may = "CONVERTED" if message.direction is Direction.MT else "PROCESSED"
            raise InvalidField("state", f"may be set to {may} or DELETED only")
    return unit.get(Message, caller.company_id, message_id)


def delete_message(unit: Unit, caller: Caller, message_id: str, seen: object = None) -> None:
    """Delete a message; one still queued does not leave.

    Raises:
        NotFound: there is none, or it is deleted already.
        StaleData: ``seen`` is given and is not the present version.
    """
    message = unit.get(Message, caller.company_id, message_id)
    unit.check_version(message, seen)
    if message.direction is Direction.MO:
        _move(unit, message, MO.step(message.state, InboundEvent.DELETED))
        return
    status = Status(message.state, message.milestones, is_in_flight(unit, message.seq))
    heard = delete(status)
    if status.is_open and not status.in_flight:
        cut_out(unit, message.seq)
    tally = Tally()
    tally.note(message.message_request_id, heard)
    if message.price is not None and status.is_queued:
        tally.pay(message.company_id, 0, message.price)
        unit.session.update(Message, ("price",), ("seq",), [(None, message.seq)])
        message = unit.get(Message, caller.company_id, message_id)
    _move(unit, message, heard.status.state)
    tally.apply(unit)


def _move(unit: Unit, message: Message, to: MessageState) -> None:
    """Store a message's new state and tell of it; the same state changes nothing."""
    if to is message.state:
        return
    unit.save(message, state=to)
    request = message.message_request_id
    moved = Move(message.company_id, message.id, request, message.state.value, to.value)
    tell_moves(unit, lambda: [moved])


def _convert(unit: Unit, message: Message, values: Mapping[str, Any]) -> None:
    if message.state is MessageState.CONVERTED:
        return
    facts = {"conversion_info_source": values.get("conversion_info_source") or CUSTOMER}
    at = values.get("converted_date") or unit.now
    flying = {message.seq} if is_in_flight(unit, message.seq) else set()
    if Status(message.state, message.milestones).is_open and not flying:
        cut_out(unit, message.seq)
    tally = Tally()
    hear_news(unit, [News(message.seq, MessageEvent.CONVERT, at, facts)], flying, tally)
    tally.apply(unit)
