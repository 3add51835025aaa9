"""Fan-out: a request's recipients become durable messages in lanes, a page a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from attrs import frozen

from scg_core.consent.rules import ConsentStatus
from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, among, eq
from scg_core.messaging.lifecycle import (
    Direction,
    MessageState,
    Milestone,
    RequestEvent,
    RequestState,
)
from scg_core.messaging.model import (
    FailureCode,
    LaneKey,
    Message,
    MessageRequest,
    Priority,
    RecipientPage,
    Run,
    WorkKind,
)
from scg_core.messaging.rules.gate import Decision, Order, gate
from scg_core.messaging.rules.recipients import (
    INVALID_RECIPIENT,
    Recipient,
    numbers_in,
    read_recipients,
)
from scg_core.messaging.rules.status import TEST_MESSAGE
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.counting import Tally, move_request
from scg_core.ports.places import Places
from scg_core.ports.storage import Work
from scg_core.senders.model import SenderId
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
)
_FORGET_AT_ONCE: Final = 5_000
_PAGES_AT_ONCE: Final = 20


@frozen
class Plan:
    """What all messages of one request have in common."""

    request: MessageRequest
    sender: SenderId
    state: MessageState
    due: Instant
    refusal: str | None = None


def prepare_page(unit: Unit, work: Work, places: Places, settings: Settings) -> None:
    """Make messages of the next page of recipients; after the last the request may transmit.

    A request whose sender is gone is REJECTED.
    """
    request = unit.session.get(MessageRequest, work.key)
    if request is None or request.state not in (RequestState.ACCEPTED, RequestState.PREPARING):
        unit.session.complete(work)
        return
    if request.state is RequestState.ACCEPTED:
        request = move_request(unit, request, RequestEvent.PREPARE)
    plan = _plan(unit, request)
    if plan is None:
        unit.session.complete(work)
        _reject(unit, request)
        return
    recipients = _next_page(unit, request, work.position, settings)
    end = work.position + len(recipients)
    last = not recipients or end >= request.staged_count
    tally = Tally()
    if recipients:
        _expand(unit, plan, recipients, places, tally, whole=last and work.position == 0)
    tally.apply(unit)
    if not last:
        unit.session.again(work, unit.now, end)
        return
    unit.session.complete(work)
    _finish(unit, request.id)


def forget_recipients(unit: Unit, work: Work) -> None:
    """Drop what a finished fan-out leaves: notes of repeated recipients, pages never consumed.

    A bounded number at a time.
    """
    pages = unit.session.find(
        Query(RecipientPage, [eq("request_id", work.key)], limit=_PAGES_AT_ONCE)
    )
    for page in pages:
        unit.session.remove(page)
    dropped = unit.session.forget(work.key, _FORGET_AT_ONCE)
    if dropped < _FORGET_AT_ONCE and len(pages) < _PAGES_AT_ONCE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, 0)


def _next_page(
    unit: Unit, request: MessageRequest, position: int, settings: Settings
) -> tuple[str, ...]:
    """The recipients from a position on: those the request echoes, else the next staged page."""
    if request.staged_count <= len(request.to):
        return request.to[position : position + settings.page]
    where = (eq("request_id", request.id), eq("start", position))
    found = unit.session.find(Query(RecipientPage, where, limit=1))
    if not found:
        return ()
    unit.session.remove(found[0])
    return found[0].recipients


def _plan(unit: Unit, request: MessageRequest) -> Plan | None:
    sender = unit.session.get(SenderId, request.sender_id)
    if sender is None:
        return None
    scheduled = request.scheduled_delivery_time
    waits = scheduled is not None and scheduled > unit.now
    state = MessageState.SCHEDULED if waits else MessageState.CREATED
    if request.pause_before_transmit:
        state = MessageState.PAUSED
    if request.test_message_flag:
        state = MessageState.TEST
    due = scheduled if waits and scheduled is not None else unit.now
    return Plan(request, sender, state, due, _test_verdict(unit, request, sender))


def _test_verdict(unit: Unit, request: MessageRequest, sender: SenderId) -> str | None:
    """What the gate would say to a test's messages, which never reach it (semantics 2)."""
    if not request.test_message_flag:
        return None
    order = Order(request.state, request.expiry_time, request.consent_requirement)
    verdict = gate(order, sender, ConsentStatus.NONE, unit.now)
    return None if verdict.decision is Decision.SEND else verdict.reason


