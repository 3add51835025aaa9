"""Conferences: members are added, join when their call is up, are muted or held, and leave."""

from __future__ import annotations

from typing import Any

from scg_core.calling.lifecycle import (
    CALL_MEMBER,
    CONFERENCE,
    CONFERENCE_MEMBER,
    LEAVING,
    MEMBER,
    MEMBER_CONFERENCE,
    CallState,
    ConferenceEvent,
    ConferenceState,
    Left,
    MemberEvent,
    MemberState,
)
from scg_core.calling.model import Call, Conference, ConferenceMember, Happened
from scg_core.calling.records import Verb
from scg_core.calling.rules.hearing import seat_of
from scg_core.calling.steps.commanding import order, order_room_sound, order_seat
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.telling import note, tell_conference, tell_member
from scg_core.kernel.query import Query, eq
from scg_core.ports.voice_transport import Chime, RoomKind
from scg_core.unit import Unit


def members_of(unit: Unit, conference_id: str) -> list[ConferenceMember]:
    """The members that have not left, those whose calls still ring among them."""
    where = [eq("conference_id", conference_id), eq("state", MemberState.ACTIVE.value)]
    return unit.session.find(Query(ConferenceMember, where))


def move_conference(
    unit: Unit, held: Conference, event: ConferenceEvent, **changes: Any
) -> Conference:
    """Let a conference hear something; a loop that changes nothing stores nothing.

    Raises:
        IllegalTransition: it is in no state for it.
    """
    to = CONFERENCE.step(held.state, event)
    if to is held.state:
        return unit.save(held, **changes) if changes else held
    if to is ConferenceState.COMPLETED:
        changes |= {"completed_time": unit.now, "active_members": 0}
    after = unit.save(held, state=to, **changes)
    tell_conference(unit, held.state.value, after)
    return after


def join(
    unit: Unit, held: Conference, member: ConferenceMember, call: Call, exchange: Exchange
) -> ConferenceMember:
    """Connect a member whose call is ACTIVE."""
    after = unit.save(member, joined_time=unit.now)
    count = held.active_members + 1
    there = move_conference(unit, held, ConferenceEvent.JOIN, active_members=count)
    tell_member(unit, member.state.value, after)
    order_seat(unit, call, held.id, RoomKind.CONFERENCE, seat_of(there, after))
    note(unit, call, Happened.JOINED, f"conference {held.id}", most=exchange.settings.moments)
    if after.join_tone:
        _chime(unit, there, Chime.JOIN)
    return after


def seat_again(unit: Unit, held: Conference, members: list[ConferenceMember]) -> None:
    """Say anew what members hear and speak, after a hold or a mute."""
    for member in members:
        call = unit.session.get(Call, member.call_id) if member.is_in else None
        if call is not None and call.state is CallState.ACTIVE:
            order_seat(unit, call, held.id, RoomKind.CONFERENCE, seat_of(held, member))


def leave(
    unit: Unit, held: Conference, member: ConferenceMember, call: Call, exchange: Exchange
) -> tuple[Conference, ConferenceMember]:
    """A member is removed or its call has ended; after the last one the conference is over."""
    is_up = call.state is CallState.ACTIVE
    gone = _complete(unit, member, CALL_MEMBER.follow(call.state, member.state))
    unit.save(call, room_id=None, member_id=None)
    note(unit, call, Happened.LEFT, f"conference {held.id}", most=exchange.settings.moments)
    if member.is_in and is_up:
        facts = {"room": held.id, "leg": call.leg}
        order(unit, call.connector, call.company_id, held.id, Verb.REMOVE, **facts)
    rest = members_of(unit, held.id)
    left = Left.SOME if rest else Left.NONE
    count = held.active_members - member.is_in
    changes = {"active_members": count} if member.is_in else {}
    over = MEMBER_CONFERENCE.follow(left, held.state) is not held.state
    after = move_conference(unit, held, LEAVING[left], **changes)
    if over:
        _close(unit, after)
    elif member.leaving_tone and member.is_in and count:
        _chime(unit, after, Chime.LEAVE)
    return after, gone


def end(unit: Unit, held: Conference, event: ConferenceEvent, exchange: Exchange) -> Conference:
    """End a conference and the membership of everybody in it; their calls stay up."""
    after = move_conference(unit, held, event)
    if after is held:
        return held
    for member in members_of(unit, held.id):
        _complete(unit, member, CONFERENCE_MEMBER.follow(after.state, member.state))
        call = unit.session.get(Call, member.call_id)
        if call is not None:
            unit.save(call, room_id=None, member_id=None)
            details = f"conference {held.id}"
            note(unit, call, Happened.LEFT, details, most=exchange.settings.moments)
    _close(unit, after)
    return after


def _complete(unit: Unit, member: ConferenceMember, followed: MemberState) -> ConferenceMember:
    """A membership ends: by what it follows, or because it is removed."""
    to = followed if followed is not member.state else MEMBER.step(member.state, MemberEvent.LEAVE)
    after = unit.save(member, state=to, removed_time=unit.now)
    tell_member(unit, member.state.value, after)
    return after


def _close(unit: Unit, held: Conference) -> None:
    if held.connector:
        order(unit, held.connector, held.company_id, held.id, Verb.CLOSE, room=held.id)


def _chime(unit: Unit, held: Conference, chime: Chime) -> None:
    order_room_sound(unit, held.connector, held.company_id, held.id, unit.new_id(), chime)
