"""Asking a switch for something: a command, and the due work of giving it to the switch.

Commands of one line, a call or a room, are done in the order they were asked, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import attrs

from scg_core.calling.model import Call, Happened
from scg_core.calling.records import Verb, VoiceCommand
from scg_core.calling.rules.hearing import Seat
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.telling import note
from scg_core.kernel.query import Query, among, eq
from scg_core.ports.message_transport import File
from scg_core.ports.voice_transport import Audio, Chime, Recording, RoomKind, Sound, Speech
from scg_core.unit import Unit

LINE: Final = "voice/"
"""The due work of a line; the kind goes on with the switch, the key is the line."""

_LONGEST: Final = 255

LOOK: Final = "voice_look/"
"""The due work of asking a switch about its calls; the kind goes on with the switch."""


def order(unit: Unit, connector: str, company: str, line: str, verb: Verb, **facts: object) -> None:
    """Ask a switch for something, after whatever was asked on the same line.

    Work that is filed while a worker holds it would be given to a second one, so it is filed only
    if the line was empty: who holds a line looks for more before it lets go.
    """
    waits = unit.session.count(Query(VoiceCommand, [eq("line", line)]), at_most=1)
    unit.add(
        VoiceCommand(
            id=unit.new_id(), seq=unit.session.number(1), company_id=company, line=line, verb=verb,
            facts=json.dumps(facts, ensure_ascii=False), created_date=unit.now,
        )
    )  # fmt: skip
    if not waits:
        unit.later(LINE + connector, line, unit.now)


def waits(unit: Unit, lines: Iterable[str], verbs: Iterable[Verb] = tuple(Verb)) -> bool:
    """Whether a command of one of these verbs waits on one of these lines."""
    where = [among("line", lines), among("verb", [one.value for one in verbs])]
    return bool(unit.session.count(Query(VoiceCommand, where), at_most=1))


def order_leg(unit: Unit, call: Call, verb: Verb, **facts: object) -> None:
    """Ask for something on a call."""
    order(unit, call.connector, call.company_id, call.id, verb, leg=call.leg, **facts)


def let_go(unit: Unit, connector: str, leg: str) -> None:
    """Hang up a leg that is no call of ours; its name is one within its switch only."""
    order(unit, connector, "", f"{connector}/{leg}", Verb.HANG_UP, leg=leg)


def order_seat(unit: Unit, call: Call, room: str, kind: RoomKind, seat: Seat) -> None:
    """Ask for a call to be in a room, hearing and speaking so."""
    order(
        unit, call.connector, call.company_id, room, Verb.PLACE, room=room, kind=kind.value,
        leg=call.leg, hears=seat.hears, speaks=seat.speaks,
    )  # fmt: skip


def order_sound(unit: Unit, call: Call, playback: str, sound: Sound, exchange: Exchange) -> None:
    """Ask for a sound on a call."""
    most = exchange.settings.moments
    note(unit, call, Happened.PLAYS, said(sound), most=most, key=f"a/{playback}")
    order_leg(unit, call, Verb.PLAY, id=playback, sound=written(sound))


def order_room_sound(
    unit: Unit, connector: str, company: str, room: str, playback: str, sound: Sound
) -> None:
    """Ask for a sound in a room."""
    order(unit, connector, company, room, Verb.PLAY, room=room, id=playback, sound=written(sound))


def written(sound: Sound) -> dict[str, Any]:
    """A sound as JSON."""
    if isinstance(sound, Chime):
        return {"Chime": sound.value}
    return {type(sound).__name__: attrs.asdict(sound)}


def said(sound: Sound) -> str:
    """A sound as it stands on a timeline."""
    match sound:
        case Speech(text=text):
            return text[:_LONGEST]
        case Audio(url=url):
            return url[:_LONGEST]
        case Recording(file=file):
            return file.name[:_LONGEST]
        case _:
            return str(sound)


def read_sound(facts: dict[str, Any]) -> Sound:
    """The sound that was written so."""
    [(kind, given)] = facts.items()
    match kind:
        case "Chime":
            return Chime(given)
        case "Recording":
            return Recording(File(**given["file"]))
        case "Audio":
            return Audio(**given)
        case _:
            return Speech(**given)
