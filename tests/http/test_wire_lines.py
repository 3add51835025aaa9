"""The lines of the wire contract, sections 3 to 9, that count for every resource or stand alone.

``test_wire`` has those of requests and lists, ``test_clients`` the lives that clients lead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from scg_adapters.http.routes import ROUTES, Does, Route
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Micros, declaration
from scg_core.messaging.model import Message
from scg_core.messaging.records import Fragment, FragmentState
from scg_core.tenancy.model import Scope
from tests.http.clients import ARRAYS, TEXTS
from tests.http.lives import body_of, path_of, sample
from tests.http.server import Answer, Served
from tests.http.test_probes import name

CUSTOMERS = [one for one in ROUTES if one.scope is Scope.CUSTOMER]


def routes(*does: Does) -> list[Route]:
    """The customers' routes that do one of these."""
    return [one for one in CUSTOMERS if one.does in does]


def called(served: Served, route: Route) -> Answer:
    """A good call of a route."""
    return served.call(route.verb, path_of(route, served), body_of(route, served))


def made(served: Served, path: str, body: dict[str, Any]) -> str:
    """The id of something new."""
    answer = served.call("POST", path, body)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


@pytest.fixture(scope="module")
def alone() -> Iterator[Served]:
    """A server of its own, for rows that no engine would have made."""
    with Served() as served:
        yield served


# Section 3: verbs, status codes, bodies


@pytest.mark.parametrize(
    "route", routes(Does.CREATE, Does.UPDATE, Does.REPLACE, Does.ACT, Does.PLAY, Does.ADD), ids=name
)
def test_3_what_makes_or_changes_answers_200_with_an_id(served: Served, route: Route) -> None:
    """Never 201, 202 or an empty 200, whichever resource."""
    answer = called(served, route)

    assert answer.status == 200
    assert isinstance(answer.json["id"], str)


@pytest.mark.parametrize("route", routes(Does.DELETE, Does.TAKE), ids=name)
def test_3_a_delete_answers_204_and_no_body(served: Served, route: Route) -> None:
    """Whichever resource; then the id answers 404, on GET and on another DELETE."""
    path, body = path_of(route, served), body_of(route, served)
    if route.field:  # it takes members by the body: put one in first
        served.call("POST", path, body)
    answer = served.call(route.verb, path, body)

    assert (answer.status, answer.body) == (204, b"")
    if not route.field:
        assert served.call("DELETE", path).status == 404
    if route.does is Does.DELETE:
        assert served.call("GET", path).status == 404


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "application/json"}, {"Content-Length": "0"}, {}],
)
def test_3_a_get_and_a_delete_may_carry_what_they_like(
    served: Served, headers: dict[str, str]
) -> None:
    """A content type, a length of nothing, an empty body; for a sub-resource too."""
    group = made(served, "/contact_groups", {"name": f"g{served.number()}"})
    contact = made(served, "/contacts", {})
    served.call("POST", f"/contact_groups/{group}/contacts", {"contacts": [contact]})

    for verb, path, status in (
        ("GET", f"/contact_groups/{group}/contacts", 200),
        ("DELETE", f"/contact_groups/{group}/contacts/{contact}", 204),
        ("DELETE", f"/contact_groups/{group}", 204),
    ):
        assert served.call(verb, path, raw=b"", headers=headers).status == status


def test_3_post_changes_in_part_and_put_replaces(served: Served) -> None:
    """What PUT does not name takes its default; PATCH is not served."""
    path = "/contacts"
    id = made(served, path, {"first_name": "Ann", "last_name": "Lee"})
    served.call("POST", f"{path}/{id}", {"first_name": "Anne"})
    assert served.call("GET", f"{path}/{id}").json["last_name"] == "Lee"
    served.call("PUT", f"{path}/{id}", {"first_name": "Anna"})
    held = served.call("GET", f"{path}/{id}").json

    assert (held["first_name"], "last_name" in held) == ("Anna", False)
    assert served.call("PATCH", f"{path}/{id}", {"first_name": "x"}).status == 405


