"""Sender ids, classes, types and channels over the wire, as real clients use them."""

from __future__ import annotations

import json

import pytest

from tests.http.server import Served

SENDERS, CHANNELS = "/messaging/sender_ids", "/messaging/channels"


def sender(served: Served, **fields: object) -> str:
    """A new sender id of acme."""
    made = served.call("POST", SENDERS, {"address": f"7{served.number()}", **fields})
    assert made.status == 200, made.body
    return str(made.json["id"])


def offer(served: Served, ownership: str = "PREPROVISIONED") -> str:
    """A sender id of the operator."""
    fields = {"address": f"6{served.number()}", "ownership": ownership}
    return served.world.engine.operator().add_sender_id("operator", fields).id


@pytest.mark.parametrize("form", ["json", "query", "form"])
def test_a_purchase_names_the_parent_in_body_or_query(served: Served, form: str) -> None:
    """JSON, a query with an empty body, and a form."""
    parent = offer(served)
    match form:
        case "json":
            made = served.call("POST", f"{SENDERS}/purchase", {"parent_id": parent})
        case "query":
            made = served.call("POST", f"{SENDERS}/purchase?parent_id={parent}", raw=b"")
        case _:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            raw = f"parent_id={parent}".encode()
            made = served.call("POST", f"{SENDERS}/purchase", raw=raw, headers=headers)

    held = served.call("GET", f"{SENDERS}/{made.json['id']}").json
    assert (held["parent_id"], held["ownership"], held["company_id"]) == (parent, "PRIVATE", "acme")
    again = served.call("POST", f"{SENDERS}/purchase", {"parent_id": parent}, token="rival")
    assert (again.status, again.code) == (409, "1011")
    for nothing in ({}, {"parent_id": None}, {"parent_id": "nobody"}, {"parent_id": [1]}):
        assert served.call("POST", f"{SENDERS}/purchase", nothing).code == "400"


def test_a_sender_id_is_read_changed_and_posted_back_whole(served: Served) -> None:
    """Python, Node and C# clients post what they have read, with a version."""
    id = sender(served, name="one", credentials='[{"key":"hunter2"}]')
    whole = served.call("GET", f"{SENDERS}/{id}").json
    assert "hunter2" not in json.dumps(whole)
    assert "hunter2" not in served.call("GET", SENDERS).body.decode()

    changed = {**whole, "name": "two"}
    assert served.call("POST", f"{SENDERS}/{id}", changed).json == {"id": id}
    after = served.call("GET", f"{SENDERS}/{id}").json
    assert (after["name"], after["version_number"]) == ("two", 2)
    assert after["credentials"] == whole["credentials"]
    assert "hunter2" in (served.world.app.sender_ids.get(id).credentials or "")


def test_a_sender_id_is_switched_off_and_on_by_its_state(served: Served) -> None:
    """With and without a version; other states and fields are 403."""
    id = sender(served)
    off = served.call("POST", f"{SENDERS}/{id}", {"state": "INACTIVE", "version_number": 1})
    on = served.call("POST", f"{SENDERS}/{id}", {"state": "ACTIVE"})
    refused = served.call("POST", f"{SENDERS}/{id}", {"state": "BROKEN"})
    foreign = served.call("POST", f"{SENDERS}/{id}", {"country": "CAN"})

    assert (off.status, on.status) == (200, 200)
    assert (refused.status, refused.code) == (403, "403")
    assert (foreign.status, foreign.code) == (403, "403")
    assert served.call("GET", f"{SENDERS}/{id}").json["state"] == "ACTIVE"


def test_lists_of_sender_ids_show_ones_own_and_those_on_offer(served: Served) -> None:
    """Never another company's, nor what was purchased."""
    mine, theirs = sender(served), offer(served)
    shared = offer(served, "SHARED")
    bought = served.call("POST", f"{SENDERS}/purchase", {"parent_id": theirs}).json["id"]

    def seen(token: str) -> set[str]:
        page = served.call("GET", f"{SENDERS}?limit=1000", token=token).json
        return {one["id"] for one in page["list"]}

    assert {mine, shared, bought} <= seen("acme")
    assert theirs not in seen("acme")
    assert seen("rival").isdisjoint({mine, bought, theirs})
    assert shared in seen("rival")
    assert served.call("POST", f"{SENDERS}/{shared}", {"name": "x"}).status == 403
    assert served.call("DELETE", f"{SENDERS}/{shared}").status == 403


