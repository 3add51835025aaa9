"""Groups of contacts: made, changed, filled; snapshots and counts are taken in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from scg_core.contacts.model import (
    Contact,
    ContactGroup,
    GroupMember,
    GroupStatus,
    GroupType,
)
from scg_core.contacts.rules.criteria import CRITERIA
from scg_core.contacts.steps.members import (
    EMPTY_GROUP,
    FILL_GROUP,
    count_in,
    is_member,
    meant,
    members,
    put_in,
    who_meet,
    who_of,
)
from scg_core.kernel import codec
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound
from scg_core.kernel.members import Added
from scg_core.kernel.query import (
    EXACT_TOTAL,
    Condition,
    Page,
    Query,
    among,
    eq,
    every,
    listing,
)
from scg_core.kernel.resource import Writer, declaration
from scg_core.kernel.resource import evolve as changed
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

MOST_AT_ONCE: Final = 1_000
_PAGE: Final = 500


def create_group(unit: Unit, caller: Caller, given: Mapping[str, object]) -> ContactGroup:
    """Make a group; with criteria its members are found in the background.

    Raises:
        InvalidField: it names the field; the criteria are none (1017).
        Duplicate: the company has a group of this name or external id.
    """
    values = codec.read(ContactGroup, given, lenient=caller.lenient)
    codec.mandatory(ContactGroup, values, Writer.CUSTOMER)
    values = {name: value for name, value in values.items() if value is not None}
    codec.read_text("name", values["name"])
    _refuse_taken(unit, caller.company_id, values)
    criteria = _checked(unit, caller.company_id, values)
    if values.get("type") is GroupType.DYNAMIC and not criteria:
        raise InvalidField("criteria", "are needed by a DYNAMIC group", CRITERIA)
    group = unit.add(
        ContactGroup(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            status=GroupStatus.PROCESSING if criteria else GroupStatus.READY,
            **values,
        )
    )
    if criteria:
        _begin_filling(unit, group)
    return group


def update_group(
    unit: Unit, caller: Caller, group_id: str, given: Mapping[str, object], *, whole: bool = False
) -> ContactGroup:
    """Change a group; ``whole`` replaces it. Other criteria find other members.

    The members of a STATIC group are replaced by a new snapshot then.

    Raises:
        NotFound: the company has no such group.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field; its type never changes; the criteria are none (1017).
        Duplicate: the company has a group of this name or external id.
    """
    held = unit.get(ContactGroup, caller.company_id, group_id)
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(ContactGroup, asked, lenient=caller.lenient)
    if values.get("type") not in (None, held.type):
        raise InvalidField("type", f"is {held.type} and never changes; make another group")
    values.pop("type", None)
    changes = codec.changes(held, values, whole=whole)
    if "name" in changes:
        codec.read_text("name", changes["name"])
    _refuse_taken(unit, caller.company_id, changes)
    if not changes:
        return held
    if "criteria" not in changes:
        return unit.save(held, **changes)
    criteria = _checked(unit, caller.company_id, changes)
    if held.type is GroupType.DYNAMIC and not criteria:
        raise InvalidField("criteria", "are needed by a DYNAMIC group", CRITERIA)
    if not criteria:  # the members that were found by now stay
        unit.session.withdraw(FILL_GROUP, held.id)
        return unit.save(held, **changes, status=GroupStatus.READY)
    after = unit.save(held, **changes, status=GroupStatus.PROCESSING)
    _begin_filling(unit, after)
    return after


def delete_group(unit: Unit, caller: Caller, group_id: str, seen: object = None) -> None:
    """Delete a group; its contacts stay.

    Raises:
        NotFound: the company has no such group.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(ContactGroup, caller.company_id, group_id)
    unit.check_version(held, seen)
    unit.session.remove(held)
    unit.session.withdraw(FILL_GROUP, held.id)
    unit.later(EMPTY_GROUP, held.id, unit.now)


def add_contacts(
    unit: Unit, caller: Caller, group_id: str, given: Sequence[str]
) -> Added[ContactGroup]:
    """Put contacts in a STATIC group; those in it already stay, unknown ones are named.

    Raises:
        NotFound: the company has no such group.
        IllegalTransition: the group is DYNAMIC, or its members are being found.
        InvalidField: there are none, or too many.
    """
    group = _static(unit, caller, group_id, "ADD")
    ids = _ids(given)
    where = [among("id", ids), eq("company_id", caller.company_id)]
    known = {id for (id,) in unit.session.rows(Query(Contact, where), ("id",))}
    fresh = put_in(unit, group, [id for id in ids if id in known])
    count_in(unit, group, fresh)
    return Added(group, {id: f"Unknown document: {id}" for id in ids if id not in known})


