"""The envelope as it travels (semantics 16): JSON of one shape for every kind of event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scg_core.events.model import Envelope, Event


def facts_of(event: Event) -> str:
    """The event's named values as they are kept: no nulls, the company among them."""
    named: dict[str, Any] = {
        name: value for name, value in event.facts.items() if value is not None
    }
    named |= {"company_id": event.company_id, "company-id": event.company_id}
    return json.dumps(named, ensure_ascii=False)


def body_of(envelope: Envelope, attempt: int) -> str:
    """What a receiver gets at its so-manieth attempt, as JSON.

    ``fld-val-list`` holds the event's values. Times are epoch milliseconds, as everywhere. The
    sequence number and the ids beside the event are ours.
    """
    return json.dumps(
        {
            "topic": envelope.topic.value,
            "attempt": attempt,
            "event_id": envelope.event_id,
            "subject": envelope.subject,
            "sequence": envelope.sequence,
            "subscription_id": envelope.subscription_id,
            "event": {
                "evt-tp": envelope.type.value,
                "timestamp": envelope.created_date,
                "fld-val-list": values_of(envelope),
            },
        },
        ensure_ascii=False,
    )


def values_of(envelope: Envelope) -> Mapping[str, Any]:
    """The event's named values."""
    values: dict[str, Any] = json.loads(envelope.facts)
    return values
