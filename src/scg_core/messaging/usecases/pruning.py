"""Retention: what is older than the host wants to keep is dropped, a page a transaction.

A request goes before its messages, so that nobody sees counters that a recount would not bear out;
its messages follow in pages of their own. A request that is not over is never dropped; a message
that was sent is over with it, and a receipt that comes later than the host keeps has nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.events.model import Envelope
from scg_core.kernel.instant import HOUR, later
from scg_core.kernel.query import Query, among, at_least, below, eq
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


@frozen
class Page:
    """What a pruner did: how many rows it dropped, and from where to go on at once, if at all."""

    dropped: int
    position: int | None = None


Pruner = Callable[[Unit, int], Page]
"""Drops a page of what is too old, from a position on that begins at 0."""


def prune(unit: Unit, work: Work, pruners: Mapping[str, Pruner]) -> None:
    """Drop a page of one kind; if there is more, go on at once, else look again in an hour."""
    pruner = pruners.get(work.key)
    page = Page(0) if pruner is None else pruner(unit, work.position)
    unit.note("pruned", work.key, amount=page.dropped)
    if page.position is None:
        unit.session.again(work, later(unit.now, EVERY), 0)
    else:
        unit.session.again(work, unit.now, page.position)


def _requests(keep: int) -> Pruner:
    """Drops requests that are over and of which nothing was heard for too long.

    It goes on by the date they were made, so that one that must stay holds up no others; only more
    than a page of such of one millisecond would hide what else was made in it.
    """

    def pruner(unit: Unit, position: int) -> Page:
        since = unit.now - keep
        where = (
            at_least("created_date", position),
            below("created_date", since),
            below("last_updated_date", since),
            among("state", _OVER),
        )
        query = Query(MessageRequest, where, (("created_date", False),), limit=_PAGE)
        rows = unit.session.rows(query, (*_COUNTS, "created_date"))
        _drop_requests(unit, {id: made for id, made, *closed, _ in rows if made == sum(closed)})
        dropped = sum(made == sum(closed) for _, made, *closed, _ in rows)
        if len(rows) < _PAGE:
            return Page(dropped)
        last = int(rows[-1][-1])
        return Page(dropped, last if dropped or last > position else last + 1)

    return pruner


def _drop_requests(unit: Unit, sizes: Mapping[str, int]) -> None:
    """Drop requests; the messages of small ones with them, those of others follow."""
    ids = list(sizes)
    unit.session.discard(MessageRequest, ids)
    unit.session.discard(Expansion, ids)
    unit.forget_events_of(ids)
    room = _PAGE
    rows: list[tuple[Any, ...]] = []
    for id, size in sizes.items():
        if size <= room:
            room -= size
            query = Query(Message, [eq("message_request_id", id)])
            rows += unit.session.rows(query, ("seq", "id"))
        else:
            unit.later(PRUNE_MESSAGES, id, unit.now)
    _drop_rows(unit, rows)


def prune_messages(unit: Unit, work: Work) -> None:
    """Drop a page of the messages of a request that was dropped."""
    query = Query(Message, [eq("message_request_id", work.key)], limit=_PAGE)
    dropped = _drop(unit, query)
    unit.note("pruned", "messages", amount=dropped)
    if dropped < _PAGE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, 0)


def _received(keep: int) -> Pruner:
    """Drops messages that were received too long ago."""

    def pruner(unit: Unit, _: int) -> Page:
        where = (eq("direction", Direction.MO.value), below("created_date", unit.now - keep))
        query = Query(Message, where, (("created_date", False),), limit=_PAGE)
        return full(_drop(unit, query))

    return pruner


def _drop(unit: Unit, query: Query[Message]) -> int:
    """Drop messages and what was noted of them."""
    return _drop_rows(unit, unit.session.rows(query, ("seq", "id")))


def _drop_rows(unit: Unit, rows: Sequence[tuple[Any, ...]]) -> int:
    if not rows:
        return 0
    seqs, ids = [row[0] for row in rows], [row[1] for row in rows]
    for kind, name, values in (
        (Fragment, "seq", seqs), (TrackedLink, "seq", seqs), (LoggedReceipt, "message_id", ids)
    ):  # fmt: skip
        noted: Query[Any] = Query(kind, [among(name, values)])
        unit.session.discard(kind, [row[0] for row in unit.session.rows(noted, ("id",))])
    unit.forget_events_of(ids)
    return unit.session.discard(Message, seqs)


def aged(kind: type[Resource], name: str, keep: int) -> Pruner:
    """Drops what has had a date for too long."""

    def pruner(unit: Unit, _: int) -> Page:
        where = [below(name, unit.now - keep)]
        query: Query[Any] = Query(kind, where, ((name, False),), limit=_PAGE)
        found = [row[0] for row in unit.session.rows(query, ("id",))]
        return full(unit.session.discard(kind, found))

    return pruner


def full(dropped: int) -> Page:
    """What was done, to be gone on with if the page was full."""
    return Page(dropped, 0 if dropped >= _PAGE else None)


def pruners(settings: Settings, keep_envelopes: int | None) -> dict[str, Pruner]:
    """What the host's settings ask to be dropped; nothing, if it keeps everything.

    Where anything is dropped, so is what counts no more after its time.
    """
    found: dict[str, Pruner] = {}
    if settings.keep_messages is not None:
        found["message requests"] = _requests(settings.keep_messages)
        found["received messages"] = _received(settings.keep_messages)
    if settings.keep_receipts is not None:
        found["receipts"] = aged(LoggedReceipt, "arrived_date", settings.keep_receipts)
    if keep_envelopes is not None:
        found["envelopes"] = aged(Envelope, "settled_date", keep_envelopes)
    if found:
        found["idempotency keys"] = aged(IdempotencyKey, "created_date", settings.idempotency)
        found["parked receipts"] = aged(ParkedReceipt, "arrived_date", settings.parked)
        found["parked answers"] = aged(ParkedAnswer, "arrived_date", settings.parked)
        found["received ids"] = aged(ReceivedId, "arrived_date", settings.received)
    return found
