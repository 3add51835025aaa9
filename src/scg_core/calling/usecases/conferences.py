"""Conferences and their members (semantics 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.calling.lifecycle import (
    CONFERENCE,
    MEMBER,
    CallState,
    ConferenceEvent,
    ConferenceState,
    MemberEvent,
    MemberState,
)
from scg_core.calling.model import Call, Conference, ConferenceMember
from scg_core.calling.steps import conferring
from scg_core.calling.steps.bridging import calls_in, check_free, check_switch
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.finding import held, member_in, named_call
from scg_core.calling.steps.telling import tell_conference, tell_member
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_HOLD: Final = ("hold", ConferenceEvent.HOLD, MemberEvent.HOLD)
_MUTE: Final = ("mute", ConferenceEvent.MUTE, MemberEvent.MUTE)


def create_conference(unit: Unit, caller: Caller, given: Mapping[str, object]) -> Conference:
    """Make a conference without members.

    Raises:
        InvalidField: it names the field.
    """
    values = _given(Conference, given, caller)
    made = unit.add(
        Conference(
            id=unit.new_id(), state=ConferenceState.CREATED, created_time=unit.now,
            application_id=caller.application_id, company_id=caller.company_id,
            last_updated_date=unit.now, **values,
        )
    )  # fmt: skip
    tell_conference(unit, None, made)
    return made


def update_conference(
    unit: Unit, caller: Caller, id: str, given: Mapping[str, object]
) -> Conference:
    """Change what is given: ``hold`` and ``mute`` apply to everybody in it.

    Raises:
        NotFound: the company has no such conference.
        InvalidField: it names the field.
        IllegalTransition: hold or mute of one that is over.
    """
    conference = held(unit, Conference, caller.company_id, id)
    changes = codec.changes(conference, codec.read(Conference, given, lenient=caller.lenient))
    for name, event, _ in (_HOLD, _MUTE):
        if given.get(name) is not None:
            CONFERENCE.step(conference.state, event)
    if not changes:
        return conference
    after = unit.save(conference, **changes)
    if "hold" in changes or "mute" in changes:
        conferring.seat_again(unit, after, conferring.members_of(unit, after.id))
    return after


def delete_conference(unit: Unit, caller: Caller, id: str, exchange: Exchange) -> None:
    """End a conference for all its members and delete it; their calls stay up.

    Raises:
        NotFound: the company has no such conference.
    """
    conference = held(unit, Conference, caller.company_id, id)
    after = conferring.end(unit, conference, ConferenceEvent.DELETE, exchange)
    unit.save(after, deleted=True)


def add_member(
    unit: Unit, caller: Caller, conference_id: str, given: Mapping[str, object], exchange: Exchange
) -> ConferenceMember:
    """Give a call a place in a conference; it joins now, or when it is answered.

    Raises:
        NotFound: the company has no such conference.
        InvalidField: it names the field; there is no such call; the conference is full.
        IllegalTransition: the conference or the call is over, or the call is in a bridge or
            conference already.
    """
    conference = held(unit, Conference, caller.company_id, conference_id)
    values = _given(ConferenceMember, given, caller)
    if not values.get("call_id"):
        raise InvalidField("call_id", "is needed; name a call")
    call = named_call(unit, caller.company_id, values["call_id"], "call_id")
    CONFERENCE.step(conference.state, ConferenceEvent.ADD)
    check_free(call)
    check_switch("call_id", calls_in(unit, conference.id), call)
    if len(conferring.members_of(unit, conference.id)) >= exchange.settings.members:
        raise InvalidField("call_id", f"the conference has {exchange.settings.members} members")
    if values.get("conference_external_id") is None:
        values["conference_external_id"] = conference.external_id
    if conference.connector != call.connector:
        conference = unit.save(conference, connector=call.connector)
    facts = {**values, "call_id": call.id}
    member = unit.add(
        ConferenceMember(
            id=unit.new_id(), state=MemberState.ACTIVE, added_time=unit.now,
            conference_id=conference.id, company_id=caller.company_id,
            last_updated_date=unit.now, **facts,
        )
    )  # fmt: skip
    tell_member(unit, None, member)
    call = unit.save(call, room_id=conference.id, member_id=member.id)
    if call.state is CallState.ACTIVE:
        member = conferring.join(unit, conference, member, call, exchange)
    return member


def update_member(
    unit: Unit, caller: Caller, conference_id: str, id: str, given: Mapping[str, object]
) -> ConferenceMember:
    """Change what is given: ``hold`` and ``mute`` apply to this member alone.

    Raises:
        NotFound: there is no such member.
        InvalidField: it names the field; the call never changes.
        IllegalTransition: hold or mute of one that has left.
    """
    conference, member = member_in(unit, caller.company_id, conference_id, id)
    changes = codec.changes(member, codec.read(ConferenceMember, given, lenient=caller.lenient))
    if "call_id" in changes:
        raise InvalidField("call_id", "never changes; add another member")
    for name, _, event in (_HOLD, _MUTE):
        if given.get(name) is not None:
            MEMBER.step(member.state, event)
    if not changes:
        return member
    after = unit.save(member, **changes)
    if "hold" in changes or "mute" in changes:
        conferring.seat_again(unit, conference, [after])
    return after


def remove_member(
    unit: Unit, caller: Caller, conference_id: str, id: str, exchange: Exchange
) -> None:
    """Take a member out of a conference; its call stays up.

    Raises:
        NotFound: there is no such member.
    """
    conference, member = member_in(unit, caller.company_id, conference_id, id)
    call = unit.session.get(Call, member.call_id)
    if member.state is MemberState.ACTIVE and call is not None:
        _, member = conferring.leave(unit, conference, member, call, exchange)
    unit.save(member, deleted=True)


def _given(kind: Any, given: Mapping[str, object], caller: Caller) -> dict[str, Any]:
    """What a customer says of a new resource; null stands for the default."""
    values = codec.read(kind, given, lenient=caller.lenient)
    return {name: value for name, value in values.items() if value is not None}
