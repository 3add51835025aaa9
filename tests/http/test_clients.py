"""Each resource lives its whole life through clients of six languages, unchanged (wire 1-8)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import frozen

from tests.http.clients import CSHARP, DIALECTS, JAVA, NODE, PYTHON, Client, Dialect, Failed
from tests.http.lives import voice_number
from tests.http.server import Served

REQUESTS = "/messaging/message_requests"
NUMBERS = itertools.count(1)
Make = Callable[[Client, Served], dict[str, Any]]


@pytest.fixture(scope="module")
def alone() -> Iterator[Served]:
    """A server of its own, whose lists stay short."""
    with Served() as served:
        yield served


@pytest.fixture(params=DIALECTS, ids=lambda one: one.name)
def client(request: pytest.FixtureRequest, alone: Served) -> Client:
    """A client of each language."""
    return Client(request.param, alone)


@frozen
class Life:
    """A collection, a body to make one with, a change, and what it is found by in the list."""

    collection: str
    new: Make
    change: dict[str, Any]
    by: tuple[str, ...] = ()
    replaced: Make | None = None
    reads: bool = True


def _n() -> int:
    return next(NUMBERS)


def _attachment(client: Client, _: Served) -> dict[str, Any]:
    return {"name": f"f{_n()}", "type": "text/csv", "filename": "f.csv"}


def _message_request(_: Client, served: Served) -> dict[str, Any]:
    return {
        "from": f"sender_id:{served.world.sender.id}", "to": ["+14155550100"], "body": "hello",
        "external_id": f"x{_n()}", "expiry_time": "",
        "subject": None,
    }  # fmt: skip


def _keyword(_: Client, __: Served) -> dict[str, Any]:
    return {
        "name": f"k{_n()}", "value": f"WORD {_n()}", "actions": "OPTIN STORE",
        "valid_from": "2016-01-07T21:52:34.473Z",
    }  # fmt: skip


def _contact(_: Client, __: Served) -> dict[str, Any]:
    number = _n()
    return {
        "external_id": f"c{number}", "primary_mdn": f"1415555{1000 + number}", "first_name": "Ann",
        "extended_attributes": '{"Favorite_Color": "red"}', "last_name": None,
    }  # fmt: skip


def _rule(client: Client, _: Served) -> dict[str, Any]:
    for held in client.items("/contacts/fast_access"):
        client.delete(f"/contacts/fast_access/{held['id']}")
    return {
        "target_attribute_name": f"color{_n()}", "target_attribute": "fast_access_12",
        "value_derivation_script": "$..extended_attributes.Favorite_Color",
    }  # fmt: skip


def _status(_: Client, served: Served) -> dict[str, Any]:
    return {
        "address_type": "MDN", "address": f"+1415666{1000 + _n()}",
        "sender_id": served.world.sender.id, "consent_status": "OPTIN",
    }  # fmt: skip


def _call(_: Client, served: Served) -> dict[str, Any]:
    return {"from": voice_number(served), "to": "+14155550123", "external_id": f"x{_n()}"}


def _template(_: Client, __: Served) -> dict[str, Any]:
    return {"name": f"t{_n()}", "designation": "TEMPLATE", "pattern": "Your test is ${testName}"}


LIVES = {
    "message request": Life(REQUESTS, _message_request, {"state": "CANCELED"}, ("external_id",)),
    "sender id": Life(
        "/messaging/sender_ids",
        lambda _, __: {"address": f"9{10_000 + _n()}", "class_id": "NOTIFICATION"},
        {"state": "INACTIVE"}, ("address", "class_id", "id"),
    ),
    "channel": Life(
        "/messaging/channels", lambda _, __: {"name": f"ch{_n()}"}, {"description": "d"}, ("name",),
        lambda _, __: {"name": f"ch{_n()}", "priority": "high"},
    ),
    "template": Life(
        "/messaging/message_templates", _template, {"pattern": "other ${x}"},
        ("name", "designation"), _template,
    ),
    "keyword": Life("/messaging/keywords", _keyword, {"description": "d"}, ("name",), _keyword),
    "address status": Life(
        "/consent/contact_address_statuses", _status, {"consent_status": "OPTOUT"},
        ("address", "sender_id"),
    ),
    "attachment": Life("/messaging/attachments", _attachment, {"name": "renamed"}, ("id",)),
    "contact": Life(
        "/contacts", _contact, {"first_name": "Anne"}, ("primary_mdn", "external_id"), _contact
    ),
    "fast access": Life("/contacts/fast_access", _rule, {"user_data": "u"}, ("id",)),
    "group": Life(
        "/contact_groups", lambda _, __: {"name": f"g{_n()}"}, {"description": "d"}, ("name",),
        lambda _, __: {"name": f"g{_n()}"},
    ),
    "call": Life("/calling/calls", _call, {"state": "COMPLETED"}, ("external_id",)),
    "bridge": Life("/calling/bridges", lambda _, __: {"bridge_audio": True},
                   {"bridge_audio": False}, ("id",)),
}  # fmt: skip


def is_gone(client: Client, path: str) -> bool:
    """Whether reading it is refused with 404."""
    try:
        client.read(path)
    except Failed as refused:
        return refused.status == 404
    return False


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_a_resource_lives_from_create_to_404(client: Client, alone: Served, life: Life) -> None:
    """Made, read, found, changed, replaced, deleted; and then it is nowhere."""
    body = life.new(client, alone)
    id = client.create(life.collection, body)
    path = f"{life.collection}/{id}"
    held = client.read(path)
    assert held["id"] == id
    if life.collection not in ("/calling/calls", "/consent/contact_address_statuses"):
        assert held.get("version_number", 1) == 1  # these two have moved on by themselves
    assert len(id) in (21, 22) or life.collection.startswith("/consent")

    for name in life.by:
        found = [one["id"] for one in client.items(life.collection, **{name: held[name]})]
        assert id in found, name

    client.update(path, life.change)
    after = client.read(path)
    [(name, value)] = life.change.items()
    assert after[name] == value
    if client.dialect.whole is not None:  # whatever came along is as it was
        same = set(held) - {name, "version_number", "last_updated_date", "last_update_date"}
        if life.collection not in ("/calling/calls", REQUESTS):
            assert {n: after.get(n) for n in same} == {n: held[n] for n in same}
    if life.replaced is not None:
        put = life.replaced(client, alone)
        client.replace(path, put)
        [(key, value)] = list(put.items())[:1]
        assert client.read(path)[key] == value

    client.delete(path)
    assert is_gone(client, path)
    assert id not in [one["id"] for one in client.items(life.collection, id=id)]
    with pytest.raises(Failed) as again:
        client.delete(path)
    assert again.value.status == 404


def test_the_delete_of_no_id_deletes_nothing(client: Client, alone: Served) -> None:
    """After a failed create some clients go on with an empty id."""
    for life in LIVES.values():
        kept = client.create(life.collection, life.new(client, alone))
        with pytest.raises(Failed) as refused:
            client.delete(f"{life.collection}/")
        assert refused.value.status in (404, 405)
        assert client.read(f"{life.collection}/{kept}")
        client.delete(f"{life.collection}/{kept}")


def test_a_failed_create_raises_and_makes_nothing(client: Client, alone: Served) -> None:
    """A client that is told 400 finds the list as long as before."""
    for collection, body in (
        (REQUESTS, {"to": ["+14155550100"]}), ("/messaging/channels", {"name": {}}),
        ("/messaging/keywords", {"name": f"k{_n()}"}), ("/contacts", {"primary_mdn": "x"}),
        ("/calling/calls", {"from": "nobody", "to": "+14155550100"}),
    ):  # fmt: skip
        before = {one["id"] for one in client.items(collection)}
        with pytest.raises(Failed) as refused:
            client.create(collection, body)
        assert refused.value.status == 400, collection
        assert {one["id"] for one in client.items(collection)} == before


def test_a_content_goes_up_and_comes_down(client: Client, alone: Served) -> None:
    """Raw or as a part of a form, with and without a bearer; the size is counted."""
    id = client.create("/messaging/attachments", _attachment(client, alone))
    assert client.read(f"/messaging/attachments/{id}")["state"] == "CREATED"
    content = bytes(range(256)) * 40
    client.upload(id, content)

    held = client.read(f"/messaging/attachments/{id}")
    assert (held["state"], held["size"]) == ("UPLOADED", len(content))
    assert client.download(id) == content
    client.upload(id, b"another")
    assert client.download(id) == b"another"


def test_a_test_message_is_sent_and_its_message_deleted(client: Client, alone: Served) -> None:
    """One message a recipient; a deleted one is not to be read."""
    body = _message_request(client, alone) | {"test_message_flag": True}
    id = client.create(REQUESTS, body)
    alone.settle()
    [message] = client.items(f"{REQUESTS}/{id}/messages")
    listed = [one["id"] for one in client.items("/messaging/messages", message_request_id=id)]
    assert listed == [message["id"]]
    assert message["to_address"].lstrip("+") == "14155550100"
    path = f"/messaging/messages/{message['id']}"
    assert list(client.items(f"{path}/attachments")) == []
    client.delete(path)
    assert is_gone(client, path)


def test_states_are_set_without_a_version(client: Client, alone: Served) -> None:
    """A paused request is resumed, its message marked; the client knows no version."""
    body = _message_request(client, alone) | {"pause_before_transmit": True}
    body["pause_before_transmit"] = "true" if client.dialect.version_text else True
    id = client.create(REQUESTS, body)
    alone.world.engine.run_due(100)
    assert client.read(f"{REQUESTS}/{id}")["state"] == "PAUSED"
    client.act(f"{REQUESTS}/{id}", {"state": "TRANSMITTING"})
    alone.settle()
    assert client.read(f"{REQUESTS}/{id}")["state"] == "COMPLETED"
    [message] = client.items(f"{REQUESTS}/{id}/messages")
    client.act(f"/messaging/messages/{message['id']}", {"state": "CONVERTED"})
    assert client.read(f"/messaging/messages/{message['id']}")["state"] == "CONVERTED"


def test_a_sender_id_is_activated_with_the_version_that_was_read(
    client: Client, alone: Served
) -> None:
    """As number or text; one that counts on by itself sends a stale one after somebody else."""
    path = f"/messaging/sender_ids/{client.create('/messaging/sender_ids', {'address': _a()})}"
    for state in ("INACTIVE", "ACTIVE"):
        version: Any = client.read(path)["version_number"]
        if client.dialect.version_text:
            version = str(version)
        client.act(path, {"state": state, "version_number": version})
        assert client.read(path)["state"] == state
    with pytest.raises(Failed) as stale:
        client.act(path, {"name": "late", "version_number": 1})
    assert stale.value.status == 409


def _a() -> str:
    return f"8{10_000 + _n()}"


def test_members_are_added_listed_and_taken_out(client: Client, alone: Served) -> None:
    """Of a channel and a group; adding twice is harmless, an unknown one is named in errors."""
    channel = f"/messaging/channels/{client.create('/messaging/channels', {'name': f'm{_n()}'})}"
    group = f"/contact_groups/{client.create('/contact_groups', {'name': f'm{_n()}'})}"
    sender = client.create("/messaging/sender_ids", {"address": _a()})
    contact = client.create("/contacts", _contact(client, alone))
    for path, below, one in (
        (channel, "sender_ids", sender), (group, "contacts", contact),
    ):  # fmt: skip
        for _ in range(2):
            answered = client.act(f"{path}/{below}", {below: [one]})
            assert answered.get("id")
            assert not answered.get("errors")
        mixed = client.act(f"{path}/{below}", {below: [one, "0" * 22]})
        assert list(mixed["errors"]) == ["0" * 22]
        assert [held["id"] for held in client.items(f"{path}/{below}")] == [one]
        client.delete(f"{path}/{below}/{one}")
        assert list(client.items(f"{path}/{below}")) == []


def test_tokens_of_a_contact_live_beside_it(client: Client, alone: Served) -> None:
    """An access token with its end, and an application's token for push messages."""
    contact = client.create("/contacts", _contact(client, alone))
    below = f"/contacts/{contact}/access_tokens"
    token = client.create(below, {"duration": "6000"})
    assert client.read(f"{below}/{token}")["expiry_time"] > 0
    client.delete(f"{below}/{token}")
    assert is_gone(client, f"{below}/{token}")
    below = f"/contacts/{contact}/application_tokens"
    body = {"sender_id_address": "a", "message_delivery_provider": "APN", "token": f"t{_n()}"}
    token = client.create(below, body)
    client.update(f"{below}/{token}", {"token": f"t{_n()}"})
    assert [one["id"] for one in client.items(below)] == [token]
    client.delete(f"{below}/{token}")
    assert is_gone(client, f"{below}/{token}")


