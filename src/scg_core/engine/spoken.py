"""Spoken messages as a message transport: each attempt becomes a call of the engine's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.usecases.speaking import speak
from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import (
    Answer,
    Attempt,
    Capabilities,
    Inbox,
    OnUnknown,
    Outcome,
)
from scg_core.senders.steps.finding import SPOKEN
from scg_core.unit import Unit


class SpokenMessages:
    """Takes messages of kind VOICE to a switch.

    An attempt that comes again is found by its id, so that nobody is called twice for one.
    """

    def __init__(
        self,
        begin: Callable[[str], AbstractContextManager[Unit]],
        connector: str,
        exchange: Exchange,
    ) -> None:
        self._begin = begin
        self._connector = connector
        self._exchange = exchange

    @property
    def capabilities(self) -> Capabilities:
        """It carries speech, once per attempt."""
        return Capabilities(
            kinds=SPOKEN, window=self._exchange.switches[self._connector].window,
            deduplicates=True, on_unknown=OnUnknown.RESEND,
        )  # fmt: skip

    def connect(self, connector: str, inbox: Inbox) -> None:
        """Nothing to learn: it brings nothing by itself."""

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
        """File a call for each attempt."""
        with self._begin("speak") as unit:
            return speak(unit, self._connector, attempts, self._exchange)

    def query(self, attempts: Sequence[str], now: Instant) -> Sequence[Answer]:
        """Never asked."""
        return [Answer(Outcome.UNKNOWN)] * len(attempts)

    def poll(self, now: Instant) -> Instant | None:
        """Nothing comes back this way."""
        return None
