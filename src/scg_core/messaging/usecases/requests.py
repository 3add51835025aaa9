"""Making, staging, accepting, steering and reading message requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scg_core.kernel import codec
from scg_core.kernel.errors import (
    IllegalTransition,
    InsufficientCredit,
    InvalidField,
)
from scg_core.kernel.query import Query, at_least, below, eq
from scg_core.kernel.resource import Writer
from scg_core.messaging.lifecycle import REQUEST, RequestEvent, RequestState
from scg_core.messaging.model import MessageRequest, WorkKind
from scg_core.messaging.records import RecipientPage
from scg_core.messaging.rules.request import (
    check_key,
    check_new,
    digest,
    names_contacts,
    with_defaults,
)
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.building import build_request, check_groups
from scg_core.messaging.steps.carrying import files_of, mark_used
from scg_core.messaging.steps.counting import move_request
from scg_core.messaging.steps.outline import outline
from scg_core.messaging.steps.repeating import made_before, remember_key
from scg_core.messaging.steps.sources import Sources
from scg_core.tenancy.model import Caller
from scg_core.tenancy.steps import left
from scg_core.unit import Unit

_ACCEPTED: Final = frozenset(
    {
        RequestState.ACCEPTED,
        RequestState.PREPARING,
        RequestState.PAUSED,
        RequestState.TRANSMITTING,
        RequestState.COMPLETED,
    }
)


def create_request(
    unit: Unit,
    caller: Caller,
    given: Mapping[str, object],
    key: str | None,
    sources: Sources,
) -> MessageRequest:
    """Take an order to send a message.

    With recipients it is ACCEPTED at once; without ``to`` it is SUBMITTED and waits for
    ``append_recipients`` and ``accept``. A repeated key with the same content answers with the
    request made the first time (semantics 2).

    Raises:
        InvalidField: anything that is wrong and can be known now; nothing is stored.
        Duplicate: the key was used for other content.
        InsufficientCredit: the recipients would cost more than the company has left.
    """
    check_key(key)
    settings = sources.settings
    values = codec.read(MessageRequest, given, lenient=caller.lenient)
    codec.mandatory(MessageRequest, values, Writer.CUSTOMER)
    if caller.lenient and values.get("to") is None and not names_contacts(values):
        raise InvalidField("to", "is needed; name at least one recipient")
    content = "" if key is None else digest(_comparable(values))
    made = made_before(unit, caller, key, content, MessageRequest, settings)
    if made is not None:
        return made
    check_new(values, unit.now, settings)
    values = with_defaults(values, unit.now, settings)
    request = build_request(unit, caller, values, sources)
    _check_credit(unit, request, sources)
    unit.add(request)
    if request.attachments:
        mark_used(unit, files_of(unit, request.attachments))
    remember_key(unit, caller, key, content, request.id, settings)
    if (
        request.state is RequestState.ACCEPTED
    ):  # fan-out reads them from the request, and files its expiry
        unit.later(WorkKind.PREPARE, request.id, unit.now)
    else:
        unit.later(WorkKind.EXPIRE, request.id, request.expiry_time or unit.now)
    return request


def append_recipients(
    unit: Unit,
    caller: Caller,
    request_id: str,
    recipients: Sequence[str],
    start: int,
    settings: Settings,
) -> MessageRequest:
    """Add a page of recipients to a SUBMITTED request, the first of them at position ``start``.

    A page at a position that is known already is ignored, so a page may safely be sent twice.

    Raises:
        InvalidField: the page is empty, too large, leaves a gap or overlaps another.
        IllegalTransition: the request takes no more recipients.
    """
    request = unit.get(MessageRequest, caller.company_id, request_id)
    page = codec.read(MessageRequest, {"to": recipients})["to"] or ()
    codec.read_integer("start", start, 0)
    if not 1 <= len(page) <= settings.recipients_a_call:
        rule = f"must hold 1 to {settings.recipients_a_call} recipients"
        raise InvalidField("recipients", rule)
    if start < request.staged_count:
        return _repeated(unit, request, page, start)
    if request.state is not RequestState.SUBMITTED:
        allowed = REQUEST.allowed(request.state)
        raise IllegalTransition(REQUEST.name, request.state, "APPEND", allowed)
    if start != request.staged_count:
        raise InvalidField("start", f"leaves a gap; the next page starts at {request.staged_count}")
    check_groups(unit, caller.company_id, "recipients", page)
    total = start + len(page)
    if total > settings.recipients_a_request:
        rule = f"{total} recipients are too many, {settings.recipients_a_request} are allowed"
        raise InvalidField("recipients", rule)
    _stage(unit, request, page, settings, start)
    echo = (*request.to, *page)[: settings.recipients_a_call]
    if len(echo) == len(request.to):
        unit.session.increase(MessageRequest, request.id, {"staged_count": len(page)}, unit.now)
        return unit.get(MessageRequest, caller.company_id, request_id)
    return unit.save(request, to=echo, staged_count=total)


def accept_request(unit: Unit, caller: Caller, request_id: str) -> MessageRequest:
    """Everything is staged: let the request go; accepting it twice changes nothing.

    Raises:
        InvalidField: it has no recipients.
        IllegalTransition: it was canceled.
    """
    request = unit.get(MessageRequest, caller.company_id, request_id)
    if request.state in _ACCEPTED:
        return request
    if request.state is RequestState.SUBMITTED and not request.staged_count:
        raise InvalidField("to", "is empty; append recipients before accepting")
    unit.later(WorkKind.PREPARE, request.id, unit.now)
    return move_request(unit, request, RequestEvent.ACCEPT)


def cancel_request(unit: Unit, caller: Caller, request_id: str) -> MessageRequest:
    """Stop a request: what has not left is withdrawn, page by page, right after this call.

    Raises:
        IllegalTransition: it is finished already.
    """
    request = unit.get(MessageRequest, caller.company_id, request_id)
    after = move_request(unit, request, RequestEvent.CANCEL)
    if after is not request:
        _withdraw_work(unit, request.id)
        unit.later(WorkKind.SWEEP, request.id, unit.now)
    return after


def resume_request(unit: Unit, caller: Caller, request_id: str) -> MessageRequest:
    """Let a PAUSED request's messages go; one that is transmitting already stays as it is.

    Raises:
        IllegalTransition: it is in no state to be resumed.
    """
    request = unit.get(MessageRequest, caller.company_id, request_id)
    after = move_request(unit, request, RequestEvent.RESUME)
    if after is not request:
        unit.session.withdraw(WorkKind.PAUSE_EXPIRY, request.id)
        unit.later(WorkKind.RESUME, request.id, unit.now)
    return after


def delete_request(unit: Unit, caller: Caller, request_id: str, seen: object = None) -> None:
    """Delete a request; one that is not finished is canceled first.

    Raises:
        NotFound: there is none, or it is deleted already.
        StaleData: ``seen`` is given and is not the present version.
    """
    request = unit.get(MessageRequest, caller.company_id, request_id)
    unit.check_version(request, seen)
    if not REQUEST.hears(request.state, RequestEvent.DELETE):
        request = cancel_request(unit, caller, request_id)
    move_request(unit, request, RequestEvent.DELETE)


def update_request(
    unit: Unit, caller: Caller, request_id: str, given: Mapping[str, object]
) -> MessageRequest:
    """Set a request's state: CANCELED cancels, TRANSMITTING resumes; nothing else may change.

    Values sent back unchanged are accepted.

    Raises:
        StaleData: a version number was given and is not the present one.
        InvalidField: another state, or a changed attribute.
        IllegalTransition: the request is in no state for it.
    """
    request = unit.get(MessageRequest, caller.company_id, request_id)
    unit.check_version(request, given.get("version_number"))
    rest = {name: value for name, value in given.items() if name != "state"}
    for name, value in codec.read(MessageRequest, rest, lenient=True).items():
        if value is not None and value != getattr(request, name):
            raise InvalidField(name, "cannot be changed; only the state can")
    match given.get("state"):
        case RequestState.CANCELED:
            return cancel_request(unit, caller, request_id)
        case RequestState.TRANSMITTING:
            return resume_request(unit, caller, request_id)
        case None | request.state:
            return request
        case _:
            raise InvalidField("state", "may be set to CANCELED or TRANSMITTING only")


def _comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values as plain ones that compare equal when the request is the same."""
    return {
        name: list(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }


def _check_credit(unit: Unit, request: MessageRequest, sources: Sources) -> None:
    """Refuse a request whose known recipients would cost more than the company has left."""
    if request.test_message_flag or not request.to:
        return
    credit = left(unit, request.company_id)
    if credit is None:
        return
    needed = sum(
        one.price for one in outline(unit, request, sources).messages if one.price is not None
    )
    if needed > credit:
        raise InsufficientCredit(needed, credit)


def _stage(
    unit: Unit,
    request: MessageRequest,
    recipients: Sequence[str],
    settings: Settings,
    start: int,
) -> None:
    for begin in range(0, len(recipients), settings.page):
        page = tuple(recipients[begin : begin + settings.page])
        first = start + begin
        unit.add(
            RecipientPage(
                id=f"{request.id}/{first}",
                request_id=request.id,
                company_id=request.company_id,
                start=first,
                count=len(page),
                recipients=page,
            )
        )


def _repeated(
    unit: Unit, request: MessageRequest, page: Sequence[str], start: int
) -> MessageRequest:
    """A page that was given before is ignored; one with other recipients is refused."""
    if request.state is not RequestState.SUBMITTED:
        return request
    end = start + len(page)
    where = (eq("request_id", request.id), at_least("start", start), below("start", end))
    held = unit.session.find(Query(RecipientPage, where, sort=(("start", False),)))
    if [one for part in held for one in part.recipients] != list(page):
        raise InvalidField("start", "other recipients stand there; send the pages as they were cut")
    return request


def _withdraw_work(unit: Unit, request_id: str) -> None:
    for kind in (WorkKind.PREPARE, WorkKind.EXPIRE, WorkKind.PAUSE_EXPIRY, WorkKind.RESUME):
        unit.session.withdraw(kind, request_id)
    unit.later(WorkKind.FORGET, request_id, unit.now)
