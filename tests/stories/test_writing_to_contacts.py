"""Messages to contacts, groups and criteria."""

from __future__ import annotations

from collections import Counter

import pytest

from scg_adapters.translation.table import TableTranslator
from scg_core import InvalidField, RequestState, Settings
from tests.world import World

KINDS = frozenset({"SMS", "MMS", "EMAIL", "PSH", "VOICE"})


def people(world: World, count: int, start: int = 0) -> list[str]:
    """That many contacts with numbers; their ids."""
    return [
        world.app.contacts.create(
            external_id=f"p{at}", primary_mdn=f"+1415{2_000_000 + at}", first_name=f"N{at}"
        ).id
        for at in range(start, start + count)
    ]


def addresses(world: World, request_id: str) -> list[str | None]:
    """To whom a request's messages go, in the order they were made."""
    return [one.to_address for one in sorted(world.messages(request_id), key=lambda m: m.seq)]


def sent(world: World, **fields: object) -> str:
    """A request that was made and done; its id."""
    made = world.app.message_requests.create({"from_": world.sender.id, "body": "hi", **fields})
    world.engine.run_until_idle()
    world.recount()
    return made.id


def test_every_form_of_recipient_is_understood(world: World) -> None:
    """Contacts and groups by prefix or bare id; numbers stay numbers."""
    ids = people(world, 6)
    group = world.app.contact_groups.create(name="g")
    world.app.contact_groups.add_contacts(group.id, ids[3:5])
    to = ["+14159990000", f"contact:{ids[0]}", ids[1], f"group: {group.id}", group.id,
          f" contact:{ids[5]} "]  # fmt: skip
    request = sent(world, to=to)

    assert set(addresses(world, request)) == {
        "+14159990000", "+14152000000", "+14152000001", "+14152000003", "+14152000004",
        "+14152000005",
    }  # fmt: skip
    assert world.request(request).to == tuple(to)
    held = {one.to_address: one.contact_id for one in world.messages(request)}
    assert held["+14152000001"] == ids[1]
    assert held["+14159990000"] is None


def test_one_address_gets_one_message_however_it_is_named(world: World) -> None:
    """Literally, through two groups, by criteria and by the group field: the first counts."""
    ids = people(world, 20)
    groups = []
    for at in range(2):
        group = world.app.contact_groups.create(name=f"g{at}")
        world.app.contact_groups.add_contacts(group.id, ids[at * 5 : at * 5 + 10])
        groups.append(group.id)
    request = sent(
        world, to=["+14152000003", f"group:{groups[0]}", ids[4], f"group:{groups[1]}"],
        contact_group_id=groups[0], criteria={"field": "external_id", "op": "prefix", "value": "p"},
    )  # fmt: skip

    assert len(addresses(world, request)) == len(set(addresses(world, request))) == 20
    assert world.request(request).recipient_count == 20


def test_a_large_group_is_expanded_page_by_page(world: World) -> None:
    """In the middle of literals, each exactly once; the counts add up."""
    ids = people(world, 1_300)
    group = world.app.contact_groups.create(
        name="all", type="DYNAMIC", criteria={"field": "external_id", "op": "exists"}
    )
    request = world.send("+14159990001", f"group:{group.id}", "+14159990002", ids[3])
    world.engine.run_until_idle()
    world.recount()

    found = addresses(world, request.id)
    assert len(found) == len(set(found)) == 1_302
    assert world.request(request.id).sent_count == 1_302


def test_staged_recipients_may_name_groups(world: World) -> None:
    """In any page, at any place of it."""
    ids = people(world, 700)
    group = world.app.contact_groups.create(name="g", criteria={"field": "id", "op": "exists"})
    world.engine.run_until_idle()
    requests = world.app.message_requests
    made = requests.create(from_=world.sender.id, body="hi")
    with pytest.raises(InvalidField) as refused:
        requests.append_recipients(made.id, ["+14159990000", "group:nobody"], start=0)
    assert refused.value.field == "recipients[1]"
    page = [f"+1415999{at:04}" for at in range(600)]
    page[100] = page[599] = f"group:{group.id}"
    requests.append_recipients(made.id, page, start=0)
    requests.append_recipients(made.id, [ids[0], "+14159999999"], start=600)
    requests.accept(made.id)
    world.engine.run_until_idle()
    world.recount()

    assert len(addresses(world, made.id)) == 598 + 700 + 1
    assert world.request(made.id).state is RequestState.COMPLETED