def test_3_a_put_may_be_a_form_or_json(served: Served) -> None:
    """The content type says which, however it is written; a charset does not matter."""
    id = made(served, "/contacts", {})
    for kind, raw in (
        ("application/x-www-form-urlencoded", b"first_name=Ann+Lee&last_name=%C3%89"),
        (
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            b"first_name=Ann+Lee&last_name=%C3%89",
        ),
        ("application/json;charset=UTF-8", '{"first_name":"Ann Lee","last_name":"É"}'.encode()),
    ):
        answer = served.call("PUT", f"/contacts/{id}", raw=raw, headers={"Content-Type": kind})
        held = served.call("GET", f"/contacts/{id}").json
        assert (answer.status, held["first_name"], held["last_name"]) == (200, "Ann Lee", "É")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(b"{}", "application/json"), (b"", "application/json"), (b"", None), (b"null", None),
     (b"null", "Application/json")],
)  # fmt: skip
def test_3_a_token_is_made_of_any_empty_body(served: Served, raw: bytes, kind: str | None) -> None:
    """Four clients write nothing in four ways."""
    attachment = made(served, "/messaging/attachments", {"name": "f"})
    headers = {} if kind is None else {"Content-Type": kind}
    path = f"/messaging/attachments/{attachment}/access_tokens"

    assert served.call("POST", path, raw=raw, headers=headers).status == 200


@pytest.mark.parametrize("route", routes(Does.UPDATE), ids=name)
def test_3_a_whole_resource_may_be_posted_back(served: Served, route: Route) -> None:
    """With everything that cannot be written, unknown fields, and the version as it was read."""
    path = path_of(route, served)
    whole = served.call("GET", path).json
    answer = served.call("POST", path, {**whole, "unheard_of": {"a": [1]}})
    after = served.call("GET", path).json

    assert answer.status == 200
    assert after == whole


# Section 4: lists and filters


@pytest.mark.parametrize("route", routes(Does.LIST), ids=name)
def test_4_every_list_comes_in_the_envelope(served: Served, route: Route) -> None:
    """Also past its end, with a trailing slash, and however it is filtered by what nobody has."""
    path = path_of(route, served)
    for tail in ("", "/", "?offset=0", "/?offset=0&limit=7", "?offset=100000", "?sort=id"):
        answer = served.call("GET", path + tail)
        page = answer.json
        assert answer.status == 200
        assert list(page) == ["list", "total", "offset", "limit"]
        assert all(type(page[key]) is int for key in ("total", "offset", "limit"))
        assert len(page["list"]) <= page["limit"]
        if "100000" in tail:
            assert page["list"] == []
    assert served.call("GET", path).json["limit"] >= 100


@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        ("/contacts", "primary_mdn", {"primary_mdn": "14155550142"}),
        ("/contacts", "external_id", {"external_id": "x-142"}),
        ("/messaging/sender_ids", "address", {"address": "14142"}),
        ("/messaging/sender_ids", "class_id", {"address": "14143", "class_id": "COMMERCIAL"}),
        ("/messaging/sender_ids", "name", {"address": "14144", "name": "n-144"}),
        ("/messaging/message_templates", "designation",
         {"name": "wire142", "designation": "VALIDATOR", "pattern": "x"}),
        ("/messaging/message_templates", "name",
         {"name": "wire143", "designation": "VALIDATOR", "pattern": "x"}),
    ],
)  # fmt: skip
def test_4_filters_that_clients_were_seen_to_use(
    served: Served, path: str, field: str, body: dict[str, Any]
) -> None:
    """Equality, ANDed with others, values as text; repeated, any of them."""
    id = made(served, path, body)
    value = quote(str(body[field]))

    def found(query: str) -> list[str]:
        return [one["id"] for one in served.call("GET", f"{path}?{query}").json["list"]]

    assert id in found(f"{field}={value}")
    other = "TEMPLATE" if field == "designation" else "other"
    assert id in found(f"{field}={value}&{field}={other}")
    assert found(f"{field}={value}&id={id}") == [id]
    assert found(f"{field}={other}&id={id}") == []


def test_4_numbers_are_found_with_and_without_their_plus(served: Served) -> None:
    """Clients create and filter bare digits, or send the plus unencoded."""
    for written in ("+14155550150", "14155550151"):
        id = made(served, "/contacts", {"primary_mdn": written})
        bare = written.lstrip("+")
        for asked in (bare, f"+{bare}", f"%2B{bare}", f"%20{bare}"):
            listed = served.call("GET", f"/contacts?primary_mdn={asked}").json["list"]
            assert [one["id"] for one in listed] == [id], asked


def test_4_a_list_field_is_filtered_by_its_members(served: Served) -> None:
    """One of the recipients, one of the capabilities."""
    id = served.request(to=["+14155550160", "+14155550161"], external_id="members")
    path = "/messaging/message_requests?external_id=members"

    assert [one["id"] for one in served.call("GET", f"{path}&to=+14155550161").json["list"]] == [id]
    assert served.call("GET", f"{path}&to=+14155550169").json["list"] == []


