"""What the engine knows of switches: the timers of calls, and which lines hang together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.steps.charging import METER
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.moving import RING_OUT
from scg_core.calling.steps.speaking import SPOKEN_LIMIT
from scg_core.calling.usecases.due import next_unit, ring_out, spoken_too_long
from scg_core.kernel.query import Query, eq
from scg_core.ports.storage import Work
from scg_core.unit import Unit


def timers(exchange: Exchange) -> Mapping[str, Callable[[Unit, Work], None]]:
    """The due work of calls that needs no switch."""
    return {
        RING_OUT: lambda unit, work: ring_out(unit, work, exchange),
        METER: lambda unit, work: next_unit(unit, work, exchange),
        SPOKEN_LIMIT: lambda unit, work: spoken_too_long(unit, work, exchange),
    }


def lines_of(unit: Unit, id: str) -> list[tuple[str, str]]:
    """The switch and name of each line that something of this id concerns.

    Of a call its own and its bridge's or conference's, of these their own and their calls'.
    """
    member = unit.session.get(ConferenceMember, id)
    call = unit.session.get(Call, id if member is None else member.call_id)
    if call is not None:
        rooms = dict.fromkeys(one for one in (call.room_id, call.bridge_id) if one)
        if member is not None:
            rooms[member.conference_id] = None
        return [(call.connector, line) for line in (call.id, *rooms)]
    room = unit.session.get(Bridge, id) or unit.session.get(Conference, id)
    if room is None or not room.connector:
        return []
    calls = unit.session.find(Query(Call, [eq("room_id", id)], limit=_CALLS))
    return [(room.connector, line) for line in (id, *(one.id for one in calls))]


_CALLS = 10
