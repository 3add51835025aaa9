"""Where a subscription and an envelope may go next (semantics 16).

Rule 1: every legal move is a cell below. Rule 2: whether a receiver's answer means success, another
try or failure is decided in ``rules.outcomes``; this file says only where each leads.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from scg_core.kernel.lifecycle import Lifecycle


class SubscriptionState(StrEnum):
    """Whether events are kept for a subscription, and whether they are delivered."""

    ACTIVE = "ACTIVE"  # kept and delivered
    PAUSED = "PAUSED"  # kept, delivered once it is active again
    INACTIVE = "INACTIVE"  # neither; what was kept before waits


class SubscriptionEvent(StrEnum):
    """What a customer may ask of a subscription."""

    ACTIVATE = "ACTIVATE"
    PAUSE = "PAUSE"
    DEACTIVATE = "DEACTIVATE"


class EnvelopeState(StrEnum):
    """How far the delivery of an event is; the names are the field's."""

    PENDING = "PENDING"  # not tried yet, or asked for again
    RETRY = "RETRY"  # tried, and to be tried again
    SUCCESS = "SUCCESS"  # the receiver took it
    FAILED = "FAILED"  # the receiver refused it, or could not be reached for too long


class EnvelopeEvent(StrEnum):
    """What an envelope can hear."""

    TAKEN = "TAKEN"
    PUT_OFF = "PUT_OFF"
    GIVEN_UP = "GIVEN_UP"
    REPLAY = "REPLAY"


_s, _e = SubscriptionState, SubscriptionEvent
_ANY: Final = {_e.ACTIVATE: _s.ACTIVE, _e.PAUSE: _s.PAUSED, _e.DEACTIVATE: _s.INACTIVE}

SUBSCRIPTION: Final = Lifecycle[SubscriptionState, SubscriptionEvent](
    name="subscription",
    start=frozenset({_s.ACTIVE, _s.PAUSED, _s.INACTIVE}),
    rows={_s.ACTIVE: _ANY, _s.PAUSED: _ANY, _s.INACTIVE: _ANY},
)

MOVES_TO: Final = {
    SubscriptionState.ACTIVE: SubscriptionEvent.ACTIVATE,
    SubscriptionState.PAUSED: SubscriptionEvent.PAUSE,
    SubscriptionState.INACTIVE: SubscriptionEvent.DEACTIVATE,
}
"""What a customer who names a state asks for."""

_p, _h = EnvelopeState, EnvelopeEvent
_OPEN: Final = {_h.TAKEN: _p.SUCCESS, _h.PUT_OFF: _p.RETRY, _h.GIVEN_UP: _p.FAILED}

ENVELOPE: Final = Lifecycle[EnvelopeState, EnvelopeEvent](
    name="envelope",
    start=frozenset({_p.PENDING}),
    rows={
        _p.PENDING: {**_OPEN, _h.REPLAY: _p.PENDING},
        _p.RETRY: {**_OPEN, _h.REPLAY: _p.PENDING},
        _p.SUCCESS: {_h.REPLAY: _p.PENDING},
        _p.FAILED: {_h.REPLAY: _p.PENDING},
    },
)

OPEN: Final = frozenset({EnvelopeState.PENDING, EnvelopeState.RETRY})
"""An envelope in one of these is still to be delivered."""