def test_4_a_sub_collection_takes_the_same_filters_and_pages(served: Served) -> None:
    """Contacts of a group, sender ids of a channel, messages of a request."""
    group = made(served, "/contact_groups", {"name": f"g{served.number()}"})
    contacts = [made(served, "/contacts", {"first_name": one}) for one in ("Ann", "Bob")]
    served.call("POST", f"/contact_groups/{group}/contacts", {"contacts": contacts})
    path = f"/contact_groups/{group}/contacts"
    assert [c["id"] for c in served.call("GET", f"{path}?first_name=Bob").json["list"]] == [
        contacts[1]
    ]
    page = served.call("GET", f"{path}?limit=1&offset=1").json
    assert (page["total"], [one["id"] for one in page["list"]]) == (2, contacts[1:])
    request = served.request(to=["+14155550170", "+14155550171"])
    served.settle()
    path = f"/messaging/message_requests/{request}/messages"
    assert served.call("GET", f"{path}?to_address=14155550171&state=DELIVERED").json["total"] == 1
    assert served.call("GET", f"{path}?limit=1").json["total"] == 2


def test_4_dates_are_filtered_by_the_catalogues_form(served: Served) -> None:
    """``yyyy-MM-dd'T'HH:mm:ss.SSSZ``, and as epoch milliseconds."""
    id = served.request(expiry_time="2026-01-02T00:00:00.000Z", external_id="dated")
    moment = served.call("GET", f"/messaging/message_requests/{id}").json["expiry_time"]
    for text in (
        "2026-01-02T00:00:00.000%2B0000", "2026-01-02T00:00:00.000+0000", str(moment),
        "2026-01-02T00:00:00.000Z", "Fri,%2002%20Jan%202026%2002:00:00%20GMT%2B02:00",
    ):  # fmt: skip
        path = f"/messaging/message_requests?external_id=dated&expiry_time={text}"
        assert served.call("GET", path).json["total"] == 1, text


@pytest.mark.parametrize("query", ["created_date=..,1", "created_date=..&created_date=2020-01-01"])
def test_4_a_range_without_bounds_leaves_nothing_out(served: Served, query: str) -> None:
    """Alone or beside other values."""
    answer = served.call("GET", f"/messaging/message_requests?{query}")

    assert (answer.status, answer.json["total"]) == (
        200, served.call("GET", "/messaging/message_requests").json["total"],
    )  # fmt: skip


def test_4_so_many_ranges_and_no_more(served: Served) -> None:
    """A hundred of them are as many as any storage compares at once."""
    for many, status in ((100, 200), (101, 400)):
        query = "created_date=" + ",".join(f"{n}..{n + 1}" for n in range(1, many + 1))
        assert served.call("GET", f"/messaging/message_requests?{query}").status == status


# Section 5: values


@pytest.mark.parametrize(
    "route", [one for one in routes(Does.LIST) if not one.parameters], ids=name
)
def test_5_values_have_the_types_that_clients_decode(alone: Served, route: Route) -> None:
    """Times whole numbers, no nulls, texts never arrays, arrays never texts.

    Sub-collections hold the same resources.
    """
    kind = route.kind
    resource = sample(kind, 1)
    with alone.world.storage.transaction("sample") as session:
        session.add(resource)
    [held] = alone.call("GET", f"{route.path}?id={quote(resource.id)}").json["list"]

    assert None not in held.values()
    for attribute in declaration(kind).attributes:
        for wire in (attribute.wire, *attribute.also):
            if attribute.type is Instant and wire in held:
                assert type(held[wire]) is int, wire
            if attribute.type is Micros and wire in held:
                assert isinstance(held[wire], int | float), wire
    for one, value in held.items():
        assert one not in TEXTS or type(value) is str, one
        assert one not in ARRAYS or type(value) is list or kind.__name__ == "Call", one


def test_5_new_ids_are_letters_and_digits(served: Served) -> None:
    """21 or 22 of base 62; classes and types have names."""
    for one in (served.request(), made(served, "/contacts", {})):
        assert re.fullmatch(r"[0-9A-Za-z]{21,22}", one)
    for path, wanted in (("classes", "COMMERCIAL"), ("types", "SHORTCODE"), ("types", "LONGCODE")):
        assert served.call("GET", f"/messaging/sender_id_{path}/{wanted}").json["id"] == wanted


