"""Groups of contacts, kept by hand or found by criteria."""

from __future__ import annotations

import pytest

from scg_core import Duplicate, IllegalTransition, InvalidField, NotFound
from scg_core.contacts.model import GroupStatus
from tests.world import World


def people(world: World, count: int) -> list[str]:
    """That many contacts, every third in Texas; their ids."""
    return [
        world.app.contacts.create(
            external_id=f"p{at:05}", primary_addr_state="TX" if at % 3 == 0 else "CA"
        ).id
        for at in range(count)
    ]


def test_a_static_group_keeps_whom_it_is_given(world: World) -> None:
    """Adding again is harmless; unknown and foreign ids are named, the rest is added."""
    groups = world.app.contact_groups
    ids = people(world, 3)
    foreign = world.engine.application("rival", 1).contacts.create(external_id="x").id
    group = groups.create(name="friends", external_id="g1")

    added = groups.add_contacts(group.id, [ids[0], ids[1], foreign, "nobody"])
    assert set(added.errors) == {foreign, "nobody"}
    assert added.errors["nobody"] == "Unknown document: nobody"
    assert not groups.add_contacts(group.id, [ids[0]]).errors
    assert groups.get(group.id).member_count == 2
    assert [one.id for one in groups.contacts(group.id).items] == ids[:2]
    assert groups.contact(group.id, ids[0]).id == ids[0]
    with pytest.raises(NotFound):
        groups.contact(group.id, ids[2])

    removed = groups.remove_contacts(group.id, [ids[0], ids[2]])
    assert set(removed.errors) == {ids[2]}
    assert groups.get(group.id).member_count == 1


def test_a_dynamic_group_is_whoever_meets_its_criteria_now(world: World) -> None:
    """Its members cannot be added or taken out."""
    groups = world.app.contact_groups
    ids = people(world, 9)
    group = groups.create(name="texans", type="DYNAMIC", criteria='{"state": "TX"}')
    assert group.status is GroupStatus.PROCESSING
    world.engine.run_until_idle()
    assert groups.find()[0].member_count == 3
    assert groups.get(group.id).status is GroupStatus.READY

    world.app.contacts.update(ids[1], primary_addr_state="TX")
    assert groups.get(group.id).member_count == 4
    assert groups.contacts(group.id, sort="-external_id").items[0].id == ids[6]
    assert groups.contacts(group.id, {"external_id": "p00001"}).total == 1
    assert groups.contact(group.id, ids[1]).id == ids[1]
    for call in (groups.add_contacts, groups.remove_contacts):
        with pytest.raises(IllegalTransition):
            call(group.id, [ids[1]])


def test_a_static_group_with_criteria_is_a_snapshot(world: World) -> None:
    """Taken in the background, page by page; later contacts are not in it."""
    groups = world.app.contact_groups
    ids = people(world, 4_000)
    group = groups.create(name="texans", criteria={"state": "TX"})
    assert (group.status, group.member_count) == (GroupStatus.PROCESSING, 0)
    world.engine.run_due(1)
    assert groups.get(group.id).status is GroupStatus.PROCESSING
    world.engine.run_until_idle()
    held = groups.get(group.id)
    assert (held.status, held.member_count) == (GroupStatus.READY, 1_334)
    assert groups.contacts(group.id, limit=1).total == 1_334

    world.app.contacts.create(primary_addr_state="TX")
    groups.add_contacts(group.id, [ids[1]])
    assert groups.get(group.id).member_count == 1_335
    groups.update(group.id, criteria={"external_id": "p00007"})
    world.engine.run_until_idle()
    assert groups.get(group.id).member_count == 1
    assert [one.id for one in groups.contacts(group.id).items] == [ids[7]]


