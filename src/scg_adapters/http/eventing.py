"""The routes of events: subscriptions, their envelopes, and the event handlers of a channel.

The specification speaks of event handlers and names no path; these are this engine's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scg_adapters.http.route import Does, Route, row
from scg_core.events.model import Envelope, Subscription


def eventing() -> Iterator[Route]:
    """All of them."""
    subscriptions, of, kind = "/event_subscriptions", "subscriptions", Subscription
    subscription = f"{subscriptions}/{{Subscription_ID}}"
    yield row(subscriptions, Does.LIST, kind, of, "List subscriptions to events.")
    yield row(
        subscriptions, Does.CREATE, kind, of,
        "Be told of events; the secret that deliveries are signed with is shown this once.",
        tells=_with_secret, answers=_SECRET,
    )  # fmt: skip
    yield row(subscription, Does.READ, kind, of, "Read a subscription.")
    yield row(subscription, Does.UPDATE, kind, of, "Change what is given of a subscription.")
    yield row(subscription, Does.REPLACE, kind, of, "Replace a subscription.")
    yield row(
        subscription, Does.DELETE, kind, of,
        "Delete a subscription; what waits for it is not delivered any more.",
    )  # fmt: skip
    yield row(
        f"{subscription}/secret", Does.TELL, kind, of,
        "Sign with a new secret, shown this once; the one before signs too for a day.",
        call="rotate_secret", tells=_with_secret, answers=_SECRET,
    )  # fmt: skip
    yield row(
        f"{subscription}/replay", Does.TELL, kind, of,
        "Deliver once more all that has FAILED by now, in the background.",
        call="replay_failed", tells=_named, answers={"id": _SECRET["id"]},
    )  # fmt: skip
    envelopes = f"{subscription}/envelopes"
    envelope = f"{envelopes}/{{Envelope_ID}}"
    yield row(
        envelopes, Does.LIST, Envelope, "envelopes",
        "List the events that were told to a subscription, and how far their delivery is.",
    )  # fmt: skip
    yield row(envelope, Does.READ, Envelope, "envelopes", "Read an event and its delivery.")
    yield row(
        envelope, Does.UPDATE, Envelope, "envelopes",
        "Deliver an event once more: set its state to PENDING.",
    )  # fmt: skip
    handlers = "/messaging/channels/{Channel_ID}/event_handlers"
    yield row(
        handlers, Does.LIST, kind, of, "List the event handlers of a channel.",
        call="page_of_channel",
    )  # fmt: skip
    yield row(
        handlers, Does.CREATE, kind, of,
        "Establish an event handler on a channel, for the messages of this application.",
        call="create_for_channel", tells=_with_secret, answers=_SECRET,
    )  # fmt: skip


_SECRET: Final[Mapping[str, Mapping[str, Any]]] = {
    "id": {"type": "string", "description": "The subscription."},
    "secret": {"type": "string", "description": "What deliveries are signed with."},
    "previous_until": {
        "type": "integer",
        "description": "Until when deliveries are signed with the secret before too.",
    },
}


def _with_secret(made: Subscription) -> Mapping[str, object]:
    until = {"previous_until": made.previous_until} if made.previous_until is not None else {}
    return {"id": made.id, "secret": made.secret, **until}


def _named(held: Subscription) -> Mapping[str, object]:
    return {"id": held.id}