def test_5_acquisition_dates_are_left_out_unless_set(served: Served) -> None:
    """No value suits two clients; one always sends 0, which is none."""
    for given in ({}, {"last_acquisition_date": 0, "first_acquisition_date": 0}):
        held = served.call("GET", f"/contacts/{made(served, '/contacts', given)}").json
        assert not {"first_acquisition_date", "last_acquisition_date"} & set(held)


def test_5_a_null_is_nothing_in_a_create_and_clears_in_an_update(served: Served) -> None:
    """A client sends all that it knows of, most of it null."""
    id = made(served, "/contacts", {"first_name": "Ann", "last_name": None, "birth_date": None})
    served.call("POST", f"/contacts/{id}", {"first_name": None, "last_name": "Lee"})
    held = served.call("GET", f"/contacts/{id}").json

    assert ("first_name" in held, held["last_name"]) == (False, "Lee")


def test_5_versions_count_on_and_are_compared_only_if_sent(served: Served) -> None:
    """As a number or text, of POST and PUT; a stale one is 409 and 1001."""
    id = made(served, "/messaging/channels", {"name": f"c{served.number()}"})
    path = f"/messaging/channels/{id}"
    assert served.call("GET", path).json["version_number"] == 1
    for version, given in ((2, {}), (3, {"version_number": 2}), (4, {"version_number": "3"})):
        served.call("POST", path, {"description": f"d{version}", **given})
        assert served.call("GET", path).json["version_number"] == version
    for verb in ("POST", "PUT"):
        for stale in (1, "1"):
            body = {"name": f"c{served.number()}", "version_number": stale}
            answer = served.call(verb, path, body)
            assert (answer.status, answer.code) == (409, "1001")
    assert served.call("PUT", path, {"name": f"c{served.number()}"}).status == 200


def test_5_names_that_differ_are_written_both_ways(served: Served) -> None:
    """As the specification has them and as clients read them; both are understood."""
    lists = {"account_list": "[]", "device_list": '[{"msisdn": "+14155550100"}]'}
    first = made(served, "/contacts", lists)
    second = made(served, "/contacts", {f"customer_{k}": v for k, v in lists.items()})
    for id in (first, second):
        held = served.call("GET", f"/contacts/{id}").json
        for one, value in lists.items():
            assert held[one] == held[f"customer_{one}"] == value
        assert held["voice_preference"] == "NONE"
        assert "last_updated_date" in held
    for spelling in ("check_white_list", "check_whitelist"):
        body = {"address": f"9{served.number()}", spelling: True}
        held = served.call(
            "GET", f"/messaging/sender_ids/{made(served, '/messaging/sender_ids', body)}"
        )
        assert held.json["check_white_list"] is held.json["check_whitelist"] is True
    group = made(served, "/contact_groups", {"name": f"g{served.number()}"})
    assert served.call("GET", f"/contact_groups/{group}").json["status"] in ("Processing", "Ready")


def test_5_keywords_actions_are_read_from_text_and_array(served: Served) -> None:
    """Separated by blanks or commas; an array is written."""
    for actions in ("OPTIN STORE", "OPTIN,STORE", "OPTIN, STORE", ["OPTIN", "STORE"]):
        body = {"name": f"k{served.number()}", "value": f"W {served.number()}", "actions": actions}
        held = served.call(
            "GET", f"/messaging/keywords/{made(served, '/messaging/keywords', body)}"
        )
        assert held.json["actions"] == ["OPTIN", "STORE"]


def test_5_a_digit_is_sent_under_either_name(served: Served) -> None:
    """``dtmf_digits`` and ``dtmfText``."""
    [route] = [one for one in CUSTOMERS if one.call == "play_dtmf"]
    for one in ("dtmf_digits", "dtmfText"):
        path = path_of(route, served)
        assert served.call("POST", path, {one: "12#"}).status == 200


def test_5_an_empty_text_is_nothing_where_nothing_can_be(served: Served) -> None:
    """For numbers, booleans, words of a list, languages, and the customer's own unique id."""
    for _ in range(2):
        made(served, "/contacts", {"external_id": "", "voice_preference": "", "primary_mdn": ""})
        made(served, "/contact_groups", {"name": f"g{served.number()}", "external_id": "",
                                         "type": ""})  # fmt: skip
    id = served.request(
        src_language="", dst_language="", consent_requirement="", test_message_flag="",
        scheduled_delivery_time_zone="", price_threshold="",
    )  # fmt: skip
    held = served.call("GET", f"/messaging/message_requests/{id}").json
    assert (held["src_language"], "price_threshold" in held) == ("en", False)
    body = {"address": f"9{served.number()}", "parent_id": "", "check_white_list": True}
    path = f"/messaging/sender_ids/{made(served, '/messaging/sender_ids', body)}"
    served.call("POST", path, {"check_white_list": "", "state": "", "ownership": ""})
    assert served.call("GET", path).json["check_white_list"] is True  # an update leaves it


