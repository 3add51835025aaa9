"""Whatever a client may send: an error in the envelope, nothing stored, nothing hangs."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from scg_adapters.http import server as server_module
from scg_adapters.http.api import Limits
from scg_adapters.http.reading import DEEPEST
from scg_adapters.http.routes import BASE
from scg_core import MessageRequest
from scg_core.kernel.query import Query
from tests.http.server import Served

REQUESTS = "/messaging/message_requests"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def strict() -> Iterator[Served]:
    """A server with small limits."""
    with Served(limits=Limits(body=20_000, patience=0.3)) as running:
        yield running


def stored(served: Served) -> int:
    """How many requests there are."""
    with served.world.storage.snapshot() as session:
        return session.count(Query(MessageRequest))


def deep(levels: int) -> bytes:
    """JSON of that depth."""
    return b'{"body":' + b"[" * levels + b"]" * levels + b"}"


MALFORMED = {
    "cut": b'{"from": "x',
    "trailing": b"{} {}",
    "not an object": b"[1]",
    "text": b'"hello"',
    "number": b"17",
    "NaN": b'{"price_threshold": NaN}',
    "Infinity": b'{"price_threshold": -Infinity}',
    "too large a number": b'{"price_threshold": 1e999}',
    "digits": b'{"price_threshold": ' + b"9" * 5000 + b"}",
    "latin-1": '{"body": "é"}'.encode("latin-1"),
    "utf-16": '{"body": "x"}'.encode("utf-16"),
    "deep": deep(DEEPEST),
    "deeper": deep(9_000),
    "single quotes": b"{'a': 1}",
    "control character": b'{"body": "a\x01"}',
    "nothing but a BOM": b"\xef\xbb\xbf{",
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_refused(strict: Served, raw: bytes) -> None:
    """400 with the envelope; nothing is stored."""
    before = stored(strict)
    answer = strict.call("POST", REQUESTS, raw=raw, headers=JSON)

    assert (answer.status, answer.code) == (400, "400")
    assert stored(strict) == before


WRONG: dict[str, dict[str, object]] = {
    "from": {"from": 17.5}, "from object": {"from": {}}, "to": {"to": 7}, "to nested": {"to": [[]]},
    "body": {"body": ["x"]}, "surrogate": {"body": "\ud800"}, "nul": {"body": "a\u0000b"},
    "bool": {"translate": "maybe"}, "state": {"consent_requirement": "SOMETIMES"},
    "date": {"expiry_time": "soon"}, "date object": {"expiry_time": {}},
    "date huge": {"expiry_time": 10**30}, "past": {"expiry_time": 5},
    "number": {"price_threshold": "much"}, "negative": {"price_threshold": -1},
    "long": {"external_id": "x" * 129}, "empty to": {"to": []}, "no from": {"from": None},
    "sender": {"from": "0" * 22}, "channel": {"from": "channel:0"}, "priority": {
        "contact_delivery_address_priority": ["PIGEON"]}, "zone": {
        "scheduled_delivery_time_zone": "MARS"}, "far": {"scheduled_delivery_time": "2100-01-01"},
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_refused_and_named(strict: Served, wrong: dict[str, object]) -> None:
    """The description begins with the field; an index that is too long has its own code."""
    before = stored(strict)
    good = {"from": strict.world.sender.id, "to": ["+14155550100"], "body": "hello"}
    answer = strict.call("POST", REQUESTS, {**good, **wrong})

    assert answer.status == 400
    assert answer.code in ("400", "1023")
    assert answer.json["error_description"].startswith(next(iter(wrong)))
    assert stored(strict) == before


@pytest.mark.parametrize(
    "name", ["self", "fields", "idempotency_key", "id", "__class__", "", "to "]
)
def test_an_unknown_name_is_ignored_whatever_it_is(strict: Served, name: str) -> None:
    """Names of arguments, of attributes of Python, of the engine's own fields."""
    good = {"from": strict.world.sender.id, "to": ["+14155550100"], "body": "hello"}

    assert strict.call("POST", REQUESTS, {name: "x", **good}).status == 200


