"""Letting messages hear what happened, by the plain rules, and telling of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, among
from scg_core.messaging.lifecycle import MessageEvent, MessageState, Milestone
from scg_core.messaging.model import Message
from scg_core.messaging.records import LoggedReceipt
from scg_core.messaging.rules.status import EVIDENCE, UNKNOWN_OUTCOME, Heard, Status, hear
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.queueing import cut_out
from scg_core.messaging.steps.telling import CLICKTHRU, Late, Move, tell_moves
from scg_core.unit import Unit

_DATES: Final = {
    Milestone.SENT: "sent_date",
    Milestone.DELIVERED: "delivered_date",
    Milestone.READ: "read_date",
    Milestone.CONVERTED: "converted_date",
}
_CHUNK: Final = 400


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
    "price",
)
_PRICE: Final = len(_READ) - 2 + _WRITTEN.index("price")


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
    moves: list[Move | Late] = []
    for item in news:
        if item.seq not in held:
            continue
        row = _Row(*held[item.seq][:6])
        before = Status(MessageState(row.state), row.milestones, item.seq in flying)
        heard = hear(before, item.event)
        (flying.add if heard.status.in_flight else flying.discard)(item.seq)
        after[item.seq] = heard.status
        if item.event in EVIDENCE and before.is_queued and not heard.status.is_open:
            cut_out(unit, item.seq)  # the handset has it: it is not sent again
        tally.note(row.request_id, heard)
        if _settle_price(held[item.seq], row, heard, item, tally):
            changed.add(item.seq)
        if heard.late:
            moves += _log(unit, row, item)
            if item.event is MessageEvent.ACK and _keep_ids(held[item.seq], item):
                changed.add(item.seq)
        elif _record(unit, held[item.seq], heard, item):
            changed.add(item.seq)
            if row.state != heard.status.state:
                reason = CLICKTHRU if item.event is MessageEvent.CLICK else None
                moves.append(
                    Move(row.company_id, row.id, row.request_id, row.state,
                         heard.status.state.value, reason)
                )  # fmt: skip
    _write(unit, [held[seq] for seq in changed])
    tell_moves(unit, lambda: moves)
    return after


def _settle_price(row: list[Any], facts: _Row, heard: Heard, item: News, tally: Tally) -> bool:
    """What was reserved for an attempt is earned once it is known to be sent, else given back.

    While a message may still turn out to have left, its reservation stands. Whether the row
    changed: a price that is given back is none.
    """
    price, status = row[_PRICE], heard.status
    if price is None:
        return False
    if heard.gained & Milestone.SENT:
        tally.pay(facts.company_id, price, 0)
    unsure = status.is_queued and ("unknown" in item.facts or status.milestones & UNKNOWN_OUTCOME)
    if status.milestones & Milestone.SENT or status.in_flight or unsure:
        return False
    tally.pay(facts.company_id, 0, price)
    row[_PRICE] = None
    return True


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


def _keep_ids(row: list[Any], item: News) -> bool:
    """A late ACK may be the first to bring the transport's ids; whether it was."""
    at = len(_READ) - 2 + _WRITTEN.index("external_transaction_ids")
    if row[at] is not None or not item.facts.get("external_transaction_ids"):
        return False
    for name, value in item.facts.items():
        row[len(_READ) - 2 + _WRITTEN.index(name)] = value
    return True


def _write(unit: Unit, rows: Sequence[list[Any]]) -> None:
    values = [(*row[4:], row[0]) for row in rows]
    if values:
        unit.session.update(Message, _WRITTEN, ("seq",), values)


def _log(unit: Unit, row: _Row, item: News) -> list[Late]:
    """Note a receipt that changed nothing; what is to be told of it."""
    if item.receipt is None:
        return []
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
    unit.note("late_receipts", item.receipt)
    return [Late(row.company_id, row.id, row.request_id, row.state, item.receipt)]
