"""Receipts in: late, twice, early or contradicting, every one of them finds its place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.kernel.query import Query, among, eq
from scg_core.messaging.lifecycle import MessageState, Milestone
from scg_core.messaging.model import FailureCode, LoggedReceipt, Message, ParkedReceipt
from scg_core.messaging.rules.receipts import HEARD_AS, transport_key
from scg_core.messaging.steps import News, Tally, hear_news, tell_moves
from scg_core.ports.message_transport import Receipt, ReceiptKind
from scg_core.unit import Unit

DELIVERY: Final = 1009
_CHUNK: Final = 400
_SENT: Final = MessageState.SENT.value
_DELIVERED: Final = MessageState.DELIVERED.value
_COLUMNS: Final = ("seq", "id", "message_request_id", "company_id", "transport_id", "milestones")
_FAST: Final = ("state", "milestones", "delivered_date", "last_updated_date")


@frozen
class LoggedOnly:
    """A receipt that says nothing final of a message."""

    seq: int
    receipt: Receipt


def receipts_arrived(unit: Unit, connector: str, receipts: Sequence[Receipt]) -> None:
    """Take receipts in. Their order and repetition do not matter.

    A receipt whose transport id is not known is parked until the transport's answer brings it.
    """
    by_key: defaultdict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        by_key[transport_key(connector, receipt.transport_id) or ""].append(receipt)
    sent = _sent(unit, list(by_key))
    tally = Tally()
    quick, slow = [], []
    for row in sent:
        heard = by_key.pop(row[4])
        simple = len(heard) == 1 and heard[0].kind is ReceiptKind.DELIVERED
        if simple and row[5] == Milestone.SENT:
            quick.append((row, heard[0]))
        else:
            slow += [_news(row[0], receipt) for receipt in heard]
    _delivered(unit, quick, tally)
    slow += _by_address(unit, by_key)
    hear_receipts(unit, slow, tally)
    tally.apply(unit)
    for key, heard in by_key.items():
        for receipt in heard:
            _park(unit, key, receipt)


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
    rows = {row[4]: row for row in _sent(unit, [receipt.transport_id for receipt in parked])}
    news = []
    for held in parked:
        unit.session.remove(held)
        if held.transport_id in rows:
            receipt = Receipt(held.transport_id, ReceiptKind(held.kind), held.at, code=held.code)
            news.append(_news(rows[held.transport_id][0], receipt))
    hear_receipts(unit, news, tally)


def hear_receipts(unit: Unit, news: Sequence[News | LoggedOnly], tally: Tally) -> None:
    """Let messages hear receipts by the plain rules; what means nothing is only logged."""
    hear_news(unit, [item for item in news if isinstance(item, News)], (), tally)
    for item in news:
        if isinstance(item, LoggedOnly):
            _log(unit, item)


def _news(seq: int, receipt: Receipt) -> News | LoggedOnly:
    event = HEARD_AS.get(receipt.kind.value)
    if event is None:
        return LoggedOnly(seq, receipt)
    facts: dict[str, Any] = {}
    if receipt.kind not in (ReceiptKind.DELIVERED, ReceiptKind.READ):
        said = f" ({receipt.code})" if receipt.code else ""
        details = f"{DELIVERY} the network reported {receipt.kind.value}{said}"
        facts = {"failure_code": FailureCode.OTHER.value, "failure_details": details}
    return News(seq, event, receipt.at, facts, receipt.kind.value)


def _sent(unit: Unit, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    """Messages in state SENT by transport id: the route that stays fast however many there are."""
    rows: list[tuple[Any, ...]] = []
    for begin in range(0, len(keys), _CHUNK):
        where = [eq("state", _SENT), among("transport_id", keys[begin : begin + _CHUNK])]
        rows += unit.session.rows(Query(Message, where), _COLUMNS)
    return rows


def _by_address(unit: Unit, by_key: dict[str, list[Receipt]]) -> list[News | LoggedOnly]:
    """The second route, for messages that are past SENT: by the handset's address."""
    news: list[News | LoggedOnly] = []
    for key in list(by_key):
        address = by_key[key][0].to_address
        if address is None:
            continue
        where = [eq("to_address", address), eq("transport_id", key)]
        for row in unit.session.rows(Query(Message, where, limit=1), _COLUMNS):
            news += [_news(row[0], receipt) for receipt in by_key.pop(key)]
    return news


def _delivered(unit: Unit, quick: Sequence[tuple[tuple[Any, ...], Receipt]], tally: Tally) -> None:
    """The fast path of DELIVERED: one update for the page, counters by delta."""
    if not quick:
        return
    bits = int(Milestone.SENT | Milestone.DELIVERED)
    rows = [(_DELIVERED, bits, receipt.at, unit.now, row[0]) for row, receipt in quick]
    unit.session.update(Message, _FAST, ("seq",), rows)
    for request_id, amount in Counter(row[2] for row, _ in quick).items():
        tally.add(request_id, "delivered_count", amount)
    tell_moves(unit, lambda: [(r[3], r[1], r[2], _SENT, _DELIVERED) for r, _ in quick])


def _park(unit: Unit, key: str, receipt: Receipt) -> None:
    unit.add(
        ParkedReceipt(
            id=unit.new_id(),
            transport_id=key,
            kind=receipt.kind.value,
            at=receipt.at,
            code=receipt.code,
            arrived_date=unit.now,
        )
    )


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
