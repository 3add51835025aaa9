"""Pieces of messaging's use cases that take an open unit: counting, moving, requeueing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, among
from scg_core.messaging.lifecycle import (
    REQUEST,
    MessageEvent,
    MessageState,
    Milestone,
    RequestEvent,
    RequestState,
)
from scg_core.messaging.model import LoggedReceipt, Message, MessageRequest, Run
from scg_core.messaging.rules.runs import contiguous, narrowed, owner
from scg_core.messaging.rules.status import UNKNOWN_OUTCOME, Heard, Status, hear
from scg_core.unit import Unit

COUNTERS: Final = {
    Milestone.SENT: "sent_count",
    Milestone.DELIVERED: "delivered_count",
    Milestone.READ: "read_count",
    Milestone.CONVERTED: "converted_count",
    Milestone.CANCELED: "canceled_count",
    Milestone.FAILED: "failed_count",
}
_DATES: Final = {
    Milestone.SENT: "sent_date",
    Milestone.DELIVERED: "delivered_date",
    Milestone.READ: "read_date",
    Milestone.CONVERTED: "converted_date",
}
_SETTLES: Final = frozenset({"sent_count", "withdrawn_count", "test_count"})
_CHUNK: Final = 400


class Tally:
    """Counter changes of one transaction, by request, applied at its end in one go."""

    def __init__(self) -> None:
        self._amounts: defaultdict[str, defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )

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

    def apply(self, unit: Unit) -> None:
        """Store the changes, and complete each request that has no open message left."""
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
        "external_message_request_id": request.external_id,
        "previous_state": request.state.value,
        "new_state": to.value,
    }
    kind = EventType.MESSAGE_REQUEST_STATE_CHANGE
    unit.tell(Event(Topic.MESSAGE, kind, request.company_id, facts))
    return after


def complete_if_settled(unit: Unit, request_id: str) -> None:
    """Complete a request once no message of it is queued or in flight (semantics 1c)."""
    request = unit.session.get(MessageRequest, request_id)
    if request is None or request.open_count:
        return
    if request.state in (RequestState.TRANSMITTING, RequestState.PAUSED):
        move_request(unit, request, RequestEvent.SETTLE)
        for kind in ("expire", "pause_expiry"):
            unit.session.withdraw(kind, request_id)


@frozen
class News:
    """One event for one message, with what else to write if it is taken."""

    seq: int
    event: MessageEvent
    at: Instant
    facts: Mapping[str, Any] = {}
    receipt: str | None = None


@frozen
class _Row:
    seq: int
    id: str
    company_id: str
    request_id: str | None
    state: str
    milestones: int


_READ: Final = ("seq", "id", "company_id", "message_request_id", "state", "milestones")
_WRITTEN: Final = (
    "state",
    "milestones",
    "last_updated_date",
    "sent_date",
    "delivered_date",
    "read_date",
    "converted_date",
    "conversion_info_source",
    "failure_code",
    "failure_details",
    "transport_id",
    "external_transaction_ids",
)


def rows_by_seq(unit: Unit, columns: Sequence[str], seqs: Sequence[int]) -> list[tuple[Any, ...]]:
    """Columns of the messages with these numbers."""
    found: list[tuple[Any, ...]] = []
    for begin in range(0, len(seqs), _CHUNK):
        where = among("seq", seqs[begin : begin + _CHUNK])
        found += unit.session.rows(Query(Message, [where]), columns)
    return found


def hear_news(
    unit: Unit, news: Sequence[News], in_flight: Iterable[int], tally: Tally
) -> dict[int, Status]:
    """Let messages hear events one by one: the plain rules, in order; where each stands after.

    ``in_flight`` are the numbers whose attempt is open before.
    """
    wanted = sorted({item.seq for item in news})
    columns = (*_READ, *_WRITTEN[2:])
    held = {row[0]: list(row) for row in rows_by_seq(unit, columns, wanted)}
    flying = set(in_flight)
    after: dict[int, Status] = {}
    changed: set[int] = set()
    moves: list[Move] = []
    for item in news:
        if item.seq not in held:
            continue
        row = _Row(*held[item.seq][:6])
        before = Status(MessageState(row.state), row.milestones, item.seq in flying)
        heard = hear(before, item.event)
        (flying.add if heard.status.in_flight else flying.discard)(item.seq)
        after[item.seq] = heard.status
        tally.note(row.request_id, heard)
        if heard.late:
            _log(unit, row, item)
        elif _record(unit, held[item.seq], heard, item):
            changed.add(item.seq)
            if row.state != heard.status.state:
                moves.append(
                    (row.company_id, row.id, row.request_id, row.state, heard.status.state.value)
                )
    _write(unit, [held[seq] for seq in changed])
    tell_moves(unit, lambda: moves)
    return after


def _record(unit: Unit, row: list[Any], heard: Heard, item: News) -> bool:
    """Write what was heard into a row of ``_READ`` and ``_WRITTEN`` columns; whether it changed."""
    before = list(row)
    row[4], row[5] = heard.status.state.value, heard.status.milestones
    offset = len(_READ) - 2
    for milestone, name in _DATES.items():
        if heard.gained & milestone:
            row[offset + _WRITTEN.index(name)] = item.at
    for name, value in item.facts.items():
        if name == "unknown":
            row[5] |= UNKNOWN_OUTCOME
        else:
            row[offset + _WRITTEN.index(name)] = value
    if row == before:
        return False
    row[offset + 2] = unit.now
    return True


def _write(unit: Unit, rows: Sequence[list[Any]]) -> None:
    values = [(*row[4:], row[0]) for row in rows]
    if values:
        unit.session.update(Message, _WRITTEN, ("seq",), values)


def _log(unit: Unit, row: _Row, item: News) -> None:
    if item.receipt is None:
        return
    unit.add(
        LoggedReceipt(
            id=unit.new_id(),
            company_id=row.company_id,
            message_id=row.id,
            kind=item.receipt,
            at=item.at,
            arrived_date=unit.now,
        )
    )
    facts = {"message_id": row.id, "state": row.state, "receipt": item.receipt}
    unit.tell(Event(Topic.MESSAGE, EventType.LATE_RECEIPT, row.company_id, facts))


Move = tuple[str, str, str | None, str, str]
"""A move to tell of: company, message, request, state before, state after."""


def tell_moves(unit: Unit, moved: Callable[[], Iterable[Move]]) -> None:
    """Tell of many moves, if anyone listens at all; ``moved`` is not asked otherwise."""
    if not unit.anyone_listens(Topic.MESSAGE):
        return
    for company, message_id, request_id, before, after in moved():
        facts = {
            "message_id": message_id,
            "message_request_id": request_id,
            "previous_state": before,
            "new_state": after,
        }
        unit.tell(Event(Topic.MESSAGE, EventType.MESSAGE_STATE_CHANGE, company, facts))


def requeue(
    unit: Unit, source: Sequence[Run], seqs: Iterable[int], change: Callable[[Run, int], Run]
) -> None:
    """Put messages of the source runs back into their lanes, as ``change`` makes their runs.

    Neighbours of one source run whose changed runs agree in everything but numbers share a run.
    """
    stretches: defaultdict[Run, list[int]] = defaultdict(list)
    for seq in sorted(seqs):
        changed = change(owner(source, seq), seq)
        stretches[evolve(changed, first=0, last=0, id=0)].append(seq)
    unit.session.queue(
        evolve(run, first=first, last=last)
        for run, members in stretches.items()
        for first, last in contiguous(members)
    )


def cut_out(unit: Unit, seq: int) -> None:
    """Take one message out of the run it is queued in; the rest of the run stays."""
    runs = unit.session.runs_at([seq])
    unit.session.drop(runs)
    for run in runs:
        others = (number for number in range(run.first, run.last + 1) if number != seq)
        unit.session.queue(narrowed(run, others))