def test_a_request_waits_for_a_group_that_is_being_filled(world: World) -> None:
    """It is not sent to half of it."""
    people(world, 900)
    group = world.app.contact_groups.create(name="g", criteria={"field": "id", "op": "exists"})
    request = sent(world, contact_group_id=group.id)

    assert world.request(request).recipient_count == 900


def test_criteria_that_few_meet_are_gone_through_in_steps(world: World) -> None:
    """No transaction looks at more than two thousand contacts."""
    people(world, 4_500)
    request = sent(world, criteria={"external_id": "p4400"})

    assert addresses(world, request) == ["+14152004400"]


def test_a_group_or_rule_that_vanishes_rejects_the_request(world: World) -> None:
    """What was accepted and can no longer be done is REJECTED (semantics 2)."""
    people(world, 3)
    group = world.app.contact_groups.create(name="g", criteria={"field": "id", "op": "exists"})
    world.engine.run_until_idle()
    request = world.app.message_requests.create(
        from_=world.sender.id, body="hi", contact_group_id=group.id
    )
    world.app.contact_groups.delete(group.id)
    world.engine.run_until_idle()
    assert world.request(request.id).state is RequestState.REJECTED
    world.recount()

    rule = world.app.fast_access.create(
        target_attribute="fast_access_1", target_attribute_name="tier"
    )
    request = world.app.message_requests.create(
        from_=world.sender.id, body="hi", criteria={"fast_access.tier": "gold"}
    )
    world.app.fast_access.delete(rule.id)
    world.engine.run_until_idle()
    assert world.request(request.id).state is RequestState.REJECTED


@pytest.mark.parametrize(("form", "steps"), [("group:{}", 0), ("group:{}", 3), ("{}", 3)])
def test_a_group_that_vanishes_while_it_is_expanded_rejects_the_request(
    url: str, form: str, steps: int
) -> None:
    """Part of an audience is never taken for the whole."""
    world = World(url, settings=Settings(page=2))
    group = world.app.contact_groups.create(name="g")
    world.app.contact_groups.add_contacts(group.id, people(world, 9))
    request = world.send("+14159990000", form.format(group.id), "+14159990001")
    for _ in range(steps):
        world.engine.run_due(1)
    world.app.contact_groups.delete(group.id)
    world.engine.run_until_idle()

    assert world.request(request.id).state is RequestState.REJECTED
    world.recount()


def test_a_group_a_little_larger_than_a_page_sends_nobody_two_messages(url: str) -> None:
    """Two contacts that share a device's number, on two pages of the only recipient."""
    world = World(url, settings=Settings(page=3))
    device = [{"msisdn": "+14152000001", "status": "VALID_CONF"}]
    ids = [
        world.app.contacts.create(external_id=f"x{at}", customer_device_list=device).id
        if at in (0, 4)
        else world.app.contacts.create(primary_mdn=f"+1415300000{at}").id
        for at in range(5)
    ]
    group = world.app.contact_groups.create(name="g")
    world.app.contact_groups.add_contacts(group.id, ids)
    request = sent(world, to=[f"group:{group.id}"])

    assert len(addresses(world, request)) == len(set(addresses(world, request))) == 4


def test_one_contact_that_cannot_be_reached_is_one_failure(world: World) -> None:
    """However it is written."""
    id = world.app.contacts.create(external_id="x").id
    request = sent(world, to=[f"contact:{id}", id, f" contact: {id}"])

    assert world.request(request).failed_count == 1


