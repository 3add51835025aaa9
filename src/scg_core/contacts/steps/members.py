"""Who is in a group: members of a STATIC one, whoever meets the criteria of a DYNAMIC one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.contacts.model import Contact, ContactGroup, GroupMember, GroupType, member_id
from scg_core.contacts.rules.criteria import parse
from scg_core.contacts.steps.deriving import rules_for
from scg_core.kernel.query import (
    Condition,
    Query,
    above,
    among,
    at_most,
    below,
    eq,
    within,
)
from scg_core.unit import Unit

FILL_GROUP: Final = "fill_group"
"""The due work of finding who meets a group's criteria; the key is the group's id."""

EMPTY_GROUP: Final = "empty_group"
"""The due work of dropping the members of a group that is gone; the key is the group's id."""

SCANNED: Final = 2_000
"""So many contacts are looked at in one transaction, however few of them are meant."""

_LAST: Final = "~"


@frozen
class Who:
    """Contacts that are meant: those in a STATIC group, or those that meet a condition."""

    company_id: str
    group_id: str | None = None
    condition: Condition | None = None


@frozen
class Part:
    """Some of them, in the order of their ids, and where to go on; None: these were the last."""

    rows: list[tuple[Any, ...]]
    after: str | None


def who_of(unit: Unit, group: ContactGroup) -> Who:
    """Who is meant by a group.

    Raises:
        InvalidField: its criteria speak of a fast-access attribute that is gone (1017).
    """
    if group.type is GroupType.STATIC:
        return Who(group.company_id, group.id)
    return who_meet(unit, group.company_id, group.criteria)


def who_meet(unit: Unit, company: str, criteria: str | None) -> Who:
    """Who is meant by criteria; nobody by none.

    Raises:
        InvalidField: they are no criteria (1017).
    """
    if not (criteria or "").strip():
        return Who(company, None, eq("id", ""))
    return Who(company, None, parse(criteria or "", rules_for(unit, company).slots))


def meant(who: Who) -> list[Condition]:
    """The conditions that the contacts who are meant meet."""
    found = [eq("company_id", who.company_id)]
    if who.group_id is not None:
        found.append(within("id", members(who.group_id), "contact_id"))
    if who.condition is not None:
        found.append(who.condition)
    return found


def members(group_id: str, after: str = "") -> Query[GroupMember]:
    """The members of a STATIC group, those after a contact."""
    where = (above("id", member_id(group_id, after)), below("id", member_id(group_id, _LAST)))
    return Query(GroupMember, where, sort=(("id", False),))


def last_contact(unit: Unit, who: Who) -> str:
    """The greatest id of those who may be meant now."""
    if who.group_id is not None:
        where = members(who.group_id).where
        query = Query(GroupMember, where, sort=(("id", True),), limit=1)
        rows = unit.session.rows(query, ("contact_id",))
    else:
        same = [eq("company_id", who.company_id)]
        query_all = Query(Contact, same, sort=(("id", True),), limit=1)
        rows = unit.session.rows(query_all, ("id",))
    return str(rows[0][0]) if rows else ""


def part_of(
    unit: Unit, who: Who, columns: Sequence[str], after: str, until: str, most: int
) -> Part:
    """The next contacts who are meant, up to ``most``; ``columns`` begin with the id.

    However few are meant, a bounded number of contacts is looked at.
    """
    if not until or after >= until:
        return Part([], None)
    if who.group_id is not None:
        return _part_of_members(unit, who.group_id, columns, after, until, most)
    end = _end_of_scan(unit, who.company_id, after, until)
    where = [eq("company_id", who.company_id), above("id", after), at_most("id", end)]
    if who.condition is not None:
        where.append(who.condition)
    query = Query(Contact, where, sort=(("id", False),), limit=most)
    rows = unit.session.rows(query, columns)
    if len(rows) == most:
        return Part(rows, str(rows[-1][0]))
    return Part(rows, end if end < until else None)


def _part_of_members(
    unit: Unit, group_id: str, columns: Sequence[str], after: str, until: str, most: int
) -> Part:
    where = (*members(group_id, after).where, at_most("id", member_id(group_id, until)))
    query = Query(GroupMember, where, sort=(("id", False),), limit=most)
    ids = [id for (id,) in unit.session.rows(query, ("contact_id",))]
    rows = unit.session.rows(Query(Contact, [among("id", ids)], sort=(("id", False),)), columns)
    return Part(rows, ids[-1] if len(ids) == most else None)


def _end_of_scan(unit: Unit, company: str, after: str, until: str) -> str:
    """The id up to which contacts are looked at now."""
    where = [eq("company_id", company), above("id", after), at_most("id", until)]
    query = Query(Contact, where, sort=(("id", False),), limit=1, offset=SCANNED - 1)
    rows = unit.session.rows(query, ("id",))
    return str(rows[0][0]) if rows else until


def is_member(unit: Unit, who: Who, contact_id: str) -> bool:
    """Whether a contact is among those who are meant."""
    if who.group_id is not None:
        return unit.session.get(GroupMember, member_id(who.group_id, contact_id)) is not None
    where = [*meant(who), eq("id", contact_id)]
    return bool(unit.session.count(Query(Contact, where), at_most=1))


def put_in(unit: Unit, group: ContactGroup, contact_ids: Sequence[str]) -> int:
    """Make contacts members of a STATIC group, those who are not; how many these were."""
    ids = [member_id(group.id, one) for one in contact_ids]
    known = {
        id for (id,) in unit.session.rows(Query(GroupMember, [among("id", ids)]), ("contact_id",))
    }
    fresh = [one for one in dict.fromkeys(contact_ids) if one not in known]
    rows = [(member_id(group.id, one), one) for one in fresh]
    unit.session.insert(GroupMember, ("id", "contact_id"), rows)
    return len(fresh)


def leave_all(unit: Unit, contact_id: str) -> None:
    """A contact is gone: it is in no group any more."""
    for member in unit.session.find(Query(GroupMember, [eq("contact_id", contact_id)])):
        unit.session.remove(member)
        group = member.id.partition("/")[0]
        unit.session.increase(ContactGroup, group, {"member_count": -1}, unit.now)


def count_in(unit: Unit, group: ContactGroup, more: int) -> None:
    """So many more members are in a group."""
    if more:
        unit.session.increase(ContactGroup, group.id, {"member_count": more}, unit.now)
