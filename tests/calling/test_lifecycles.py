"""Every cell of the tables of calling, as semantics 3 prints them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from scg_core.calling.lifecycle import (
    BRIDGE,
    CALL,
    CALL_BRIDGE,
    CALL_MEMBER,
    CALL_STATE,
    CONFERENCE,
    CONFERENCE_MEMBER,
    LEAVING,
    MEMBER,
    MEMBER_CONFERENCE,
    BridgeEvent,
    BridgeState,
    CallEvent,
    CallPhase,
    CallState,
    ConferenceEvent,
    ConferenceState,
    Left,
    MemberEvent,
    MemberState,
)
from scg_core.kernel.errors import IllegalTransition

_ = None
CALLS = {  # ANSWERED UNANSWERED HUNG_UP FAILED ANSWER HANG_UP JOIN PLAY
    "DIALING": ("ACTIVE", "REJECTED", "REJECTED", "REJECTED", _, "COMPLETED", "DIALING", _),
    "RINGING": ("RINGING", "REJECTED", "REJECTED", "REJECTED", "ACTIVE", "COMPLETED", "RINGING",
                _),
    "ACTIVE": ("ACTIVE", "ACTIVE", "COMPLETED", "COMPLETED", "ACTIVE", "COMPLETED", "ACTIVE",
               "ACTIVE"),
    "REJECTED": ("REJECTED", "REJECTED", "REJECTED", "REJECTED", _, _, _, _),
    "COMPLETED": ("COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED", _, "COMPLETED", _, _),
}  # fmt: skip
BRIDGES = {  # JOIN CONNECT CONNECT_SILENT HOLD RELEASE LEAVE PLAY FAIL DELETE
    "CREATED": ("CREATED", "ACTIVE", "HOLD", "CREATED", "CREATED", "CREATED", _, "ERROR",
                "COMPLETED"),
    "ACTIVE": (_, _, _, "HOLD", "ACTIVE", "COMPLETED", "ACTIVE", "ERROR", "COMPLETED"),
    "HOLD": (_, _, _, "HOLD", "ACTIVE", "COMPLETED", _, "ERROR", "COMPLETED"),
    "COMPLETED": (_, _, _, _, _, _, _, "COMPLETED", "COMPLETED"),
    "ERROR": (_, _, _, _, _, _, _, "ERROR", "ERROR"),
}  # fmt: skip
CONFERENCES = {  # ADD JOIN LEAVE LAST_LEAVES HOLD MUTE PLAY FAIL DELETE
    "created": ("created", "active", "created", "created", "created", "created", _, "completed",
                "completed"),
    "active": ("active", "active", "active", "completed", "active", "active", "active",
               "completed", "completed"),
    "completed": (_, _, _, _, _, _, _, "completed", "completed"),
}  # fmt: skip
MEMBERS = {  # JOIN HOLD MUTE PLAY LEAVE
    "active": ("active", "active", "active", "active", "completed"),
    "completed": (_, _, _, _, "completed"),
}
TABLES = (
    (CALL, CallPhase, CallEvent, CALLS),
    (BRIDGE, BridgeState, BridgeEvent, BRIDGES),
    (CONFERENCE, ConferenceState, ConferenceEvent, CONFERENCES),
    (MEMBER, MemberState, MemberEvent, MEMBERS),
)
CELLS = [
    (machine, state, event, table[state.value][at])
    for machine, states, events, table in TABLES
    for state in states
    for at, event in enumerate(events)
]


@pytest.mark.parametrize(
    ("machine", "state", "event", "to"), CELLS,
    ids=[f"{m.name}-{s.value}-{e.value}" for m, s, e, _to in CELLS],
)  # fmt: skip
def test_a_cell_leads_where_the_specification_says(
    machine: Any, state: Any, event: Any, to: str | None
) -> None:
    """A legal move leads to one state, an illegal one is 409 and names what is allowed."""
    if to is not None:
        assert machine.step(state, event).value == to
        return
    with pytest.raises(IllegalTransition) as refused:
        machine.step(state, event)
    assert (refused.value.current, refused.value.status) == (state, 409)


@pytest.mark.parametrize("events", [events for _machine, _states, events, _table in TABLES])
def test_events_are_called_as_in_the_tables(events: Any) -> None:
    """An error that names what is allowed speaks the specification's words."""
    assert [one.value for one in events] == list(events.__members__)


def test_a_life_begins_where_the_specification_says() -> None:
    """A call dials or rings, a bridge and a conference are created, a member has its place."""
    starts = [set(machine.start) for machine in (CALL, BRIDGE, CONFERENCE, MEMBER)]

    assert starts == [
        {CallPhase.DIALING, CallPhase.RINGING},
        {BridgeState.CREATED},
        {ConferenceState.CREATED},
        {MemberState.ACTIVE},
    ]


def test_a_phase_is_shown_as_the_specifications_state() -> None:
    """A call that rings is STARTED in either direction."""
    shown = {phase.value: state.value for phase, state in CALL_STATE.items()}
    same = {name: name for name in ("ACTIVE", "REJECTED", "COMPLETED")}

    assert shown == {"DIALING": "STARTED", "RINGING": "STARTED", **same}


@pytest.mark.parametrize(("call", "bridge"), list(product(CallState, BridgeState)))
def test_a_call_that_ends_completes_its_connected_bridge(
    call: CallState, bridge: BridgeState
) -> None:
    """REJECTED or COMPLETED: an ACTIVE or held bridge is COMPLETED; nothing else moves it."""
    ends = call in (CallState.REJECTED, CallState.COMPLETED)
    connected = bridge in (BridgeState.ACTIVE, BridgeState.HOLD)
    wanted = BridgeState.COMPLETED if ends and connected else bridge

    assert CALL_BRIDGE.follow(call, bridge) is wanted
    if ends and BRIDGE.hears(bridge, BridgeEvent.LEAVE):  # both tables say the same
        assert BRIDGE.step(bridge, BridgeEvent.LEAVE) is wanted


@pytest.mark.parametrize(("call", "member"), list(product(CallState, MemberState)))
def test_a_call_that_ends_completes_its_membership(call: CallState, member: MemberState) -> None:
    """REJECTED or COMPLETED ends it, STARTED and ACTIVE leave it."""
    ends = call in (CallState.REJECTED, CallState.COMPLETED)

    assert CALL_MEMBER.follow(call, member) is (MemberState.COMPLETED if ends else member)


@pytest.mark.parametrize(("left", "conference"), list(product(Left, ConferenceState)))
def test_the_last_member_who_leaves_completes_an_active_conference(
    left: Left, conference: ConferenceState
) -> None:
    """One that nobody ever joined stays created; one where others remain stays active."""
    over = left is Left.NONE and conference is ConferenceState.ACTIVE
    wanted = ConferenceState.COMPLETED if over else conference

    assert MEMBER_CONFERENCE.follow(left, conference) is wanted
    if CONFERENCE.hears(conference, LEAVING[left]):
        assert CONFERENCE.step(conference, LEAVING[left]) is wanted


@pytest.mark.parametrize(("conference", "member"), list(product(ConferenceState, MemberState)))
def test_a_conference_that_ends_completes_its_members(
    conference: ConferenceState, member: MemberState
) -> None:
    """Only a completed one does."""
    ends = conference is ConferenceState.COMPLETED
    wanted = MemberState.COMPLETED if ends else member

    assert CONFERENCE_MEMBER.follow(conference, member) is wanted
