"""What people do is noted with the contact they are: opt-ins, and keywords to be kept."""

from __future__ import annotations

from typing import Any, Final

from scg_core.contacts.model import Contact
from scg_core.contacts.rules.delivery import digits_of
from scg_core.kernel.query import Query, eq
from scg_core.unit import Unit

KEPT: Final = 100
"""So many keywords are kept with a contact, the newest."""


def contact_with(unit: Unit, company: str, address: str) -> Contact | None:
    """The company's contact whose primary number this is."""
    digits = digits_of(address)
    if digits is None:
        return None
    where = [eq("company_id", company), eq("mdn_key", digits)]
    found = unit.session.find(Query(Contact, where, limit=1))
    return found[0] if found else None


def acquired(unit: Unit, company: str, address: str, *, by_person: bool) -> None:
    """Somebody opted in: the contact's dates say so (semantics 11-14).

    The first is that of any opt-in, the last that of one the person asked for by themselves.
    """
    contact = contact_with(unit, company, address)
    if contact is None:
        return
    changes: dict[str, Any] = {}
    if contact.first_acquisition_date is None:
        changes["first_acquisition_date"] = unit.now
    if by_person:
        changes["last_acquisition_date"] = unit.now
    if changes:
        unit.save(contact, **changes)


def keep_keyword(unit: Unit, company: str, address: str, keyword: str) -> None:
    """A keyword is kept in the contact's profile; nothing is made where there is no contact."""
    contact = contact_with(unit, company, address)
    if contact is None or contact.stored_keywords[-1:] == (keyword,):
        return
    others = [one for one in contact.stored_keywords if one != keyword]
    unit.save(contact, stored_keywords=(*others, keyword)[-KEPT:])