def test_nobody_is_added_while_members_are_being_found(world: World) -> None:
    """409 says to wait; deleted contacts are not counted, and the version is the customer's."""
    groups = world.app.contact_groups
    ids = people(world, 1_500)
    group = groups.create(name="all", criteria={"field": "external_id", "op": "exists"})
    world.engine.run_due(1)
    for call in (groups.add_contacts, groups.remove_contacts):
        with pytest.raises(IllegalTransition):
            call(group.id, [ids[0]])
    world.app.contacts.delete(ids[1])
    world.app.contacts.delete(ids[1_300])
    world.engine.run_until_idle()

    assert groups.get(group.id).member_count == 1_498
    assert groups.contacts(group.id, {"primary_addr_state": ["TX", "CA"]}, limit=1).total == 1_498
    assert groups.update(group.id, description="d", version_number=1).version_number == 2


def test_criteria_that_are_taken_back_leave_the_members_as_they_are(world: World) -> None:
    """And the group is Ready at once."""
    groups = world.app.contact_groups
    ids = people(world, 3)
    group = groups.create(name="g")
    groups.add_contacts(group.id, ids)
    groups.update(group.id, criteria={"state": "TX"})
    after = groups.update(group.id, criteria=None)
    world.engine.run_until_idle()

    assert after.status is GroupStatus.READY
    assert groups.get(group.id).member_count == 3 == groups.contacts(group.id).total


def test_a_deleted_group_leaves_its_contacts(world: World) -> None:
    """Its members are dropped in the background."""
    groups = world.app.contact_groups
    ids = people(world, 600)
    group = groups.create(name="all", criteria={"field": "external_id", "op": "exists"})
    world.engine.run_until_idle()
    groups.delete(group.id)
    world.engine.run_until_idle()

    with pytest.raises(NotFound):
        groups.get(group.id)
    assert world.app.contacts.get(ids[0])
    assert groups.create(name="all")


@pytest.mark.parametrize(
    ("field", "fields", "code"),
    [
        ("name", {}, 400),
        ("name", {"name": " "}, 400),
        ("criteria", {"name": "g", "type": "DYNAMIC"}, 1017),
        ("criteria", {"name": "g", "criteria": "TX"}, 1017),
        ("criteria", {"name": "g", "criteria": {"shoe": 1}}, 1017),
        ("criteria", {"name": "g", "criteria": {"fast_access.tier": "gold"}}, 1017),
        ("type", {"name": "g", "type": "FLUID"}, 400),
        ("external_id", {"name": "g", "external_id": "x" * 129}, 1023),
    ],
)
def test_a_bad_group_is_refused(
    world: World, field: str, fields: dict[str, object], code: int
) -> None:
    """With the field and the code; nothing is stored."""
    with pytest.raises(InvalidField) as refused:
        world.app.contact_groups.create(**fields)

    assert (refused.value.field, refused.value.error_code) == (field, code)
    assert world.app.contact_groups.find() == []


def test_names_and_external_ids_are_unique_and_the_type_never_changes(world: World) -> None:
    """Sent back unchanged it is accepted."""
    groups = world.app.contact_groups
    groups.create(name="one", external_id="e1")
    two = groups.create(name="two")

    for fields in ({"name": "one"}, {"external_id": "e1"}):
        with pytest.raises(Duplicate):
            groups.create({"name": "three", **fields})
        with pytest.raises(Duplicate):
            groups.update(two.id, fields)
    with pytest.raises(InvalidField):
        groups.update(two.id, type="DYNAMIC", criteria={"state": "TX"})
    assert groups.update(two.id, type="STATIC", description="d").description == "d"
    assert groups.replace(two.id, name="two").description is None


def test_criteria_that_speak_of_a_deleted_rule_mean_nobody(world: World) -> None:
    """The list says why; the count is nought."""
    app = world.app
    rule = app.fast_access.create(target_attribute="fast_access_1", target_attribute_name="tier")
    app.contacts.create(fast_access_1="gold")
    group = app.contact_groups.create(
        name="gold", type="DYNAMIC", criteria={"fast_access.tier": "gold"}
    )
    world.engine.run_until_idle()
    assert app.contact_groups.get(group.id).member_count == 1
    app.fast_access.delete(rule.id)
    world.engine.run_until_idle()

    assert app.contact_groups.get(group.id).member_count == 0
    with pytest.raises(InvalidField) as refused:
        app.contact_groups.contacts(group.id)
    assert refused.value.error_code == 1017
