"""Retention: what is older than the host wants to keep is dropped, a page a transaction.

A request goes before its messages, so that nobody sees counters that a recount would not bear out;
its messages follow in pages of their own. What is not finished is never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from scg_core.kernel.instant import HOUR, later
from scg_core.kernel.query import Condition, Query, among, below, eq
from scg_core.kernel.resource import Resource
from scg_core.messaging.lifecycle import Direction, RequestState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.records import (
    Expansion,
    Fragment,
    IdempotencyKey,
    LoggedReceipt,
    ParkedAnswer,
    ParkedReceipt,
    ReceivedId,
    TrackedLink,
)
from scg_core.messaging.settings import Settings
from scg_core.ports.storage import Work
from scg_core.unit import Unit

PRUNE: Final = "prune"
"""The due work of looking for what is too old; the key says what."""

PRUNE_MESSAGES: Final = "prune messages"
"""The due work of dropping the messages of a request that was dropped; the key is the request."""

EVERY: Final = HOUR
_PAGE: Final = 200
_CHUNK: Final = 400
_OVER: Final = tuple(
    one.value
    for one in (
        RequestState.COMPLETED, RequestState.CANCELED, RequestState.REJECTED, RequestState.DELETED
    )
)  # fmt: skip
_COUNTS: Final = ("id", "recipient_count", "sent_count", "withdrawn_count", "test_count")

Pruner = Callable[[Unit, Settings], int]
"""Drops a page of what is too old; how many were dropped."""


def prune(unit: Unit, work: Work, settings: Settings, pruners: Mapping[str, Pruner]) -> None:
    """Drop a page of one kind; if there is more, go on at once, else look again in an hour."""
    pruner = pruners.get(work.key)
    dropped = 0 if pruner is None else pruner(unit, settings)
    if pruner is None:  # an engine with other settings asked for it
        unit.session.complete(work)
        return
    unit.note("pruned", work.key, amount=dropped)
    due = unit.now if dropped >= _PAGE else later(unit.now, EVERY)
    unit.session.again(work, due, 0)


def prune_requests(unit: Unit, settings: Settings) -> int:
    """Drop requests that are over and of which nothing was heard for too long; their messages
    follow."""
    assert settings.keep_messages is not None
    since = unit.now - settings.keep_messages
    where = (below("created_date", since), below("last_updated_date", since),
             among("state", _OVER))  # fmt: skip
    query = Query(MessageRequest, where, (("created_date", False),), limit=_PAGE)
    sizes = {
        id: made for id, made, *closed in unit.session.rows(query, _COUNTS) if made == sum(closed)
    }
    unit.session.discard(MessageRequest, list(sizes))
    unit.session.discard(Expansion, list(sizes))
    small, room = [], _PAGE
    for id, size in sizes.items():
        if size <= room:
            small.append(id)
            room -= size
        else:
            unit.later(PRUNE_MESSAGES, id, unit.now)
    for id in small:
        _drop(unit, Query(Message, [eq("message_request_id", id)]))
    return len(sizes)


def prune_messages(unit: Unit, work: Work) -> None:
    """Drop a page of the messages of a request that was dropped."""
    query = Query(Message, [eq("message_request_id", work.key)], limit=_PAGE)
    dropped = _drop(unit, query)
    unit.note("pruned", "messages", amount=dropped)
    if dropped < _PAGE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, 0)


def prune_received(unit: Unit, settings: Settings) -> int:
    """Drop messages that were received too long ago."""
    assert settings.keep_messages is not None
    since = unit.now - settings.keep_messages
    where = (eq("direction", Direction.MO.value), below("created_date", since))
    return _drop(unit, Query(Message, where, (("created_date", False),), limit=_PAGE))


def _drop(unit: Unit, query: Query[Message]) -> int:
    """Drop messages and what was noted of them."""
    rows = unit.session.rows(query, ("seq", "id"))
    seqs, ids = [row[0] for row in rows], [row[1] for row in rows]
    for kind, name, values in (
        (Fragment, "seq", seqs), (TrackedLink, "seq", seqs), (LoggedReceipt, "message_id", ids)
    ):  # fmt: skip
        _discard(unit, kind, [among(name, values)])
    unit.forget_events_of(ids)
    return unit.session.discard(Message, seqs)


def _discard(
    unit: Unit, kind: type[Resource], where: Sequence[Condition], by: str | None = None
) -> int:
    """Drop what meets the conditions; with ``by`` a page of it in that order."""
    query: Query[Any] = Query(kind, where)
    if by is not None:
        query = Query(kind, where, ((by, False),), limit=_PAGE)
    return unit.session.discard(kind, [row[0] for row in unit.session.rows(query, ("id",))])


def prune_receipts(unit: Unit, settings: Settings) -> int:
    """Drop receipts from the log that came too long ago."""
    assert settings.keep_receipts is not None
    since = unit.now - settings.keep_receipts
    return _discard(unit, LoggedReceipt, [below("arrived_date", since)], "arrived_date")


def _aged(kind: type[Resource], name: str, age: Callable[[Settings], int]) -> Pruner:
    """What drops rows that are older than a setting which always counts."""

    def pruner(unit: Unit, settings: Settings) -> int:
        return _discard(unit, kind, [below(name, unit.now - age(settings))], name)

    return pruner


TIDIED: Final[Mapping[str, Pruner]] = MappingProxyType(
    {
        "idempotency keys": _aged(IdempotencyKey, "created_date", lambda one: one.idempotency),
        "parked receipts": _aged(ParkedReceipt, "arrived_date", lambda one: one.parked),
        "parked answers": _aged(ParkedAnswer, "arrived_date", lambda one: one.parked),
        "received ids": _aged(ReceivedId, "arrived_date", lambda one: one.received),
    }
)
"""What counts no more after its time, and is dropped where anything is."""


def pruners(settings: Settings) -> dict[str, Pruner]:
    """What the host's settings ask to be dropped; nothing, if it keeps everything."""
    found: dict[str, Pruner] = {}
    if settings.keep_messages is not None:
        found |= {"message requests": prune_requests, "received messages": prune_received}
    if settings.keep_receipts is not None:
        found["receipts"] = prune_receipts
    return found
