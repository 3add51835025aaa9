"""Contacts and their fast access, as an application keeps them."""

from __future__ import annotations

import json

import pytest

from scg_core import Duplicate, InvalidField, NotFound, StaleData
from scg_core.contacts.model import RuleStatus, VoicePreference
from scg_core.contacts.rules import lists
from tests.world import World


def test_a_contact_keeps_every_attribute(world: World) -> None:
    """Lists travel as JSON and are read as typed values, by priority."""
    made = world.app.contacts.create(
        external_id="e1", first_name="Ann", last_name="Lee", birth_date="1984-02-29",
        primary_mdn="+1 (415) 555-0100", voice_preference="PREFER_VOICE",
        customer_device_list=[
            {"msisdn": "+14155550102", "priority": "2", "status": "VALID_NEW"},
            {"msisdn": "+14155550101", "priority": 1, "os": "iOS 8.3", "color": "red"},
        ],
        interest_list='[{"code": "golf", "score": 0.25}]',
        extended_attributes={"Favorite_Color": "red", "pets": [1, 2]},
    )  # fmt: skip
    held = world.app.contacts.get(made.id)

    assert held == made
    assert held.birth_date == "1984-02-29"
    assert world.app.contacts.update(made.id, extended_attributes='{"a": "\\ud83d\\ude00"}')
    assert held.voice_preference is VoicePreference.PREFER_VOICE
    assert [one.msisdn for one in lists.devices(held)] == ["+14155550101", "+14155550102"]
    assert json.loads(held.customer_device_list or "")[1]["color"] == "red"
    assert lists.interests(held)[0].score == 0.25
    assert lists.extended(held)["pets"] == [1, 2]
    assert lists.addresses(held) == () == lists.accounts(held) == lists.demographics(held)


