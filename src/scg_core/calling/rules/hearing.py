"""Who hears and who speaks where (semantics 3: hold and mute)."""

from __future__ import annotations

from attrs import frozen

from scg_core.calling.model import Conference, ConferenceMember


@frozen
class Seat:
    """What a call hears and says in a room."""

    hears: bool = True
    speaks: bool = True


def seat_of(conference: Conference, member: ConferenceMember) -> Seat:
    """A member's place: on hold it neither hears nor speaks, muted it only hears.

    It is on hold, or muted, if the conference is or the member is.
    """
    hears = not (conference.hold or member.hold)
    return Seat(hears, hears and not (conference.mute or member.mute))


def bridged(audio: bool) -> Seat:
    """The place of either call of a bridge."""
    return Seat(audio, audio)