def test_a_number_that_cannot_be_dialled_gives_way_to_a_device(world: World) -> None:
    """And a device of a status that nobody knows is not used."""
    device = {"msisdn": "+14152000001", "status": "VALID_NEW"}
    odd = {"msisdn": "+14152000002", "status": "LOST"}
    one = world.app.contacts.create(primary_mdn="12345", customer_device_list=[odd, device]).id
    world.app.contacts.create(customer_device_list=[odd])
    request = sent(world, criteria={"field": "id", "op": "exists"})

    assert addresses(world, request) == ["+14152000001"]
    assert world.messages(request)[0].contact_id == one


def test_more_recipients_than_allowed_reject_the_request(url: str) -> None:
    """What was made of it by then is canceled, and nothing leaves."""
    world = World(url, settings=Settings(recipients_a_request=700))
    people(world, 1_200)
    request = sent(world, criteria={"field": "id", "op": "exists"})

    assert world.request(request).state is RequestState.REJECTED
    assert {one.state.value for one in world.messages(request)} == {"CANCELED"}


@pytest.mark.parametrize(
    ("field", "fields", "code"),
    [
        ("to", {"to": ["contact:nobody"]}, 400),
        ("to[0]", {"to": ["group:nobody"]}, 400),
        ("to", {"to": []}, 400),
        ("contact_group_id", {"contact_group_id": "nobody"}, 400),
        ("criteria", {"criteria": "TX"}, 1017),
        ("criteria", {"criteria": {"fast_access.nobody": 1}}, 1017),
        ("body", {"to": ["+14155550100"], "body": "Hi ${contact.shoe_size}"}, 1006),
        ("body", {"to": ["+14155550100"], "body": "Hi ${contact.address_list}"}, 1006),
    ],
)
def test_what_can_be_known_is_refused_at_once(
    world: World, field: str, fields: dict[str, object], code: int
) -> None:
    """With the field and the code; nothing is stored."""
    with pytest.raises(InvalidField) as refused:
        world.app.message_requests.create({"from_": world.sender.id, "body": "hi", **fields})

    assert (refused.value.field, refused.value.error_code) == (field, code)
    assert world.app.message_requests.page().total == 0


def test_another_companys_contacts_and_groups_are_unknown(world: World) -> None:
    """In every form they can be named."""
    rival = world.engine.application("rival", 1)
    contact = rival.contacts.create(primary_mdn="+14155550100")
    group = rival.contact_groups.create(name="g")
    rival.contact_groups.add_contacts(group.id, [contact.id])

    for to in (f"contact:{contact.id}", f"group:{group.id}", contact.id, group.id):
        with pytest.raises(InvalidField):
            world.send(to)
        if to.startswith("group:"):
            with pytest.raises(InvalidField):
                world.send("+14155550101", to)
            continue
        request = world.send(to, "+14155550101")
        world.engine.run_until_idle()
        states = Counter(one.failure_code for one in world.messages(request.id))
        assert states == {"INVALID_RECIPIENT": 1, None: 1}


def test_each_contact_reads_its_own_values(world: World) -> None:
    """Attributes and named slots; who lacks one that is needed fails with 1006."""
    app = world.app
    app.fast_access.create(target_attribute="fast_access_1", target_attribute_name="tier",
                           value_derivation_script="$..tier")  # fmt: skip
    for at, name in enumerate(("Ann", "Bo", None)):
        app.contacts.create(
            primary_mdn=f"+1415200000{at}", first_name=name,
            extended_attributes={"tier": "gold"} if at else {},
        )  # fmt: skip
    app.message_templates.create(
        name="t", designation="TEMPLATE",
        pattern="Hi ${contact.first_name}, $!{contact.tier} $!{contact.last_name}!",
    )  # fmt: skip
    app.fast_access.create(target_attribute="fast_access_2", target_attribute_name="first_name")
    request = sent(world, body='#parse("t")', criteria={"field": "id", "op": "exists"},
                   to=["+14159990000"])  # fmt: skip

    held = {one.to_address: (one.body, one.failure_details) for one in world.messages(request)}
    assert held["+14152000000"] == ("Hi Ann,  !", None)
    assert held["+14152000001"] == ("Hi Bo, gold !", None)
    assert held["+14152000002"][1] == "1006 has no value for ${contact.first_name}"
    assert held["+14159990000"][1] == "1006 has no value for ${contact.first_name}"
    assert world.request(request).sent_count == 2