@pytest.mark.parametrize(
    ("field", "fields", "code"),
    [
        ("primary_mdn", {"primary_mdn": "call me"}, 400),
        ("primary_mdn", {"primary_mdn": "+1"}, 400),
        ("primary_mdn", {"primary_mdn": "\u0661\u0662\u0663\u0664\u0665\u0666"}, 400),
        ("primary_mdn", {"primary_mdn": "+14155550100\n"}, 400),
        ("birth_date", {"birth_date": "1984-02-30"}, 400),
        ("birth_date", {"birth_date": "29.2.1984"}, 400),
        ("address_list", {"address_list": "{}"}, 400),
        ("address_list", {"address_list": "[1, 2"}, 400),
        ("address_list[1]", {"address_list": [{}, 7]}, 400),
        ("address_list[0].priority", {"address_list": [{"priority": "first"}]}, 400),
        ("interest_list[0].score", {"interest_list": [{"score": "high"}]}, 400),
        ("extended_attributes", {"extended_attributes": "[]"}, 400),
        ("voice_preference", {"voice_preference": "LOUD"}, 400),
        ("first_name", {"first_name": "x" * 129}, 1023),
        ("primary_addr_city", {"primary_addr_city": "x" * 256}, 1023),
        ("extended_attributes", {"extended_attributes": {"a": "x" * 70_000}}, 400),
        ("fast_access_1", {"fast_access_1": "gold"}, 400),
        ("fast_access.tier", {"fast_access": {"tier": "gold"}}, 400),
        ("shoe_size", {"shoe_size": 43}, 400),
        ("extended_attributes", {"extended_attributes": '{"a": "\\ud800"}'}, 400),
        ("extended_attributes", {"extended_attributes": '{"a\\uDFFF": 1}'}, 400),
        ("extended_attributes", {"extended_attributes": '[{"a": ["\\u0000"]}]'}, 400),
        ("extended_attributes", {"extended_attributes": {"a": "\x00"}}, 400),
        ("customer_device_list", {"customer_device_list": "[" * 33 + "]" * 33}, 400),
        ("customer_device_list", {"customer_device_list": "[" * 980 + "]" * 980}, 400),
        ("id", {"id": "mine"}, 400),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(
    world: World, field: str, fields: dict[str, object], code: int
) -> None:
    """At creation and in an update."""
    held = world.app.contacts.create(external_id="held")
    for call in (
        lambda: world.app.contacts.create(**fields),
        lambda: world.app.contacts.update(held.id, **fields),
    ):
        with pytest.raises(InvalidField) as refused:
            call()
        assert (refused.value.field, refused.value.error_code) == (field, code)
    assert world.app.contacts.find() == [held]


def test_an_external_id_and_a_number_belong_to_one_contact(world: World) -> None:
    """However the number is written; another company may have the same."""
    world.app.contacts.create(external_id="e1", primary_mdn="+14155550100")
    other = world.app.contacts.create(external_id="e2")

    for fields in ({"external_id": "e1"}, {"primary_mdn": "1 (415) 555-0100"}):
        with pytest.raises(Duplicate) as refused:
            world.app.contacts.create(**fields)
        assert refused.value.fields == tuple(fields)
        with pytest.raises(Duplicate):
            world.app.contacts.update(other.id, **fields)
    rival = world.engine.application("rival", 1).contacts
    assert rival.create(external_id="e1", primary_mdn="+14155550100").external_id == "e1"


def test_an_update_changes_what_is_given_and_a_replacement_the_rest(world: World) -> None:
    """Null clears a field; what did not change raises no version."""
    contacts = world.app.contacts
    made = contacts.create(external_id="e1", first_name="Ann", last_name="Lee")

    same = contacts.update(made.id, first_name="Ann", version_number=1)
    assert same.version_number == 1
    changed = contacts.update(made.id, first_name="Anna", last_name=None, version_number="1")
    assert (changed.first_name, changed.last_name, changed.version_number) == ("Anna", None, 2)
    with pytest.raises(StaleData):
        contacts.update(made.id, first_name="Old", version_number=1)
    whole = contacts.replace(made.id, last_name="Lee")
    assert (whole.external_id, whole.first_name, whole.last_name) == (None, None, "Lee")
    assert contacts.create(external_id="e1").external_id == "e1"


def test_a_deleted_contact_is_gone_from_everywhere(world: World) -> None:
    """From its groups, and its tokens open nothing any more."""
    app = world.app
    made = app.contacts.create(external_id="e1", primary_mdn="+14155550100")
    group = app.contact_groups.create(name="g")
    app.contact_groups.add_contacts(group.id, [made.id])
    token = app.contact_access_tokens.create(made.id)
    app.application_tokens.create(
        made.id, sender_id_address="news.app", message_delivery_provider="APN", token="t"
    )

    app.contacts.delete(made.id)

    assert app.contact_groups.get(group.id).member_count == 0
    assert app.contact_groups.contacts(group.id).items == []
    for gone in (
        lambda: app.contacts.get(made.id),
        lambda: app.contacts.delete(made.id),
        lambda: world.engine.contact_token(token.id),
        lambda: app.application_tokens.page(made.id),
    ):
        with pytest.raises(NotFound):
            gone()
    assert app.contacts.create(primary_mdn="+14155550100")


def test_a_foreign_contact_is_an_unknown_one(world: World) -> None:
    """Another company reads, changes and deletes none of ours."""
    made = world.app.contacts.create(external_id="e1")
    rival = world.engine.application("rival", 1)

    for call in (
        lambda: rival.contacts.get(made.id),
        lambda: rival.contacts.update(made.id, first_name="x"),
        lambda: rival.contacts.delete(made.id),
        lambda: rival.contact_access_tokens.create(made.id),
    ):
        with pytest.raises(NotFound):
            call()
    assert rival.contacts.find() == []


def test_filters_take_numbers_with_and_without_a_plus(world: World) -> None:
    """And beginnings, and several values."""
    contacts = world.app.contacts
    one = contacts.create(external_id="a1", primary_mdn="+14155550100", primary_addr_state="TX")
    two = contacts.create(external_id="a2", primary_mdn="14155550101", primary_addr_state="CA")

    assert contacts.find(primary_mdn="14155550100") == [one]
    assert contacts.find(primary_mdn="+14155550101") == [two]
    assert contacts.find(primary_addr_state=["TX", "CA"], sort="-external_id") == [two, one]
    with pytest.raises(InvalidField):
        contacts.find(address_list="x")
    three = contacts.create(external_id="a3", primary_addr_country="us")
    for written in ("US", "usa", ["DE", "US"]):
        assert contacts.find(primary_addr_country=written) == [three]


def test_slots_are_derived_from_the_rest_of_a_contact(world: World) -> None:
    """At creation and at each change; what is derived is read-only, sent back it is accepted."""
    app = world.app
    app.fast_access.create(
        target_attribute="fast_access_12", target_attribute_name="color",
        value_derivation_script="$..extended_attributes.Favorite_Color",
    )  # fmt: skip
    app.fast_access.create(
        target_attribute="fast_access_2", value_derivation_script="$.address_list[0]"
    )
    made = app.contacts.create(
        extended_attributes='{"Favorite_Color": "red"}', address_list=[{"zip": "33601"}]
    )
    assert (made.fast_access_12, made.fast_access_2) == ("red", '{"zip":"33601"}')
    assert json.loads(made.fast_access or "") == {"color": "red"}
    assert app.contacts.find({"fast_access.color": "red"}) == [made]
    assert app.contacts.find(fast_access_12="red") == [made]
    assert app.contacts.find({"fast_access.color": "blue"}) == []
    with pytest.raises(InvalidField):
        app.contacts.find({"fast_access.nobody": "red"})

    changed = app.contacts.update(made.id, extended_attributes={"Favorite_Color": 7})
    assert changed.fast_access_12 == "7"
    assert app.contacts.update(made.id, fast_access_12="7") == changed
    for fields in ({"fast_access_12": "blue"}, {"fast_access": {"color": "blue"}}):
        with pytest.raises(InvalidField):
            app.contacts.update(made.id, **fields)
    replaced = app.contacts.replace(made.id, first_name="Ann")
    assert (replaced.fast_access_12, replaced.fast_access) == (None, None)


def test_a_slot_is_the_same_whoever_derives_it(world: World) -> None:
    """At creation, in an update, anew in the background and in an import."""
    app = world.app
    paths = ["$.created_date", "$.mdn_key", "$.fast_access_1", "$..city", "$.stored_keywords",
             "$.voice_preference", "$..zip"]  # fmt: skip
    for at, path in enumerate(paths, start=1):
        app.fast_access.create(target_attribute=f"fast_access_{at}", value_derivation_script=path)
    made = app.contacts.create(
        external_id="e1", primary_mdn="+14155550100",
        extended_attributes={"city": "Rome", "zip": 7}, address_list=[{"city": "Bern"}],
    )  # fmt: skip

    def slots() -> list[str | None]:
        held = app.contacts.get(made.id)
        return [getattr(held, f"fast_access_{at}") for at in range(1, len(paths) + 1)]

    first = slots()
    assert first == [None, None, None, "Bern", None, "NONE", "7"]
    app.contacts.update(made.id, first_name="Ann")
    assert slots() == first
    app.fast_access.create(target_attribute="fast_access_20")
    world.engine.run_until_idle()
    assert slots() == first
    file = app.attachments.create(name="c.csv")
    app.attachments.upload(file.id, b"external_id,last_name\ne1,Lee\n")
    app.contact_imports.create(import_attachment_id=file.id)
    world.engine.run_until_idle()
    assert slots() == first


def test_a_value_that_is_too_long_is_none(world: World) -> None:
    """A slot holds at most 255 characters (semantics 11-14)."""
    world.app.fast_access.create(
        target_attribute="fast_access_1", value_derivation_script="$..long"
    )

    assert world.app.contacts.create(extended_attributes={"long": "x" * 255}).fast_access_1
    made = world.app.contacts.create(extended_attributes={"long": "x" * 256})
    assert made.fast_access_1 is None


def test_a_slot_without_a_script_is_written_by_hand(world: World) -> None:
    """Under its own name or its friendly one."""
    app = world.app
    app.fast_access.create(target_attribute="fast_access_1", target_attribute_name="tier")
    made = app.contacts.create(fast_access={"tier": "gold"})

    assert made.fast_access_1 == "gold"
    assert app.contacts.update(made.id, fast_access_1="iron").fast_access == '{"tier": "iron"}'


def test_a_changed_rule_derives_contacts_anew_in_the_background(world: World) -> None:
    """They show the old value until they are reached; the rule tells how far it is."""
    app = world.app
    made = [app.contacts.create(extended_attributes={"a": at, "b": -at}) for at in range(1_201)]
    rule = app.fast_access.create(
        target_attribute="fast_access_1", target_attribute_name="n", value_derivation_script="$..a"
    )
    assert rule.status is RuleStatus.PROCESSING
    assert app.contacts.get(made[5].id).fast_access_1 is None
    world.engine.run_due(1)
    halfway = app.fast_access.get(rule.id)
    assert (halfway.status, halfway.derived_count) == (RuleStatus.PROCESSING, 500)
    assert app.contacts.get(made[5].id).fast_access_1 == "5"
    assert app.contacts.get(made[1_200].id).fast_access_1 is None

    changed = app.fast_access.update(rule.id, value_derivation_script="$..b")
    late = app.contacts.create(extended_attributes={"a": 7, "b": 8})
    assert late.fast_access_1 == "8"
    world.engine.run_until_idle()

    done = app.fast_access.get(rule.id)
    assert (done.status, done.derived_count) == (RuleStatus.READY, 1_202)
    assert done.version_number == changed.version_number
    assert all(app.contacts.get(made[at].id).fast_access_1 == str(-at) for at in (0, 5, 700, 1_200))

    app.fast_access.delete(rule.id)
    world.engine.run_until_idle()
    gone = app.contacts.get(made[5].id)
    assert (gone.fast_access_1, gone.fast_access) == (None, None)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("target_attribute", {"target_attribute": "fast_access_21"}),
        ("target_attribute", {"target_attribute": "first_name"}),
        ("target_attribute", {}),
        ("target_attribute_name", {"target_attribute_name": "a.b"}),
        ("target_attribute_name", {"target_attribute_name": "fast_access_2"}),
        ("target_attribute_name", {"target_attribute_name": "tier "}),
        ("value_derivation_script", {"value_derivation_script": "$..[?(@.a)]"}),
        ("value_derivation_script", {"value_derivation_script": "$." + "a" * 2_000}),
    ],
)
def test_a_bad_rule_is_refused(world: World, field: str, fields: dict[str, object]) -> None:
    """It names the field, and derives nothing."""
    given = fields if "target_attribute" in fields or not fields else {
        "target_attribute": "fast_access_1", **fields
    }  # fmt: skip
    with pytest.raises(InvalidField) as refused:
        world.app.fast_access.create(**given)

    assert refused.value.field == field
    assert world.app.fast_access.find() == []


