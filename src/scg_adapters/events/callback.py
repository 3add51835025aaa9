"""Events for who embeds the engine: a function is called with each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from scg_core.kernel.instant import Instant
from scg_core.ports.events import EventsCapabilities, Parcel, Reception, Reply

log: Final = logging.getLogger("scg_adapters.events")


class Refused(Exception):
    """A callback raises it to say that it will never take this event; its text is the reason."""


class CallbackEvents:
    """Calls ``take`` with one parcel after the other, on the thread that does due work.

    What it raises means that the event is to be delivered again later, ``Refused`` that it is not.
    It should come back soon: after ``patience`` milliseconds the rest of a batch waits. What it
    does itself with the engine is its own transaction. After a crash an event may come again, with
    the same ``id``.
    """

    def __init__(
        self, take: Callable[[Parcel], object], *, batch: int = 100, patience: int = 30_000
    ) -> None:
        self._take = take
        self.capabilities: Final = EventsCapabilities(batch=batch, patience=patience)

    def refusal(self, url: str | None) -> str | None:
        """Nothing is refused: a URL is the host's own business."""
        return None

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        """Call the function with each, as long as there is time."""
        until = time.monotonic() + self.capabilities.patience / 1000
        return [
            self._reply(one) if time.monotonic() < until else Reply(Reception.UNTRIED)
            for one in parcels
        ]

    def _reply(self, parcel: Parcel) -> Reply:
        try:
            self._take(parcel)
        except Refused as refused:
            return Reply(Reception.REFUSED, reason=str(refused)[:255])
        except Exception as broken:
            log.exception("the callback failed at event %s", parcel.event_id)
            reason = f"the callback raised {type(broken).__name__}"
            return Reply(Reception.LATER, "raised", reason)  # a code: somebody was there
        return Reply(Reception.TAKEN)

    def close(self) -> None:
        """There is nothing to let go of."""
