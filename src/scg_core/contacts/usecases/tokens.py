"""What opens a contact, and where its applications are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.attachments.model import AccessToken, TokenScope
from scg_core.attachments.steps import create_token
from scg_core.contacts.model import ApplicationToken, Contact
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Writer
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

MOST: Final = 100
"""Application tokens a contact may have."""

_PROVIDERS: Final = {"APN": "APN", "APNS": "APN", "GCM": "GCM", "FCM": "GCM"}


def contact_token(
    unit: Unit, caller: Caller, contact_id: str, given: Mapping[str, object], id: str
) -> AccessToken:
    """A token that lets its holder read a contact and register its application tokens.

    Raises:
        NotFound: the company has no such contact.
        InvalidField: it names the field.
    """
    held = unit.get(Contact, caller.company_id, contact_id)
    return create_token(unit, caller, TokenScope.CONTACT, held.id, given, id)


def register(
    unit: Unit, caller: Caller, contact_id: str, given: Mapping[str, object]
) -> ApplicationToken:
    """Keep an application's token with its contact; one that is known already is the newest again.

    Raises:
        NotFound: the company has no such contact.
        InvalidField: it names the field; the contact has too many.
    """
    contact = unit.get(Contact, caller.company_id, contact_id)
    values = codec.read(ApplicationToken, given, lenient=caller.lenient)
    codec.mandatory(ApplicationToken, values, Writer.CUSTOMER)
    _check(values)
    own = Query(ApplicationToken, [eq("contact_id", contact.id)])
    held = unit.session.find(own)
    for one in held:
        if all(getattr(one, name) == value for name, value in values.items()):
            return unit.save(one)
    if len(held) >= MOST:
        raise InvalidField("token", f"would be the contact's {MOST + 1}th; delete old ones first")
    return unit.add(
        ApplicationToken(
            id=unit.new_id(),
            contact_id=contact.id,
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )


def update_registered(
    unit: Unit, caller: Caller, contact_id: str, token_id: str, given: Mapping[str, object],
    *, whole: bool = False,
) -> ApplicationToken:  # fmt: skip
    """Change an application's token; ``whole`` replaces it.

    Raises:
        NotFound: the company has no such contact, or it no such token.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
        Duplicate: the contact has the same token twice then.
    """
    held = registered(unit, caller, contact_id, token_id)
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(ApplicationToken, asked, lenient=caller.lenient)
    _check(values)
    changes = codec.changes(held, values, whole=whole)
    return unit.save(held, **changes) if changes else held


def forget_registered(
    unit: Unit, caller: Caller, contact_id: str, token_id: str, seen: object = None
) -> None:
    """Forget an application's token.

    Raises:
        NotFound: the company has no such contact, or it no such token.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = registered(unit, caller, contact_id, token_id)
    unit.check_version(held, seen)
    unit.session.remove(held)


def registered(unit: Unit, caller: Caller, contact_id: str, token_id: str) -> ApplicationToken:
    """An application's token of a contact.

    Raises:
        NotFound: the company has no such contact, or it no such token.
    """
    unit.get(Contact, caller.company_id, contact_id)
    own = [eq("contact_id", contact_id)]
    return unit.get(ApplicationToken, caller.company_id, token_id, own)


def _check(values: dict[str, Any]) -> None:
    provider = values.get("message_delivery_provider")
    if provider is not None:
        known = _PROVIDERS.get(provider.strip().upper())
        if known is None:
            raise InvalidField("message_delivery_provider", "must be APN or GCM")
        values["message_delivery_provider"] = known
    for name in ("sender_id_address", "token"):
        value = values.get(name)
        if value is not None and (not value.strip() or any(c.isspace() for c in value)):
            raise InvalidField(name, "must have no blanks in it")