def test_jobs_run_and_are_deleted(client: Client, alone: Served) -> None:
    """An import from an uploaded file and an export, read until they are done."""
    file = client.create("/messaging/attachments", _attachment(client, alone))
    client.upload(file, f"external_id,first_name\njob{_n()},Ann\n".encode())
    for collection, body in (
        ("/contactimport", {"import_attachment_id": file}), ("/contactexport", {}),
    ):  # fmt: skip
        job = client.create(collection, body)
        alone.settle()
        assert client.read(f"{collection}/{job}")["state"] == "COMPLETED"
        assert job in [one["id"] for one in client.items(collection)]
        client.delete(f"{collection}/{job}")
        assert is_gone(client, f"{collection}/{job}")


def test_two_calls_are_bridged_and_hung_up(client: Client, alone: Served) -> None:
    """Answered, bridged, a sound played, hung up; a conference with a member named either way."""
    calls = [client.create("/calling/calls", _call(client, alone)) for _ in range(2)]
    bridge = client.create("/calling/bridges", {"bridge_audio": True})
    client.act(f"/calling/bridges/{bridge}", {"call_ids": calls, "bridge_audio": True})
    assert set(client.read(f"/calling/bridges/{bridge}")["call_ids"]) == set(calls)
    sound = {"source_type": "URL", "source": "https://example.com/a.mp3"}
    client.act(f"/calling/bridges/{bridge}/play_audio", sound)
    for id in calls:
        client.act(f"/calling/calls/{id}", {"state": "COMPLETED"})
    alone.settle()
    assert client.read(f"/calling/calls/{calls[0]}")["state"] == "COMPLETED"
    conference = client.create("/calling/conferences", {})
    for name in ("callId", "call_id"):
        call = client.create("/calling/calls", _call(client, alone))
        client.create(f"/calling/conferences/{conference}/members", {name: call})
    assert len(list(client.items(f"/calling/conferences/{conference}/members"))) == 2
    client.delete(f"/calling/conferences/{conference}")
    assert is_gone(client, f"/calling/conferences/{conference}")
    client.delete(f"/calling/bridges/{bridge}")
    assert is_gone(client, f"/calling/bridges/{bridge}")


@pytest.mark.parametrize("dialect", [NODE, PYTHON], ids=lambda one: one.name)
def test_three_hundred_are_read_page_by_page(dialect: Dialect) -> None:
    """To the total; a page is a hundred if nothing is said, which the one-page reader needs."""
    with Served() as served:
        client = Client(dialect, served)
        many = 100 if dialect is NODE else 301
        made = {client.create("/contacts", {"external_id": f"p{n}"}) for n in range(many)}

        assert {one["id"] for one in client.items("/contacts")} == made


@pytest.mark.parametrize("dialect", [CSHARP, JAVA], ids=lambda one: one.name)
def test_a_purchase_by_query_or_body(dialect: Dialect, alone: Served) -> None:
    """One client sends no body at all."""
    client = Client(dialect, alone)
    fields = {"address": _a(), "ownership": "PREPROVISIONED"}
    parent = alone.world.engine.operator().add_sender_id("operator", fields).id
    path = "/messaging/sender_ids/purchase"
    if dialect is JAVA:
        bought = client.act(f"{path}?parent_id={parent}", None)
    else:
        bought = client.act(path, {"parent_id": parent})

    assert client.read(f"/messaging/sender_ids/{bought['id']}")["parent_id"] == parent
