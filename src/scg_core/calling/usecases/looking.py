"""Asking a switch about its calls: what was never heard of is found out (semantics 3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from attrs import frozen

from scg_core.calling.lifecycle import OVER, CallEvent, CallPhase, CallState
from scg_core.calling.model import Bridge, Call, CallFailure, Conference, ConferenceMember
from scg_core.calling.records import Verb
from scg_core.calling.rules.hearing import Seat, bridged, seat_of
from scg_core.calling.rules.lines import BEGINNINGS
from scg_core.calling.steps.commanding import order, order_seat, waits
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.hearing import leg_ended
from scg_core.calling.steps.moving import move_call
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, among, eq
from scg_core.ports.storage import Work
from scg_core.ports.voice_transport import Ended, Presence, RoomKind, Sighting
from scg_core.unit import Unit

PAGE: Final = 100
_OWN: Final = (*BEGINNINGS, Verb.HANG_UP)
"""What changes how a switch sees a leg: while it waits, the engine knows better."""

_SEATS: Final = (Verb.PLACE, Verb.REMOVE, Verb.CLOSE)
"""What changes who is in a room."""

_OPEN: Final = (CallState.STARTED.value, CallState.ACTIVE.value)


@frozen
class LookTask:
    """Calls to be asked about; ``work`` is the lease, its position how many were asked before.

    ``asked`` are those of the page that no command waits for: of the others the switch may not know
    yet.
    """

    work: Work
    connector: str
    page: int
    asked: tuple[Call, ...]


def next_look(unit: Unit, work: Work, connector: str, exchange: Exchange) -> LookTask | None:
    """The next page of a switch's calls that are not over; None if there are none."""
    where = [eq("connector", connector), among("state", _OPEN)]
    query = Query(Call, where, (("id", False),), PAGE, work.position)
    calls = unit.session.find(query)
    if calls:
        unit.session.again(work, later(unit.now, exchange.settings.lease), work.position)
        asked = [one for one in calls if not waits(unit, [one.id], _OWN)]
        return LookTask(work, connector, len(calls), tuple(asked))
    if work.position:  # the last page was full, and the first may not be empty
        unit.session.again(work, later(unit.now, exchange.settings.look), 0)
    else:
        unit.session.complete(work)
    return None


def settle_look(unit: Unit, task: LookTask, seen: Sequence[Sighting], exchange: Exchange) -> None:
    """Take in what the switch sees: ends and answers never heard, places never taken.

    A call that was moved meanwhile, or that is to be taken up or ended, is left to that.

    Raises:
        LeaseLost: it took longer than the lease.
    """
    held = [unit.session.get(Call, one.id) for one in task.asked]
    fresh = [
        (call, sighting)
        for before, call, sighting in zip(task.asked, held, seen, strict=False)
        if call is not None
        and call.version_number == before.version_number
        and not waits(unit, [call.id], _OWN)
    ]
    rooms = {room for call, one in fresh for room in (call.room_id, one.room) if room is not None}
    moving = {room for room in rooms if waits(unit, [room], _SEATS)}
    over = 0
    for call, sighting in fresh:
        _reconcile(unit, call, sighting, moving, exchange)
        after = unit.session.get(Call, call.id)
        over += after is not None and after.state in OVER
    whole = task.page == PAGE
    due = unit.now if whole else later(unit.now, exchange.settings.look)
    position = task.work.position + PAGE - over if whole else 0
    unit.session.again(task.work, due, position)


def put_off_look(unit: Unit, task: LookTask, exchange: Exchange) -> None:
    """The switch could not be asked: later."""
    due = later(unit.now, exchange.settings.look)
    unit.session.again(task.work, due, task.work.position)


def _reconcile(
    unit: Unit, call: Call, seen: Sighting, moving: Collection[str], exchange: Exchange
) -> None:
    at = unit.now if seen.at is None else seen.at
    if seen.presence is Presence.ENDED:
        leg_ended(unit, call, Ended(call.leg, at), exchange)
    elif seen.presence is Presence.UNKNOWN:
        move_call(
            unit, call, CallEvent.FAILED, exchange, failure=CallFailure.LOST, hang_up=True,
        )  # fmt: skip
    elif seen.presence is Presence.UP and call.phase is CallPhase.DIALING:
        move_call(unit, call, CallEvent.ANSWERED, exchange, at=at)
    elif seen.presence is Presence.UP and call.phase is CallPhase.ACTIVE:
        if call.room_id not in moving and seen.room not in moving:
            _seat(unit, call, seen.room)
    elif seen.presence is Presence.RINGING and call.phase is CallPhase.ACTIVE:
        order(unit, call.connector, call.company_id, call.id, Verb.ANSWER, leg=call.leg)


def _seat(unit: Unit, call: Call, room: str | None) -> None:
    """Put a call where it should be, if the switch has it elsewhere."""
    if call.room_id == room:
        return
    if call.room_id is None:
        facts = {"room": room, "leg": call.leg}
        order(unit, call.connector, call.company_id, room or "", Verb.REMOVE, **facts)
        return
    wanted = _wanted(unit, call)
    if wanted is not None:
        order_seat(unit, call, call.room_id, *wanted)


def _wanted(unit: Unit, call: Call) -> tuple[RoomKind, Seat] | None:
    bridge = unit.session.get(Bridge, call.room_id or "")
    if bridge is not None:
        return RoomKind.BRIDGE, bridged(bridge.bridge_audio)
    conference = unit.session.get(Conference, call.room_id or "")
    member = unit.session.get(ConferenceMember, call.member_id or "")
    if conference is None or member is None:
        return None
    return RoomKind.CONFERENCE, seat_of(conference, member)
