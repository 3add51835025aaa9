"""Whatever a client may send: an error in the envelope, nothing stored, nothing hangs."""

from __future__ import annotations

import json
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