def test_a_body_over_the_limit_is_413_and_the_connection_ends(strict: Served) -> None:
    """By its declared length at once, and by counting where none is declared."""
    before = stored(strict)
    declared = strict.call("POST", REQUESTS, raw=b"x" * 30_000, headers=JSON)
    head = (
        f"POST {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        f"{strict.tokens['acme']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    chunked = strict.raw(head + b"%x\r\n" % 30_000 + b"x" * 30_000 + b"\r\n0\r\n\r\n")

    assert (declared.status, declared.code) == (413, "413")
    assert declared.headers["connection"] == "close"
    assert chunked.startswith(b"HTTP/1.1 413 ")
    assert stored(strict) == before


def test_a_body_that_does_not_come_is_408(strict: Served) -> None:
    """After the server's patience, and no later."""
    head = (
        f"POST {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        f"{strict.tokens['acme']}\r\nContent-Length: 100\r\n\r\n"
    ).encode()
    began = time.monotonic()
    answer = strict.raw(head + b'{"from":')

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"error_code":"408"' in answer
    assert time.monotonic() - began < 3


def test_a_client_that_leaves_in_mid_body_has_sent_nothing(strict: Served) -> None:
    """Even if what has come would be a whole JSON object."""
    before = stored(strict)
    good = json.dumps({"from": strict.world.sender.id, "to": ["+14155550100"], "body": "hello"})
    head = (
        f"POST {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        f"{strict.tokens['acme']}\r\nContent-Length: {len(good) + 10}\r\n\r\n"
    )
    strict.raw((head + good).encode(), close=True)

    assert strict.call("GET", REQUESTS).status == 200
    assert stored(strict) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "multipart/form-data",
                                  "text/xml; charset=utf-8", "nonsense"])  # fmt: skip
def test_a_body_of_another_type_is_415(strict: Served, kind: str) -> None:
    """It says what to send instead."""
    answer = strict.call("POST", REQUESTS, raw=b"{}", headers={"Content-Type": kind})

    assert (answer.status, answer.code) == (415, "415")
    assert "application/json" in answer.json["error_description"]


@pytest.mark.parametrize(
    "path",
    ["/%00", "/%ff%fe", "/..", "/../../etc/passwd", "/messaging/message_requests/%2e%2e",
     "/messaging/message_requests/%00", "/messaging/message_requests/a%2Fb",
     "/messaging/message_requests/" + "x" * 5_000, "/messaging/message_requests/%F0%9F%92%A9"],
)  # fmt: skip
def test_a_strange_path_is_404(strict: Served, path: str) -> None:
    """With the envelope, and without repeating much of it."""
    answer = strict.call("GET", path)

    assert (answer.status, answer.code) == (404, "404")
    assert len(answer.body) < 300


@pytest.mark.parametrize("query", ["%ff=1", "state=%ff", "&".join(["id=1"] * 300), "=", "%00=%00"])
def test_a_strange_query_is_400(strict: Served, query: str) -> None:
    """Bad encodings, too many parts, no names."""
    assert strict.call("GET", f"{REQUESTS}?{query}").code == "400"


