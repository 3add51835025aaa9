"""What a customer does with sender ids: create, purchase, copy, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.kernel import codec
from scg_core.kernel.errors import Duplicate, Forbidden, InvalidField
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Writer, declaration
from scg_core.senders.lifecycle import (
    MOVES_TO,
    OWNERSHIP,
    PARENT,
    SENDER,
    ConsentManager,
    CopyState,
    Ownership,
    OwnershipEvent,
    SenderEvent,
    SenderState,
)
from scg_core.senders.model import SenderId
from scg_core.senders.rules.credentials import unmasked
from scg_core.senders.rules.naming import read_address
from scg_core.senders.steps.checking import (
    check_references,
    refuse_a_second,
    refuse_anothers,
)
from scg_core.senders.steps.finding import seen_senders, type_of
from scg_core.senders.steps.retiring import retire
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_FIXED: Final = (
    "state", "ownership", "country", "operators", "address", "class_id", "type_id", "parent_id",
    "billing",
)  # fmt: skip
_A_CUSTOMERS: Final = (SenderState.ACTIVE, SenderState.INACTIVE, SenderState.PENDING_DELETE)
_COPIED: Final = (
    "name", "class_id", "type_id", "state", "address", "content_type", "message_templates",
    "country", "operators", "credentials", "two_way_required", "keep_sender_address",
    "dr_required", "consent_managed_by", "capabilities", "check_white_list", "billing",
)  # fmt: skip


def create_sender_id(unit: Unit, caller: Caller, given: Mapping[str, object]) -> SenderId:
    """A company asks for a sender id of its own, or with ``parent_id`` for a copy of a shared one.

    It is PENDING_IMPLEMENTATION if its type needs provisioning, else ACTIVE at once.

    Raises:
        InvalidField: it names the field.
        Forbidden: another ownership than PRIVATE.
        Duplicate: another root sender id has the address, type and country; the company has its
            copy already; the parent is taken.
    """
    _refuse_ownership(given)
    values = codec.read(SenderId, given, lenient=caller.lenient)
    values = {name: value for name, value in values.items() if value is not None}
    parent_id = values.pop("parent_id", None)
    if parent_id is not None:
        return purchase_sender_id(unit, caller, parent_id, values)
    codec.mandatory(SenderId, values, Writer.CUSTOMER)
    values["address"] = read_address(values["address"])
    refuse_anothers(unit, caller.company_id, values["address"])
    kind = type_of(unit, values.get("type_id"))
    if kind is not None and "capabilities" not in values:
        values["capabilities"] = kind.capabilities
    waits = kind is not None and kind.needs_provisioning
    check_references(unit, {**values, "company_id": caller.company_id})
    values["credentials"] = unmasked(values.get("credentials"), None)
    sender = SenderId(
        id=unit.new_id(),
        company_id=caller.company_id,
        application_id=caller.application_id,
        state=SenderState.PENDING_IMPLEMENTATION if waits else SenderState.ACTIVE,
        created_date=unit.now,
        last_updated_date=unit.now,
        **values,
    )
    refuse_a_second(unit, values)
    return unit.add(sender)


def purchase_sender_id(
    unit: Unit, caller: Caller, parent_id: object, changes: Mapping[str, Any] | None = None
) -> SenderId:
    """A company takes an operator's sender id: it gets a PRIVATE copy with ``parent_id``.

    Of many that purchase one PREPROVISIONED sender id exactly one succeeds.

    Raises:
        InvalidField: the parent is unknown or not for sale.
        Duplicate: it is taken already, or the company has its copy.
    """
    named = codec.read_text("parent_id", parent_id)
    parent = unit.session.get(SenderId, named)
    if parent is None or (
        parent.ownership is Ownership.PRIVATE and parent.company_id != caller.company_id
    ):
        raise InvalidField("parent_id", f"no sender id has the id {named[:64]!r}")
    if parent.state is SenderState.PENDING_DELETE:
        raise InvalidField("parent_id", "is a sender id that is being deleted")
    if parent.ownership is Ownership.PRIVATE:
        raise InvalidField("parent_id", "is a private sender id, which is not for sale")
    if not OWNERSHIP.hears(parent.ownership, OwnershipEvent.COPY) or _has_copy(
        unit, caller.company_id, parent.id
    ):
        raise Duplicate(declaration(SenderId).title, ("parent_id",))
    to = PARENT.follow(CopyState.MADE, parent.ownership)
    if to is not parent.ownership:
        unit.save(parent, ownership=to)
    values = {name: getattr(parent, name) for name in _COPIED}
    values |= {name: value for name, value in (changes or {}).items() if name not in _FIXED}
    values["message_templates"] = _inherited(parent, values["message_templates"])
    _no_looser(parent, values)
    check_references(unit, {**values, "company_id": caller.company_id})
    return unit.add(
        SenderId(
            id=unit.new_id(),
            parent_id=parent.id,
            ownership=Ownership.PRIVATE,
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )


def update_sender_id(
    unit: Unit, caller: Caller, sender_id: str, given: Mapping[str, object]
) -> SenderId:
    """A company changes its sender id; the state may be set to ACTIVE or INACTIVE.

    What a customer may not change is accepted unchanged. Masked credentials are unchanged ones.

    Raises:
        NotFound: the company has no such sender id.
        Forbidden: it is the operator's, or the field is.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
        IllegalTransition: it is in no state to be activated or deactivated.
    """
    sender = _own(unit, caller, sender_id)
    unit.check_version(sender, given.get("version_number"))
    values = _changes(sender, given, caller)
    to = _moved(sender, values.pop("state", sender.state))
    parent = None if sender.parent_id is None else unit.session.get(SenderId, sender.parent_id)
    if parent is not None:
        if "message_templates" in values:
            values["message_templates"] = _inherited(parent, values["message_templates"])
        _no_looser(parent, values)
    changes = {name: value for name, value in values.items() if value != getattr(sender, name)}
    if changes.get("consent_managed_by") is ConsentManager.USER:
        rule = "is the engine's once it was; people's own opt-outs stand: ask the operator"
        raise Forbidden("consent_managed_by", rule)
    waits = parent is not None and parent.state is not SenderState.ACTIVE
    if to is SenderState.ACTIVE and to is not sender.state and parent is not None and waits:
        raise Forbidden("state", f"follows the operator's sender id, which is {parent.state.value}")
    if to is not sender.state:
        changes["state"] = to
        unit.session.wake([sender.root_id])
    if not changes:
        return sender
    kept = ("type_id", "capabilities", "credentials", "two_way_required")
    merged = {name: getattr(sender, name) for name in kept}
    check_references(unit, {**merged, **changes, "company_id": caller.company_id})
    return unit.save(sender, **changes)


def delete_sender_id(unit: Unit, caller: Caller, sender_id: str, seen: object = None) -> None:
    """A company gives a sender id up: it is removed once nothing waits for it any more.

    Raises:
        NotFound: the company has no such sender id.
        Forbidden: it is the operator's.
        StaleData: ``seen`` is given and is not the present version.
    """
    sender = _own(unit, caller, sender_id)
    unit.check_version(sender, seen)
    to = SENDER.step(sender.state, SenderEvent.DELETE)
    after = sender if to is sender.state else unit.save(sender, state=to)
    retire(unit, after)


def _own(unit: Unit, caller: Caller, sender_id: str) -> SenderId:
    seen = seen_senders(caller.company_id)
    sender = unit.get(SenderId, caller.company_id, sender_id, scope=seen)
    if sender.company_id != caller.company_id:
        raise Forbidden("id", "is the operator's sender id; purchase it, then change your copy")
    return sender


def _inherited(parent: SenderId | None, templates: tuple[str, ...]) -> tuple[str, ...]:
    """A copy's templates: those of its parent, which cannot be taken off, and its own."""
    first = parent.message_templates if parent is not None else ()
    return (*first, *(one for one in templates if one not in first))