def test_5_a_whole_number_is_written_as_one(served: Served) -> None:
    """A typed client reads an integer."""
    for given, written in (("5", b'"price_threshold":5,'), (0.5, b'"price_threshold":0.5,')):
        id = served.request(price_threshold=given)
        assert written in served.call("GET", f"/messaging/message_requests/{id}").body


def test_5_a_contact_may_carry_slots_whose_rule_is_gone(served: Served) -> None:
    """Read before, sent back after; a slot that is set on purpose needs a rule."""
    rule = {"target_attribute": "fast_access_17", "target_attribute_name": "wire gone"}
    id = made(served, "/contacts/fast_access", rule)
    contact = made(served, "/contacts", {"fast_access_17": "x"})
    whole = served.call("GET", f"/contacts/{contact}").json
    served.call("DELETE", f"/contacts/fast_access/{id}")
    served.settle()
    whole.pop("version_number")

    assert whole["fast_access_17"] == "x"
    assert served.call("POST", f"/contacts/{contact}", whole).status == 200
    assert served.call("POST", "/contacts", {"fast_access_17": "x"}).status == 400


def test_5_booleans_and_numbers_come_as_texts(served: Served) -> None:
    """A typed client has texts where the specification has none."""
    id = served.request(pause_before_transmit="false", failover="true", price_threshold="3")
    held = served.call("GET", f"/messaging/message_requests/{id}").json

    assert (held["pause_before_transmit"], held["price_threshold"]) == (False, 3)


def test_5_a_message_of_several_parts_shows_them(served: Served) -> None:
    """``fragments_info``, an array of objects; messages of one part have none."""
    request = served.request(to=["+14155550180"])
    served.settle()
    path = f"/messaging/message_requests/{request}/messages"
    [one] = served.call("GET", path).json["list"]
    assert "fragments_info" not in one
    assert one["destination_country"] == "USA"
    with served.world.storage.transaction("split") as session:
        [(seq,)] = session.rows(Query(Message, [eq("id", one["id"])]), ("seq",))
        session.update(Message, ("external_transaction_ids",), ("seq",), [("a,b", seq)])
        for number, state in ((1, FragmentState.DELIVERED), (2, FragmentState.FAILED)):
            session.add(
                Fragment(id=f"{one['id']}-{number}", seq=seq, number=number,
                         transport_id=f"c/{number}", state=state)
            )  # fmt: skip
    [listed] = served.call("GET", path).json["list"]
    read = served.call("GET", f"/messaging/messages/{one['id']}").json
    wanted = [
        {"fragment_id": f"{one['id']}-1", "fragment_state": "DELIVERED", "external_id": "a"},
        {"fragment_id": f"{one['id']}-2", "fragment_state": "FAILED", "external_id": "b"},
    ]
    assert listed["fragments_info"] == read["fragments_info"] == wanted


def test_5_what_the_specification_leaves_out_is_kept_too(served: Served) -> None:
    """Counters of requests, handles of contacts, the company, fast access by name."""
    held = served.call("GET", f"/messaging/message_requests/{served.request()}").json
    assert (held["click_thru_count"], held["media_requested_count"]) == (0, 0)
    assert held["company_id"] == "acme"
    id = made(served, "/contacts", {"social_handles": ["@ann", "ann.lee"]})
    assert served.call("GET", f"/contacts/{id}").json["social_handles"] == ["@ann", "ann.lee"]
    body = {"address": f"9{served.number()}", "extended_attributes": '{"a": 1}'}
    id = made(served, "/messaging/sender_ids", body)
    held = served.call("GET", f"/messaging/sender_ids/{id}").json
    assert held["extended_attributes"] == '{"a": 1}'
    bridge = made(served, "/calling/bridges", {})
    assert served.call("GET", f"/calling/bridges/{bridge}").json["bridge_audio"] is True


# Section 6: messages


@pytest.mark.parametrize("spelling", ["{}", "sender_id:{}", "sender_id-{}", "sender_id: {}",
                                      " sender_id:{} "])  # fmt: skip