def test_a_slot_and_a_name_have_one_rule(world: World) -> None:
    """Of one company."""
    rules = world.app.fast_access
    rules.create(target_attribute="fast_access_1", target_attribute_name="tier")
    second = rules.create(target_attribute="fast_access_2")

    for fields in ({"target_attribute": "fast_access_1"}, {"target_attribute_name": "tier"}):
        with pytest.raises(Duplicate):
            rules.create({"target_attribute": "fast_access_3", **fields})
        with pytest.raises(Duplicate):
            rules.update(second.id, fields)
    assert world.engine.application("rival", 1).fast_access.create(
        target_attribute="fast_access_1", target_attribute_name="tier"
    )


def test_an_access_token_opens_its_contact_until_it_expires(world: World) -> None:
    """Renewing lets it count again; bad, expired and deleted ones are alike."""
    app = world.app
    made = app.contacts.create(external_id="e1")
    token = app.contact_access_tokens.create(made.id, duration="60")
    assert world.engine.contact_token(token.id).resource_id == made.id

    world.clock.advance(59_000)
    app.contact_access_tokens.replace(made.id, token.id, duration=60)
    world.clock.advance(59_000)
    assert world.engine.contact_token(token.id)
    assert app.contact_access_tokens.page(made.id).total == 1
    world.clock.advance(2_000)
    for call in (
        lambda: world.engine.contact_token(token.id),
        lambda: world.engine.contact_token("0" * 22),
        lambda: app.contact_access_tokens.get(made.id, token.id),
        lambda: app.contact_access_tokens.replace(made.id, token.id),
        lambda: app.access_tokens.get(token.id),
        lambda: world.engine.download(token.id),
    ):
        with pytest.raises(NotFound):
            call()
    assert app.contact_access_tokens.page(made.id).total == 0


