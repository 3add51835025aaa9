"""What a receipt does to the message it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.kernel.query import Query, among, eq
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import FailureCode, LoggedReceipt, Message, ParkedReceipt
from scg_core.messaging.rules.receipts import HEARD_AS
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import News, hear_news
from scg_core.ports.message_transport import Receipt, ReceiptKind
from scg_core.unit import Unit

DELIVERY: Final = 1009
_CHUNK: Final = 400
_SENT: Final = MessageState.SENT.value
_DELIVERED: Final = MessageState.DELIVERED.value
COLUMNS: Final = ("seq", "id", "message_request_id", "company_id", "transport_id", "milestones")
_FAST: Final = ("state", "milestones", "delivered_date", "last_updated_date")


@frozen
class LoggedOnly:
    """A receipt that says nothing final of a message."""

    seq: int
    receipt: Receipt


def apply_parked(unit: Unit, keys: Sequence[str | None], tally: Tally) -> None:
    """Apply receipts that came before the answer which has now brought their transport ids."""
    if not unit.session.count(Query(ParkedReceipt), at_most=1):
        return
    wanted = sorted({key for key in keys if key is not None})
    parked = [
        found
        for begin in range(0, len(wanted), _CHUNK)
        for found in unit.session.find(
            Query(ParkedReceipt, [among("transport_id", wanted[begin : begin + _CHUNK])])
        )
    ]
    if not parked:
        return
    rows = {row[4]: row for row in sent_rows(unit, [receipt.transport_id for receipt in parked])}
    news = []
    for held in parked:
        unit.session.remove(held)
        if held.transport_id in rows:
            receipt = Receipt(held.transport_id, ReceiptKind(held.kind), held.at, code=held.code)
            news.append(news_of(rows[held.transport_id][0], receipt))
    hear_receipts(unit, news, tally)


def hear_receipts(unit: Unit, news: Sequence[News | LoggedOnly], tally: Tally) -> None:
    """Let messages hear receipts by the plain rules; what means nothing is only logged."""
    hear_news(unit, [item for item in news if isinstance(item, News)], (), tally)
    for item in news:
        if isinstance(item, LoggedOnly):
            _log(unit, item)


def news_of(seq: int, receipt: Receipt) -> News | LoggedOnly:
    """What a receipt is to the message with this number."""
    event = HEARD_AS.get(receipt.kind.value)
    if event is None:
        return LoggedOnly(seq, receipt)
    facts: dict[str, Any] = {}
    if receipt.kind not in (ReceiptKind.DELIVERED, ReceiptKind.READ):
        said = f" ({receipt.code})" if receipt.code else ""
        details = f"{DELIVERY} the network reported {receipt.kind.value}{said}"
        facts = {"failure_code": FailureCode.OTHER.value, "failure_details": details}
    return News(seq, event, receipt.at, facts, receipt.kind.value)


def sent_rows(unit: Unit, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    """Messages in state SENT by transport id: the route that stays fast however many there are."""
    rows: list[tuple[Any, ...]] = []
    for begin in range(0, len(keys), _CHUNK):
        where = [eq("state", _SENT), among("transport_id", keys[begin : begin + _CHUNK])]
        rows += unit.session.rows(Query(Message, where), COLUMNS)
    return rows


def _log(unit: Unit, item: LoggedOnly) -> None:
    rows = unit.session.rows(Query(Message, [eq("seq", item.seq)]), ("id", "company_id"))
    for message_id, company in rows:
        unit.add(
            LoggedReceipt(
                id=unit.new_id(),
                company_id=company,
                message_id=message_id,
                kind=item.receipt.kind.value,
                at=item.receipt.at,
                arrived_date=unit.now,
            )
        )
