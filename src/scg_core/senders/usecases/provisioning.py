"""What the operator provisions: classes, types, tariffs, sender ids, and their states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from scg_core.kernel import codec
from scg_core.kernel.countries import read_country
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound
from scg_core.kernel.query import Condition, Query, eq
from scg_core.kernel.resource import Resource, Writer, declaration
from scg_core.senders.lifecycle import SENDER, Ownership, SenderEvent, SenderState
from scg_core.senders.model import (
    ANYWHERE,
    SenderId,
    SenderIdClass,
    SenderIdType,
    Tariff,
)
from scg_core.senders.rules.credentials import unmasked
from scg_core.senders.rules.naming import country_of, read_address
from scg_core.senders.rules.window import read_window
from scg_core.senders.steps.checking import check_references, refuse_a_second
from scg_core.senders.steps.retiring import retire
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit

_RATES: Final = (
    "country_peak_throughput",
    "country_peak_total_throughput",
    "country_daily_throughput",
)

_SLOWEST: Final = 0.0001
_FASTEST: Final = 1_000_000
_LARGEST_BURST: Final = 10_000
_DEAREST: Final = 1_000_000 * 1_000_000
_FIXED: Final = ("address", "ownership", "parent_id", "company_id", "application_id")


def put_class(unit: Unit, given: Mapping[str, object]) -> SenderIdClass:
    """Load a sender class, or replace the one with its id.

    Raises:
        InvalidField: an unknown country or time zone, a rate out of bounds, a window that does not
            parse (the field is the path inside it).
    """
    values = _values(SenderIdClass, given)
    values["applicable_countries"] = _countries(values.get("applicable_countries", (ANYWHERE,)))
    for name in _RATES:
        if values.get(name, 0) and not _SLOWEST <= values[name] <= _FASTEST:
            rule = f"must be {_SLOWEST} to {_FASTEST:,}; 0 or nothing means any number"
            raise InvalidField(name, rule)
    if not 1 <= values.get("burst", 1) <= _LARGEST_BURST:
        raise InvalidField("burst", f"must be 1 to {_LARGEST_BURST:,}")
    read_window(values.get("delivery_window"))
    _check_zone(values.get("day_zone", "UTC"))
    made: SenderIdClass = _put(unit, SenderIdClass, values)
    _wake(unit, eq("class_id", made.id))
    return made


def put_type(unit: Unit, given: Mapping[str, object]) -> SenderIdType:
    """Load a sender type, or replace the one with its id.

    Raises:
        InvalidField: it names the field.
    """
    values = _values(SenderIdType, given)
    if "capabilities" in values:
        values["capabilities"] = tuple(one.upper() for one in values["capabilities"])
    made: SenderIdType = _put(unit, SenderIdType, values)
    return made


def add_tariff(unit: Unit, given: Mapping[str, object]) -> Tariff:
    """Say what a segment costs; one that names the same replaces it.

    Raises:
        InvalidField: a negative price, one with more than six decimals, an unknown country.
    """
    values = _values(Tariff, given)
    _check_price(given.get("price"), values["price"])
    values["country"] = country_of(values.get("country"))
    for name in ("company_id", "sender_id", "kind"):
        if name in values:
            codec.read_text(name, values[name], most=64)
    if "kind" in values:
        values["kind"] = values["kind"].strip().upper()
    same = ("company_id", "sender_id", "country", "kind")
    where = [eq(name, values.get(name)) for name in same]
    for old in unit.session.find(Query(Tariff, where)):
        unit.session.remove(old)
    return unit.add(Tariff(id=unit.new_id(), created_date=unit.now, **values))


def remove_tariff(unit: Unit, tariff_id: str) -> None:
    """Take a tariff out: from then on the next less specific one counts.

    Raises:
        NotFound: no tariff has this id.
    """
    found = unit.session.get(Tariff, codec.read_text("id", tariff_id))
    if found is None:
        raise NotFound(declaration(Tariff).title, tariff_id)
    unit.session.remove(found)


def add_sender_id(unit: Unit, company: str, given: Mapping[str, object]) -> SenderId:
    """The operator adds a sender id for a company; without a state it is ACTIVE at once.

    SHARED and PREPROVISIONED ones are the operator's own, whatever company is named.

    Raises:
        InvalidField: a field is unknown, missing, too long or of the wrong type.
        Duplicate: another root sender id has this address, type and country.
    """
    codec.read_text("company", company, most=64)
    values = codec.read(SenderId, given, writer=Writer.OPERATOR)
    codec.mandatory(SenderId, values | {"company_id": company}, Writer.OPERATOR)
    values = {name: value for name, value in values.items() if value is not None}
    shared = values.get("ownership", Ownership.PRIVATE) is not Ownership.PRIVATE
    values["company_id"] = OPERATOR if shared else company
    values["address"] = read_address(values["address"])
    values["credentials"] = unmasked(values.get("credentials"), None)
    values["country"] = country_of(values.get("country"))
    if values.get("parent_id") is not None:
        raise InvalidField("parent_id", "is for copies, which companies make themselves")
    check_references(unit, values)
    sender = SenderId(id=unit.new_id(), created_date=unit.now, last_updated_date=unit.now, **values)
    refuse_a_second(unit, values)
    return unit.add(sender)


def update_sender_id(unit: Unit, sender_id: str, given: Mapping[str, object]) -> SenderId:
    """The operator changes a sender id of any company, but for its state (see ``move``).

    Raises:
        NotFound: no sender id has this id.
        InvalidField: it names the field.
    """
    sender = _sender(unit, sender_id)
    unit.check_version(sender, given.get("version_number"))
    values = codec.read(
        SenderId,
        {name: value for name, value in given.items() if name != "version_number"},
        writer=Writer.OPERATOR,
    )
    if values.pop("state", sender.state) is not sender.state:
        raise InvalidField("state", "is moved by what happens to the sender id, not set")
    if "country" in values:
        values["country"] = country_of(values["country"])
    if "credentials" in values:
        values["credentials"] = unmasked(values["credentials"], sender.credentials)
    merged = {name: getattr(sender, name) for name in ("type_id", "class_id", "capabilities")}
    _check_changes(sender, values)
    owner = None if sender.company_id == OPERATOR else sender.company_id
    known = {"credentials": sender.credentials, "company_id": owner, **merged}
    check_references(unit, {**known, **values})
    kept = _named(sender)
    if any(values.get(name, held) != held for name, held in kept.items()):
        refuse_a_second(unit, {"address": sender.address, **kept, **values})
    after = unit.save(sender, **values)
    unit.session.wake([sender.root_id])
    return after


def _named(sender: SenderId) -> dict[str, Any]:
    """What is unique among root sender ids, besides the address; copies have it of their root."""
    if sender.parent_id is not None:
        return {}
    return {"type_id": sender.type_id, "country": sender.country}


def _check_changes(sender: SenderId, values: dict[str, Any]) -> None:
    """Refuse what cannot be changed; nothing stands for the default where there is one."""
    for name, value in list(values.items()):
        if name in _FIXED:
            if value != getattr(sender, name):
                raise InvalidField(name, "of a sender id never changes; add another one")
            continue
        attribute = declaration(SenderId)[name]
        if value is None and not attribute.optional:
            if attribute.required:
                raise InvalidField(name, "is needed; give it a value")
            values[name] = attribute.default


def move_sender_id(unit: Unit, sender_id: str, event: str) -> SenderId:
    """What happened to a sender id's provisioning: IMPLEMENT, FAIL, FAULT, REPAIR, ...

    Raises:
        NotFound: no sender id has this id.
        InvalidField: there is no such event.
        IllegalTransition: it is in no state for it.
    """
    sender = _sender(unit, sender_id)
    if event not in list(SenderEvent):
        raise InvalidField("event", f"must be one of {', '.join(SenderEvent)}")
    to = SENDER.step(sender.state, SenderEvent(event))
    if to is sender.state:
        return sender
    _check_root(unit, sender, to)
    copies = unit.session.find(Query(SenderId, [eq("parent_id", sender.id)]))
    if event == SenderEvent.DELETE and copies:
        kind = f"sender id with {len(copies)} copies"
        others = tuple(one for one in SENDER.allowed(sender.state) if one != event)
        raise IllegalTransition(kind, sender.state.value, event, others)
    _follow(unit, copies, to)
    after = unit.save(sender, state=to)
    unit.session.wake([sender.root_id])
    if event == SenderEvent.DELETE:
        retire(unit, after)
    return after


def _check_root(unit: Unit, sender: SenderId, to: SenderState) -> None:
    """Refuse to let a copy send by a root that cannot."""
    root = None if sender.parent_id is None else unit.session.get(SenderId, sender.parent_id)
    if root is not None and to is SenderState.ACTIVE and root.state is not SenderState.ACTIVE:
        kind = f"the sender id's root {root.id}"
        raise IllegalTransition(kind, root.state.value, SenderState.ACTIVE.value, ())


def _follow(unit: Unit, copies: Sequence[SenderId], to: SenderState) -> None:
    """Copies send by what their root has: they break when it can no longer, and are well again.

    What a company has switched off itself stays off.
    """
    event = SenderEvent.REPAIR if to is SenderState.ACTIVE else SenderEvent.FAULT
    wanted = SenderState.BROKEN if to is SenderState.ACTIVE else SenderState.ACTIVE
    if to not in (SenderState.ACTIVE, SenderState.INACTIVE, SenderState.BROKEN):
        return
    for copy in copies:
        if copy.state is wanted:
            unit.save(copy, state=SENDER.step(copy.state, event))


def deprovisioned(unit: Unit, sender_id: str) -> SenderId:
    """The carriers have let go of a sender id that is being deleted: it may be removed.

    Raises:
        NotFound: no sender id has this id.
        IllegalTransition: it is not PENDING_DELETE.
    """
    sender = _sender(unit, sender_id)
    if sender.state is not SenderState.PENDING_DELETE:
        raise IllegalTransition(
            "sender id", sender.state.value, "DEPROVISIONED", (SenderState.PENDING_DELETE.value,)
        )
    after = unit.save(sender, retired=True)
    retire(unit, after)
    return after


def _wake(unit: Unit, which: Condition) -> None:
    """What rests for these sender ids is looked at again: their limits or states have changed."""
    rows = unit.session.rows(Query(SenderId, [which]), ("id", "parent_id"))
    unit.session.wake({parent or id for id, parent in rows})


def _sender(unit: Unit, sender_id: str) -> SenderId:
    found = unit.session.get(SenderId, codec.read_text("id", sender_id))
    if found is None:
        raise NotFound(SenderId.__declaration__.title, sender_id)
    return found


def _values(kind: type[Resource], given: Mapping[str, object]) -> dict[str, Any]:
    values = codec.read(kind, given, writer=Writer.OPERATOR)
    codec.mandatory(kind, values, Writer.OPERATOR)
    return {name: value for name, value in values.items() if value is not None}


def _put(unit: Unit, kind: Any, values: dict[str, Any]) -> Any:
    """Store a resource under the id it is given, or its successor."""
    codec.read_name("id", values["id"])
    held = unit.session.get(kind, values["id"])
    if held is None:
        return unit.add(kind(created_date=unit.now, last_updated_date=unit.now, **values))
    fresh = kind(
        created_date=held.created_date,
        last_updated_date=held.last_updated_date,
        version_number=held.version_number,
        **values,
    )
    return held if fresh == held else unit.save(fresh)


def _countries(given: tuple[str, ...]) -> tuple[str, ...]:
    found = []
    for at, one in enumerate(given):
        try:
            found.append(ANYWHERE if one.strip().upper() == ANYWHERE else read_country(one))
        except ValueError as reason:
            raise InvalidField(f"applicable_countries[{at}]", str(reason)) from None
    return tuple(dict.fromkeys(found))


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidField("day_zone", "is no time zone such as Europe/Berlin") from None


def _check_price(given: object, price: int) -> None:
    if not 0 <= price <= _DEAREST:
        raise InvalidField("price", "must be 0 to 1,000,000")
    if isinstance(given, float | int) and abs(float(given) * 1_000_000 - price) > 1e-3:
        raise InvalidField("price", "has more than six decimals")