def test_a_value_that_makes_a_text_too_long_fails_that_message_alone(world: World) -> None:
    """With 1012, and others are priced and counted by their own segments."""
    for at, city in enumerate(("x" * 10, "x" * 200, "x" * 255)):
        world.app.contacts.create(primary_mdn=f"+1415200000{at}", primary_addr_city=city)
    body = "${contact.primary_addr_city} " * 6 + "y"
    request = sent(world, body=body, criteria={"field": "id", "op": "exists"})

    held = {one.to_address: one for one in world.messages(request)}
    assert (held["+14152000000"].segments, held["+14152000001"].segments) == (1, 8)
    assert held["+14152000002"].failure_details is not None
    assert held["+14152000002"].failure_details.startswith("1012")


def test_a_contact_is_reached_where_it_can_be(url: str) -> None:
    """Its number, then valid devices by priority, then the newest push token, then mail."""
    world = World(url, kinds=KINDS)
    app, operator = world.app, world.engine.operator()
    senders = {
        name: operator.add_sender_id("acme", address=f"{name}.app", country="USA",
                                     capabilities=list(capabilities)).id
        for name, capabilities in {"sms": ["SMS"], "push": ["PUSH"], "mail": ["EMAIL"]}.items()
    }  # fmt: skip
    channel = app.channels.create(name="c").id
    app.channels.add_sender_ids(channel, list(senders.values()))
    devices = [
        {"msisdn": "+14152000002", "priority": 2, "status": "VALID_CONF"},
        {"msisdn": "+14152000001", "priority": 1, "status": "INVALID"},
        {"msisdn": "+14152000003", "priority": 3},
    ]
    number = app.contacts.create(primary_mdn="+14152000000", customer_device_list=devices).id
    device = app.contacts.create(customer_device_list=devices).id
    push = app.contacts.create(primary_email_addr="a@Example.com").id
    for token in ("old", "new"):
        world.clock.advance(1_000)
        app.application_tokens.create(
            push, sender_id_address="push.app", message_delivery_provider="APN", token=token
        )
    mail = app.contacts.create(primary_email_addr="b@example.com").id
    nowhere = app.contacts.create(external_id="nowhere").id
    request = app.message_requests.create(
        from_=f"channel:{channel}", body="hi", to=[number, device, push, mail, nowhere]
    )
    world.engine.run_until_idle()
    world.recount()

    held = {one.contact_id or one.to_address: one for one in world.messages(request.id)}
    assert held[number].to_address == "+14152000000"
    assert held[device].to_address == "+14152000002"
    assert (held[push].type, held[push].to_address) == ("PSH", "apn@push.app@new")
    assert (held[mail].type, held[mail].to_address) == ("EMAIL", "b@example.com")
    assert held[f"contact:{nowhere}"].failure_code == "INVALID_RECIPIENT"
    request = app.message_requests.create(
        from_=f"channel:{channel}", body="hi", criteria={"external_id": "nowhere"}
    )
    world.engine.run_until_idle()
    assert app.message_requests.get(request.id).recipient_count == 0


def test_the_order_of_addresses_and_of_prices_is_the_requests(url: str) -> None:
    """PUSH first if it says so; by PRICE the cheapest sender that reaches the contact."""
    world = World(url, kinds=KINDS)
    app, operator = world.app, world.engine.operator()
    sms = operator.add_sender_id("acme", address="sms.app", country="USA", capabilities=["SMS"]).id
    push = operator.add_sender_id("acme", address="push.app", capabilities=["PUSH"]).id
    channel = app.channels.create(name="c").id
    app.channels.add_sender_ids(channel, [sms, push])
    operator.add_tariff(sender_id=sms, price=0.05)
    operator.add_tariff(sender_id=push, price=0.01)
    both = app.contacts.create(primary_mdn="+14152000000").id
    app.application_tokens.create(
        both, sender_id_address="push.app", message_delivery_provider="APN", token="t"
    )
    for fields, kind in (
        ({}, "SMS"),
        ({"contact_delivery_address_priority": ["PUSH", "MDN"]}, "PSH"),
        ({"sender_id_sort_criteria": ["PRICE"]}, "PSH"),
        ({"sender_id_sort_criteria": ["DELIVERY_ADDRESS", "PRICE"]}, "SMS"),
    ):
        request = app.message_requests.create(
            {"from_": f"channel:{channel}", "body": "hi", "to": [both], **fields}
        )
        world.engine.run_until_idle()
        [message] = world.messages(request.id)
        assert message.type == kind, fields


