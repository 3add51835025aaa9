"""Fan-out: a request's recipients become durable messages in lanes, a page a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, among, eq
from scg_core.messaging.lifecycle import (
    Direction,
    MessageState,
    Milestone,
    RequestEvent,
    RequestState,
)
from scg_core.messaging.model import Message, MessageRequest, Run, WorkKind
from scg_core.messaging.records import Expansion, RecipientPage
from scg_core.messaging.rules.recipients import (
    Recipient,
    provider_of,
)
from scg_core.messaging.rules.status import ANY_PRICE, TEST_MESSAGE
from scg_core.messaging.steps.counting import Tally, move_request
from scg_core.messaging.steps.expanding import Source
from scg_core.messaging.steps.fates import Fate, Plan, decide_fates, planned
from scg_core.messaging.steps.linking import Links
from scg_core.messaging.steps.reaching import Reacher
from scg_core.messaging.steps.routing import Router
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.telling import Move, tell_moves
from scg_core.messaging.steps.translating import await_translations
from scg_core.ports.storage import Work
from scg_core.unit import Unit

_COLUMNS: Final = (
    "seq",
    "id",
    "message_request_id",
    "external_message_request_id",
    "conversation_id",
    "campaign_id",
    "direction",
    "customer_sender_id",
    "from_address",
    "to_address",
    "state",
    "failure_code",
    "failure_details",
    "subject",
    "body",
    "scheduled_delivery_time",
    "expiry_time",
    "type",
    "application_id",
    "created_date",
    "last_updated_date",
    "company_id",
    "lane",
    "segments",
    "milestones",
    "language",
    "failed_translation",
    "contact_id",
    "attachments",
    "destination_country",
    "message_delivery_provider",
)
_STATE: Final = _COLUMNS.index("state")
_CREATED: Final = MessageState.CREATED.value
_ENDS: Final = frozenset(
    one.value for one in (MessageState.FAILED, MessageState.EXPIRED, MessageState.TEST)
)
_AT_ONCE: Final = Instant(0)
_FORGET_AT_ONCE: Final = 5_000
_PAGES_AT_ONCE: Final = 20


def prepare_page(unit: Unit, work: Work, sources: Sources) -> None:
    """Make messages of the next page of recipients; after the last the request may transmit.

    A request whose sender id or channel is gone is REJECTED.
    """
    request = unit.session.get(MessageRequest, work.key)
    if request is None or request.state not in (RequestState.ACCEPTED, RequestState.PREPARING):
        unit.session.complete(work)
        return
    if request.state is RequestState.ACCEPTED:
        request = move_request(unit, request, RequestEvent.PREPARE)
    plan = planned(unit, request, Router(unit, request, sources), sources)
    reacher = Reacher(unit, request, plan.router, sources.places, plan.speech.values)
    source = Source(unit, request, reacher, sources.settings.page)
    batch = source.batch(work.position)
    if plan.router.gone or batch.gone:
        unit.session.complete(work)
        _reject(unit, request)
        return
    if batch.waits:
        unit.session.again(work, later(unit.now, sources.settings.group_pause), work.position)
        return
    awaited = plan.speech.awaited(batch.recipients)
    if awaited:
        await_translations(unit, work, request, awaited)
        return
    # Whoever an earlier page reached is looked for, unless this page is the whole expansion.
    whole = batch.last and work.position == 0 and not source.resumed
    source.keep(batch)
    tally = Tally()
    made = 0
    if batch.recipients:
        made = _expand(unit, plan, batch.recipients, tally, whole=whole)
    tally.apply(unit)
    if request.recipient_count + made > sources.settings.recipients_a_request:
        unit.session.complete(work)
        _reject(unit, unit.get(MessageRequest, request.company_id, request.id))
    elif batch.last:
        unit.session.complete(work)
        _finish(unit, request.id)
    else:
        unit.session.again(work, unit.now, batch.position)


def forget_recipients(unit: Unit, work: Work) -> None:
    """Drop what a finished fan-out leaves: notes of repeated recipients, pages never consumed.

    A bounded number at a time.
    """
    pages = unit.session.find(
        Query(RecipientPage, [eq("request_id", work.key)], limit=_PAGES_AT_ONCE)
    )
    for page in pages:
        unit.session.remove(page)
    held = unit.session.get(Expansion, work.key)
    if held is not None:
        unit.session.remove(held)
    dropped = unit.session.forget(work.key, _FORGET_AT_ONCE)
    if dropped < _FORGET_AT_ONCE and len(pages) < _PAGES_AT_ONCE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, 0)


def _expand(
    unit: Unit, plan: Plan, recipients: Sequence[Recipient], tally: Tally, whole: bool
) -> int:
    """Write one page's messages, sorted by lane and due before they are numbered, and runs."""
    fresh = _first_occurrences(unit, plan.request.id, recipients, remember=not whole)
    if not fresh:
        return 0
    first = unit.session.number(len(fresh))
    fates = decide_fates(unit, plan, fresh, first)
    order = sorted(range(len(fresh)), key=lambda at: (fates[at].lane or 2**62, fates[at].due, at))
    ids = unit.ids.new(unit.now, len(fresh))
    rows: list[tuple[Any, ...]] = []
    runs: list[Run] = []
    links = Links(unit, plan)
    for (lane, due), members in groupby(order, key=lambda at: (fates[at].lane, fates[at].due)):
        begin = first + len(rows)
        for at in members:
            seq = first + len(rows)
            text = links.text(seq, fates[at])
            rows.append(_row(plan, seq, ids[len(rows)], fresh[at], fates[at], text, unit.now))
        if lane is not None:
            end = first + len(rows) - 1
            runs.append(Run(lane, plan.request.id, begin, end, due, held=True))
    unit.session.insert(Message, _COLUMNS, rows)
    tell_moves(unit, lambda: _born_over(plan, rows))
    links.store()
    unit.session.queue(runs)
    _count(plan, fates, tally)
    return len(fresh)


