"""What real clients rely on, whatever the resource: each test is a line of the wire contract."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from scg_adapters.http.app import create_app
from scg_adapters.http.routes import BASE
from tests.http.server import Served
from tests.world import World

REQUESTS = "/messaging/message_requests"


def new(served: Served, **fields: object) -> dict[str, object]:
    """The body of a request that can be sent."""
    return {"from": served.world.sender.id, "to": ["+14155550100"], "body": "hello", **fields}


def test_a_create_answers_200_with_the_id_alone(served: Served) -> None:
    """Never 201 or 202: one client takes only 200 and 204."""
    answer = served.call("POST", REQUESTS, new(served))

    assert answer.status == 200
    assert list(answer.json) == ["id"]
    assert answer.headers["content-type"] == "application/json"


def test_an_update_answers_200_with_the_id(served: Served) -> None:
    """A 200 with an empty body would break clients that read JSON from it."""
    id = served.request()

    assert served.call("POST", f"{REQUESTS}/{id}", {"state": "CANCELED"}).json == {"id": id}


def test_a_delete_answers_204_and_the_id_is_gone(served: Served) -> None:
    """Deleted resources answer 404, and so does a second DELETE."""
    id = served.request()

    assert served.call("DELETE", f"{REQUESTS}/{id}").status == 204
    assert served.call("GET", f"{REQUESTS}/{id}").status == 404
    assert served.call("DELETE", f"{REQUESTS}/{id}").status == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/scg-external-api/api/v1{REQUESTS}/",
        f"//scg-external-api/api/v1{REQUESTS}",
        f"/scg-external-api//api/v1/{REQUESTS}//",
        f"/scg-external-api/api/v1{REQUESTS}/?offset=0",
        REQUESTS,
    ],
)
def test_slashes_too_many_do_not_matter(served: Served, path: str) -> None:
    """Trailing ones, double ones, and a client that leaves the base path out."""
    assert served.call("GET", path, base="").status == 200


def test_the_path_without_a_slash_before_the_refresh_is_unknown(served: Served) -> None:
    """One client has this bug; it gets a 404 with the envelope."""
    answer = served.call("GET", "/scg-external-api/api/v1apptoken-refresh", base="")

    assert (answer.status, answer.code) == (404, "404")


def test_an_empty_id_never_deletes_a_collection(served: Served) -> None:
    """After a failed create some clients delete ``/collection/``."""
    served.request()
    answer = served.call("DELETE", f"{REQUESTS}/")

    assert answer.status == 405
    assert served.call("GET", REQUESTS).json["total"] > 0


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/json", "application/json;charset=UTF-8",
     "APPLICATION/JSON ; charset=utf-8", ""],
)  # fmt: skip
def test_the_case_and_parameters_of_a_content_type_do_not_matter(served: Served, kind: str) -> None:
    """Clients write it in every way."""
    raw = json.dumps(new(served)).encode()
    headers = {"Content-Type": kind} if kind else {}

    assert served.call("POST", REQUESTS, raw=raw, headers=headers).status == 200


def test_a_form_is_understood(served: Served) -> None:
    """The specification types some bodies as forms; repeated names are a list."""
    raw = f"from={served.world.sender.id}&to=%2B14155550101&to=%2B14155550102&body=a+b".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    made = served.call("POST", REQUESTS, raw=raw, headers=headers)

    held = served.call("GET", f"{REQUESTS}/{made.json['id']}").json
    assert held["to"] == ["+14155550101", "+14155550102"]
    assert held["body"] == "a b"


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"  "])
def test_an_empty_body_is_no_fields(served: Served, raw: bytes) -> None:
    """Empty, ``{}`` and ``null`` mean the same: here, that nothing is changed."""
    id = served.request()
    headers = {"Content-Type": "application/json"}

    assert served.call("POST", f"{REQUESTS}/{id}", raw=raw, headers=headers).json == {"id": id}


def test_a_body_of_a_get_or_delete_is_ignored(served: Served) -> None:
    """Clients send a content type, a length of 0, or an empty body with them."""
    id = served.request()
    headers = {"Content-Type": "application/json", "Content-Length": "0"}

    assert served.call("GET", f"{REQUESTS}/{id}", headers=headers).status == 200
    assert served.call("GET", f"{REQUESTS}/{id}", raw=b"nonsense").status == 200
    assert served.call("DELETE", f"{REQUESTS}/{id}", raw=b"nonsense").status == 204


def test_a_whole_resource_can_be_posted_back(served: Served) -> None:
    """Read-only fields and unknown ones are ignored, unchanged ones accepted."""
    id = served.request()
    whole = served.call("GET", f"{REQUESTS}/{id}").json

    answer = served.call("POST", f"{REQUESTS}/{id}", {**whole, "unheard_of": [1]})

    assert answer.json == {"id": id}
    assert served.call("GET", f"{REQUESTS}/{id}").json == whole


def test_a_changed_attribute_is_refused(served: Served) -> None:
    """Only the state of a request can be posted."""
    id = served.request()
    answer = served.call("POST", f"{REQUESTS}/{id}", {"body": "other"})

    assert (answer.status, answer.code) == (400, "400")
    assert answer.json["error_description"].startswith("body:")


def test_nulls_are_never_written_and_mean_not_given(served: Served) -> None:
    """Unset attributes are left out of answers; a null in a body is nothing."""
    id = served.request(subject=None, expiry_time=None, translate=None)

    held = served.call("GET", f"{REQUESTS}/{id}").json
    assert None not in held.values()
    assert "subject" not in held


def test_times_are_epoch_milliseconds_out_and_anything_in(served: Served) -> None:
    """Numbers, digits, ISO 8601 with and without a zone, RFC 2822; empty is unset."""
    moment = 1_767_312_000_000
    for spelling in (
        moment,
        str(moment),
        "2026-01-02T00:00:00",
        "2026-01-02T00:00:00Z",
        "2026-01-02T00:00:00.000Z",
        "2026-01-02",
        "Fri, 02 Jan 2026 00:00:00 GMT",
        "2026-01-02T01:00:00+01:00",
    ):
        id = served.request(expiry_time=spelling, scheduled_delivery_time="")
        held = served.call("GET", f"{REQUESTS}/{id}").json
        assert held["expiry_time"] == moment
        assert "scheduled_delivery_time" not in held
        assert type(held["created_date"]) is int


def test_booleans_and_numbers_are_read_from_texts(served: Served) -> None:
    """Some clients send every value as a string."""
    id = served.request(test_message_flag="true", price_threshold="2.5")
    held = served.call("GET", f"{REQUESTS}/{id}").json

    assert held["test_message_flag"] is True
    assert held["price_threshold"] == 2.5


def test_every_error_has_the_envelope_with_a_numeric_text(served: Served) -> None:
    """Also 404, which one client parses."""
    for verb, path in (("GET", "/nowhere"), ("GET", f"{REQUESTS}/nobody"), ("PUT", REQUESTS)):
        answer = served.call(verb, path)
        assert answer.status >= 400
        assert answer.code.isdigit()
        assert answer.headers["content-type"] == "application/json"


def test_a_list_comes_in_an_envelope(served: Served) -> None:
    """``list``, ``total``, ``offset`` and ``limit``; whole numbers."""
    served.request()
    page = served.call("GET", f"{REQUESTS}?limit=1").json

    assert set(page) == {"list", "total", "offset", "limit"}
    assert [type(page[name]) for name in ("total", "offset", "limit")] == [int, int, int]
    assert len(page["list"]) == 1


def test_a_reader_who_pages_sees_each_once_and_an_empty_page_at_the_end() -> None:
    """Some stop at the total, some at an empty page; both end."""
    with Served() as served:
        made = {served.request() for _ in range(7)}
        seen: list[str] = []
        while True:
            page = served.call("GET", f"{REQUESTS}?offset={len(seen)}&limit=3").json
            assert page["total"] == 7
            if not page["list"]:
                break
            seen += [one["id"] for one in page["list"]]
        assert sorted(seen) == sorted(made)
        past = served.call("GET", f"{REQUESTS}?offset=5000")
        assert (past.status, past.json["list"], past.json["total"]) == (200, [], 7)


def test_a_limit_above_the_most_is_the_most(served: Served) -> None:
    """A hundred if none is asked for, at most a thousand."""
    assert served.call("GET", REQUESTS).json["limit"] == 100
    assert served.call("GET", f"{REQUESTS}?limit=5000").json["limit"] == 1000


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=-1", "offset=1.5", "limit=0",
                                   "sort=nothing", "offset=99999999999999999999"])  # fmt: skip
def test_a_page_that_cannot_be_is_refused(served: Served, query: str) -> None:
    """The error names the parameter."""
    answer = served.call("GET", f"{REQUESTS}?{query}")

    assert answer.status == 400
    assert answer.json["error_description"].startswith(query.partition("=")[0])


def test_filters_narrow_and_unknown_ones_are_refused() -> None:
    """Equal, repeated, with commas, a beginning, a range; ANDed."""
    with Served() as served:
        ids = {name: served.request(external_id=name, campaign_id="c") for name in "abc"}
        served.request(external_id="a,b", campaign_id="d")

        def found(query: str) -> list[str]:
            page = served.call("GET", f"{REQUESTS}?{query}").json
            return sorted(one["external_id"] for one in page["list"])

        assert found("external_id=a") == ["a"]
        assert found("external_id=a&external_id=c") == ["a", "c"]
        assert found("external_id=a,b") == ["a", "a,b", "b"]
        assert found("external_id=a*") == ["a", "a,b"]
        assert found("external_id=a*&campaign_id=c") == ["a"]
        assert found(f"id={ids['b']}") == ["b"]
        assert found("state=ACCEPTED,CANCELED&campaign_id=d") == ["a,b"]
        assert found("created_date=2026-01-01..2026-01-02") == ["a", "a,b", "b", "c"]
        assert found("created_date=2026-01-02..") == []
        assert found("created_date=..2026-01-01") == []
        assert found("test_message_flag=true") == []
        assert found("sort=-external_id&limit=1&campaign_id=c") == ["c"]
        for bad in ("nothing=1", "body=x", "state=NOWHERE", "created_date=soon", "state=A*"):
            assert served.call("GET", f"{REQUESTS}?{bad}").code == "400"


@pytest.mark.parametrize("text", ["%2B14155550100", "+14155550100", "14155550100"])
def test_a_number_is_found_with_and_without_its_plus(served: Served, text: str) -> None:
    """An unencoded plus arrives as a blank, and some clients send bare digits."""
    id = served.request()
    served.settle()
    for field, path in (("to", REQUESTS), ("to_address", f"{REQUESTS}/{id}/messages")):
        page = served.call("GET", f"{path}?{field}={text}").json
        assert page["list"], path


def test_filters_of_a_single_resource_are_checked_against_it(served: Served) -> None:
    """A mismatch is 404, an unknown one 400."""
    id = served.request(external_id="mine")
    path = f"{REQUESTS}/{id}"

    assert served.call("GET", f"{path}?external_id=mine&limit=5").status == 200
    assert served.call("GET", f"{path}?external_id=other").status == 404
    assert served.call("GET", f"{path}?unheard_of=1").status == 400


def test_deleted_ones_are_listed_only_when_asked_for() -> None:
    """By their state."""
    with Served() as served:
        id = served.request()
        served.call("DELETE", f"{REQUESTS}/{id}")

        assert served.call("GET", REQUESTS).json["total"] == 0
        assert served.call("GET", f"{REQUESTS}?state=DELETED").json["list"][0]["id"] == id


def test_head_answers_like_get_without_a_body(served: Served) -> None:
    """With the length that GET would have."""
    id = served.request()
    got = served.call("GET", f"{REQUESTS}/{id}")
    headed = served.call("HEAD", f"{REQUESTS}/{id}")

    assert (headed.status, headed.body) == (200, b"")
    assert headed.headers["content-length"] == got.headers["content-length"]


def test_a_repeated_idempotency_key_answers_with_the_first_request(served: Served) -> None:
    """Another body under the same key is a conflict."""
    headers = {"Idempotency-Key": "once"}
    first = served.call("POST", REQUESTS, new(served), headers=headers)
    again = served.call("POST", REQUESTS, new(served), headers=headers)
    other = served.call("POST", REQUESTS, new(served, body="other"), headers=headers)

    assert first.json == again.json
    assert (other.status, other.code) == (409, "1011")


def test_a_request_id_is_kept_or_made(served: Served) -> None:
    """It comes back in X-Request-Id, and stands in the log."""
    kept = served.call("GET", REQUESTS, headers={"X-Request-Id": "mine-1"})
    made = served.call("GET", REQUESTS, headers={"X-Request-Id": "a b"})

    assert kept.headers["x-request-id"] == "mine-1"
    assert made.headers["x-request-id"] not in ("", "a b")
    assert "mine-1" in [note["request_id"] for note in served.notes]


def test_an_illegal_move_is_409_and_names_what_is_allowed(served: Served) -> None:
    """Not 1001: that would make clients try again."""
    id = served.request(test_message_flag=True)
    served.settle()
    answer = served.call("POST", f"{REQUESTS}/{id}", {"state": "TRANSMITTING"})

    assert (answer.status, answer.code) == (409, "409")
    assert "COMPLETED" in answer.json["error_description"]


def test_names_that_differ_are_written_and_read_both_ways(served: Served) -> None:
    """The specification's name and the one real clients read."""
    sender = served.call("GET", f"/messaging/sender_ids/{served.world.sender.id}").json

    assert sender["check_white_list"] is sender["check_whitelist"] is False
    assert "operators" not in sender or isinstance(sender["operators"], str)


