"""Finding calls, bridges, conferences and members, and whom a call is for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import frozen

from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.contacts.model import Contact
from scg_core.contacts.rules.delivery import numbers
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.query import Condition, eq, every
from scg_core.kernel.resource import R
from scg_core.messaging.rules.recipients import CONTACT, VOICE_PREFIX, numbers_in
from scg_core.ports.places import Places
from scg_core.senders.model import SenderId
from scg_core.senders.rules.eligibility import SENDER, unfit
from scg_core.senders.steps.finding import VOICE, classes_for, named_origin
from scg_core.unit import Unit

_ID: Final = re.compile(r"[0-9A-Za-z]{22}")


@frozen
class Party:
    """Whom a call goes to: the address and its country."""

    address: str
    country: str | None


def seen(company: str) -> Condition:
    """What a company sees of calls, bridges, conferences and members: its own, not deleted."""
    return every(eq("company_id", company), eq("deleted", False))


def held(unit: Unit, kind: type[R], company: str, id: str, where: Iterable[Condition] = ()) -> R:
    """A company's resource that was not deleted.

    Raises:
        NotFound: there is none.
    """
    return unit.get(kind, company, id, where, seen(company))


def named_call(unit: Unit, company: str, id: object, field: str) -> Call:
    """The call that a body names.

    Raises:
        InvalidField: the company has none with this id.
    """
    text = codec.read_text(field, id, most=128).strip()
    try:
        return held(unit, Call, company, text)
    except NotFound:
        raise InvalidField(field, f"no call has the id {text[:64]!r}") from None


def named_bridge(unit: Unit, company: str, id: object) -> Bridge:
    """The bridge that a body names.

    Raises:
        InvalidField: the company has none with this id.
    """
    text = codec.read_text("bridge_id", id, most=128).strip()
    try:
        return held(unit, Bridge, company, text)
    except NotFound:
        raise InvalidField("bridge_id", f"no bridge has the id {text[:64]!r}") from None


def member_in(
    unit: Unit, company: str, conference_id: str, id: str, where: Iterable[Condition] = ()
) -> tuple[Conference, ConferenceMember]:
    """A conference and a member of it.

    Raises:
        NotFound: there is no such conference, or no such member in it.
    """
    conference = held(unit, Conference, company, conference_id)
    wanted = [eq("conference_id", conference.id), *where]
    return conference, held(unit, ConferenceMember, company, id, wanted)


def calling_sender(unit: Unit, company: str, text: str) -> SenderId:
    """The sender id that ``from`` names.

    Raises:
        InvalidField: there is none, or it is not ACTIVE.
    """
    origin = named_origin(unit, company, text)
    if not isinstance(origin, SenderId):
        raise InvalidField("from", "names a channel; a call comes from one sender id")
    return origin


def check_sender(unit: Unit, sender: SenderId, country: str | None) -> None:
    """Refuse a sender id that cannot call a country.

    Raises:
        InvalidField: it carries no VOICE, or its class is not for the country (1003).
    """
    problem = unfit(sender, VOICE, country, classes_for(unit, country))
    if problem is not None:
        raise InvalidField("from", problem.partition(" ")[2], SENDER)


def called_party(unit: Unit, company: str, to: str, country: str | None, places: Places) -> Party:
    """Whom ``to`` names: a number, ``voice:`` and a number, or a contact.

    Raises:
        InvalidField: it is no number, or the contact has none.
    """
    text = to.strip()
    if text.startswith(CONTACT) or _ID.fullmatch(text):
        text = _number_of(unit, company, text.removeprefix(CONTACT).strip())
    [number] = numbers_in([text.removeprefix(VOICE_PREFIX).strip()])
    place = None if number is None else places.locate([number], country)[0]
    if place is None:
        raise InvalidField("to", "is not a telephone number")
    return Party(place.address, place.country)


def _number_of(unit: Unit, company: str, id: str) -> str:
    if not id:
        raise InvalidField("to", "names no contact")
    try:
        contact = unit.get(Contact, company, id)
    except NotFound:
        raise InvalidField("to", "there is no such contact") from None
    values = {
        "primary_mdn": contact.primary_mdn,
        "customer_device_list": contact.customer_device_list,
    }
    found = numbers(values)
    if not found:
        raise InvalidField("to", "the contact has no telephone number")
    return found[0]
