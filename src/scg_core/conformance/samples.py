"""Resources to test with, made from as little as a test needs to say."""

from __future__ import annotations

from typing import Any

from scg_core.kernel.instant import Instant
from scg_core.messaging.lifecycle import Direction, MessageState, RequestState
from scg_core.messaging.model import LaneKey, Message, MessageRequest, Run
from scg_core.messaging.records import IdempotencyKey

NOW = Instant(1_767_225_600_000)
LANE = LaneKey("carrier", "sender", "USA", "acme")


def a_request(id: str = "request", **changes: Any) -> MessageRequest:
    """A message request of the company acme."""
    values: dict[str, Any] = {
        "id": id,
        "from_": "sender_id:sender",
        "application_id": "1",
        "state": RequestState.ACCEPTED,
        "created_date": NOW,
        "last_updated_date": NOW,
        "company_id": "acme",
        "sender_id": "sender",
    }
    return MessageRequest(**(values | changes))


def a_message(seq: int = 1, **changes: Any) -> Message:
    """A message of the company acme, queued."""
    values: dict[str, Any] = {
        "id": f"message-{seq}",
        "seq": seq,
        "direction": Direction.MT,
        "state": MessageState.CREATED,
        "application_id": 1,
        "created_date": NOW,
        "last_updated_date": NOW,
        "company_id": "acme",
    }
    return Message(**(values | changes))


def a_key(id: str = "key", **changes: Any) -> IdempotencyKey:
    """An idempotency key of the company acme."""
    values: dict[str, Any] = {
        "id": id,
        "company_id": "acme",
        "application_id": 1,
        "value": "once",
        "digest": "d",
        "request_id": "request",
        "created_date": NOW,
    }
    return IdempotencyKey(**(values | changes))


def a_run(lane: int, first: int = 1, last: int = 10, **changes: Any) -> Run:
    """A run of the request named request, due now."""
    values: dict[str, Any] = {"lane": lane, "request_id": "request", "due": NOW}
    return Run(**(values | {"first": first, "last": last} | changes))