def _expand(
    unit: Unit, plan: Plan, given: Sequence[str], places: Places, tally: Tally, whole: bool
) -> None:
    """Write one page's messages, sorted by lane before they are numbered, and their runs."""
    recipients = _located(given, places, plan.sender.country)
    fresh = _first_occurrences(unit, plan.request.id, recipients, remember=not whole)
    fresh.sort(key=lambda recipient: (recipient.problem is not None, recipient.country or ""))
    if not fresh:
        return
    first = unit.session.number(len(fresh))
    ids = unit.ids.new(unit.now, len(fresh))
    rows: list[tuple[Any, ...]] = []
    runs: list[Run] = []
    for (bad, country), members in groupby(fresh, key=lambda r: (bool(r.problem), r.country)):
        begin = first + len(rows)
        lane = None if bad or plan.state is MessageState.TEST else _lane(unit, plan, country)
        for recipient in members:
            seq = first + len(rows)
            rows.append(_row(plan, seq, ids[len(rows)], recipient, lane, unit.now))
        if lane is not None:
            end = first + len(rows) - 1
            runs.append(Run(lane, plan.request.id, begin, end, plan.due, held=True))
    unit.session.insert(Message, _COLUMNS, rows)
    unit.session.queue(runs)
    _count(plan, fresh, tally)


def _located(given: Sequence[str], places: Places, country: str | None) -> list[Recipient]:
    numbers = numbers_in(given)
    located = places.locate([number for number in numbers if number is not None], country)
    return read_recipients(given, numbers, located)


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
    known = {row[0] for row in unit.session.rows(Query(Message, where), ("to_address",))}
    return [
        recipient
        for key, recipient in by_key.items()
        if (key in new if recipient.problem is not None else recipient.address not in known)
    ]


def _lane(unit: Unit, plan: Plan, country: str | None) -> int:
    root = plan.sender.parent_id or plan.sender.id
    company = plan.request.company_id
    key = LaneKey(plan.request.connector, root, country or "", company, Priority.NORMAL.value)
    return unit.session.lane(key).id


def _row(
    plan: Plan, seq: int, id: str, recipient: Recipient, lane: int | None, now: Instant
) -> tuple[Any, ...]:
    request, sender = plan.request, plan.sender
    bad = recipient.problem is not None
    state = MessageState.FAILED if bad else plan.state
    test = TEST_MESSAGE if plan.state is MessageState.TEST and not bad else 0
    return (
        seq,
        id,
        request.id,
        request.external_id,
        request.conversation_id,
        request.campaign_id,
        Direction.MT.value,
        sender.id,
        sender.address,
        recipient.address,
        state.value,
        FailureCode.INVALID_RECIPIENT.value if bad else None,
        f"{INVALID_RECIPIENT} {recipient.problem}" if bad else plan.refusal,
        request.subject,
        request.body,
        request.scheduled_delivery_time,
        request.expiry_time,
        "SMS",
        int(request.application_id),
        request.created_date,
        now,
        request.company_id,
        lane,
        request.segments,
        Milestone.FAILED.value if bad else test,
    )


def _count(plan: Plan, fresh: Sequence[Recipient], tally: Tally) -> None:
    bad = sum(recipient.problem is not None for recipient in fresh)
    tally.add(plan.request.id, "recipient_count", len(fresh))
    tally.add(plan.request.id, "failed_count", bad)
    tally.add(plan.request.id, "withdrawn_count", bad)
    if plan.state is MessageState.TEST:
        tally.add(plan.request.id, "test_count", len(fresh) - bad)


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
