"""What happened, on a call's timeline and to whoever listens (semantics 16)."""

from __future__ import annotations

from typing import Any

from scg_core.calling.model import (
    Bridge,
    Call,
    CallMoment,
    Conference,
    ConferenceMember,
    Happened,
)
from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, eq
from scg_core.unit import Unit


def note(
    unit: Unit,
    call: Call,
    what: Happened,
    details: str,
    *,
    most: int,
    at: Instant | None = None,
    key: str | None = None,
) -> bool:
    """Put a moment on a call's timeline; False if ``key`` shows that it is there already.

    Beyond ``most`` moments only its states are kept, and False is said of all others.
    """
    if key is not None:
        where = [eq("call_id", call.id), eq("key", key)]
        if unit.session.count(Query(CallMoment, where), at_most=1):
            return False
    held = unit.session.count(Query(CallMoment, [eq("call_id", call.id)]), at_most=most)
    if held >= most and what is not Happened.STATE:
        return False
    unit.add(
        CallMoment(
            id=unit.new_id(), call_id=call.id, at=unit.now if at is None else at, what=what,
            details=details, company_id=call.company_id, key=key,
        )
    )  # fmt: skip
    return True


def tell_call(unit: Unit, before: str | None, call: Call) -> None:
    """Tell of a call's new state."""
    facts = {
        "call_id": call.id,
        "external_id": call.external_id,
        "direction": call.direction.value,
        "from_address": call.from_address,
        "to_address": call.to_address,
        "bridge_id": call.bridge_id,
        "previous_state": before,
        "new_state": call.state.value,
        "reason_code": None if call.failure_code is None else call.failure_code.value,
        "reason_description": call.failure_details,
        "application_id": call.application_id,
    }
    _tell(unit, EventType.CALL_STATE_CHANGE, call, facts)


def tell_digits(unit: Unit, call: Call, digits: str, at: Instant) -> None:
    """Tell of digits that a phone pressed."""
    facts: dict[str, Any] = {
        "call_id": call.id,
        "external_id": call.external_id,
        "digits": digits,
        "at": at,
        "application_id": call.application_id,
    }
    _tell(unit, EventType.DTMF_RECEIVED, call, facts)


def tell_bridge(unit: Unit, before: str | None, bridge: Bridge) -> None:
    """Tell of a bridge's new state."""
    facts: dict[str, Any] = {"bridge_id": bridge.id, "external_id": bridge.external_id}
    facts |= {"previous_state": before, "new_state": bridge.state.value}
    facts["application_id"] = bridge.application_id
    _tell(unit, EventType.BRIDGE_STATE_CHANGE, bridge, facts)


def tell_conference(unit: Unit, before: str | None, held: Conference) -> None:
    """Tell of a conference's new state."""
    facts: dict[str, Any] = {"conference_id": held.id, "external_id": held.external_id}
    facts |= {"previous_state": before, "new_state": held.state.value}
    facts["application_id"] = held.application_id
    _tell(unit, EventType.CONFERENCE_STATE_CHANGE, held, facts)


def tell_member(unit: Unit, before: str | None, member: ConferenceMember) -> None:
    """Tell of a member's new state, and of its joining."""
    if not unit.listens(member.company_id, Topic.VOICE):
        return
    conference = unit.session.get(Conference, member.conference_id)
    facts: dict[str, Any] = {
        "member_id": member.id,
        "external_id": member.external_id,
        "conference_id": member.conference_id,
        "call_id": member.call_id,
        "joined": member.joined_time is not None,
        "previous_state": before,
        "new_state": member.state.value,
        "application_id": None if conference is None else conference.application_id,
    }
    _tell(unit, EventType.MEMBER_STATE_CHANGE, member, facts)


def _tell(
    unit: Unit,
    kind: EventType,
    about: Call | Bridge | Conference | ConferenceMember,
    facts: dict[str, Any],
) -> None:
    unit.tell(Event(Topic.VOICE, kind, about.company_id, about.id, facts))
