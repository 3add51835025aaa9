"""Semantics 2, cell by cell: where a request goes from each state."""

from __future__ import annotations

from enum import StrEnum

import pytest

from scg_core.kernel.errors import IllegalTransition
from scg_core.messaging.lifecycle import (
    MO,
    REQUEST,
    Direction,
    InboundEvent,
    MessageEvent,
    MessageState,
    Phase,
)
from scg_core.messaging.lifecycle import RequestEvent as E
from scg_core.messaging.lifecycle import RequestState as S

TABLE = {
    S.SUBMITTED: {E.ACCEPT: S.ACCEPTED, E.CANCEL: S.CANCELED},
    S.ACCEPTED: {E.PREPARE: S.PREPARING, E.REJECT: S.REJECTED, E.CANCEL: S.CANCELED},
    S.PREPARING: {
        E.TRANSMIT: S.TRANSMITTING, E.PAUSE: S.PAUSED, E.SETTLE: S.COMPLETED,
        E.REJECT: S.REJECTED, E.CANCEL: S.CANCELED,
    },
    S.PAUSED: {
        E.RESUME: S.TRANSMITTING, E.CANCEL: S.CANCELED, E.EXPIRE: S.COMPLETED,
        E.SETTLE: S.COMPLETED,
    },
    S.TRANSMITTING: {E.SETTLE: S.COMPLETED, E.CANCEL: S.CANCELED, E.RESUME: S.TRANSMITTING},
    S.COMPLETED: {E.DELETE: S.DELETED},
    S.REJECTED: {E.DELETE: S.DELETED},
    S.CANCELED: {E.CANCEL: S.CANCELED, E.DELETE: S.DELETED},
    S.DELETED: {},
}  # fmt: skip


@pytest.mark.parametrize("event", E)
@pytest.mark.parametrize("state", S)
def test_each_cell_of_the_request_table_is_as_specified(state: S, event: E) -> None:
    """A legal move leads where the table says; an empty cell is error 409."""
    wanted = TABLE[state].get(event)
    if wanted is not None:
        assert REQUEST.step(state, event) is wanted
        return

    with pytest.raises(IllegalTransition) as refused:
        REQUEST.step(state, event)

    assert (refused.value.current, refused.value.wanted) == (state.value, event.value)
    assert set(refused.value.allowed) == {one.value for one in TABLE[state]}
    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (MessageState.RECEIVED, InboundEvent.PROCESSED, MessageState.PROCESSED),
        (MessageState.RECEIVED, InboundEvent.DELETED, MessageState.DELETED),
        (MessageState.PROCESSED, InboundEvent.PROCESSED, MessageState.PROCESSED),
        (MessageState.PROCESSED, InboundEvent.DELETED, MessageState.DELETED),
        (MessageState.DELETED, InboundEvent.PROCESSED, None),
        (MessageState.DELETED, InboundEvent.DELETED, None),
    ],
)
def test_each_cell_of_the_inbound_table_is_as_specified(
    state: MessageState, event: InboundEvent, after: MessageState | None
) -> None:
    """Semantics 1b: received, processed, deleted."""
    assert MO.hears(state, event) == (after is not None)
    if after is not None:
        assert MO.step(state, event) is after


def test_a_request_begins_submitted_or_accepted_and_an_inbound_message_received() -> None:
    """Everything else is reached by a move."""
    assert REQUEST.start == {S.SUBMITTED, S.ACCEPTED}
    assert MO.start == {MessageState.RECEIVED}


@pytest.mark.parametrize(
    "names", [Direction, MessageState, Phase, MessageEvent, InboundEvent, S, E]
)
def test_messages_and_requests_have_the_states_and_events_that_are_published(
    names: type[StrEnum],
) -> None:
    """Errors and the reference call them as the tables do."""
    assert {one.value for one in names} == set(names.__members__)
