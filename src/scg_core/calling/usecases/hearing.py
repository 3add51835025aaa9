"""What a switch reports: late, twice, early, of legs nobody knows (semantics 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from scg_core.calling.lifecycle import OVER, CallEvent
from scg_core.calling.model import Call, CallMoment, Happened
from scg_core.calling.records import Verb
from scg_core.calling.steps.commanding import let_go, order_leg
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.hearing import leg_ended, leg_of, room_failed
from scg_core.calling.steps.incoming import take_call
from scg_core.calling.steps.moving import move_call
from scg_core.calling.steps.speaking import playback_of
from scg_core.calling.steps.telling import note, tell_digits
from scg_core.kernel.codec import read_integer, read_text
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import LATEST, Instant
from scg_core.kernel.query import Query, eq
from scg_core.ports.voice_transport import (
    Answered,
    Arrived,
    Cause,
    Ended,
    Played,
    Pressed,
    RoomFailed,
    VoiceEvent,
)
from scg_core.unit import Unit

_MOST_DIGITS: Final = 64
_NAME: Final = 128


def calls_heard(
    unit: Unit, connector: str, events: Sequence[VoiceEvent], exchange: Exchange
) -> None:
    """Take in what a switch reports. Order and repetition do not matter.

    Raises:
        InvalidField: one of them is no event; none is taken.
    """
    if not isinstance(events, list | tuple):
        raise InvalidField("events", "must be a list of events of calls")
    for event in events:
        check_event(event)
    for event in events:
        _hear(unit, connector, event, exchange)


def check_event(event: object) -> None:
    """Refuse what is no event of a call.

    Raises:
        InvalidField: it names the field.
    """
    if not isinstance(event, VoiceEvent):
        raise InvalidField("events", "must hold events of calls")
    read_integer("at", event.at, 0, LATEST)
    facts: dict[str, Any] = {
        name: getattr(event, name)
        for name in ("leg", "from_address", "to_address", "playback", "room", "digits")
        if hasattr(event, name)
    }
    for name, value in facts.items():
        if name == "from_address" and isinstance(value, str):
            continue  # it may be withheld, and is cut if it is long
        if value is not None or name != "leg" or not isinstance(event, Played):
            read_text(name, value, most=_MOST_DIGITS if name == "digits" else _NAME)
    if getattr(event, "key", None) is not None:
        read_text("key", event.key, most=_NAME)  # type: ignore[union-attr]
    if not isinstance(getattr(event, "details", None), str | None):
        raise InvalidField("details", "must be text")
    if isinstance(event, Ended) and not isinstance(event.cause, Cause):
        raise InvalidField("cause", f"must be one of {', '.join(Cause)}")


def _hear(unit: Unit, connector: str, event: VoiceEvent, exchange: Exchange) -> None:
    if isinstance(event, RoomFailed):
        room_failed(unit, connector, event.room, exchange)
        return
    call = None if event.leg is None else leg_of(unit, connector, event.leg)
    if isinstance(event, Arrived):
        if call is None:
            take_call(unit, connector, event, exchange)
        return
    if call is None:
        if isinstance(event, Answered):  # nobody asked for it, or it was not stored: let it go
            let_go(unit, connector, event.leg)
        return
    match event:
        case Answered() if call.state in OVER and call.answer_time is None:
            order_leg(unit, call, Verb.HANG_UP)  # it was ended before it came up
        case Answered():
            move_call(unit, call, CallEvent.ANSWERED, exchange, at=event.at)
        case Ended():
            leg_ended(unit, call, event, exchange)
        case Pressed():
            _pressed(unit, call, event, f"{event.key or event.digits}@{event.at}", exchange)
        case Played():
            _played(unit, call, event, exchange)


def _pressed(unit: Unit, call: Call, event: Pressed, key: str, exchange: Exchange) -> None:
    most = exchange.settings.moments
    at = Instant(min(event.at, unit.now))
    if note(unit, call, Happened.DIGITS, event.digits, most=most, at=at, key=f"d/{key}"):
        tell_digits(unit, call, event.digits, at)


def _played(unit: Unit, call: Call, event: Played, exchange: Exchange) -> None:
    most = exchange.settings.moments
    where = [eq("call_id", call.id), eq("key", f"a/{event.playback}")]
    for asked in unit.session.find(Query(CallMoment, where, limit=1)):
        at, key = Instant(min(event.at, unit.now)), f"p/{event.playback}"
        note(unit, call, Happened.PLAYED, asked.details, most=most, at=at, key=key)
    speaks = call.speech is not None and call.state not in OVER
    if speaks and event.playback == playback_of(call):
        move_call(unit, call, CallEvent.HANG_UP, exchange, hang_up=True)
