"""What a message makes of an event: its next state, the milestones it gains, what it leaves."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from scg_core.kernel.errors import IllegalTransition
from scg_core.messaging.lifecycle import (
    LATE,
    MT,
    PROVES,
    MessageEvent,
    MessageState,
    Milestone,
    Phase,
)

UNKNOWN_OUTCOME: Final = 64
"""A bit beside the milestones: an attempt once had no answer, so the handset may have it."""

TEST_MESSAGE: Final = 128
"""A bit beside the milestones: the message was made for a test and is counted as such."""

ANY_PRICE: Final = 256
"""A bit beside the milestones: the recipient requires a call, whatever it costs."""

_FACTS: Final = 63
EVIDENCE: Final = frozenset(
    {
        MessageEvent.ACK,
        MessageEvent.DELIVERED,
        MessageEvent.READ,
        MessageEvent.CLICK,
        MessageEvent.UNDELIVERED,
    }
)
_OUTCOMES: Final = frozenset({MessageEvent.ACK, MessageEvent.REFUSED, MessageEvent.DEFERRED})
_QUEUED: Final = frozenset({Phase.CREATED, Phase.SCHEDULED, Phase.PAUSED})
_LADDER: Final = (
    (Milestone.CONVERTED, Phase.CONVERTED),
    (Milestone.FAILED, Phase.FAILED),
    (Milestone.READ, Phase.READ),
    (Milestone.DELIVERED, Phase.DELIVERED),
    (Milestone.SENT, Phase.SENT),
    (Milestone.CANCELED, Phase.CANCELED),
)


@frozen
class Status:
    """What decides the fate of an MT message: state, recorded bits, and whether it is in flight."""

    state: MessageState
    milestones: int = 0
    in_flight: bool = False

    @property
    def phase(self) -> Phase:
        """Where it stands in the table; a deleted message stands where its milestones say."""
        if self.state is MessageState.DELETED:
            for milestone, phase in _LADDER:
                if self.milestones & milestone:
                    return phase
            return Phase.IN_FLIGHT if self.in_flight else Phase.TEST
        if self.in_flight and self.state is MessageState.CREATED:
            return Phase.IN_FLIGHT
        return Phase(self.state.value)

    @property
    def is_open(self) -> bool:
        """Whether it is queued or in flight, not yet counted as sent, withdrawn or test."""
        if self.milestones & Milestone.SENT:
            return False
        return self.in_flight or self.state in (
            MessageState.CREATED,
            MessageState.SCHEDULED,
            MessageState.PAUSED,
        )

    @property
    def is_queued(self) -> bool:
        """Whether it waits to be handed over."""
        return self.is_open and not self.in_flight

    @property
    def is_withdrawn(self) -> bool:
        """Whether it can no longer leave and never did (semantics 1c)."""
        return not (self.milestones & (Milestone.SENT | TEST_MESSAGE) or self.is_open)


@frozen
class Heard:
    """What came of an event; ``late`` ones change nothing and are logged."""

    status: Status
    gained: Milestone
    withdrawn: int
    late: bool


def hear(before: Status, event: MessageEvent) -> Heard:
    """What the message makes of an event (semantics 1a).

    Raises:
        IllegalTransition: the table has no such cell.
    """
    phase = _phase_for(before, event)
    if event in EVIDENCE and before.milestones & Milestone.CANCELED:
        return Heard(before, Milestone(0), 0, late=True)  # also if it was converted afterwards
    if event is MessageEvent.ACK and phase is Phase.CONVERTED and not before.in_flight:
        return Heard(before, Milestone(0), 0, late=True)
    to = MT.step(phase, event)
    if (phase, event) in LATE:
        flying = before.in_flight and event not in _OUTCOMES
        after = Status(before.state, before.milestones, flying)
        withdrawn = int(after.is_withdrawn) - int(before.is_withdrawn)
        dropped = event is MessageEvent.REFUSED and before.in_flight
        return Heard(after, Milestone(0), withdrawn, late=not dropped)
    bits = before.milestones | PROVES.get(event, 0)
    after = Status(_state(before, to), bits, _still_open(before, event))
    return Heard(
        after,
        Milestone((bits & ~before.milestones) & _FACTS),
        int(after.is_withdrawn) - int(before.is_withdrawn),
        late=False,
    )


def delete(before: Status) -> Heard:
    """The customer deletes it from any state; an open attempt still resolves.

    Raises:
        IllegalTransition: it is deleted already.
    """
    if before.state is MessageState.DELETED:
        raise IllegalTransition(MT.name, before.state, "DELETED", ())
    after = Status(MessageState.DELETED, before.milestones, before.in_flight)
    withdrawn = int(after.is_withdrawn) - int(before.is_withdrawn)
    return Heard(after, Milestone(0), withdrawn, late=False)


def _phase_for(status: Status, event: MessageEvent) -> Phase:
    phase = status.phase
    waiting = phase in _QUEUED or (phase is Phase.TEST and status.state is MessageState.DELETED)
    if waiting and event in EVIDENCE and status.milestones & UNKNOWN_OUTCOME:
        return Phase.IN_FLIGHT
    return phase


def _state(before: Status, to: Phase) -> MessageState:
    if before.state is MessageState.DELETED:
        return before.state
    return MessageState.CREATED if to is Phase.IN_FLIGHT else MessageState(to.value)


def _still_open(before: Status, event: MessageEvent) -> bool:
    if event is MessageEvent.HANDOFF:
        return before.in_flight or before.phase is Phase.CREATED
    return before.in_flight and event is MessageEvent.CONVERT
