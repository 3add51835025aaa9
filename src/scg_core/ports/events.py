"""Telling the outside world of events: webhooks, a callback, a broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from attrs import field, frozen

from scg_core.events.model import EventType, Topic
from scg_core.events.rules.outcomes import Reception
from scg_core.kernel.instant import SECOND, Instant

__all__ = ["EVENTS", "Events", "EventsCapabilities", "Parcel", "Reception", "Reply"]

EVENTS: Final = "events"
"""By this name ``run_due(connectors=...)`` knows the delivery of events."""


@frozen
class EventsCapabilities:
    """What an adapter can do.

    ``batch`` is how many parcels it takes in one call, ``patience`` within how many milliseconds it
    answers them all, whatever receivers do.
    """

    batch: int = 100
    patience: int = 15 * SECOND


@frozen
class Parcel:
    """One event on its way to one subscription.

    ``id`` is the envelope's, stable over attempts; ``body`` is what travels, ``facts`` the same
    event's named values. ``secrets`` sign it, the newest first.
    """

    id: str
    event_id: str
    subscription_id: str
    company_id: str
    topic: Topic
    type: EventType
    subject: str
    sequence: int
    attempt: int
    at: Instant
    facts: Mapping[str, Any]
    body: str
    url: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)


@frozen
class Reply:
    """What became of one parcel.

    ``code`` is the receiver's own word for it (a status of HTTP); LATER without one means that
    nobody answered. ``reason`` a sentence without
    anything secret. ``retry_after`` is for how many milliseconds the receiver wants to be left
    alone.
    """

    reception: Reception
    code: str | None = None
    reason: str | None = None
    retry_after: int | None = None


class Events(Protocol):
    """Delivers events; only the pump does so. It may hear of one event several times."""

    @property
    def capabilities(self) -> EventsCapabilities:
        """What it can do; it does not change.

        Laws:
            - ``a_batch_of_the_declared_size_is_taken``
        """
        ...

    def refusal(self, url: str | None) -> str | None:
        """Why nothing is delivered to a URL, as a rule without a subject, or None.

        A fact, asked before anything is stored: it is quick and asks nobody.

        Laws:
            - ``nothing_is_delivered_to_what_is_refused``
        """
        ...

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        """Deliver each parcel; a reply for each, in their order.

        No two are of one subscription and subject. Receivers that are slow or broken must not hold
        it up for longer than declared: what is not answered by then is LATER, what was not begun
        UNTRIED.

        Laws:
            - ``every_parcel_is_answered_in_order``
            - ``what_is_taken_has_arrived_as_it_was_given``
            - ``a_receiver_that_fails_is_to_be_tried_again``
            - ``one_bad_receiver_spoils_no_other_parcel``
            - ``what_was_delivered_before_is_delivered_again``
            - ``an_event_goes_to_each_subscription``
            - ``replies_can_be_written_down``

        Raises:
            TransportUnavailable: nothing can be delivered now; all parcels wait.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads."""
        ...
