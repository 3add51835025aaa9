"""State machines as tables.

A legal move is a cell, a repeat is a loop, an illegal move is an absent cell. The table is the
rule: diagrams, documentation and tests are made from it, and nobody else names a next state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from attrs import frozen

from scg_core.kernel.errors import IllegalTransition

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)
Other = TypeVar("Other", bound=StrEnum)


@frozen
class Lifecycle(Generic[State, Event]):
    """The states of one kind of thing, the events it hears and where each leads."""

    name: str
    start: frozenset[State]
    rows: Mapping[State, Mapping[Event, State]]

    def step(self, state: State, event: Event) -> State:
        """The state after the event.

        Raises:
            IllegalTransition: the table has no such cell (error 409).
        """
        try:
            return self.rows[state][event]
        except KeyError:
            raise IllegalTransition(self.name, state, event, self.allowed(state)) from None

    def hears(self, state: State, event: Event) -> bool:
        """Whether the table has this cell."""
        return event in self.rows[state]

    def allowed(self, state: State) -> tuple[str, ...]:
        """The names of the events that this state hears, in the table's order."""
        return tuple(event.value for event in self.rows[state])

    def cells(self) -> Iterator[tuple[State, Event, State]]:
        """Every legal move as (state, event, next state)."""
        for state, row in self.rows.items():
            for event, to in row.items():
                yield state, event, to


@frozen
class Joint(Generic[State, Other]):
    """Two coupled machines: what a move of the first makes of the second.

    ``rows`` maps (the first machine's new state, the second's state) to the second's next
    state; an absent cell leaves the second where it is.
    """

    name: str
    rows: Mapping[tuple[State, Other], Other]

    def follow(self, moved_to: State, other: Other) -> Other:
        """The second machine's state after the first has moved to ``moved_to``."""
        return self.rows.get((moved_to, other), other)
