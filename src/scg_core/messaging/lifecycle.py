"""Where a message and a message request may go next.

Rule 1: every legal move is a cell below; no other module names a next state. Rule 2: this module
knows nothing of consent, windows or limits -- those decide *whether* an event is raised, never
what it leads to.

Receipts arrive late, twice and out of order, and some before the answer they belong to. What a
message hears in vain is a loop that is also listed in ``LATE``; what it hears to its credit sets
milestones (``PROVES``), each at most once.
Source: semantics 1a (message), 1b (inbound), 2 (request).
"""

from __future__ import annotations

from enum import IntFlag, StrEnum
from typing import Final

from scg_core.kernel.lifecycle import Lifecycle


class Direction(StrEnum):
    """MT goes to a handset, MO comes from one."""

    MT = "MT"
    MO = "MO"


class MessageState(StrEnum):
    """The state of one message, as the specification names it."""

    CREATED = "CREATED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    CONVERTED = "CONVERTED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    SCHEDULED = "SCHEDULED"
    TEST = "TEST"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"
    DELETED = "DELETED"
    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"


class Phase(StrEnum):
    """Where an MT message stands: its state, and whether an attempt of it is open."""

    CREATED = "CREATED"
    SCHEDULED = "SCHEDULED"
    PAUSED = "PAUSED"
    IN_FLIGHT = "IN_FLIGHT"  # CREATED, and handed to the transport with no outcome yet
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    CONVERTED = "CONVERTED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"
    TEST = "TEST"


class MessageEvent(StrEnum):
    """What a message can hear."""

    HANDOFF = "HANDOFF"
    ACK = "ACK"
    REFUSED = "REFUSED"  # a permanent refusal, or retries exhausted
    DEFERRED = "DEFERRED"  # a temporary refusal, or an unknown outcome that is sent again
    DELIVERED = "DELIVERED"
    READ = "READ"
    CLICK = "CLICK"
    UNDELIVERED = "UNDELIVERED"
    EXPIRE = "EXPIRE"
    CANCEL = "CANCEL"
    RELEASE = "RELEASE"  # the due time came, the window opened, the request was resumed
    WAIT = "WAIT"  # the window is shut, or the request resumes before the due time
    FAIL = "FAIL"  # the gate refuses it for good
    CONVERT = "CONVERT"


class Milestone(IntFlag):
    """Facts about a message, each recorded at most once; counters are counts of these."""

    SENT = 1
    DELIVERED = 2
    READ = 4
    CONVERTED = 8
    CANCELED = 16
    FAILED = 32


p, e = Phase, MessageEvent

_WITHDRAWN = {e.EXPIRE: p.EXPIRED, e.CANCEL: p.CANCELED, e.FAIL: p.FAILED, e.CONVERT: p.CONVERTED}


def _in_vain(phase: Phase) -> dict[MessageEvent, Phase]:
    heard = (e.ACK, e.REFUSED, e.DELIVERED, e.READ, e.CLICK, e.UNDELIVERED)
    return dict.fromkeys(heard, phase)


MT: Final = Lifecycle[Phase, MessageEvent](
    name="message (MT)",
    start=frozenset({p.CREATED, p.SCHEDULED, p.PAUSED, p.TEST, p.FAILED}),
    rows={
        p.CREATED: {
            **_in_vain(p.CREATED), **_WITHDRAWN,
            e.HANDOFF: p.IN_FLIGHT, e.WAIT: p.SCHEDULED,
        },
        p.SCHEDULED: {
            **_in_vain(p.SCHEDULED), **_WITHDRAWN,
            e.HANDOFF: p.SCHEDULED, e.RELEASE: p.CREATED,
        },
        p.PAUSED: {
            **_in_vain(p.PAUSED), **_WITHDRAWN,
            e.HANDOFF: p.PAUSED, e.RELEASE: p.CREATED, e.WAIT: p.SCHEDULED,
        },
        p.IN_FLIGHT: {
            e.HANDOFF: p.IN_FLIGHT, e.ACK: p.SENT, e.REFUSED: p.FAILED, e.DEFERRED: p.CREATED,
            e.DELIVERED: p.DELIVERED, e.READ: p.READ, e.CLICK: p.CONVERTED, e.UNDELIVERED: p.FAILED,
            e.CONVERT: p.CONVERTED,
        },
        p.SENT: {
            e.ACK: p.SENT, e.REFUSED: p.SENT, e.DEFERRED: p.SENT,
            e.DELIVERED: p.DELIVERED, e.READ: p.READ,
            e.CLICK: p.CONVERTED, e.UNDELIVERED: p.FAILED, e.CONVERT: p.CONVERTED,
        },
        p.DELIVERED: {
            e.ACK: p.DELIVERED, e.REFUSED: p.DELIVERED, e.DEFERRED: p.DELIVERED,
            e.DELIVERED: p.DELIVERED, e.READ: p.READ,
            e.CLICK: p.CONVERTED, e.UNDELIVERED: p.DELIVERED, e.CONVERT: p.CONVERTED,
        },
        p.READ: {
            e.ACK: p.READ, e.REFUSED: p.READ, e.DEFERRED: p.READ,
            e.DELIVERED: p.READ, e.READ: p.READ,
            e.CLICK: p.CONVERTED, e.UNDELIVERED: p.READ, e.CONVERT: p.CONVERTED,
        },
        p.CONVERTED: {**_in_vain(p.CONVERTED), e.CONVERT: p.CONVERTED, e.DEFERRED: p.CONVERTED},
        p.FAILED: {**_in_vain(p.FAILED), e.DEFERRED: p.FAILED},
        p.EXPIRED: _in_vain(p.EXPIRED),
        p.CANCELED: {**_in_vain(p.CANCELED), e.CONVERT: p.CONVERTED},
        p.TEST: _in_vain(p.TEST),
    },
)  # fmt: skip