def remove_contacts(
    unit: Unit, caller: Caller, group_id: str, given: Sequence[str]
) -> Added[ContactGroup]:
    """Take contacts out of a STATIC group; those that are not in it are named.

    Raises:
        NotFound: the company has no such group.
        IllegalTransition: the group is DYNAMIC.
        InvalidField: there are none, or too many.
    """
    group = _static(unit, caller, group_id, "REMOVE")
    ids = _ids(given)
    where = (*members(group.id).where, among("contact_id", ids))
    held = unit.session.find(Query(GroupMember, where))
    for member in held:
        unit.session.remove(member)
    count_in(unit, group, -len(held))
    gone = {member.contact_id for member in held}
    return Added(group, {id: f"Unknown document: {id}" for id in ids if id not in gone})


def read_group(
    unit: Unit, caller: Caller, group_id: str, where: Sequence[Condition] = ()
) -> ContactGroup:
    """A group as it is now; the members of a DYNAMIC one are counted, exactly up to 100,000.

    Raises:
        NotFound: the company has no such group, or it does not meet the conditions.
    """
    held = unit.get(ContactGroup, caller.company_id, group_id, where)
    if held.type is GroupType.STATIC:
        return held
    try:
        who = who_of(unit, held)
    except InvalidField:  # its criteria speak of what is gone: it has no members
        return changed(held, member_count=0)
    count = unit.session.count(Query(Contact, meant(who)), at_most=EXACT_TOTAL)
    return changed(held, member_count=max(count, held.member_count) if count == EXACT_TOTAL
                   else count)  # fmt: skip


def contacts_of(
    unit: Unit,
    caller: Caller,
    group_id: str,
    filters: Mapping[str, object],
    sort: str | None,
    limit: int,
    offset: int,
) -> Page[Contact]:
    """A page of a group's contacts.

    Raises:
        NotFound: the company has no such group.
        InvalidField: an unknown filter; criteria that no longer hold (1017).
    """
    company = caller.company_id
    group = unit.get(ContactGroup, company, group_id)
    who = who_of(unit, group)
    query = listing(Contact, company, filters, sort=sort, limit=limit, offset=offset,
                    scope=every(*meant(who)))  # fmt: skip
    if who.group_id is None or filters or sort not in (None, "id"):
        return unit.page(query)
    some = evolve(members(group.id), limit=limit, offset=offset)
    ids = [id for (id,) in unit.session.rows(some, ("contact_id",))]
    found = unit.session.find(Query(Contact, [among("id", ids)], sort=(("id", False),)))
    least = offset + len(found) if found else 0
    return Page(found, max(group.member_count, least), offset, limit)


def contact_of(
    unit: Unit, caller: Caller, group_id: str, contact_id: str, where: Sequence[Condition] = ()
) -> Contact:
    """A contact, if it is in a group.

    Raises:
        NotFound: the company has no such group, or the contact is not in it.
    """
    group = unit.get(ContactGroup, caller.company_id, group_id)
    if not is_member(unit, who_of(unit, group), contact_id):
        raise NotFound(declaration(Contact).title, contact_id)
    return unit.get(Contact, caller.company_id, contact_id, where)


def _begin_filling(unit: Unit, group: ContactGroup) -> None:
    unit.session.withdraw(FILL_GROUP, group.id)
    unit.later(FILL_GROUP, group.id, unit.now)


def _static(unit: Unit, caller: Caller, group_id: str, wanted: str) -> ContactGroup:
    group = unit.get(ContactGroup, caller.company_id, group_id)
    if group.type is GroupType.DYNAMIC:
        allowed = ("changing its criteria",)
        raise IllegalTransition("contact group", group.type.value, wanted, allowed)
    if group.status is GroupStatus.PROCESSING:
        wait = ("waiting until it is Ready",)
        raise IllegalTransition("contact group", group.status.value, wanted, wait)
    return group


def _ids(given: Sequence[str]) -> list[str]:
    ids = list(dict.fromkeys(given))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise InvalidField("contacts", f"must hold 1 to {MOST_AT_ONCE} ids")
    return ids


def _checked(unit: Unit, company: str, values: Mapping[str, Any]) -> str:
    """The criteria among some values, read to see that they are some."""
    criteria = (values.get("criteria") or "").strip()
    if criteria:
        who_meet(unit, company, criteria)
    return criteria


def _refuse_taken(unit: Unit, company: str, values: Mapping[str, Any]) -> None:
    for name in ("name", "external_id"):
        if values.get(name) is not None:
            same = {"company_id": company, name: values[name]}
            unit.refuse_duplicate(ContactGroup, same, named=(name,))
