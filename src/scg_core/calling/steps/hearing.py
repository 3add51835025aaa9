"""What the end of a leg and the loss of a room mean, however it was found out."""

from __future__ import annotations

from typing import Final

from scg_core.calling.lifecycle import BridgeEvent, CallState, ConferenceEvent
from scg_core.calling.model import Bridge, Call, Conference
from scg_core.calling.rules.ending import AFTERWARDS, WHILE_RINGING
from scg_core.calling.steps import bridging, conferring
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.moving import move_call
from scg_core.kernel.query import Query, eq
from scg_core.messaging.steps.receiving import mended
from scg_core.ports.voice_transport import Ended
from scg_core.unit import Unit

_DETAILS: Final = 255


def leg_of(unit: Unit, connector: str, leg: str) -> Call | None:
    """The call that a switch's leg is, deleted ones too."""
    where = [eq("connector", connector), eq("leg", leg)]
    found = unit.session.find(Query(Call, where, limit=1))
    return found[0] if found else None


def plain(text: str) -> str:
    """What a switch says, so that it can be stored and shown."""
    return mended(text).replace("\x00", "")[:_DETAILS]


def leg_ended(
    unit: Unit, call: Call, event: Ended, exchange: Exchange, *, hang_up: bool = False
) -> Call:
    """A leg is over, for a cause that its state makes the most of."""
    ringing = call.state is CallState.STARTED
    happened, failure = (WHILE_RINGING if ringing else AFTERWARDS)[event.cause.value]
    details = None if failure is None else plain(event.details or "") or None
    return move_call(
        unit, call, happened, exchange, at=event.at, failure=failure, details=details,
        hang_up=hang_up,
    )  # fmt: skip


def room_failed(unit: Unit, connector: str, room: str, exchange: Exchange) -> None:
    """A room could not be made, or was lost: its bridge is in ERROR, its conference is over."""
    bridge = unit.session.get(Bridge, room)
    if bridge is not None and bridge.connector == connector:
        bridging.move_bridge(unit, bridge, BridgeEvent.FAIL, exchange)
        return
    conference = unit.session.get(Conference, room)
    if conference is not None and conference.connector == connector:
        conferring.end(unit, conference, ConferenceEvent.FAIL, exchange)
