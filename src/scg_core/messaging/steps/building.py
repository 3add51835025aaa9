"""From the values a customer gives to a request, not yet stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scg_core.attachments.model import Attachment
from scg_core.attachments.rules import TOO_BIG
from scg_core.contacts.model import Contact, ContactGroup
from scg_core.contacts.steps.members import who_meet
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.ids import is_id
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import Exempt, MessageRequest
from scg_core.messaging.rules.recipients import CONTACT, GROUP, numbers_in, read_recipients
from scg_core.messaging.rules.request import names_contacts
from scg_core.messaging.steps.carrying import not_carried, take_files
from scg_core.messaging.steps.reaching import own_values
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.wording import check_words, disagrees, words_of
from scg_core.ports.places import Places
from scg_core.senders.model import SenderId
from scg_core.senders.rules.eligibility import CARRIES
from scg_core.senders.steps.finding import connector_of, named_origin
from scg_core.templates.rules.language import TEMPLATE
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def build_request(
    unit: Unit,
    caller: Caller,
    values: Mapping[str, Any],
    sources: Sources,
    exempt: Exempt = Exempt.NOTHING,
) -> MessageRequest:
    """The request that these values ask for, not yet stored.

    Raises:
        InvalidField: the sender id or channel is unknown or cannot send, the body is none, or the
            only recipient cannot be reached.
    """
    origin = named_origin(unit, caller.company_id, values["from_"])
    sender = origin if isinstance(origin, SenderId) else None
    connector = None
    if sender is not None:
        connector = connector_of(unit, sender, sources.connectors)
        if connector is None:
            raise InvalidField("from", "no transport delivers for the sender id's type")
    if values.get("translate") and not sources.translates:
        raise InvalidField("translate", "the engine has no translator")
    company = caller.company_id
    words = words_of(unit, company, values.get("body"), values.get("content_type"))
    own_values(unit, company, words)
    _check_contacts(unit, company, values)
    check_groups(unit, company, "to", values.get("to") or ())
    files = take_files(unit, company, values.get("attachments") or ())
    if sender is not None and files:
        _check_files(unit, sender, files, sources)
    segments = check_words(words, sources.settings.link_base)
    free = sender is None or exempt is not Exempt.NOTHING
    problem = None if free or sender is None else disagrees(unit, sender, words)
    if problem is not None:
        raise InvalidField("body", problem.partition(" ")[2], TEMPLATE)
    to = values.get("to", ())
    if len(to) == 1 and not names_contacts(values):
        country = sender.country if sender else None
        _refuse_a_bad_only_recipient(unit, company, to, sources.places, country)
    return MessageRequest(
        id=unit.new_id(),
        company_id=caller.company_id,
        application_id=str(caller.application_id),
        state=_begins(values),
        sender_id=sender.id if sender else "",
        channel_id=None if sender else origin.id,
        connector=connector or "",
        segments=segments,
        exempt=exempt,
        staged_count=len(to),
        created_date=unit.now,
        last_updated_date=unit.now,
        **values,
    )


def _begins(values: Mapping[str, Any]) -> RequestState:
    """A request that says who its recipients are is taken at once."""
    named = bool(values.get("to")) or names_contacts(values)
    return RequestState.ACCEPTED if named else RequestState.SUBMITTED


def _check_contacts(unit: Unit, company: str, values: Mapping[str, Any]) -> None:
    if (values.get("criteria") or "").strip():
        who_meet(unit, company, values["criteria"])
    group = values.get("contact_group_id")
    if group:
        held = unit.session.get(ContactGroup, group)
        if held is None or held.company_id != company:
            raise InvalidField("contact_group_id", f"no group has the id {group!r}")


def check_groups(unit: Unit, company: str, field: str, to: Sequence[str]) -> None:
    """Refuse a group that is named and that there is not: a whole audience would be missing.

    Raises:
        InvalidField: it names its place.
    """
    for at, text in enumerate(to):
        if not text[:1].isdigit() and text.strip().startswith(GROUP):
            id = text.strip().removeprefix(GROUP).strip()
            if not _known(unit, company, ContactGroup, id):
                raise InvalidField(f"{field}[{at}]", "there is no such contact group")


def _check_files(
    unit: Unit, sender: SenderId, files: Sequence[Attachment], sources: Sources
) -> None:
    """Refuse files that a sender id cannot send whatever the recipient."""
    ids = [one.id for one in files]
    mailed = not CARRIES["EMAIL"].isdisjoint(sender.capabilities)
    kind = "EMAIL" if mailed else "MMS"
    wrong = not_carried(unit, sender, kind, ids, sources.settings.message_size)
    if wrong is not None:
        code, _, rule = wrong.partition(" ")
        raise InvalidField("attachments", rule, TOO_BIG if code == str(TOO_BIG) else 400)


def _refuse_a_bad_only_recipient(
    unit: Unit, company: str, to: tuple[str, ...], places: Places, country: str | None
) -> None:
    [text] = to
    trimmed = text.strip()
    if trimmed.startswith(GROUP):
        return
    if trimmed.startswith(CONTACT):
        if not _known(unit, company, Contact, trimmed.removeprefix(CONTACT).strip()):
            raise InvalidField("to", "[0] there is no such contact")
        return
    if is_id(trimmed):
        if any(_known(unit, company, kind, trimmed) for kind in (Contact, ContactGroup)):
            return
        raise InvalidField("to", "[0] no contact or group has this id")
    numbers = numbers_in(to)
    located = places.locate([number for number in numbers if number is not None], country)
    problem = read_recipients(to, numbers, located)[0].problem
    if problem is not None:
        raise InvalidField("to", f"[0] {problem}")


def _known(unit: Unit, company: str, kind: type[Contact] | type[ContactGroup], id: str) -> bool:
    held = unit.session.get(kind, id)
    return held is not None and held.company_id == company
