"""Where a call, a bridge, a conference and its members may go next, and what pulls what along.

Rule 1: every legal move is a cell below; no other module names a next state. Rule 2: what a
network reports late or twice is a loop, so a transport may bring everything again; what a
customer asks in vain is an absent cell, which is error 409.
Source: semantics 3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from scg_core.kernel.lifecycle import Joint, Lifecycle


class Direction(StrEnum):
    """OUT goes to a phone, IN comes from one."""

    IN = "IN"
    OUT = "OUT"


class CallState(StrEnum):
    """The state of a call, as the specification names it."""

    STARTED = "STARTED"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    COMPLETED = "COMPLETED"


class CallPhase(StrEnum):
    """Where a call stands: its state, STARTED told apart by direction."""

    DIALING = "DIALING"  # STARTED, OUT
    RINGING = "RINGING"  # STARTED, IN
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    COMPLETED = "COMPLETED"


class CallEvent(StrEnum):
    """What a call can hear."""

    ANSWERED = "ANSWERED"  # the far end picked up
    UNANSWERED = "UNANSWERED"  # no answer, busy, refused, or nobody answered in time
    HUNG_UP = "HUNG_UP"  # the far end ended it
    FAILED = "FAILED"  # the network or its media failed
    ANSWER = "ANSWER"  # the customer takes an incoming call
    HANG_UP = "HANG_UP"  # the customer ends it
    JOIN = "JOIN"  # it is given a place on a bridge or in a conference
    PLAY = "PLAY"  # a sound or digits


c, e = CallPhase, CallEvent

_LATE = (e.ANSWERED, e.UNANSWERED, e.HUNG_UP, e.FAILED)

CALL: Final = Lifecycle[CallPhase, CallEvent](
    name="call",
    start=frozenset({c.DIALING, c.RINGING}),
    rows={
        c.DIALING: {
            e.ANSWERED: c.ACTIVE, e.UNANSWERED: c.REJECTED, e.HUNG_UP: c.REJECTED,
            e.FAILED: c.REJECTED, e.HANG_UP: c.COMPLETED, e.JOIN: c.DIALING,
        },
        c.RINGING: {
            e.ANSWERED: c.RINGING, e.UNANSWERED: c.REJECTED, e.HUNG_UP: c.REJECTED,
            e.FAILED: c.REJECTED, e.ANSWER: c.ACTIVE, e.HANG_UP: c.COMPLETED,
            e.JOIN: c.RINGING,
        },
        c.ACTIVE: {
            e.ANSWERED: c.ACTIVE, e.UNANSWERED: c.ACTIVE, e.HUNG_UP: c.COMPLETED,
            e.FAILED: c.COMPLETED, e.ANSWER: c.ACTIVE, e.HANG_UP: c.COMPLETED,
            e.JOIN: c.ACTIVE, e.PLAY: c.ACTIVE,
        },
        c.REJECTED: dict.fromkeys(_LATE, c.REJECTED),
        c.COMPLETED: {**dict.fromkeys(_LATE, c.COMPLETED), e.HANG_UP: c.COMPLETED},
    },
)  # fmt: skip

CALL_STATE: Final = {
    c.DIALING: CallState.STARTED, c.RINGING: CallState.STARTED, c.ACTIVE: CallState.ACTIVE,
    c.REJECTED: CallState.REJECTED, c.COMPLETED: CallState.COMPLETED,
}  # fmt: skip
"""The state that a phase is shown as."""

OVER: Final = frozenset({CallState.REJECTED, CallState.COMPLETED})


class BridgeState(StrEnum):
    """The state of a bridge, as the specification names it."""

    CREATED = "CREATED"
    ACTIVE = "ACTIVE"
    HOLD = "HOLD"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


class BridgeEvent(StrEnum):
    """What a bridge can hear."""

    JOIN = "JOIN"  # a call is given a place on it
    CONNECT = "CONNECT"  # its second call is ACTIVE, its audio is on
    CONNECT_SILENT = "CONNECT_SILENT"  # the same, its audio is off
    HOLD = "HOLD"  # bridge_audio becomes false
    RELEASE = "RELEASE"  # bridge_audio becomes true
    LEAVE = "LEAVE"  # a call of it ends or is taken out
    PLAY = "PLAY"
    FAIL = "FAIL"  # the switch cannot set it up, or lost it
    DELETE = "DELETE"


b, v = BridgeState, BridgeEvent

BRIDGE: Final = Lifecycle[BridgeState, BridgeEvent](
    name="bridge",
    start=frozenset({b.CREATED}),
    rows={
        b.CREATED: {
            v.JOIN: b.CREATED, v.CONNECT: b.ACTIVE, v.CONNECT_SILENT: b.HOLD, v.HOLD: b.CREATED,
            v.RELEASE: b.CREATED, v.LEAVE: b.CREATED, v.FAIL: b.ERROR, v.DELETE: b.COMPLETED,
        },
        b.ACTIVE: {
            v.HOLD: b.HOLD, v.RELEASE: b.ACTIVE, v.LEAVE: b.COMPLETED, v.PLAY: b.ACTIVE,
            v.FAIL: b.ERROR, v.DELETE: b.COMPLETED,
        },
        b.HOLD: {
            v.HOLD: b.HOLD, v.RELEASE: b.ACTIVE, v.LEAVE: b.COMPLETED, v.FAIL: b.ERROR,
            v.DELETE: b.COMPLETED,
        },
        b.COMPLETED: {v.FAIL: b.COMPLETED, v.DELETE: b.COMPLETED},
        b.ERROR: {v.FAIL: b.ERROR, v.DELETE: b.ERROR},
    },
)  # fmt: skip


class ConferenceState(StrEnum):
    """The state of a conference, as the specification names it."""

    CREATED = "created"
    ACTIVE = "active"
    COMPLETED = "completed"


class ConferenceEvent(StrEnum):
    """What a conference can hear."""

    ADD = "ADD"  # a call is given a place in it
    JOIN = "JOIN"  # a member's call is connected to it
    LEAVE = "LEAVE"  # a member leaves, others remain
    LAST_LEAVES = "LAST_LEAVES"
    HOLD = "HOLD"  # everybody is put on hold, or released
    MUTE = "MUTE"  # everybody is muted, or may speak again
    PLAY = "PLAY"
    FAIL = "FAIL"  # the switch cannot set it up, or lost it
    DELETE = "DELETE"


f, w = ConferenceState, ConferenceEvent

CONFERENCE: Final = Lifecycle[ConferenceState, ConferenceEvent](
    name="conference",
    start=frozenset({f.CREATED}),
    rows={
        f.CREATED: {
            w.ADD: f.CREATED, w.JOIN: f.ACTIVE, w.LEAVE: f.CREATED, w.LAST_LEAVES: f.CREATED,
            w.HOLD: f.CREATED, w.MUTE: f.CREATED, w.FAIL: f.COMPLETED, w.DELETE: f.COMPLETED,
        },
        f.ACTIVE: {
            w.ADD: f.ACTIVE, w.JOIN: f.ACTIVE, w.LEAVE: f.ACTIVE, w.LAST_LEAVES: f.COMPLETED,
            w.HOLD: f.ACTIVE, w.MUTE: f.ACTIVE, w.PLAY: f.ACTIVE, w.FAIL: f.COMPLETED,
            w.DELETE: f.COMPLETED,
        },
        f.COMPLETED: {w.FAIL: f.COMPLETED, w.DELETE: f.COMPLETED},
    },
)  # fmt: skip


class MemberState(StrEnum):
    """The state of a conference member, as the specification names it."""

    ACTIVE = "active"
    COMPLETED = "completed"


class MemberEvent(StrEnum):
    """What a conference member can hear."""

    JOIN = "JOIN"  # its call is connected
    HOLD = "HOLD"
    MUTE = "MUTE"
    PLAY = "PLAY"
    LEAVE = "LEAVE"  # it is removed, its call ends, or the conference does


m, n = MemberState, MemberEvent

MEMBER: Final = Lifecycle[MemberState, MemberEvent](
    name="conference member",
    start=frozenset({m.ACTIVE}),
    rows={
        m.ACTIVE: {
            n.JOIN: m.ACTIVE, n.HOLD: m.ACTIVE, n.MUTE: m.ACTIVE, n.PLAY: m.ACTIVE,
            n.LEAVE: m.COMPLETED,
        },
        m.COMPLETED: {n.LEAVE: m.COMPLETED},
    },
)  # fmt: skip


CALL_BRIDGE: Final = Joint[CallState, BridgeState](
    name="a call moves its bridge",
    rows={
        (state, bridge): BridgeState.COMPLETED
        for state in (CallState.REJECTED, CallState.COMPLETED)
        for bridge in (BridgeState.ACTIVE, BridgeState.HOLD)
    },
)

CALL_MEMBER: Final = Joint[CallState, MemberState](
    name="a call moves its membership",
    rows={
        (CallState.REJECTED, MemberState.ACTIVE): MemberState.COMPLETED,
        (CallState.COMPLETED, MemberState.ACTIVE): MemberState.COMPLETED,
    },
)


class Left(StrEnum):
    """How a conference stands after a member has left it."""

    SOME = "others remain"
    NONE = "nobody remains"


LEAVING: Final = {Left.SOME: ConferenceEvent.LEAVE, Left.NONE: ConferenceEvent.LAST_LEAVES}

MEMBER_CONFERENCE: Final = Joint[Left, ConferenceState](
    name="members move their conference",
    rows={(Left.NONE, ConferenceState.ACTIVE): ConferenceState.COMPLETED},
)

CONFERENCE_MEMBER: Final = Joint[ConferenceState, MemberState](
    name="a conference moves its members",
    rows={(ConferenceState.COMPLETED, MemberState.ACTIVE): MemberState.COMPLETED},
)