@pytest.mark.parametrize(
    "duration", ["\u0663\u0660", 0, -1, 86_401, "long", "1.5", True, [], "9" * 30, "9" * 5_000]
)
def test_a_bad_duration_is_refused(world: World, duration: object) -> None:
    """At most a day, in whole seconds."""
    made = world.app.contacts.create(external_id="e1")

    with pytest.raises(InvalidField) as refused:
        world.app.contact_access_tokens.create(made.id, duration=duration)

    assert refused.value.field == "duration"


def test_an_application_token_is_registered_once(world: World) -> None:
    """The same again is the newest again; providers are APN and GCM."""
    app = world.app
    made = app.contacts.create(external_id="e1")
    fields = {
        "sender_id_address": "news.app", "message_delivery_provider": "fcm", "token": "abc",
    }  # fmt: skip
    first = app.application_tokens.create(made.id, fields)
    again = app.application_tokens.create(made.id, fields)

    assert (first.id, first.message_delivery_provider) == (again.id, "GCM")
    assert app.application_tokens.page(made.id).total == 1
    for name, value in (("message_delivery_provider", "XYZ"), ("token", "a b"), ("token", None)):
        with pytest.raises(InvalidField) as refused:
            app.application_tokens.create(made.id, {**fields, name: value})
        assert refused.value.field == name
    changed = app.application_tokens.update(made.id, first.id, token="def")
    assert changed.token == "def"
    app.application_tokens.delete(made.id, first.id)
    assert app.application_tokens.page(made.id).items == []
