"""Making, changing and deleting contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.attachments.steps import forget_tokens
from scg_core.contacts.model import SLOTS, ApplicationToken, Contact
from scg_core.contacts.rules.delivery import mdn_key
from scg_core.contacts.rules.deriving import Rules, check_slots
from scg_core.contacts.rules.lists import check_lists
from scg_core.contacts.steps.deriving import derived, present, rules_for
from scg_core.contacts.steps.members import leave_all
from scg_core.kernel import codec
from scg_core.kernel.countries import alpha3
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import declaration, evolve
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

FRIENDLY: Final = "fast_access"
_YES_NO: Final = {True: "PREFER_VOICE", False: "NONE"}


def create_contact(unit: Unit, caller: Caller, given: Mapping[str, object]) -> Contact:
    """Make a contact.

    Raises:
        InvalidField: it names the field.
        Duplicate: another contact has the external id or the number.
    """
    rules = rules_for(unit, caller.company_id)
    values = read_contact(given, rules, caller)
    known = {name: value for name, value in values.items() if value is not None}
    known = _without_stale(rules, known, given, caller)
    check_slots(rules, known, {})
    refuse_taken(unit, caller.company_id, known)
    facts: dict[str, Any] = {
        "id": unit.new_id(),
        "company_id": caller.company_id,
        "application_id": caller.application_id,
        "created_date": unit.now,
        "last_updated_date": unit.now,
    }
    made = Contact(**(facts | known))
    return unit.add(evolve(made, **derived(rules, values_of(made), known)))


def update_contact(
    unit: Unit, caller: Caller, contact_id: str, given: Mapping[str, object], *, whole: bool = False
) -> Contact:
    """Change a contact; ``whole`` replaces it, so that what is not given becomes null.

    Raises:
        NotFound: the company has no such contact.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
        Duplicate: another contact has the external id or the number.
    """
    held = unit.get(Contact, caller.company_id, contact_id)
    unit.check_version(held, given.get("version_number"))
    rules = rules_for(unit, caller.company_id)
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = read_contact(asked, rules, caller)
    slots = present(held)
    if caller.lenient:  # clients send whole contacts back, with what has been derived since
        values = {name: value for name, value in values.items() if name not in rules.paths}
    values = _without_stale(rules, values, given, caller)
    check_slots(rules, values, slots)
    if whole:  # what is derived is no part of what a customer replaces
        values = {**{slot: slots[slot] for slot in rules.paths}, **values}
    changes = codec.changes(held, values, whole=whole)
    if not changes:
        return held
    if "primary_mdn" in changes:
        changes["mdn_key"] = mdn_key(changes["primary_mdn"])
    refuse_taken(unit, caller.company_id, changes, held)
    after = values_of(held) | changes
    return unit.save(held, **(changes | derived(rules, after, after)))


def delete_contact(unit: Unit, caller: Caller, contact_id: str, seen: object = None) -> None:
    """Delete a contact: it leaves its groups, and the tokens that open it open nothing more.

    Raises:
        NotFound: the company has no such contact.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(Contact, caller.company_id, contact_id)
    unit.check_version(held, seen)
    leave_all(unit, held.id)
    forget_tokens(unit, held.id)
    for token in unit.session.find(Query(ApplicationToken, [eq("contact_id", held.id)])):
        unit.session.remove(token)
    unit.session.remove(held)


def read_contact(given: Mapping[str, object], rules: Rules, caller: Caller) -> dict[str, Any]:
    """A customer's values of a contact, checked by themselves; slots also by friendly names.

    Raises:
        InvalidField: it names the field.
    """
    asked = dict(given)
    friendly = asked.pop(FRIENDLY, None)
    voice = asked.get("voice_preference")
    if caller.lenient and isinstance(voice, bool):  # the specification's type of it
        asked["voice_preference"] = _YES_NO[voice]
    if caller.lenient:  # clients that cannot leave a date out send 0
        for name in ("first_acquisition_date", "last_acquisition_date"):
            if asked.get(name) in (0, "0"):
                asked.pop(name)
    values = codec.read(Contact, asked, lenient=caller.lenient)
    values |= _by_names(friendly, rules, caller)
    check_lists(values)
    if values.get("primary_addr_country"):
        values["primary_addr_country"] = alpha3(values["primary_addr_country"])
    if values.get("primary_mdn") == "":
        values["primary_mdn"] = None
    if "primary_mdn" in values:
        values["mdn_key"] = mdn_key(values["primary_mdn"])
    return values


def values_of(contact: Contact) -> dict[str, Any]:
    """All values of a contact, by name."""
    return {a.name: getattr(contact, a.name) for a in declaration(contact).attributes}


def refuse_taken(
    unit: Unit, company: str, values: Mapping[str, Any], held: Contact | None = None
) -> None:
    """Refuse an external id or a number that another contact has.

    Raises:
        Duplicate: it names the field.
    """
    for name, shown in (("external_id", "external_id"), ("mdn_key", "primary_mdn")):
        value = values.get(name)
        if value is not None and value != getattr(held, name, None):
            unit.refuse_duplicate(Contact, {"company_id": company, name: value}, named=(shown,))


def _without_stale(
    rules: Rules, values: dict[str, Any], given: Mapping[str, object], caller: Caller
) -> dict[str, Any]:
    """Values without slots that no rule speaks of any more, of a whole contact that comes back."""
    if not caller.lenient or given.get("id") is None:
        return values
    return {
        name: value
        for name, value in values.items()
        if name not in SLOTS or name in rules.paths or name in rules.by_hand
    }


def _by_names(given: object, rules: Rules, caller: Caller) -> dict[str, Any]:
    """Slots that were given in the ``fast_access`` object, by their friendly names."""
    if given in (None, ""):
        return {}
    object_ = codec.read_object(FRIENDLY, given)
    found: dict[str, Any] = {}
    for name, value in object_.items():
        slot = rules.slots.get(name)
        if slot is not None:
            declared = declaration(Contact)[slot]
            found |= codec.read(Contact, {declared.wire: value}, lenient=caller.lenient)
        elif not caller.lenient:
            raise InvalidField(f"{FRIENDLY}.{name[:64]}", "has no fast-access rule of this name")
    return found
