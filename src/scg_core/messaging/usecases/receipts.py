"""Receipts in: late, twice, early or contradicting, every one of them finds its place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from scg_core.kernel.query import Query, eq
from scg_core.messaging.lifecycle import MessageState, Milestone
from scg_core.messaging.model import Message, ParkedReceipt
from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import News, tell_moves
from scg_core.messaging.steps.receipts import (
    COLUMNS,
    LoggedOnly,
    hear_receipts,
    news_of,
    sent_rows,
)
from scg_core.ports.message_transport import Receipt, ReceiptKind
from scg_core.unit import Unit

_SENT: Final = MessageState.SENT.value
_DELIVERED: Final = MessageState.DELIVERED.value
_FAST: Final = ("state", "milestones", "delivered_date", "last_updated_date")


def receipts_arrived(unit: Unit, connector: str, receipts: Sequence[Receipt]) -> None:
    """Take receipts in. Their order and repetition do not matter.

    A receipt whose transport id is not known is parked until the transport's answer brings it.
    """
    by_key: defaultdict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        by_key[transport_key(connector, receipt.transport_id) or ""].append(receipt)
    sent = sent_rows(unit, list(by_key))
    tally = Tally()
    quick, slow = [], []
    for row in sent:
        heard = by_key.pop(row[4])
        simple = len(heard) == 1 and heard[0].kind is ReceiptKind.DELIVERED
        if simple and row[5] == Milestone.SENT:
            quick.append((row, heard[0]))
        else:
            slow += [news_of(row[0], receipt) for receipt in heard]
    _delivered(unit, quick, tally)
    slow += _by_address(unit, by_key)
    hear_receipts(unit, slow, tally)
    tally.apply(unit)
    for key, heard in by_key.items():
        for receipt in heard:
            _park(unit, key, receipt)


def _by_address(unit: Unit, by_key: dict[str, list[Receipt]]) -> list[News | LoggedOnly]:
    """The second route, for messages that are past SENT: by the handset's address."""
    news: list[News | LoggedOnly] = []
    for key in list(by_key):
        address = by_key[key][0].to_address
        if address is None:
            continue
        where = [eq("to_address", address), eq("transport_id", key)]
        for row in unit.session.rows(Query(Message, where, limit=1), COLUMNS):
            news += [news_of(row[0], receipt) for receipt in by_key.pop(key)]
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