_S, _D, _R = Milestone.SENT, Milestone.DELIVERED, Milestone.READ

PROVES: Final[dict[MessageEvent, Milestone]] = {
    e.ACK: _S,
    e.DELIVERED: _S | _D,
    e.READ: _S | _D | _R,
    e.CLICK: _S | Milestone.CONVERTED,
    e.UNDELIVERED: _S | Milestone.FAILED,
    e.REFUSED: Milestone.FAILED,
    e.EXPIRE: Milestone.FAILED,
    e.FAIL: Milestone.FAILED,
    e.CANCEL: Milestone.CANCELED,
    e.CONVERT: Milestone.CONVERTED,
}

_UNSENT = (p.CREATED, p.SCHEDULED, p.PAUSED)
_FINAL = (p.FAILED, p.EXPIRED, p.CANCELED, p.TEST)

LATE: Final = frozenset(
    {(phase, event) for phase in (*_UNSENT, *_FINAL) for event in _in_vain(phase)}
    | {(phase, e.ACK) for phase in (p.SENT, p.DELIVERED, p.READ)}
    | {(phase, e.DEFERRED) for phase in (p.SENT, p.DELIVERED, p.READ, p.FAILED)}
    | {(phase, e.REFUSED) for phase in (p.SENT, p.DELIVERED, p.READ, p.CONVERTED)}
    | {(phase, e.UNDELIVERED) for phase in (p.DELIVERED, p.READ, p.CONVERTED)}
    | {(p.DELIVERED, e.DELIVERED), (p.READ, e.DELIVERED), (p.READ, e.READ)}
)


class InboundEvent(StrEnum):
    """What a customer may do to a message received."""

    PROCESSED = "PROCESSED"
    DELETED = "DELETED"


_m, _i = MessageState, InboundEvent

MO: Final = Lifecycle[MessageState, InboundEvent](
    name="message (MO)",
    start=frozenset({_m.RECEIVED}),
    rows={
        _m.RECEIVED: {_i.PROCESSED: _m.PROCESSED, _i.DELETED: _m.DELETED},
        _m.PROCESSED: {_i.PROCESSED: _m.PROCESSED, _i.DELETED: _m.DELETED},
        _m.DELETED: {},
    },
)


class RequestState(StrEnum):
    """The state of a message request, as the specification names it."""

    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    PREPARING = "PREPARING"
    TRANSMITTING = "TRANSMITTING"
    COMPLETED = "COMPLETED"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"
    DELETED = "DELETED"


class RequestEvent(StrEnum):
    """What a message request can hear."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    PREPARE = "PREPARE"  # fan-out begins
    TRANSMIT = "TRANSMIT"  # fan-out is done, messages may leave
    PAUSE = "PAUSE"  # fan-out is done, messages are held
    SETTLE = "SETTLE"  # no message is queued or in flight any more
    CANCEL = "CANCEL"
    RESUME = "RESUME"
    EXPIRE = "EXPIRE"  # the pause was not ended in time
    DELETE = "DELETE"


s, q = RequestState, RequestEvent

REQUEST: Final = Lifecycle[RequestState, RequestEvent](
    name="message request",
    start=frozenset({s.SUBMITTED, s.ACCEPTED}),
    rows={
        s.SUBMITTED: {q.ACCEPT: s.ACCEPTED, q.CANCEL: s.CANCELED},
        s.ACCEPTED: {q.PREPARE: s.PREPARING, q.REJECT: s.REJECTED, q.CANCEL: s.CANCELED},
        s.PREPARING: {
            q.TRANSMIT: s.TRANSMITTING, q.PAUSE: s.PAUSED, q.SETTLE: s.COMPLETED,
            q.REJECT: s.REJECTED, q.CANCEL: s.CANCELED,
        },
        s.PAUSED: {
            q.RESUME: s.TRANSMITTING, q.EXPIRE: s.COMPLETED, q.SETTLE: s.COMPLETED,
            q.CANCEL: s.CANCELED,
        },
        s.TRANSMITTING: {q.SETTLE: s.COMPLETED, q.CANCEL: s.CANCELED, q.RESUME: s.TRANSMITTING},
        s.COMPLETED: {q.DELETE: s.DELETED},
        s.REJECTED: {q.DELETE: s.DELETED},
        s.CANCELED: {q.DELETE: s.DELETED, q.CANCEL: s.CANCELED},
        s.DELETED: {},
    },
)  # fmt: skip