def test_voice_is_for_those_who_want_it(url: str) -> None:
    """REQUIRE_VOICE is called or fails with 1003; PREFER_VOICE is written to if need be."""
    world = World(url, kinds=KINDS)
    app, operator = world.app, world.engine.operator()
    voice = operator.add_sender_id("acme", address="v.app", country="USA",
                                   capabilities=["SMS", "VOICE"]).id  # fmt: skip
    wants = {
        preference: app.contacts.create(
            primary_mdn=f"+1415200000{at}", voice_preference=preference
        ).id
        for at, preference in enumerate(("NONE", "PREFER_VOICE", "REQUIRE_VOICE"))
    }
    for sender, kinds in (
        (voice, {"NONE": "SMS", "PREFER_VOICE": "VOICE", "REQUIRE_VOICE": "VOICE"}),
        (world.sender.id, {"NONE": "SMS", "PREFER_VOICE": "SMS", "REQUIRE_VOICE": "VOICE"}),
    ):
        request = app.message_requests.create(from_=sender, body="hi", to=list(wants.values()))
        world.engine.run_until_idle()
        held = {one.contact_id: one for one in world.messages(request.id)}
        assert {name: held[id].type for name, id in wants.items()} == kinds
    refused = held[wants["REQUIRE_VOICE"]]
    assert (refused.failure_code, (refused.failure_details or "")[:4]) == ("OTHER", "1003")


def test_who_requires_a_call_gets_it_at_any_price(url: str) -> None:
    """The request's threshold holds for everybody else (semantics 10)."""
    world = World(url, kinds=KINDS)
    app, operator = world.app, world.engine.operator()
    voice = operator.add_sender_id("acme", address="v.app", country="USA",
                                   capabilities=["SMS", "VOICE"]).id  # fmt: skip
    channel = app.channels.create(name="c").id
    app.channels.add_sender_ids(channel, [voice])
    operator.add_tariff(sender_id=voice, price=0.5)
    for at, preference in enumerate(("NONE", "PREFER_VOICE", "REQUIRE_VOICE")):
        app.contacts.create(primary_mdn=f"+1415200000{at}", voice_preference=preference)
    everybody = {"field": "id", "op": "exists"}
    for sender in (voice, f"channel:{channel}"):
        request = sent(world, from_=sender, criteria=everybody, price_threshold=0.1)
        held = {one.to_address: one.state.value for one in world.messages(request)}
        assert held == {
            "+14152000000": "FAILED", "+14152000001": "FAILED", "+14152000002": "DELIVERED",
        }  # fmt: skip


def test_any_price_is_meant_of_every_sender_that_is_tried(url: str) -> None:
    """Also of the one that takes over from another that cannot send."""
    world = World(url, kinds=KINDS)
    app, operator = world.app, world.engine.operator()
    ids = [
        operator.add_sender_id("acme", address=address, country="USA", capabilities=["VOICE"]).id
        for address in ("v1.app", "v2.app")
    ]
    channel = app.channels.create(name="c").id
    app.channels.add_sender_ids(channel, ids)
    for id in ids:
        operator.add_tariff(sender_id=id, price=0.5)
    people = {"field": "id", "op": "exists"}
    app.contacts.create(primary_mdn="+14152000000", voice_preference="REQUIRE_VOICE")
    request = app.message_requests.create(
        from_=f"channel:{channel}", body="hi", criteria=people, price_threshold=0.1,
        scheduled_delivery_time=world.clock.now() + 60_000,
    )  # fmt: skip
    world.engine.run_due(5)
    [message] = world.messages(request.id)
    app.sender_ids.update(message.customer_sender_id or "", state="INACTIVE")
    world.engine.run_until_idle()

    [after] = world.messages(request.id)
    assert (after.state, after.customer_sender_id != message.customer_sender_id) == (
        "DELIVERED", True,
    )  # fmt: skip


