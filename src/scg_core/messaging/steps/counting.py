"""Counters move by deltas, once a transaction; a request without open messages is COMPLETED."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.query import Query, eq
from scg_core.messaging.lifecycle import REQUEST, Milestone, RequestEvent, RequestState
from scg_core.messaging.model import MessageRequest, WorkKind
from scg_core.messaging.rules.status import Heard
from scg_core.tenancy.steps import settle
from scg_core.unit import Unit

COUNTERS: Final = {
    Milestone.SENT: "sent_count",
    Milestone.DELIVERED: "delivered_count",
    Milestone.READ: "read_count",
    Milestone.CONVERTED: "converted_count",
    Milestone.CANCELED: "canceled_count",
    Milestone.FAILED: "failed_count",
}
_SETTLES: Final = frozenset({"sent_count", "withdrawn_count", "test_count"})


class Tally:
    """Counter changes of one transaction, by request, applied at its end in one go."""

    def __init__(self) -> None:
        self._amounts: defaultdict[str, defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )
        self._money: dict[str, tuple[int, int]] = {}

    def add(self, request_id: str | None, counter: str, amount: int = 1) -> None:
        """Change one counter of a request; messages without a request are not counted."""
        if request_id is not None and amount:
            self._amounts[request_id][counter] += amount

    def note(self, request_id: str | None, heard: Heard) -> None:
        """Count what one message gained."""
        for milestone, counter in COUNTERS.items():
            if heard.gained & milestone:
                self.add(request_id, counter)
        self.add(request_id, "withdrawn_count", heard.withdrawn)

    def pay(self, company: str, confirmed: int, released: int) -> None:
        """End a reservation in a company's credit: earned, or given back."""
        if confirmed or released:
            held = self._money.get(company, (0, 0))
            self._money[company] = (held[0] + confirmed, held[1] + released)

    def apply(self, unit: Unit) -> None:
        """Store the changes, and complete each request that has no open message left."""
        settle(unit, self._money)
        self._money = {}
        for request_id, amounts in self._amounts.items():
            unit.session.increase(MessageRequest, request_id, amounts, unit.now)
            if not _SETTLES.isdisjoint(amounts):
                complete_if_settled(unit, request_id)


def move_request(unit: Unit, request: MessageRequest, event: RequestEvent) -> MessageRequest:
    """Take a request to its next state and tell of it; a loop changes nothing."""
    to = REQUEST.step(request.state, event)
    if to is request.state:
        return request
    after = unit.save(request, state=to)
    facts = {
        "message_request_id": request.id,
        "application_id": int(request.application_id),
        "campaign_id": request.campaign_id,
        "external_message_request_id": request.external_id,
        "previous_state": request.state.value,
        "new_state": to.value,
    }
    kind = EventType.MESSAGE_REQUEST_STATE_CHANGE
    channels = frozenset(() if request.channel_id is None else (request.channel_id,))
    unit.tell(Event(Topic.MESSAGE, kind, request.company_id, request.id, facts, channels))
    return after


def complete_if_settled(unit: Unit, request_id: str) -> None:
    """Complete a request once no message of it is queued or in flight (semantics 1c)."""
    columns = ("recipient_count", "sent_count", "withdrawn_count", "test_count")
    rows = unit.session.rows(Query(MessageRequest, [eq("id", request_id)]), columns)
    if any(recipients != sum(closed) for recipients, *closed in rows):
        return
    request = unit.session.get(MessageRequest, request_id)
    if request is not None and request.state in (RequestState.TRANSMITTING, RequestState.PAUSED):
        move_request(unit, request, RequestEvent.SETTLE)
        for kind in (WorkKind.EXPIRE, WorkKind.PAUSE_EXPIRY):
            unit.session.withdraw(kind, request_id)
