"""Messages from handsets: kept, answered to whom they belong, and heard for keywords and consent.

Everything that follows from a message is one transaction: the message, what it says of consent,
the history, the automatic answer and the events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.consent.lifecycle import ConsentPhase, ConsentStatus
from scg_core.consent.model import ADDRESS_TYPES, AddressStatus
from scg_core.consent.rules.keywords import OPTIN, OPTOUT, STORE, Said, said
from scg_core.consent.rules.reserved import STOP_ALL
from scg_core.consent.steps.standing import the_status
from scg_core.contacts.steps.acquiring import acquired, contact_with, keep_keyword
from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.errors import InvalidField
from scg_core.messaging.lifecycle import Direction, MessageState
from scg_core.messaging.model import Message
from scg_core.messaging.steps.answering import answer
from scg_core.messaging.steps.carrying import NO_CONTENTS, Contents, received_files
from scg_core.messaging.steps.heeding import heed, tell_keyword
from scg_core.messaging.steps.owning import Owner, all_pairs, owner_of
from scg_core.messaging.steps.receiving import LONGEST_BODY, is_new, joined, mended, parts_of, whole
from scg_core.messaging.steps.soundness import check_inbound
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.telling import TAKEN, channels_of, messages_told
from scg_core.ports.message_transport import Inbound
from scg_core.ports.storage import Work
from scg_core.senders.model import SenderId
from scg_core.templates.rules.segmentation import measure
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def inbound_arrived(
    unit: Unit,
    connector: str,
    messages: Sequence[Inbound],
    sources: Sources,
    contents: Mapping[int, Contents] = NO_CONTENTS,
) -> None:
    """Take messages from handsets in. One that came before is not taken again.

    ``contents`` are the files of some, by their place, which lie in their places already.

    Raises:
        InvalidField: one of them is no message; none is taken.
    """
    if not isinstance(messages, list | tuple):
        raise InvalidField("messages", "must be a list of inbound messages")
    for message in messages:
        check_inbound(message)
    for place, message in enumerate(messages):
        if not is_new(unit, connector, message, sources.settings):
            continue
        complete = whole(unit, connector, message, sources.settings)
        if complete is not None:
            receive(unit, connector, complete, sources, contents.get(place, ()))


def reassemble(unit: Unit, work: Work, sources: Sources) -> None:
    """The other parts of a message did not come in time: take in what has."""
    unit.session.complete(work)
    parts = parts_of(unit, work.key)
    if parts:
        receive(unit, parts[0].connector, joined(unit, parts), sources)


def receive(
    unit: Unit, connector: str, message: Inbound, sources: Sources, contents: Contents = ()
) -> None:
    """Take one whole message in."""
    text = mended(message.body[:LONGEST_BODY])
    handset, country = _located(message.from_address, message.kind, sources)
    owner = owner_of(unit, connector, message.to_address, handset, country, text, sources)
    kept = _keep(unit, message, handset, owner, text, contents)
    if owner.sender is None:
        return
    type = ADDRESS_TYPES[message.kind]
    status = the_status(
        unit, owner.company_id, owner.sender.id, type, handset, kept.application_id or None
    )
    words = sources.keywords.of(unit, owner.company_id).match(
        text, owner.sender.id, country, unit.now
    )
    meant = said(words, awaited=status.phase(unit.now) is ConsentPhase.PENDING)
    after, replied = status, None
    for company, sender in _concerned(unit, owner, meant, handset):
        mine = company == owner.company_id and sender.id == owner.sender.id
        held = status if mine else the_status(
            unit, company, sender.id, type, handset, sender.application_id
        )  # fmt: skip
        changed = heed(unit, held, meant, kept, sources.settings)
        _note(unit, company, handset, meant, changed, mine)
        after = changed if mine else after
    if meant is not None:
        replied = answer(unit, sources, owner, kept, after, meant)
        tell_keyword(unit, owner, kept, meant, replied)


def _note(
    unit: Unit, company: str, handset: str, meant: Said | None, status: AddressStatus, mine: bool
) -> None:
    """What a keyword changes of the contact who said it."""
    if meant is None:
        return
    if meant.opts == OPTIN and status.consent_status is ConsentStatus.OPTIN:
        acquired(unit, company, handset, by_person=True)
    if mine and STORE in meant.acts.actions:
        keep_keyword(unit, company, handset, meant.acts.value)


def _concerned(
    unit: Unit, owner: Owner, meant: Said | None, handset: str
) -> list[tuple[str, SenderId]]:
    """The company that hears the message; all at the address, if it stops them all."""
    assert owner.sender is not None
    pairs = [(owner.company_id, owner.sender)]
    if meant is None or meant.opts != OPTOUT or not meant.acts.reserved:
        return pairs
    if meant.acts.value != STOP_ALL and owner.known:
        return pairs
    others = all_pairs(unit, owner, handset)
    return pairs + [
        (company, sender)
        for company, sender in others
        if (company, sender.id) != (owner.company_id, owner.sender.id)
    ]


def _located(address: str, kind: str, sources: Sources) -> tuple[str, str | None]:
    """The handset's address as messages to it are addressed, and its country."""
    text = address.strip()
    if kind == "EMAIL":
        user, at, host = text.rpartition("@")
        return f"{user}{at}{host.lower()}", None
    if ADDRESS_TYPES[kind] != "MDN":
        return text, None
    place = sources.places.locate([text if text.startswith("+") else f"+{text}"])[0]
    return (text, None) if place is None else (place.address, place.country)


def _keep(
    unit: Unit, message: Inbound, handset: str, owner: Owner, text: str, contents: Contents
) -> Message:
    sender, answers = owner.sender, owner.answers
    application = answers.application_id if answers else None
    if application is None and sender is not None:
        application = sender.application_id
    contact = contact_with(unit, owner.company_id, handset)
    caller = Caller(owner.company_id, application or 0, False)
    made = unit.add(
        Message(
            attachments=received_files(unit, caller, contents),
            contact_id=None if contact is None else contact.id,
            seq=unit.session.number(1),
            id=unit.new_id(),
            direction=Direction.MO,
            state=MessageState.RECEIVED,
            external_transaction_ids=message.external_id,
            conversation_id=answers.conversation_id if answers else None,
            reply_to=answers.id if answers else None,
            customer_sender_id=sender.id if sender else None,
            from_address=handset,
            to_address=message.to_address.strip(),
            body=text,
            type=message.kind,
            segments=measure(text).segments,
            application_id=application or 0,
            company_id=owner.company_id,
            created_date=unit.now,
            last_updated_date=unit.now,
        )
    )
    _tell_received(unit, made)
    return made


def _tell_received(unit: Unit, made: Message) -> None:
    """Tell of a message that came in."""
    company = made.company_id
    if not unit.listens(company, Topic.MESSAGE):
        return
    told = messages_told(unit, [made.id])
    facts = {
        **told[made.id],
        "new_state": made.state.value,
        "message_body": made.body,
        "reply_to": made.reply_to,
        "reason_code": TAKEN,
    }
    channels = channels_of(unit, company, list(told.values())).get(made.id, frozenset())
    kind = EventType.MO_MESSAGE_RECEIVED
    unit.tell(Event(Topic.MESSAGE, kind, company, made.id, facts, channels))