def test_6_from_is_spelled_in_every_way(served: Served, spelling: str) -> None:
    """With the prefix or without, a colon or a hyphen, with blanks."""
    id = served.request(**{"from": spelling.format(served.world.sender.id)})
    served.settle()

    held = served.call("GET", f"/messaging/message_requests/{id}").json
    assert held["state"] == "COMPLETED"


@pytest.mark.parametrize("spelling", ["channel:{}", "channel: {}", "channel-{}"])
def test_6_from_may_be_a_channel(served: Served, spelling: str) -> None:
    """Whose sender ids are chosen from."""
    channel = made(served, "/messaging/channels", {"name": f"c{served.number()}"})
    path = f"/messaging/channels/{channel}/sender_ids"
    served.call("POST", path, {"sender_ids": [served.world.sender.id]})
    id = served.request(**{"from": spelling.format(channel)})
    served.settle()

    assert served.call("GET", f"/messaging/message_requests/{id}").json["sent_count"] == 1


def test_6_recipients_may_be_written_as_numbers_or_in_one_text(served: Served) -> None:
    """As JSON numbers, an array within a text, or with commas."""
    for to, wanted in (
        ([14155550100], ["14155550100"]),
        ('["+14155550100"]', ["+14155550100"]),
        ("+14155550100,+14155550101", ["+14155550100", "+14155550101"]),
    ):
        id = served.request(to=to)
        assert served.call("GET", f"/messaging/message_requests/{id}").json["to"] == wanted


def test_6_recipients_are_an_array_of_any_spelling(served: Served) -> None:
    """Numbers with and without a plus, contacts, groups; echoed as given."""
    contact = made(served, "/contacts", {"primary_mdn": "+14155550190"})
    group = made(served, "/contact_groups", {"name": f"g{served.number()}"})
    member = made(served, "/contacts", {"primary_mdn": "+14155550191"})
    served.call("POST", f"/contact_groups/{group}/contacts", {"contacts": [member]})
    to = ["+14155550192", "14155550193", f"contact:{contact}", f"group:{group}"]
    id = served.request(to=to)
    served.settle()
    path = f"/messaging/message_requests/{id}"
    assert served.call("GET", path).json["to"] == to
    reached = {one["to_address"] for one in served.call("GET", f"{path}/messages").json["list"]}
    assert reached == {f"+1415555019{n}" for n in range(4)}


def test_6_other_addresses_are_named_by_their_kind(served: Served) -> None:
    """A voice, two social networks, two push providers; each makes a message of its type."""
    to = ["voice:+14155550100", "fb:UID@PAGE", "we:UID@ADDR", "psh:apn@news@T1", "psh:gcm@news@T2"]
    id = served.request(to=to)
    served.settle()
    path = f"/messaging/message_requests/{id}"
    messages = served.call("GET", f"{path}/messages").json["list"]
    types = [one["type"] for one in messages]
    providers = {one.get("message_delivery_provider") for one in messages}

    assert providers == {"APN", "GCM", None}
    assert served.call("GET", path).json["to"] == to
    assert sorted(types) == ["FB", "PSH", "PSH", "VOICE", "WE"]


def test_6_from_may_be_a_plain_address(served: Served) -> None:
    """If only one sender id has it."""
    address = served.world.sender.address
    for spelling in (f"address:{address}", address):
        id = served.request(**{"from": spelling})
        held = served.call("GET", f"/messaging/message_requests/{id}").json
        assert held["from"] == spelling


def test_6_a_template_is_parsed_by_its_name(served: Served) -> None:
    """Velocity: values set in the body, the template named."""
    pattern = "Your test is ${testName}"
    body = {"name": "Wire_Template", "designation": "TEMPLATE", "pattern": pattern}
    made(served, "/messaging/message_templates", body)
    id = served.request(body='#set($testName="done")\n#parse("Wire_Template")')
    served.settle()
    [one] = served.call("GET", f"/messaging/message_requests/{id}/messages").json["list"]

    assert one["body"].strip() == "Your test is done"


def test_6_a_test_message_makes_one_message_a_recipient(served: Served) -> None:
    """None of them is handed over."""
    id = served.request(to=["+14155550100", "+14155550101"], test_message_flag=True)
    served.settle()
    path = f"/messaging/message_requests/{id}"
    messages = served.call("GET", f"{path}/messages").json["list"]

    assert served.call("GET", path).json["state"] == "COMPLETED"
    assert [one["state"] for one in messages] == ["TEST", "TEST"]


