"""What customers, and the operator for the carriers, do to people's consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scg_core.consent.lifecycle import CONSENT, ConsentEvent, ConsentPhase, ConsentStatus
from scg_core.consent.lifecycle import HistorySource as Source
from scg_core.consent.model import KINDS, AddressStatus, AddressType, Suppression
from scg_core.consent.rules.setting import check_may_forget, check_may_set
from scg_core.consent.steps.standing import (
    save_status,
    standing,
    suppression_id,
    tell_change,
    the_status,
    write_history,
)
from scg_core.contacts.steps.acquiring import acquired
from scg_core.kernel import codec
from scg_core.kernel.errors import Duplicate, Forbidden, InvalidField, NotFound
from scg_core.kernel.instant import HOUR, later
from scg_core.kernel.resource import Writer
from scg_core.ports.places import Places
from scg_core.senders.lifecycle import ConsentManager
from scg_core.senders.model import SenderId
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

PROMPT: Final = "prompt"
"""The due work of asking for a double opt-in; the key is a status's id."""

AWAITED: Final = 72 * HOUR
ADDRESSES_A_CALL: Final = 10_000
_FORMS: Final = {
    "psh": AddressType.PUSH, "fb": AddressType.SOCIAL, "we": AddressType.SOCIAL,
}  # fmt: skip
_Typed = tuple[AddressType, str]
_NUMBERS: Final = ("LONGCODE", "SHORTCODE", "TOLLFREE", "SMS", "MMS")


def create_status(
    unit: Unit, caller: Caller, given: Mapping[str, object], places: Places
) -> AddressStatus:
    """Say how an address stands, or, where the engine manages consent, ask it.

    Of a sender id that the customer manages the status is set as given. Of one that the engine
    manages, without a status (or NONE) the person is asked for a double opt-in, at most once in 24
    hours; one who opted in is not asked again.

    Raises:
        InvalidField: it names the field.
        Forbidden: the customer may not give this status.
        Duplicate: the address has a status at this sender id already; change that one.
        IllegalTransition: the person opted out, or is on a black list: they are not asked.
    """
    values = codec.read(AddressStatus, known_types(given), lenient=caller.lenient)
    codec.mandatory(AddressStatus, values, Writer.CUSTOMER)
    sender = _sender(unit, caller, values["sender_id"])
    type = values.get("address_type") or AddressType.MDN
    address = address_of(values["address"], type, places, sender.country)
    wanted = values.get("consent_status")
    held = the_status(unit, caller.company_id, sender.id, type, address, caller.application_id)
    if sender.consent_managed_by is ConsentManager.USER or wanted not in (
        None, ConsentStatus.NONE,
    ):  # fmt: skip
        fresh = held.consent_status is ConsentStatus.NONE and held.version_number == 1
        if not fresh:
            raise Duplicate(AddressStatus.__declaration__.title, ("sender_id", "address"))
        return _set(unit, held, wanted or ConsentStatus.NONE, sender, caller)
    known = standing(unit, caller.company_id, sender, [(KINDS[type], address)])
    listed = known.of(KINDS[type], address) is ConsentStatus.BLACKLIST
    return _ask(unit, held, ConsentPhase.BLACKLIST if listed else held.phase(unit.now))


def update_status(
    unit: Unit, caller: Caller, status_id: str, given: Mapping[str, object]
) -> AddressStatus:
    """Change how an address stands.

    Raises:
        NotFound: the company has no such status.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: another field is changed.
        Forbidden: the customer may not give this status.
    """
    held = unit.get(AddressStatus, caller.company_id, status_id)
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(AddressStatus, known_types(asked), lenient=True)
    for name in ("address", "address_type", "sender_id"):
        if values.get(name) is not None and values[name] != getattr(held, name):
            raise InvalidField(name, "cannot be changed; make another status")
    wanted = values.get("consent_status")
    if wanted is None:
        return held
    sender = unit.session.get(SenderId, held.sender_id)
    return _set(unit, held, wanted, sender, caller)


def delete_status(unit: Unit, caller: Caller, status_id: str, seen: object = None) -> None:
    """Forget how an address stands; its history stays.

    Raises:
        NotFound: the company has no such status.
        StaleData: ``seen`` is given and is not the present version.
        Forbidden: the person opted out, and the engine manages consent.
    """
    held = unit.get(AddressStatus, caller.company_id, status_id)
    unit.check_version(held, seen)
    check_may_forget(_managed_by(unit.session.get(SenderId, held.sender_id)), held.by_person)
    if held.prompted_date is not None and unit.now < later(held.prompted_date, 24 * HOUR):
        raise Forbidden("id", "was asked for a double opt-in within 24 hours; delete it later")
    unit.session.remove(held)
    tell_change(unit, held.consent_status, held, ConsentStatus.NONE)


def opt_out(
    unit: Unit, caller: Caller, sender_id: str, addresses: Sequence[str], places: Places
) -> int:
    """Opt many addresses out at once; for how many that was new.

    Raises:
        InvalidField: there are none or too many, one is no address, the sender id is unknown.
    """
    sender = _sender(unit, caller, codec.read_text("sender_id", sender_id))
    if not isinstance(addresses, list | tuple) or not 1 <= len(addresses) <= ADDRESSES_A_CALL:
        raise InvalidField("addresses", f"must hold 1 to {ADDRESSES_A_CALL} addresses")
    read = [
        _typed(f"addresses[{at}]", one, places, sender.country) for at, one in enumerate(addresses)
    ]
    changed = 0
    for type, address in dict.fromkeys(read):
        held = the_status(unit, caller.company_id, sender.id, type, address, caller.application_id)
        if held.consent_status in (ConsentStatus.OPTOUT, ConsentStatus.BLACKLIST):
            continue
        changed += _set(unit, held, ConsentStatus.OPTOUT, sender, caller) is not held
    return changed