def test_the_log_holds_no_token_body_or_number(served: Served) -> None:
    """Paths are logged as patterns, without what was asked."""
    id = served.request(body="SECRET-BODY")
    served.call("GET", f"{REQUESTS}/{id}?to=%2B14155550100")
    noted = json.dumps(served.notes)

    for secret in (served.tokens["acme"], "SECRET-BODY", "4155550100", id):
        assert secret not in noted
    assert "/messaging/message_requests/{MessageRequest_ID}" in noted


def test_a_whole_message_can_be_posted_back(served: Served) -> None:
    """Its state unchanged, or no state at all, changes nothing."""
    id = served.request()
    served.settle()
    [held] = served.call("GET", f"{REQUESTS}/{id}/messages").json["list"]
    path = f"/messaging/messages/{held['id']}"

    for body in (held, {}, {"state": held["state"]}):
        assert served.call("POST", path, body).json == {"id": held["id"]}
    assert served.call("GET", path).json == held


def test_a_delete_may_name_the_version(served: Served) -> None:
    """In the query; a stale one deletes nothing."""
    id = served.request()

    assert served.call("DELETE", f"{REQUESTS}/{id}?version_number=99").code == "1001"
    assert served.call("DELETE", f"{REQUESTS}/{id}?version_number=1").status == 204


