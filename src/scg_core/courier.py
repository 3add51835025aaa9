"""Due work that tells the outside world of events.

A batch is claimed by the pump in a transaction and delivered between two; what receivers said is
written down by the next, which claims the batch after it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Final

from scg_core.events.outbox import DELIVER
from scg_core.events.settings import EventSettings
from scg_core.events.usecases.delivering import Batch, next_batch, settle_batch
from scg_core.kernel.codec import read_text
from scg_core.kernel.errors import InvalidField, StorageUnavailable, TransportUnavailable
from scg_core.kernel.instant import SECOND, later
from scg_core.ports.clock import Clock
from scg_core.ports.events import Events, Parcel, Reception, Reply
from scg_core.ports.storage import Work
from scg_core.ports.watch import Watch
from scg_core.unit import Unit

BATCHES_A_TURN: Final = 4
LONGEST_TURN: Final = SECOND
"""A slow receiver gives others their turn after one batch."""
_LONGEST_CODE: Final = 64
_ADAPTER: Final = "adapter"
"""The code of what an adapter got wrong; no receiver was silent."""

log: Final = logging.getLogger("scg_core.courier")

Begin = Callable[[str], AbstractContextManager[Unit]]
Stream = Generator[str, None, None]


class Courier:
    """Delivers the envelopes of subscriptions."""

    kinds: Final = frozenset({DELIVER})

    def __init__(
        self, events: Events, clock: Clock, begin: Begin, settings: EventSettings, watch: Watch
    ) -> None:
        self._events = events
        self._capabilities = events.capabilities
        self._clock = clock
        self._begin = begin
        self._settings = settings
        self._watch = watch

    def plan(self, unit: Unit, work: Work) -> Batch | None:
        """In the transaction that claimed it: what a piece of work is to do, None for nothing."""
        return next_batch(unit, work, self._capabilities, self._settings)

    def do(self, batch: Batch) -> Stream:
        """After that transaction: do it. Pauses between any two port calls."""
        following: Batch | None = batch
        until = later(self._clock.now(), LONGEST_TURN)
        for number in range(1, BATCHES_A_TURN + 1):
            if following is None:
                return
            held = following
            yield "deliver"
            replies = self._deliver(held.parcels)
            _note(held, replies)
            yield "delivered"
            with self._begin("delivered") as unit:
                following = settle_batch(
                    unit, held, replies, self._capabilities, self._settings,
                    more=number < BATCHES_A_TURN and unit.now < until,
                )  # fmt: skip

    def _deliver(self, parcels: Sequence[Parcel]) -> Sequence[Reply]:
        """Hand parcels to the adapter; one that breaks has delivered nothing for certain."""
        try:
            with self._watch.span("deliver", parcels=len(parcels)):
                replies = list(self._events.deliver(parcels, self._clock.now()))
        except TransportUnavailable:
            return [Reply(Reception.UNTRIED)] * len(parcels)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the adapter of events failed with parcels in hand")
            return [Reply(Reception.LATER, _ADAPTER, "it failed")] * len(parcels)
        if len(replies) != len(parcels) or not all(_is_sound(one) for one in replies):
            log.error("the adapter of events left parcels without an answer")
            return [Reply(Reception.LATER, _ADAPTER, "it gave no answer")] * len(parcels)
        return replies


def _note(batch: Batch, replies: Sequence[Reply]) -> None:
    """Log what a receiver did not take, by its subscription, without a word of the events."""
    lost = [one for one in replies if one.reception in (Reception.LATER, Reception.REFUSED)]
    if lost:
        log.warning(
            "subscription %s: %d of %d events were not taken: %s",
            batch.subscription_id, len(lost), len(replies), lost[0].reason or lost[0].reception,
        )  # fmt: skip


def _is_sound(reply: object) -> bool:
    return (
        isinstance(reply, Reply)
        and isinstance(reply.reception, Reception)
        and _is_text(reply.code, _LONGEST_CODE)
        and _is_text(reply.reason, None)
        and (reply.retry_after is None
             or (isinstance(reply.retry_after, int) and reply.retry_after >= 0))
    )  # fmt: skip


def _is_text(given: object, most: int | None) -> bool:
    """Whether it is nothing, or a text that can be stored."""
    try:
        return given is None or bool(read_text("reply", given, most=most)) or given == ""
    except InvalidField:
        return False
