"""Which subscription wants which event."""

from __future__ import annotations

from scg_core.events.model import Event, Subscription


def wants(subscription: Subscription, event: Event) -> bool:
    """Whether an event of the subscription's company is told to it.

    One that is kept to a channel or an application hears only of what is known to concern it.
    """
    if event.topic not in subscription.topics:
        return False
    if subscription.event_types and event.type not in subscription.event_types:
        return False
    if subscription.channel_id is not None and subscription.channel_id not in event.channels:
        return False
    wanted = subscription.only_application_id
    return wanted is None or str(event.facts.get("application_id")) == str(wanted)