def test_each_contact_hears_its_own_language(url: str) -> None:
    """One call of the translator for each language; the counts are the messages'."""
    table = {("en", "es"): {"hello": "hola"}, ("en", "fr"): {"hello": "bonjour"}}
    world = World(url, ports={"translator": TableTranslator(table)})
    for at, language in enumerate(("es", "fr", "es", "EN", None, "xx")):
        world.app.contacts.create(primary_mdn=f"+1415200000{at}", preferred_language=language)
    request = sent(world, body="hello", translate=True, criteria={"field": "id", "op": "exists"})

    bodies = [one.body for one in sorted(world.messages(request), key=lambda m: m.to_address or "")]
    assert bodies == ["hola", "bonjour", "hola", "hello", "hello", "hello"]
    held = world.request(request)
    assert (held.translations_count, held.translations_failed_count) == (3, 1)
    assert held.translations_performed_count == 3


def test_a_local_time_is_that_of_a_contacts_zip_code(world: World) -> None:
    """Which is nearer than that of its number (L698)."""
    app = world.app
    app.contacts.create(
        primary_mdn="+14155550100", primary_addr_zip="10001", primary_addr_country="us"
    )
    request = app.message_requests.create(
        from_=world.sender.id, body="hi", criteria={"field": "id", "op": "exists"},
        scheduled_delivery_time="2026-01-02T09:00:00", scheduled_delivery_time_zone="LOCAL",
    )  # fmt: skip
    world.engine.run_due(10)

    [message] = world.messages(request.id)
    assert message.scheduled_delivery_time == 1_767_362_400_000  # 14:00 UTC: nine in New York


def test_an_opt_in_dates_the_contact_and_keywords_are_kept(world: World) -> None:
    """STORE keeps the keyword, newest last; nobody becomes a contact by writing."""
    app = world.app
    made = app.contacts.create(primary_mdn="+14155550100")
    app.keywords.create(name="join", value="JOIN", actions=["OPTIN", "STORE"])
    app.keywords.create(name="golf", value="GOLF")
    world.clock.advance(5_000)
    first = world.clock.now()
    for word in ("join", "golf", "join"):
        world.carrier.handset_sends("+14155550100", world.sender.address, word, world.clock.now())
        world.engine.run_until_idle()
        world.clock.advance(5_000)
    now = world.clock.now()
    world.carrier.handset_sends("+14155550199", world.sender.address, "golf", now)
    world.engine.run_until_idle()

    held = app.contacts.get(made.id)
    assert held.stored_keywords == ("GOLF", "JOIN")
    assert held.first_acquisition_date is not None
    assert held.first_acquisition_date >= first
    assert held.last_acquisition_date is not None
    assert held.last_acquisition_date > held.first_acquisition_date
    assert app.contacts.page().total == 1
    assert {one.contact_id for one in world.messages() if one.from_address == "+14155550100"} == {
        made.id
    }


def test_an_opt_in_by_the_customer_is_the_first_acquisition_only(world: World) -> None:
    """The last is what the person did (semantics 11-14)."""
    made = world.app.contacts.create(primary_mdn="+14155550100")
    world.app.contact_address_statuses.create(
        address="+14155550100", sender_id=world.sender.id, consent_status="OPTIN"
    )

    held = world.app.contacts.get(made.id)
    assert held.first_acquisition_date is not None
    assert held.last_acquisition_date is None


def test_a_canceled_fan_out_over_a_group_stops(world: World) -> None:
    """What was made is canceled, the rest is never made."""
    people(world, 2_600)
    request = world.app.message_requests.create(
        from_=world.sender.id, body="hi", criteria={"field": "id", "op": "exists"}
    )
    world.engine.run_due(2)
    world.app.message_requests.cancel(request.id)
    world.engine.run_until_idle()
    world.recount()

    made = world.messages(request.id)
    assert 0 < len(made) < 2_600
    assert {one.state.value for one in made} == {"CANCELED"}