def test_several_ranges_and_beginnings_mean_any_of_them() -> None:
    """Repeats and commas are OR, whatever the value's form."""
    with Served() as served:
        for name in ("ax", "bx", "c"):
            served.request(external_id=name)

        def found(query: str) -> list[str]:
            page = served.call("GET", f"{REQUESTS}?{query}").json
            return sorted(one["external_id"] for one in page["list"])

        assert found("external_id=a*&external_id=b*") == ["ax", "bx"]
        assert found("external_id=a*,c") == ["ax", "c"]
        ranges = "2020-01-01..2021-01-01,2026-01-01..2027-01-01"
        assert found(f"created_date={ranges}") == ["ax", "bx", "c"]
        served.settle()
        page = served.call("GET", "/messaging/messages?to_address=1415*").json
        assert page["total"] == 3


def test_a_zone_by_name_is_known_or_refused(served: Served) -> None:
    """Never taken for UTC."""
    known = served.request(expiry_time="Sat, 03 Jan 2026 00:00:00 PST")
    held = served.call("GET", f"{REQUESTS}/{known}").json
    unknown = served.call(
        "POST", REQUESTS, new(served, expiry_time="Sat, 03 Jan 2026 00:00:00 XYZ")
    )

    assert held["expiry_time"] == 1_767_427_200_000
    assert unknown.code == "400"


def test_the_api_can_be_mounted_in_another_application() -> None:
    """Paths, documentation and health stand below the place it is mounted at."""
    world = World()
    app = Starlette(routes=[Mount("/gw", app=create_app(world.engine))])
    for path, status in (("/gw/health/live", 200), ("/gw/openapi.json", 200), ("/gw/docs", 200),
                         ("/gw/docs/assets/swagger-ui.css", 200), (f"/gw{BASE}{REQUESTS}", 401),
                         ("/health/live", 404)):  # fmt: skip
        assert asyncio.run(_asked(app, path)) == status


async def _asked(app: Starlette, path: str) -> int:
    """The status of a GET without a server in between."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
             "query_string": b"", "headers": [], "root_path": "", "http_version": "1.1",
             "scheme": "http", "server": ("x", 80), "client": ("x", 1)}  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"])
