"""What the end of a leg and the loss of a room mean, however it was found out."""

from __future__ import annotations

from typing import Final

from scg_core.calling.lifecycle import BridgeEvent, CallEvent, CallState, ConferenceEvent
from scg_core.calling.model import Bridge, Call, CallFailure, Conference
from scg_core.calling.steps import bridging, conferring
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.moving import move_call
from scg_core.kernel.query import Query, eq
from scg_core.messaging.steps.receiving import mended
from scg_core.ports.voice_transport import Cause, Ended
from scg_core.unit import Unit

_DETAILS: Final = 255

FAILURES: Final = {
    Cause.BUSY: CallFailure.BUSY,
    Cause.NO_ANSWER: CallFailure.NO_ANSWER,
    Cause.REFUSED: CallFailure.REFUSED,
    Cause.UNREACHABLE: CallFailure.UNREACHABLE,
    Cause.FAILED: CallFailure.FAILED,
}
_UNANSWERED: Final = (Cause.BUSY, Cause.NO_ANSWER, Cause.REFUSED, Cause.UNREACHABLE)


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
    failure = FAILURES.get(event.cause)
    if ringing and failure is None:
        failure = CallFailure.REFUSED
    happened = CallEvent.HUNG_UP
    if event.cause is Cause.FAILED:
        happened = CallEvent.FAILED
    elif ringing and event.cause in _UNANSWERED:
        happened = CallEvent.UNANSWERED
    elif not ringing:
        failure = None
    details = None if failure is None else plain(event.details or "") or _SAYS[failure]
    return move_call(
        unit, call, happened, exchange, at=event.at, failure=failure, details=details,
        hang_up=hang_up,
    )  # fmt: skip


_SAYS: Final = {
    CallFailure.BUSY: "the called party was busy",
    CallFailure.NO_ANSWER: "nobody answered in time",
    CallFailure.REFUSED: "it was declined, or ended before it was answered",
    CallFailure.UNREACHABLE: "the number cannot be reached",
    CallFailure.FAILED: "the network failed",
    CallFailure.LOST: "the switch does not know it any more",
    CallFailure.NO_CREDIT: "the credit ran out",
}


def room_failed(unit: Unit, connector: str, room: str, exchange: Exchange) -> None:
    """A room could not be made, or was lost: its bridge is in ERROR, its conference is over."""
    bridge = unit.session.get(Bridge, room)
    if bridge is not None and bridge.connector == connector:
        bridging.move_bridge(unit, bridge, BridgeEvent.FAIL, exchange)
        return
    conference = unit.session.get(Conference, room)
    if conference is not None and conference.connector == connector:
        conferring.end(unit, conference, ConferenceEvent.FAIL, exchange)
