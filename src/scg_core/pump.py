"""Does due work; the only caller of the outward ports.

Nothing here decides: each piece of work is a use case in a transaction of its own, and what a
transport says between two transactions is written down by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from scg_core.kernel.errors import LeaseLost, TransportUnavailable
from scg_core.kernel.instant import Instant, later
from scg_core.messaging.model import WorkKind
from scg_core.messaging.settings import Settings
from scg_core.messaging.usecases.prepare import forget_recipients, prepare_page
from scg_core.messaging.usecases.resume import resume_page
from scg_core.messaging.usecases.sweep import sweep_page
from scg_core.messaging.usecases.transmit import Submission, claim, settle
from scg_core.ports.clock import Clock
from scg_core.ports.message_transport import (
    Answer,
    Capabilities,
    MessageTransport,
    Outcome,
)
from scg_core.ports.places import Places
from scg_core.ports.storage import Storage, Work
from scg_core.unit import Unit

log: Final = logging.getLogger("scg_core.pump")

Begin = Callable[[str], AbstractContextManager[Unit]]


class Pump:
    """Takes what is due, a page at a time, until there is no more or the limit is reached."""

    def __init__(
        self,
        storage: Storage,
        transports: Mapping[str, MessageTransport],
        places: Places,
        clock: Clock,
        settings: Settings,
        begin: Begin,
    ) -> None:
        self._storage = storage
        self._transports = transports
        self._capabilities: dict[str, Capabilities] = {
            name: transport.capabilities for name, transport in transports.items()
        }
        self._clock = clock
        self._settings = settings
        self._begin = begin
        self._work: dict[str, Callable[[Unit, Work], None]] = {
            WorkKind.PREPARE: lambda unit, work: prepare_page(
                unit, work, places, _only(self._transports)
            ),
            WorkKind.SWEEP: sweep_page,
            WorkKind.EXPIRE: sweep_page,
            WorkKind.PAUSE_EXPIRY: sweep_page,
            WorkKind.RESUME: resume_page,
            WorkKind.FORGET: forget_recipients,
        }

    def run_due(self, limit: int) -> Instant | None:
        """Do up to ``limit`` pieces of due work; when to call again, or None if nothing waits."""
        done = 0
        while done < limit:
            polled = self._poll()
            moved = self._do_work() + self._transmit()
            done += moved
            if not moved:
                return self._next(polled)
        return self._clock.now()

    def _poll(self) -> Instant | None:
        now = self._clock.now()
        waits = [transport.poll(now) for transport in self._transports.values()]
        return min((wait for wait in waits if wait is not None), default=None)

    def _next(self, polled: Instant | None) -> Instant | None:
        with self._storage.snapshot() as session:
            due = session.next_due(self._transports.keys())
        return min((one for one in (polled, due) if one is not None), default=None)

    def _do_work(self) -> int:
        with self._begin("work") as unit:
            lease_until = later(unit.now, self._settings.lease)
            work = unit.session.claim(self._work.keys(), unit.now, lease_until)
            if work is None:
                return 0
            self._work[work.kind](unit, work)
        return 1

    def _transmit(self) -> int:
        with self._begin("claim") as unit:
            submission = claim(unit, self._capabilities, self._settings)
        if submission is None:
            return 0
        answers = self._submit(submission)
        try:
            with self._begin("settle") as unit:
                capabilities = self._capabilities[submission.connector]
                settle(unit, submission, answers, capabilities, self._settings)
        except LeaseLost:
            log.warning("a lease on %s ran out before its answers came", submission.connector)
        return 1

    def _submit(self, submission: Submission) -> Sequence[Answer]:
        """Hand a window over; a transport that breaks leaves the outcome unknown, not the pump."""
        attempts = submission.attempts
        if not attempts:
            return ()
        transport = self._transports[submission.connector]
        try:
            answers = transport.submit(attempts, self._clock.now())
        except TransportUnavailable:
            return [Answer(Outcome.THROTTLED)] * len(attempts)
        except Exception:
            log.exception("the transport %s failed in mid-submission", submission.connector)
            return [Answer(Outcome.UNKNOWN)] * len(attempts)
        if len(answers) != len(attempts):
            log.error("the transport %s left attempts without an answer", submission.connector)
            return [Answer(Outcome.UNKNOWN)] * len(attempts)
        return answers


def _only(transports: Mapping[str, MessageTransport]) -> str:
    """The transport of a sender without a type: the engine's only one."""
    return next(iter(transports))