def _no_looser(parent: SenderId, values: Mapping[str, Any]) -> None:
    """Refuse a copy that would be bound to less than its parent."""
    rule = "of the sender id that this is a copy of is the operator's to change"
    if not set(values.get("capabilities", ())) <= set(parent.capabilities):
        raise Forbidden("capabilities", rule)
    for name, binding in (("check_white_list", True), ("consent_managed_by", ConsentManager.SCG)):
        if getattr(parent, name) == binding and values.get(name, binding) != binding:
            raise Forbidden(name, rule)


def _has_copy(unit: Unit, company: str, parent_id: str) -> bool:
    where = (eq("parent_id", parent_id), eq("company_id", company))
    return bool(unit.session.count(Query(SenderId, where), at_most=1))


def _refuse_ownership(given: Mapping[str, object]) -> None:
    if given.get("ownership") not in (None, "", Ownership.PRIVATE):
        raise Forbidden("ownership", "of a customer's sender id is always PRIVATE")


def _changes(sender: SenderId, given: Mapping[str, object], caller: Caller) -> dict[str, Any]:
    """What an update asks for, as typed values; what is fixed must be unchanged."""
    asked = {name: value for name, value in given.items() if name != "version_number"}
    fixed = codec.read(
        SenderId,
        {name: asked.pop(name) for name in _FIXED if name in asked},
        writer=Writer.OPERATOR,
        lenient=True,
    )
    state = fixed.pop("state", None)
    for name, value in fixed.items():
        same = name == "address" and read_address(str(value)) == read_address(sender.address)
        if value is not None and value != getattr(sender, name) and not same:
            raise Forbidden(name, "of a sender id is the operator's to change")
    values = codec.read(SenderId, asked, lenient=caller.lenient)
    if "credentials" in values:
        values["credentials"] = unmasked(values["credentials"], sender.credentials)
    for attribute in declaration(SenderId).attributes:
        if values.get(attribute.name, 0) is None and not attribute.optional:
            values[attribute.name] = attribute.default
    return values if state is None else {**values, "state": state}


def _moved(sender: SenderId, wanted: SenderState) -> SenderState:
    if wanted is sender.state:
        return wanted
    if wanted not in MOVES_TO or sender.state not in _A_CUSTOMERS:
        raise Forbidden("state", "may be moved between ACTIVE and INACTIVE only")
    return SENDER.step(sender.state, MOVES_TO[wanted])