def test_6_messages_are_never_made_by_post(served: Served) -> None:
    """405 with the envelope."""
    answer = served.call("POST", "/messaging/messages", {"body": "x"})

    assert (answer.status, answer.code) == (405, "405")


@pytest.mark.parametrize("status", ["NONE", "OPTIN", "OPTOUT", "WHITELIST"])
@pytest.mark.parametrize("type", ["MDN", "LONGCODE"])
def test_6_consent_is_set_in_the_words_of_clients(served: Served, status: str, type: str) -> None:
    """``{address_type, address, sender_id}`` and a status."""
    body = {
        "address_type": type, "address": f"+1415777{served.number() % 9000 + 1000}",
        "sender_id": served.world.sender.id, "consent_status": status,
    }  # fmt: skip
    id = made(served, "/consent/contact_address_statuses", body)
    path = "/consent/contact_address_statuses"
    held = served.call("GET", f"{path}/{quote(id)}").json
    listed = served.call("GET", f"{path}?address_type={type}&id={quote(id)}").json["list"]

    assert [one["id"] for one in listed] == [id]
    assert held["consent_status"] == status
    assert held["address"] == body["address"]


# Section 7: attachments


def test_7_a_token_serves_several_uses(served: Served) -> None:
    """Up and down, as often as its time lasts; never is a bearer asked for, any Accept is fine."""
    id = made(served, "/messaging/attachments", {"name": "f"})
    token = made(served, f"/messaging/attachments/{id}/access_tokens", {})
    path = f"/scg-attachment/api/v1/messaging/attachments/{token}/content"
    for content in (b"one", b"\x00\xff" * 500):
        headers = {"Content-Type": "Application/octet-stream",
                   "Content-Disposition": 'Attachment; filename="a.bin"'}  # fmt: skip
        up = served.call("POST", path, raw=content, headers=headers, token=None, base="")
        assert (up.status, up.json) == (200, {"id": id})
        for accept in ("Application/octet-stream", "application/json", "*/*", "image/png"):
            down = served.call("GET", path, headers={"Accept": accept}, token=None, base="")
            assert (down.status, down.body) == (200, content)
        held = served.call("GET", f"/messaging/attachments/{id}").json
        assert (held["size"], held["state"]) == (len(content), "UPLOADED")


def test_7_a_token_is_asked_for_in_two_ways(served: Served) -> None:
    """Below the attachment, or by a resource and its id; of a contact too."""
    attachment = made(served, "/messaging/attachments", {"name": "f"})
    contact = made(served, "/contacts", {})
    for body in (
        {"resource": "ATTACHMENT", "resource_id": attachment},
        {"resource_id": attachment},
        {"resource": "CONTACT", "resource_id": contact},
    ):
        token = made(served, "/access_tokens", body)
        assert served.call("GET", f"/access_tokens/{token}").status == 200


# Section 8: sub-resources


def test_8_adding_twice_is_harmless_and_unknown_ones_are_named(served: Served) -> None:
    """200 with a body, errors by id in the words that a client shows."""
    channel = made(served, "/messaging/channels", {"name": f"c{served.number()}"})
    path = f"/messaging/channels/{channel}/sender_ids"
    for _ in range(2):
        answer = served.call("POST", path, {"sender_ids": [served.world.sender.id]})
        assert (answer.status, answer.json) == (200, {"id": channel})
    answer = served.call("POST", path, {"sender_ids": ["badid"]})
    assert (answer.status, answer.json["errors"]) == (200, {"badid": "Unknown document: badid"})


def test_8_fast_access_looks_into_the_text_of_attributes(served: Served) -> None:
    """The path runs into the JSON text of extended_attributes."""
    rule = {
        "target_attribute_name": "wire color", "target_attribute": "fast_access_18",
        "value_derivation_script": "$..extended_attributes.Favorite_Color",
    }  # fmt: skip
    made(served, "/contacts/fast_access", rule)
    contact = made(served, "/contacts", {"extended_attributes": '{"Favorite_Color": "red"}'})
    held = served.call("GET", f"/contacts/{contact}").json

    assert held["fast_access_18"] == "red"
    assert held["fast_access"]["wire color"] == "red"


def test_8_a_contacts_token_tells_when_it_ends(served: Served) -> None:
    """A duration in seconds, as text; the end in milliseconds."""
    contact = made(served, "/contacts", {})
    token = made(served, f"/contacts/{contact}/access_tokens", {"duration": "6000"})
    held = served.call("GET", f"/contacts/{contact}/access_tokens/{token}").json

    assert held["expiry_time"] == served.world.clock.now() + 6_000_000


