"""What a simulation is built of: factories, so that each seed has everything of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import frozen

from scg_core.conformance.simulation.faults import Carrier
from scg_core.kernel.instant import Instant
from scg_core.ports.clock import Clock
from scg_core.ports.ids import Ids
from scg_core.ports.patterns import Patterns
from scg_core.ports.places import Places
from scg_core.ports.storage import Storage
from scg_core.ports.voice_transport import VoiceTransport


class Time(Clock, Protocol):
    """A clock that stands still until it is told otherwise."""

    def advance(self, milliseconds: float) -> Instant:
        """Let that much time pass."""
        ...


class Switch(VoiceTransport, Protocol):
    """A simulated switch that says what happened to its phones."""

    reachable: bool
    """While False every command finds the switch away."""

    @property
    def dialled(self) -> Sequence[str]:
        """Every number that was made to ring, in order."""
        ...

    def up(self) -> Mapping[str, str | None]:
        """The numbers that are on the line, each with its room."""
        ...

    def call_in(self, from_address: str, to_address: str, now: Instant) -> str:
        """A phone calls one of our numbers."""
        ...

    def hangs_up(self, party: str, now: Instant) -> None:
        """A phone ends its call."""
        ...


@frozen(kw_only=True)
class Parts:
    """The factories; a carrier's and a switch's manners are drawn from the chance they are given.

    ``switch`` is also given the numbers that will be called. A ``storage`` that outlives its
    process is opened again with ``reopen`` when all is over, and the checker reads that.
    """

    storage: Callable[[], Storage]
    carrier: Callable[[random.Random], Carrier]
    clock: Callable[[], Time]
    ids: Callable[[int], Ids]
    places: Callable[[], Places]
    patterns: Callable[[], Patterns | None] = lambda: None
    reopen: Callable[[Storage], Storage] | None = None
    switch: Callable[[random.Random, Sequence[str]], Switch] | None = None