def test_classes_and_types_are_read_only_and_the_same_for_all(served: Served) -> None:
    """Arrays where clients read arrays, text where they read text."""
    for path in ("/messaging/sender_id_classes", "/messaging/sender_id_types"):
        page = served.call("GET", path, token="rival").json
        assert page["total"] >= 3
        one = served.call("GET", f"{path}/{page['list'][0]['id']}").json
        for verb in ("POST", "PUT", "DELETE"):
            assert served.call(verb, path, {}).status == 405
            assert served.call(verb, f"{path}/{one['id']}", {}).status == 405
    kind = served.call("GET", "/messaging/sender_id_types/SHORTCODE").json
    assert kind["capabilities"] == ["SMS", "MMS"]
    assert kind["allowed_mime_types"] == kind["blocked_mime_types"] == []
    found = served.call("GET", "/messaging/sender_id_types?capabilities=EMAIL").json["list"]
    assert [one["id"] for one in found] == ["EMAIL"]
    commercial = served.call("GET", "/messaging/sender_id_classes/COMMERCIAL").json
    assert isinstance(commercial["delivery_window"], str)


def test_members_of_a_channel_are_added_listed_and_taken_out(served: Served) -> None:
    """Adding twice is harmless; what cannot be added is named in a 200."""
    id = served.call("POST", CHANNELS, {"name": f"c {served.number()}"}).json["id"]
    one, two = sender(served), sender(served, name="two")
    members = f"{CHANNELS}/{id}/sender_ids"

    for _ in range(2):
        assert served.call("POST", members, {"sender_ids": [one, two]}).json == {"id": id}
    odd = served.call("POST", members, {"sender_ids": ["bad"]})
    assert odd.status == 200
    assert odd.json == {"id": id, "errors": {"bad": "Unknown document: bad"}}
    assert served.call("GET", members).json["total"] == 2
    assert [m["id"] for m in served.call("GET", f"{members}?name=two").json["list"]] == [two]
    assert served.call("DELETE", f"{members}/{one}").status == 204
    assert served.call("DELETE", f"{members}/{one}").status == 404
    assert served.call("DELETE", members, {"sender_ids": [two]}).status == 204
    assert served.call("GET", members).json["list"] == []
    for nothing in ({}, {"sender_ids": []}, {"sender_ids": [[]]}, {"sender_ids": 7}):
        assert served.call("POST", members, nothing).status in (200, 400)


def test_a_channels_life_from_create_to_404(served: Served) -> None:
    """Partial update, full replace, unique name, delete."""
    name = f"c {served.number()}"
    id = served.call("POST", CHANNELS, {"name": name, "priority": "HIGH"}).json["id"]
    path = f"{CHANNELS}/{id}"
    assert served.call("GET", path).json["priority"] == "high"
    assert served.call("POST", CHANNELS, {"name": name}).code == "1011"
    served.call("POST", path, {"description": "text"})
    assert served.call("GET", path).json["priority"] == "high"
    assert served.call("PUT", path, {"name": name + "!"}).json == {"id": id}
    held = served.call("GET", path).json
    assert (held["priority"], held.get("description"), held["version_number"]) == (
        "normal",
        None,
        3,
    )
    assert served.call("PUT", path, {"priority": "low"}).code == "400"
    assert served.call("POST", path, {"priority": "urgent"}).code == "400"
    assert served.call("POST", CHANNELS, {"name": "x", "ownership": "PUBLIC"}).code == "403"
    assert served.call("DELETE", path).status == 204
    assert served.call("GET", path).status == 404


@pytest.mark.parametrize("form", ["channel:{}", "channel-{}", "channel: {}"])
def test_a_request_goes_out_through_a_channel(served: Served, form: str) -> None:
    """The forms of ``from`` that clients write."""
    id = served.call("POST", CHANNELS, {"name": f"c {served.number()}"}).json["id"]
    one = sender(served)
    served.call("POST", f"{CHANNELS}/{id}/sender_ids", {"sender_ids": [one]})
    made = served.request(**{"from": form.format(id)})
    served.settle()

    [message] = served.call("GET", f"/messaging/message_requests/{made}/messages").json["list"]
    assert (message["customer_sender_id"], message["state"]) == (one, "DELIVERED")


def test_a_request_beyond_the_credit_is_402(served: Served) -> None:
    """Nothing is stored."""
    operator = served.world.engine.operator()
    operator.add_tariff(price=1)
    operator.add_credit("acme", 2)
    body = {"from": served.world.sender.id, "to": [f"+1415{2_000_000 + n}" for n in range(3)],
            "body": "x"}  # fmt: skip
    refused = served.call("POST", "/messaging/message_requests", body)

    assert (refused.status, refused.code) == (402, "402")


def test_if_match_at_a_sender_id_of_a_channel_compares_the_channels_version(served: Served) -> None:
    """A version that is not the channel's is 412, and an unknown channel 404."""
    channel = served.call("POST", "/messaging/channels", {"name": "matched"}).json["id"]
    for id, status in ((channel, 412), ("nobody", 404)):
        path = f"/messaging/channels/{id}/sender_ids/x"
        answer = served.call("DELETE", path, headers={"If-Match": '"99"'})
        assert answer.status == status