def test_8_calls_and_bridges_take_what_clients_send(served: Served) -> None:
    """Hung up by COMPLETED, bridged by the whole set, with a sound from a URL or an attachment."""
    [create] = [one for one in routes(Does.CREATE) if one.path == "/calling/calls"]
    calls = [made(served, create.path, body_of(create, served) or {}) for _ in range(2)]
    bridge = made(served, "/calling/bridges", {"call_ids": []})
    path = f"/calling/bridges/{bridge}"
    answer = served.call("POST", path, {"call_ids": calls, "bridge_audio": True})
    assert answer.json == {"id": bridge}
    assert sorted(served.call("GET", path).json["call_ids"]) == sorted(calls)
    sound = made(served, "/messaging/attachments", {"name": "a", "type": "audio/mpeg"})
    served.world.engine.application("acme", 1).attachments.upload(sound, b"ID3")
    for source, where in (("URL", "https://example.com/a.mp3"), ("ATTACHMENT", sound)):
        body = {"source_type": source, "source": where}
        assert served.call("POST", f"{path}/play_audio", body).status == 200
    for id in calls:
        assert served.call("POST", f"/calling/calls/{id}", {"state": "COMPLETED"}).status == 200
    assert served.call("DELETE", path).status == 204


def test_8_a_sender_id_is_activated_and_deactivated(served: Served) -> None:
    """With the version that was read."""
    id = made(served, "/messaging/sender_ids", {"address": f"9{served.number()}"})
    path = f"/messaging/sender_ids/{id}"
    for state in ("INACTIVE", "ACTIVE"):
        version = served.call("GET", path).json["version_number"]
        body = {"state": state, "version_number": version}
        assert served.call("POST", path, body).status == 200
        assert served.call("GET", path).json["state"] == state


def test_8_a_group_tells_how_many_it_has_past_its_end(served: Served) -> None:
    """Whatever offset is asked for."""
    group = made(served, "/contact_groups", {"name": f"g{served.number()}"})
    served.call(
        "POST", f"/contact_groups/{group}/contacts", {"contacts": [made(served, "/contacts", {})]}
    )
    page = served.call("GET", f"/contact_groups/{group}/contacts?offset=500").json

    assert (page["total"], page["list"]) == (1, [])


def test_8_no_member_is_taken_out_without_an_id(served: Served) -> None:
    """A client that has none deletes below the channel itself: 404, and nothing happens."""
    channel = made(served, "/messaging/channels", {"name": f"c{served.number()}"})
    path = f"/messaging/channels/{channel}/sender_ids"
    served.call("POST", path, {"sender_ids": [served.world.sender.id]})

    assert served.call("DELETE", f"{path}/").status == 404
    assert served.call("GET", path).json["total"] == 1


# Section 9: errors


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "/contacts/nobody", None, 404),
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/contacts", None, 405),
        ("POST", "/messaging/message_requests", {"to": ["+14155550100"]}, 400),
        ("POST", "/messaging/message_requests", {"from": "x"}, 400),
        ("POST", "/contacts", {"primary_mdn": "no number"}, 400),
        ("GET", "/contacts?nothing=1", None, 400),
    ],
)
def test_9_every_error_has_the_envelope(
    served: Served, verb: str, path: str, body: Any, status: int
) -> None:
    """Both members are texts, the code a number; no Retry-After where nothing is to be retried."""
    answer = served.call(verb, path, body)
    told = json.loads(answer.body)

    assert answer.status == status
    assert list(told) == ["error_code", "error_description"]
    assert all(isinstance(value, str) and value for value in told.values())
    assert told["error_code"].isdigit()
    assert answer.headers["content-type"] == "application/json"
    assert "retry-after" not in answer.headers


def test_9_no_token_is_401_with_the_envelope_too(served: Served) -> None:
    """After which clients ask for another token."""
    answer = served.call("GET", "/contacts", token=None)

    assert (answer.status, answer.code) == (401, "401")


def test_1_a_refused_refresh_has_a_shape_of_its_own(served: Served) -> None:
    """The third error shape, which clients read beside the envelope."""
    path = "/saop-rest-data/v1/apptoken-refresh"
    answer = served.call("GET", path, token=None, base="")

    assert set(answer.json) == {"errorCode", "moreInfo", "userMsg"}