def test_what_the_parser_refuses_has_the_envelope_too(
    strict: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nonsense, a head that is too large, one that does not end."""
    nonsense = strict.raw(b"HELLO THERE\r\n\r\n")
    large = strict.raw(b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000)
    monkeypatch.setattr(server_module, "HEAD_PATIENCE", 0.2)
    slow = strict.raw(b"GET / HTTP/1.1\r\nX: a")

    for answer, status in ((nonsense, 400), (large, 431), (slow, 408)):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert set(json.loads(body)) == {"error_code", "error_description"}


def test_all_body_fields_of_a_request_are_taken(strict: Served) -> None:
    """Each writable one is read back; counters are ignored, not trusted."""
    given = {
        "conversation_id": "c", "campaign_id": "k", "program_id": "p", "subject": "s",
        "external_id": "e", "consent_requirement": "NONE", "expiry_time": 1_767_312_000_000,
        "scheduled_delivery_time": 1_767_300_000_000, "scheduled_delivery_time_zone": "UTC",
        "pause_before_transmit": True, "pause_expiry_time": 1_767_300_000_000,
        "price_threshold": 3, "sender_id_sort_criteria": ["PRICE"], "translate": False,
        "contact_delivery_address_priority": ["PUSH", "MDN"], "src_language": "en",
        "dst_language": "fr", "content_type": "text/plain",
    }  # fmt: skip
    counters = {"recipient_count": 7, "recipient_ count": 7, "sent_count": 7, "application_id": "9"}
    id = strict.request(**given, **counters)
    held = strict.call("GET", f"{REQUESTS}/{id}").json

    assert {name: held[name] for name in given} == given
    assert (held["recipient_count"], held["sent_count"], held["application_id"]) == (0, 0, "1")


@pytest.mark.parametrize("field", ["attachments", "criteria", "translate"])
def test_a_part_that_is_not_there_yet_is_refused_by_name(strict: Served, field: str) -> None:
    """Nobody believes that a message was translated when it was not."""
    value: object = True if field == "translate" else ["x"] if field == "attachments" else "{}"
    good = {"from": strict.world.sender.id, "to": ["+14155550100"], "body": "hello"}
    answer = strict.call("POST", REQUESTS, {**good, field: value})

    assert answer.status == 400
    assert answer.json["error_description"].startswith(field)


def test_an_offer_to_change_the_protocol_is_not_taken_and_costs_no_body(strict: Served) -> None:
    """Stock clients offer h2c with every request; the body counts, and nothing follows it."""
    body = json.dumps(
        {"from": strict.world.sender.id, "to": ["+14155550100"], "body": "hello"}
    ).encode()
    for offer in ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAM",
                  "Connection: upgrade\r\nUPGRADE: websocket"):  # fmt: skip
        before = stored(strict)
        head = (
            f"POST {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            f"{strict.tokens['acme']}\r\n{offer}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", strict.port), timeout=5) as connection:
            connection.sendall(head)
            time.sleep(0.05)
            connection.sendall(body)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert stored(strict) == before + 1


def test_a_trailer_is_no_header(strict: Served) -> None:
    """What comes behind a chunked body authorises nothing and hides nothing."""
    good = f"Authorization: Bearer {strict.tokens['acme']}"
    chunked = f"POST {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\n%s" + (
        "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n%s\r\n\r\n"
    )

    behind = strict.raw((chunked % ("", good)).encode())
    before = strict.raw((chunked % (good + "\r\n", "Authorization: Bearer zz")).encode())

    assert behind.startswith(b"HTTP/1.1 401 ")
    assert before.startswith(b"HTTP/1.1 400 ")  # it got through: there is no `from` in it


def test_a_connection_that_goes_on_with_nothing_is_closed(
    strict: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank lines are no request, and a body that nobody waits for ends."""
    monkeypatch.setattr(server_module, "HEAD_PATIENCE", 0.2)
    monkeypatch.setattr(server_module, "REST_PATIENCE", 0.2)
    whole = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    unread = f"GET {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
    for first, then in (("", "\r\n"), (whole, "\r\n"), ("", unread)):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", strict.port), timeout=5) as connection:
            if first:
                connection.sendall(first.encode())
                connection.recv(65536)
            connection.sendall(then.encode())
            while connection.recv(65536):
                pass
        assert time.monotonic() - began < 3


def test_a_second_head_on_a_connection_has_the_same_bound(strict: Served) -> None:
    """The first one's answer changes nothing."""
    small = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", strict.port), timeout=5) as connection:
        connection.sendall(small)
        first = b""
        while not first.endswith(b"}"):  # head and body may come apart
            first += connection.recv(65536)
        assert first.startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_bodies_of_all_requests_together_are_bounded() -> None:
    """Whoever comes when too many bytes are held is told to come back."""
    limits = Limits(body=20_000, bodies=30_000, patience=2)
    with Served(limits=limits) as served:
        head = (
            f"POST {BASE}{REQUESTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            f"{served.tokens['acme']}\r\nContent-Length: 19000\r\n\r\n"
        ).encode()
        slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(2)]
        for one in slow:
            one.sendall(head + b"x" * 16_000)
        slow[1].settimeout(5)
        assert slow[1].recv(65536).startswith(b"HTTP/1.1 503 ")
        for one in slow:
            one.close()
        assert served.call("GET", REQUESTS).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("to", ["x" * 300]), ("to", ["+1" * 200, "+14155550100"]),
     ("sender_id_sort_criteria", ["PRICE"] * 2_000)],
)  # fmt: skip
def test_lists_are_bounded_in_number_and_length(strict: Served, field: str, value: object) -> None:
    """What is stored is echoed in every read."""
    good = {"from": strict.world.sender.id, "to": ["+14155550100"], "body": "hello"}
    answer = strict.call("POST", REQUESTS, {**good, field: value})

    assert answer.status == 400
    assert answer.json["error_description"].startswith(field)


def test_a_page_of_large_resources_is_cut_short_and_goes_on() -> None:
    """A reader who advances by what came sees each once."""
    with Served(limits=Limits(page=20_000)) as served:
        numbers = [f"+1415{2_000_000 + n}" for n in range(100)]
        made = {served.request(to=numbers) for _ in range(130)}
        seen: list[str] = []
        pages = 0
        while len(seen) < 130:
            page = served.call("GET", f"{REQUESTS}?limit=1000&offset={len(seen)}").json
            assert page["total"] == 130
            seen += [one["id"] for one in page["list"]]
            pages += 1
        assert pages == 2
        assert set(seen) == made


@pytest.mark.parametrize(
    "query", ["price=1000000000000000", "price=1..999999999999999", "price=99999999999999999999"]
)
def test_an_amount_that_is_too_large_is_400(strict: Served, query: str) -> None:
    """Not an overflow of ours."""
    assert strict.call("GET", f"/messaging/messages?{query}").code == "400"


def test_a_version_of_thousands_of_digits_is_400(strict: Served) -> None:
    """Not an overflow of ours."""
    id = strict.request()
    answer = strict.call("POST", f"{REQUESTS}/{id}", {"version_number": "9" * 5_000})

    assert answer.code == "400"


def test_a_request_without_recipients_is_400(strict: Served) -> None:
    """Staging is for the library: over HTTP nobody could append to it."""
    for to in ({}, {"to": None}):
        answer = strict.call("POST", REQUESTS, {"from": strict.world.sender.id, "body": "x", **to})
        assert answer.status == 400
        assert answer.json["error_description"].startswith("to:")
