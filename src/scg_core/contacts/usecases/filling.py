"""Finding the members of groups in the background: snapshots, counts, and letting go of them."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from scg_core.contacts.model import ContactGroup, GroupStatus, GroupType
from scg_core.contacts.records import Walk
from scg_core.contacts.steps.members import (
    Who,
    count_in,
    last_contact,
    members,
    part_of,
    put_in,
    who_meet,
)
from scg_core.kernel.errors import InvalidField
from scg_core.ports.storage import Work
from scg_core.unit import Unit

_PAGE: Final = 500


def fill_group(unit: Unit, work: Work) -> None:
    """A page of finding who meets a group's criteria: members of a STATIC, a count of a DYNAMIC.

    A STATIC group first loses the members it has.
    """
    group = unit.session.get(ContactGroup, work.key)
    if group is None or group.status is GroupStatus.READY:
        _end_walk(unit, work)
        return
    static = group.type is GroupType.STATIC
    dropped = _drop_members(unit, group.id) if static and not work.position else 0
    if dropped:
        count_in(unit, group, -dropped)
        unit.session.again(work, unit.now, 0)
        return
    who = _who_meet(unit, group)
    walk = unit.session.get(Walk, _walk(work.key))
    if walk is None or not work.position:
        walk = _begin_walk(unit, work.key, last_contact(unit, who))
    part = part_of(unit, who, ("id",), walk.after, walk.until, _PAGE)
    ids = [id for (id,) in part.rows]
    fresh = put_in(unit, group, ids) if static else 0
    found = walk.found + len(ids)
    if part.after is None:
        _end_walk(unit, work)
        count = group.member_count + fresh if static else found
        columns = ("status", "member_count", "version_number")
        ready = (GroupStatus.READY.value, count, group.version_number, group.id)
        unit.session.update(ContactGroup, columns, ("id",), [ready])
        return
    count_in(unit, group, fresh)
    unit.session.update(Walk, ("after", "found"), ("id",), [(part.after, found, walk.id)])
    unit.session.again(work, unit.now, work.position + 1)


def empty_group(unit: Unit, work: Work) -> None:
    """Drop a page of the members of a group that is gone."""
    if _drop_members(unit, work.key):
        unit.session.again(work, unit.now, 0)
    else:
        _end_walk(unit, work)


def _who_meet(unit: Unit, group: ContactGroup) -> Who:
    """Who meets a group's criteria; nobody, if a fast-access attribute in them is gone."""
    try:
        return who_meet(unit, group.company_id, group.criteria)
    except InvalidField:
        return who_meet(unit, group.company_id, None)


def _begin_walk(unit: Unit, key: str, until: str) -> Walk:
    held = unit.session.get(Walk, _walk(key))
    if held is not None:
        unit.session.remove(held)
    return unit.add(Walk(id=_walk(key), until=until))


def _end_walk(unit: Unit, work: Work) -> None:
    held = unit.session.get(Walk, _walk(work.key))
    if held is not None:
        unit.session.remove(held)
    unit.session.complete(work)


def _walk(key: str) -> str:
    return f"group/{key}"


def _drop_members(unit: Unit, group_id: str) -> int:
    some = unit.session.find(evolve(members(group_id), limit=_PAGE))
    for member in some:
        unit.session.remove(member)
    return len(some)
