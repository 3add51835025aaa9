"""A company's message requests and messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from scg_core.attachments.model import Attachment
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel.query import DEFAULT_LIMIT, Page, among, eq, every, listing
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.steps.parts import with_parts
from scg_core.messaging.usecases import messages, preview, requests
from scg_core.messaging.usecases.preview import Preview
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


class MessageRequests(Collection[MessageRequest]):
    """A company's message requests."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, MessageRequest)

    def create(
        self,
        fields: Mapping[str, object] = NONE,
        /,
        *,
        idempotency_key: str | None = None,
        **named: object,
    ) -> MessageRequest:
        """Take an order to send ``body`` ``from_`` a sender ``to`` recipients.

        With ``to`` (at most 10,000) it is ACCEPTED and due at once or when scheduled. Without, it
        is SUBMITTED: append recipients in pages, then accept. Nothing is sent by this call. A
        repeated ``idempotency_key`` (kept 24 hours) answers with the first request.

        Raises:
            InvalidField: it names the field and the rule; nothing is stored.
            Duplicate: the key was used for another request.
        """
        with self._engine.transaction("create") as unit:
            return requests.create_request(
                unit, self._caller, {**fields, **named}, idempotency_key, self._engine.sources
            )

    def preview(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Preview:
        """What would become of a request if it were made now: nothing is stored or sent.

        Takes what ``create`` takes; only recipients given in ``to`` are looked at.

        Raises:
            InvalidField: the request could not be made.
        """
        with self._engine.reading() as unit:
            given = {**fields, **named}
            return preview.preview_request(unit, self._caller, given, self._engine.sources)

    def append_recipients(
        self, request_id: str, recipients: Sequence[str], *, start: int
    ) -> MessageRequest:
        """Add up to 10,000 recipients to a SUBMITTED request, the first at position ``start``.

        Safe to repeat: a page that is known already is ignored.

        Raises:
            InvalidField: the page is empty or too large, leaves a gap or overlaps another.
            IllegalTransition: the request takes no more recipients.
        """
        with self._engine.transaction("append") as unit:
            return requests.append_recipients(
                unit, self._caller, request_id, recipients, start, self._engine.settings
            )

    def accept(self, request_id: str) -> MessageRequest:
        """All recipients are appended: let the request go; accepting twice changes nothing.

        Raises:
            NotFound: the company has no such request.
            InvalidField: it has no recipients.
            IllegalTransition: it was canceled.
        """
        with self._engine.transaction("accept") as unit:
            return requests.accept_request(unit, self._caller, request_id)

    def update(
        self, request_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> MessageRequest:
        """Set ``state`` to CANCELED or, to resume, TRANSMITTING.

        Raises:
            NotFound: the company has no such request.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: another state, or a changed attribute.
            IllegalTransition: the request is in no state for it.
        """
        with self._engine.transaction("update") as unit:
            return requests.update_request(unit, self._caller, request_id, {**fields, **named})

    def cancel(self, request_id: str) -> MessageRequest:
        """Withdraw every message that has not left yet.

        Raises:
            NotFound: the company has no such request.
            IllegalTransition: it is finished already.
        """
        with self._engine.transaction("cancel") as unit:
            return requests.cancel_request(unit, self._caller, request_id)

    def resume(self, request_id: str) -> MessageRequest:
        """Let a PAUSED request's messages go.

        Raises:
            NotFound: the company has no such request.
            IllegalTransition: it is not paused.
        """
        with self._engine.transaction("resume") as unit:
            return requests.resume_request(unit, self._caller, request_id)

    def delete(self, request_id: str, /, *, version_number: object = None) -> None:
        """Delete a request, canceling it first if it is not finished.

        Raises:
            NotFound: the company has no such request, or it is deleted already.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete") as unit:
            requests.delete_request(unit, self._caller, request_id, version_number)

    def messages(
        self,
        request_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[Message]:
        """A page of the request's messages.

        Raises:
            NotFound: the company has no such request, or it was deleted.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        company = self._caller.company_id
        query = listing(
            Message, company, {**filters, **named}, sort=sort, limit=limit, offset=offset,
            scope=every(eq("message_request_id", request_id), eq("company_id", company)),
        )  # fmt: skip
        with self._engine.reading() as unit:
            unit.get(MessageRequest, company, request_id)
            page = unit.page(query)
            return evolve(page, items=with_parts(unit, page.items))


class Messages(Collection[Message]):
    """A company's messages."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Message)

    def _told(self, unit: Unit, items: list[Message]) -> list[Message]:
        return with_parts(unit, items)

    def update(
        self, message_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Message:
        """Set ``state`` to CONVERTED, PROCESSED or DELETED.

        Raises:
            NotFound: the company has no such message.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: another state.
            IllegalTransition: the message is in no state for it.
        """
        with self._engine.transaction("update") as unit:
            return messages.update_message(unit, self._caller, message_id, {**fields, **named})

    def delete(self, message_id: str, /, *, version_number: object = None) -> None:
        """Delete a message; one still queued does not leave.

        Raises:
            NotFound: the company has no such message, or it is deleted already.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete") as unit:
            messages.delete_message(unit, self._caller, message_id, version_number)

    def attachments(
        self,
        message_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[Attachment]:
        """A page of what the message carries.

        Raises:
            NotFound: the company has no such message, or it was deleted.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        company = self._caller.company_id
        given = {**filters, **named}
        query = listing(Attachment, company, given, sort=sort, limit=limit, offset=offset)
        with self._engine.reading() as unit:
            message = unit.get(Message, company, message_id)
            return unit.page(query.also(among("id", message.attachments)))