def _born_over(plan: Plan, rows: Sequence[tuple[Any, ...]]) -> list[Move]:
    """The moves of messages that never leave: from CREATED, as if they had been that once."""
    company, request = plan.request.company_id, plan.request.id
    return [
        Move(company, row[1], request, _CREATED, row[_STATE])
        for row in rows
        if row[_STATE] in _ENDS
    ]


def _first_occurrences(
    unit: Unit, request_id: str, recipients: Sequence[Recipient], *, remember: bool
) -> list[Recipient]:
    """The recipients that this request has not had before; the first spelling stands.

    An address is known by the request's messages, what is no address by a note of its own.
    """
    by_key: dict[int, Recipient] = {}
    for recipient in recipients:
        by_key.setdefault(recipient.key, recipient)
    if not remember:
        return list(by_key.values())
    bad = [key for key, recipient in by_key.items() if recipient.problem is not None]
    new = unit.session.remember(request_id, bad) if bad else set()
    good = [recipient.address for recipient in by_key.values() if recipient.problem is None]
    where = [eq("message_request_id", request_id), among("to_address", good)]
    known = set(unit.session.rows(Query(Message, where), ("to_address", "type")))
    return [
        recipient
        for key, recipient in by_key.items()
        if (
            key in new
            if recipient.problem is not None
            else (recipient.address, recipient.kind.value) not in known
        )
    ]


def _row(
    plan: Plan,
    seq: int,
    id: str,
    recipient: Recipient,
    fate: Fate,
    text: str | None,
    now: Instant,
) -> tuple[Any, ...]:
    request, sender = plan.request, fate.sender
    bits = Milestone.FAILED.value if fate.failed else 0
    bits |= ANY_PRICE if recipient.at_any_price else 0
    waits = fate.due > now and not fate.failed
    return (
        seq,
        id,
        request.id,
        request.external_id,
        request.conversation_id,
        request.campaign_id,
        Direction.MT.value,
        sender.id if sender else None,
        sender.address if sender else None,
        recipient.address,
        fate.state.value,
        fate.code.value if fate.code else None,
        fate.details,
        request.subject,
        text,
        fate.due if waits else request.scheduled_delivery_time,
        request.expiry_time,
        recipient.kind.value,
        int(request.application_id),
        request.created_date,
        now,
        request.company_id,
        fate.lane,
        fate.wording.segments,
        TEST_MESSAGE | bits if fate.state is MessageState.TEST else bits,
        fate.wording.language,
        fate.wording.untranslated,
        None if recipient.contact is None else recipient.contact.id,
        request.attachments,
        recipient.country,
        provider_of(recipient),
    )


def _count(plan: Plan, fates: Sequence[Fate], tally: Tally) -> None:
    failed = sum(fate.failed for fate in fates)
    tally.add(plan.request.id, "recipient_count", len(fates))
    tally.add(plan.request.id, "failed_count", failed)
    tally.add(plan.request.id, "withdrawn_count", failed)
    if plan.request.translate:
        spoken = sum(fate.wording.language is not None for fate in fates)
        unspoken = sum(fate.wording.untranslated is not None for fate in fates)
        tally.add(plan.request.id, "translations_count", spoken)
        tally.add(plan.request.id, "translations_failed_count", unspoken)
    if plan.request.test_message_flag:
        tally.add(plan.request.id, "test_count", len(fates) - failed)


def _reject(unit: Unit, request: MessageRequest) -> None:
    move_request(unit, request, RequestEvent.REJECT)
    unit.session.withdraw(WorkKind.EXPIRE, request.id)
    unit.later(WorkKind.FORGET, request.id, unit.now)
    unit.later(WorkKind.SWEEP, request.id, unit.now)


def _finish(unit: Unit, request_id: str) -> None:
    """Fan-out is done: complete, pause or transmit (semantics 2)."""
    request = unit.session.get(MessageRequest, request_id)
    if request is None:
        return
    unit.later(WorkKind.FORGET, request.id, unit.now)
    if not request.open_count:
        unit.session.withdraw(WorkKind.EXPIRE, request.id)
        move_request(unit, request, RequestEvent.SETTLE)
    elif request.pause_before_transmit:
        move_request(unit, request, RequestEvent.PAUSE)
        unit.later(WorkKind.EXPIRE, request.id, request.expiry_time or unit.now)
        limit = request.pause_expiry_time or later(unit.now, 0)
        unit.later(WorkKind.PAUSE_EXPIRY, request.id, limit)
    else:
        unit.later(WorkKind.EXPIRE, request.id, request.expiry_time or unit.now)
        move_request(unit, request, RequestEvent.TRANSMIT)
        unit.session.release(request.id, None)
