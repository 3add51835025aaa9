"""How receipts find the messages they are for, and what they do to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.kernel.query import Query, among, below, eq
from scg_core.messaging.lifecycle import MessageState, Milestone
from scg_core.messaging.model import FailureCode, Message
from scg_core.messaging.records import (
    Fragment,
    FragmentState,
    LoggedReceipt,
    ParkedAnswer,
    ParkedReceipt,
)
from scg_core.messaging.rules.receipts import HEARD_AS, fragment_after, whole
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import News, hear_news
from scg_core.messaging.steps.queueing import is_in_flight
from scg_core.messaging.steps.telling import Move, tell_moves
from scg_core.ports.message_transport import Receipt, ReceiptKind, ReceiptPolicy
from scg_core.unit import Unit

DELIVERY: Final = 1009
_CHUNK: Final = 400
_STALE: Final = 100
_SENT: Final = MessageState.SENT.value
_DELIVERED: Final = MessageState.DELIVERED.value
_COLUMNS: Final = (
    "seq",
    "id",
    "message_request_id",
    "company_id",
    "transport_id",
    "milestones",
    "to_address",
)
_FAST: Final = ("state", "milestones", "delivered_date", "last_updated_date")

ByKey = dict[str, list[Receipt]]


@frozen
class _Logged:
    """A receipt that says nothing final of a message."""

    seq: int
    receipt: Receipt


_News = News | _Logged


def take_receipts(
    unit: Unit, by_key: ByKey, policy: ReceiptPolicy, tally: Tally, known: Mapping[str, int]
) -> None:
    """Let receipts find their messages; those that found one are taken out of ``by_key``.

    ``known`` are transport ids whose messages are known already. The other routes: messages in
    state SENT by transport id, fragments, for what is past SENT the handset's address, and for
    what was never acknowledged the attempt.
    """
    slow: list[_News] = []
    for key in [key for key in by_key if key in known]:
        slow += [_news(known[key], receipt) for receipt in by_key.pop(key)]
    candidates = _candidates(unit, by_key)
    quick = []
    for row, heard in _chosen(candidates, by_key, exactly=True):
        simple = len(heard) == 1 and heard[0].kind is ReceiptKind.DELIVERED
        if simple and row[5] == Milestone.SENT:
            quick.append((row, heard[0]))
        else:
            slow += [_news(row[0], receipt) for receipt in heard]
    _delivered(unit, quick, tally)
    if by_key:
        slow += _by_fragment(unit, by_key, policy)
        slow += _by_address(unit, by_key)
    for row, heard in _chosen(candidates, by_key, exactly=False):
        slow += [_news(row[0], receipt) for receipt in heard]
    flying: set[int] = set()
    if by_key:
        slow += _by_attempt(unit, by_key, flying)
    hear_news(unit, [item for item in slow if isinstance(item, News)], flying, tally)
    for item in slow:
        if isinstance(item, _Logged):
            _log(unit, item)


def park(unit: Unit, key: str, receipt: Receipt) -> None:
    """Keep a receipt whose message is not known yet."""
    unit.note("parked_receipts")
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


def apply_parked(
    unit: Unit, keys: Mapping[str, int], policy: ReceiptPolicy, settings: Settings, tally: Tally
) -> None:
    """Apply receipts that came before the answer which has now brought their transport ids.

    ``keys`` maps the ids to their messages' numbers; what was parked too long ago is dropped.
    """
    if not keys or not unit.session.count(Query(ParkedReceipt), at_most=1):
        return
    wanted = sorted(keys)
    by_key: ByKey = {}
    since = unit.now - settings.parked
    for begin in range(0, len(wanted), _CHUNK):
        where = [among("transport_id", wanted[begin : begin + _CHUNK])]
        for held in unit.session.find(Query(ParkedReceipt, where)):
            unit.session.remove(held)
            receipt = Receipt(held.transport_id, ReceiptKind(held.kind), held.at, None, held.code)
            if held.arrived_date >= since:
                by_key.setdefault(held.transport_id, []).append(receipt)
    fragments = _fragment_keys(unit, list(by_key))
    single = {key: seq for key, seq in keys.items() if key not in fragments}
    take_receipts(unit, by_key, policy, tally, single)


def drop_stale(unit: Unit, settings: Settings) -> None:
    """Drop some of the receipts and answers that were parked too long ago."""
    where = [below("arrived_date", unit.now - settings.parked)]
    for kind in (ParkedReceipt, ParkedAnswer):
        for held in unit.session.find(Query(kind, where, limit=_STALE)):
            unit.session.remove(held)


def _news(seq: int, receipt: Receipt) -> _News:
    event = HEARD_AS.get(receipt.kind.value)
    if event is None:
        return _Logged(seq, receipt)
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


_Row = tuple[Any, ...]


def _candidates(unit: Unit, by_key: ByKey) -> dict[str, list[_Row]]:
    """The messages in state SENT behind each transport id, newest first: carriers reuse ids."""
    found: dict[str, list[_Row]] = {}
    for row in sorted(_sent(unit, list(by_key)), key=lambda row: -int(row[0])):
        found.setdefault(row[4], []).append(row)
    return found


def _chosen(
    candidates: Mapping[str, Sequence[_Row]], by_key: ByKey, *, exactly: bool
) -> list[tuple[_Row, list[Receipt]]]:
    """Messages with the receipts that are theirs, which are taken out of ``by_key``.

    A receipt with an address goes to the newest message of that address; only if ``exactly`` is
    off to the newest at all, because some networks spell addresses in a way of their own.
    """
    taken: dict[int, tuple[_Row, list[Receipt]]] = {}
    for key in [key for key in by_key if key in candidates]:
        rest = []
        for receipt in by_key.pop(key):
            rows = candidates[key]
            if exactly and receipt.to_address is not None:
                rows = [row for row in rows if row[6] in _spellings(receipt.to_address)]
            if rows:
                taken.setdefault(rows[0][0], (rows[0], []))[1].append(receipt)
            else:
                rest.append(receipt)
        if rest:
            by_key[key] = rest
    return list(taken.values())


def _spellings(address: str) -> tuple[str, str]:
    return (address, f"+{address.lstrip('+')}")


def _delivered(unit: Unit, quick: Sequence[tuple[tuple[Any, ...], Receipt]], tally: Tally) -> None:
    """The fast path of DELIVERED: one update for the page, counters by delta."""
    if not quick:
        return
    bits = int(Milestone.SENT | Milestone.DELIVERED)
    rows = [(_DELIVERED, bits, receipt.at, unit.now, row[0]) for row, receipt in quick]
    unit.session.update(Message, _FAST, ("seq",), rows)
    for request_id, amount in Counter(row[2] for row, _ in quick).items():
        tally.add(request_id, "delivered_count", amount)
    tell_moves(unit, lambda: [Move(r[3], r[1], r[2], _SENT, _DELIVERED) for r, _ in quick])


def _fragment_keys(unit: Unit, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for begin in range(0, len(keys), _CHUNK):
        where = [among("transport_id", keys[begin : begin + _CHUNK])]
        found.update(row[0] for row in unit.session.rows(Query(Fragment, where), ("transport_id",)))
    return found


def _by_fragment(unit: Unit, by_key: ByKey, policy: ReceiptPolicy) -> list[_News]:
    """Receipts of fragments: what they come to for the message, if that is anything new."""
    news: list[_News] = []
    for key in sorted(_fragment_keys(unit, list(by_key))):
        where = [eq("transport_id", key)]
        newest = (("seq", True),)
        ((seq,),) = unit.session.rows(Query(Fragment, where, sort=newest, limit=1), ("seq",))
        parts = unit.session.find(Query(Fragment, [eq("seq", seq)], sort=(("number", False),)))
        for receipt in by_key.pop(key):
            said = _news(seq, receipt)
            if isinstance(said, _Logged):
                news.append(said)
                continue
            before = [FragmentState(part.state) for part in parts]
            after = [
                fragment_after(part.state, said.event) if part.transport_id == key else part.state
                for part in parts
            ]
            rows = [(state.value, part.id) for part, state in zip(parts, after, strict=True)]
            unit.session.update(Fragment, ("state",), ("id",), rows)
            parts = unit.session.find(Query(Fragment, [eq("seq", seq)], sort=(("number", False),)))
            event = whole(policy.value, after)
            if event is not None and event is not whole(policy.value, before):
                facts = said.facts if event is said.event else {}
                news.append(News(seq, event, receipt.at, facts, receipt.kind.value))
            else:
                news.append(_Logged(seq, receipt))
    return news


def _by_address(unit: Unit, by_key: ByKey) -> list[_News]:
    """For messages that are past SENT: by the handset's address."""
    news: list[_News] = []
    for key in list(by_key):
        address = by_key[key][0].to_address
        if address is None:
            continue
        where = [among("to_address", _spellings(address)), eq("transport_id", key)]
        newest = (("seq", True),)
        for row in unit.session.rows(Query(Message, where, sort=newest, limit=1), _COLUMNS):
            news += [_news(row[0], receipt) for receipt in by_key.pop(key)]
    return news


def _by_attempt(unit: Unit, by_key: ByKey, flying: set[int]) -> list[_News]:
    """For messages whose transport id was never learned: by the attempt that is carried back.

    Those whose attempt is still open are added to ``flying``.
    """
    news: list[_News] = []
    for key in list(by_key):
        attempt = by_key[key][0].attempt_id
        if attempt is None:
            continue
        where = [eq("id", attempt.partition("/")[0])]
        for (seq,) in unit.session.rows(Query(Message, where), ("seq",)):
            if is_in_flight(unit, seq):
                flying.add(seq)
            news += [_news(seq, receipt) for receipt in by_key.pop(key)]
    return news


def _log(unit: Unit, item: _Logged) -> None:
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