def suppress(
    unit: Unit, addresses: object, sender_id: object, source: object, places: Places
) -> int:
    """Put addresses on the operator's suppression list, for one root sender id or for all.

    Raises:
        InvalidField: one is no address, there are none or too many, or no such sender id.
    """
    root = _root(unit, sender_id)
    if source not in list(Source):
        raise InvalidField("source", f"must be one of {', '.join(Source)}")
    made = 0
    for address in _listed(addresses, places, None if root is None else root.country):
        id = suppression_id(None if root is None else root.id, address)
        if unit.session.get(Suppression, id) is None:
            unit.add(
                Suppression(
                    id=id, address=address, sender_id=None if root is None else root.id,
                    source=Source(str(source)), created_date=unit.now,
                )
            )  # fmt: skip
            made += 1
    return made


def unsuppress(unit: Unit, addresses: object, sender_id: object, places: Places) -> int:
    """Take addresses off the operator's suppression list; how many were on it.

    Raises:
        InvalidField: one is no address, there are none or too many, or no such sender id.
    """
    root = _root(unit, sender_id)
    gone = 0
    for address in _listed(addresses, places, None if root is None else root.country):
        id = suppression_id(None if root is None else root.id, address)
        held = unit.session.get(Suppression, id)
        if held is not None:
            unit.session.remove(held)
            gone += 1
    return gone


def address_of(text: str, type: AddressType, places: Places, country: str | None) -> str:
    """An address as statuses are kept by: numbers in E.164, the rest without blanks around.

    Raises:
        InvalidField: it is no number.
    """
    if type is not AddressType.MDN:
        plain = codec.read_text("address", text, most=128).strip()
        user, at, host = plain.rpartition("@")
        return f"{user}@{host.lower()}" if at and type is AddressType.EMAIL else plain
    place = places.locate([text], country)[0]
    if place is None:
        raise InvalidField("address", "is not a telephone number")
    return place.address


def _set(
    unit: Unit, held: AddressStatus, wanted: ConsentStatus, sender: SenderId | None, caller: Caller
) -> AddressStatus:
    check_may_set(wanted, _managed_by(sender), held.by_person)
    if wanted is held.consent_status:
        return held
    changes: dict[str, Any] = {"consent_status": wanted, "pending_until": None}
    if sender is None or sender.consent_managed_by is ConsentManager.USER:
        changes["by_person"] = False
    after = save_status(unit, held, **changes)
    write_history(unit, after, Source.COMPANY, application=caller.application_id)
    if wanted is ConsentStatus.OPTIN:
        acquired(unit, caller.company_id, held.address, by_person=False)
    return after


def _ask(unit: Unit, held: AddressStatus, phase: ConsentPhase) -> AddressStatus:
    """Ask for a double opt-in, unless the person was asked within a day."""
    to = CONSENT.step(phase, ConsentEvent.ASK)
    if to is not ConsentPhase.PENDING:
        return held
    until = later(unit.now, AWAITED)
    if held.prompted_date is not None and unit.now < later(held.prompted_date, 24 * HOUR):
        return held if phase is to else unit.save(held, pending_until=until)
    unit.later(PROMPT, held.id, unit.now)
    return unit.save(held, pending_until=until, prompted_date=unit.now)


def _sender(unit: Unit, caller: Caller, id: str) -> SenderId:
    try:
        return unit.get(SenderId, caller.company_id, id)
    except NotFound:
        raise InvalidField("sender_id", f"no sender id has the id {id[:64]!r}") from None


def _managed_by(sender: SenderId | None) -> ConsentManager:
    return ConsentManager.USER if sender is None else sender.consent_managed_by


def known_types(given: Mapping[str, object]) -> dict[str, object]:
    """Clients of old name the type of a sender id where the type of an address is meant."""
    named = given.get("address_type")
    if isinstance(named, str) and named in _NUMBERS:
        return {**given, "address_type": AddressType.MDN.value}
    return dict(given)


def _typed(field: str, given: object, places: Places, country: str | None) -> _Typed:
    """An address with its type, written as recipients are: with ``psh:``, ``fb:`` or ``we:`` in
    front of what is no number and no mail address.

    Raises:
        InvalidField: it names the field.
    """
    text = codec.read_text(field, given, most=128).strip()
    form, _, rest = text.partition(":")
    if rest and form in _FORMS:
        return _FORMS[form], rest
    type = AddressType.EMAIL if "@" in text else AddressType.MDN
    try:
        return type, address_of(text, type, places, country)
    except InvalidField as wrong:
        raise InvalidField(field, wrong.rule) from None


def _root(unit: Unit, sender_id: object) -> SenderId | None:
    if sender_id is None:
        return None
    found = unit.session.get(SenderId, codec.read_text("sender_id", sender_id))
    if found is None or found.parent_id is not None:
        raise InvalidField("sender_id", "must be a root sender id, or none for all")
    return found


def _listed(addresses: object, places: Places, country: str | None) -> list[str]:
    if not isinstance(addresses, list | tuple) or not 1 <= len(addresses) <= ADDRESSES_A_CALL:
        raise InvalidField("addresses", f"must hold 1 to {ADDRESSES_A_CALL} addresses")
    found = [
        _typed(f"addresses[{at}]", one, places, country)[1] for at, one in enumerate(addresses)
    ]
    return list(dict.fromkeys(found))
