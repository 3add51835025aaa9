"""Contents of attachments over HTTP, and what a contact's token lets its holder do."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from scg_adapters.http.api import Limits
from scg_core import Settings
from tests.http.server import Served
from tests.world import World

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """One server for this module; a client may be silent for half a second."""
    with Served(World(), limits=Limits(patience=0.5)) as running:
        yield running


def attachment(server: Served, **fields: str) -> str:
    """A new attachment; its id."""
    given = {"name": "a.png", "type": "image/png", "filename": "a b.png", **fields}
    return str(server.call("POST", "/messaging/attachments", given).json["id"])


def token(server: Served, id: str) -> str:
    """A token that opens an attachment."""
    made = server.call("POST", f"/messaging/attachments/{id}/access_tokens", {})
    return str(made.json["id"])


def path_of(token_id: str) -> str:
    """Where the content is that a token opens."""
    return f"/scg-attachment/api/v1/messaging/attachments/{token_id}/content"


def ask(
    server: Served, verb: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """A request without a token in its headers; a body may come in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    chunked = body is not None and not isinstance(body, bytes)
    try:
        connection.request(verb, path, body=body, headers=headers or {}, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def state(server: Served, id: str) -> tuple[str, int | None]:
    """The state of an attachment, and its size."""
    held = server.call("GET", f"/messaging/attachments/{id}").json
    return held["state"], held.get("size")


@pytest.mark.parametrize("kind", ["Application/octet-stream", "image/png", "", None])
def test_content_is_taken_as_it_is(server: Served, kind: str | None) -> None:
    """And comes back the same, with a name that no browser runs; no bearer token is asked for."""
    id = attachment(server)
    headers = {} if kind is None else {"Content-Type": kind}
    status, _, body = ask(server, "POST", path_of(token(server, id)), PNG, headers)
    assert (status, body) == (200, f'{{"id":"{id}"}}'.encode())
    assert state(server, id) == ("UPLOADED", len(PNG))

    status, headers, body = ask(
        server, "GET", path_of(token(server, id)), headers={"Accept": "Application/octet-stream"}
    )
    assert (status, body) == (200, PNG)
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(PNG))
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.png"
    assert headers["x-content-type-options"] == "nosniff"
    status, headers, body = ask(server, "HEAD", path_of(token(server, id)))
    assert (status, headers["content-length"], body) == (200, str(len(PNG)), b"")


def form(boundary: bytes, *parts: tuple[bytes, bytes]) -> bytes:
    """A multipart form of parts, each with its disposition."""
    made = b""
    for disposition, content in parts:
        made += b"--" + boundary + b"\r\nContent-Disposition: form-data; " + disposition
        made += b"\r\nContent-Type: image/png\r\n\r\n" + content + b"\r\n"
    return made + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize(
    "disposition",
    [
        b'name="file"; filename="a.png"',
        b'name="file-upload"; filename="a.png"; size="32";',
        b"name=x",
    ],
)
def test_a_form_is_its_first_file(server: Served, disposition: bytes) -> None:
    """As browsers and the Node client send it; further parts are passed over."""
    id = attachment(server)
    field = b'--x--1\r\nContent-Disposition: form-data; name="filename"\r\n\r\nhello\r\n'
    body = field + form(b"x--1", (disposition, PNG), (b'name="other"', b"not this"))
    headers = {"Content-Type": 'multipart/form-data; boundary="x--1"'}

    assert ask(server, "POST", path_of(token(server, id)), body, headers)[0] == 200
    assert state(server, id) == ("UPLOADED", len(PNG))


def test_a_form_of_one_part_is_that_part(server: Served) -> None:
    """Whatever it is called."""
    id = attachment(server)
    body = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nplain\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    assert ask(server, "POST", path_of(token(server, id)), body, headers)[0] == 200
    assert state(server, id) == ("UPLOADED", 5)


def test_content_may_come_in_chunks(server: Served) -> None:
    """Without saying how long it is."""
    id = attachment(server)
    chunks = (PNG[at : at + 1_000] for at in range(0, len(PNG), 1_000))
    status, _, _ = ask(
        server, "POST", path_of(token(server, id)), chunks, {"Transfer-Encoding": "chunked"}
    )

    assert (status, state(server, id)) == (200, ("UPLOADED", len(PNG)))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(b"b", (b"name=x", PNG))[:-8], "multipart/form-data; boundary=b"),
        (form(b"b", (b"name=x", PNG)), "multipart/form-data; boundary=other"),
        (form(b"b", (b"name=x", PNG)), "multipart/form-data"),
        (b"", "multipart/form-data; boundary=b"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\nz\r\n--b--\r\n",
         "multipart/form-data; boundary=b"),
        (b"\x00" * 100, "multipart/form-data; boundary=b"),
    ],
    ids=["cut", "other boundary", "no boundary", "empty", "no part", "long header",
         "no form"],
)  # fmt: skip
def test_a_form_that_is_none_changes_nothing(server: Served, body: bytes, kind: str) -> None:
    """It is 400, with the envelope."""
    id = attachment(server)
    status, _, text = ask(server, "POST", path_of(token(server, id)), body, {"Content-Type": kind})

    assert status == 400
    assert text.startswith(b'{"error_code":"400","error_description":"content: ')
    assert state(server, id) == ("CREATED", None)


def test_bad_tokens_are_404_alike(server: Served) -> None:
    """Unknown, of a contact, or far too long; other verbs are 405."""
    contact = server.call("POST", "/contacts", {}).json["id"]
    other = server.call("POST", f"/contacts/{contact}/access_tokens", {}).json["id"]
    for bad in ("0" * 22, "x", other, "y" * 300, "%00", "a%2Fb"):
        for verb in ("GET", "POST"):
            status, _, body = ask(server, verb, path_of(bad), b"x" if verb == "POST" else None)
            assert status == 404, (verb, bad)
            assert b'"error_code":"404"' in body
    status, headers, _ = ask(server, "PUT", path_of(other), b"x")
    assert (status, headers["allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    assert ask(server, "OPTIONS", path_of(other))[0] == 204


def test_an_upload_that_stalls_or_breaks_off_changes_nothing(server: Served) -> None:
    """A silent client is told so; one that leaves is nobody."""
    id = attachment(server)
    for leaves in (True, False):
        line = (
            f"POST {path_of(token(server, id))} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(line.encode() + b"half")
            if not leaves:
                assert b" 408 " in raw.recv(1_000)
    assert state(server, id) == ("CREATED", None)
    assert ask(server, "POST", path_of(token(server, id)), PNG)[0] == 200


def test_slow_uploads_hold_up_nobody_else(server: Served) -> None:
    """A company may have sixteen under way; other companies, and downloads, go on."""
    with Served(World(), limits=Limits(patience=20)) as busy:
        secret = token(busy, attachment(busy))
        lines = f"POST {path_of(secret)} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf"
        slow = [socket.create_connection(("127.0.0.1", busy.port)) for _ in range(16)]
        for one in slow:
            one.sendall(lines.encode())
        deadline = time.monotonic() + 5
        while (answer := ask(busy, "POST", path_of(secret), b"x"))[0] != 503:
            assert time.monotonic() < deadline
        assert "retry-after" in answer[1]
        made = busy.call("POST", "/messaging/attachments", {"name": "a"}, token="rival").json["id"]
        path = f"/messaging/attachments/{made}/access_tokens"
        theirs = busy.call("POST", path, {}, token="rival").json["id"]
        began = time.monotonic()
        assert ask(busy, "POST", path_of(theirs), PNG)[0] == 200
        assert ask(busy, "GET", path_of(theirs))[2] == PNG
        assert ask(busy, "GET", path_of("0" * 22))[0] == 404
        assert time.monotonic() - began < 2
    busy._thread.join(5)
    assert not busy._thread.is_alive(), "the server waits for what never comes"
    for one in slow:
        one.close()


def test_a_form_without_an_end_is_too_large_some_time() -> None:
    """Also where its first file is small."""
    world = World(settings=Settings(attachment_size=100_000))
    head = form(b"b", (b'name="f"; filename="f"', b"x"))[: -len(b"--b--\r\n")]

    def endless() -> Iterator[bytes]:
        yield head + b"--b\r\nContent-Disposition: form-data; name=more\r\n\r\n"
        for _ in range(10_000):
            yield b"y" * 65_536

    with Served(world) as small:
        id = attachment(small)
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = (400, {}, b"1019")  # who is cut off in the middle may not see it
        with suppress(BrokenPipeError, ConnectionResetError):
            answer = ask(small, "POST", path_of(token(small, id)), endless(), headers)
        assert (answer[0], b"1019" in answer[2]) == (400, True)
        assert [note["status"] for note in small.notes if "Token" in str(note["path"])] == [400]
        assert state(small, id) == ("CREATED", None)


def test_what_is_too_large_is_1019(server: Served) -> None:
    """The connection is closed, since the rest is not read."""
    world = World(settings=Settings(attachment_size=5_000))
    with Served(world) as small:
        id = attachment(small)
        status, headers, body = ask(small, "POST", path_of(token(small, id)), PNG)
        assert (status, headers["connection"]) == (400, "close")
        assert b'"error_code":"1019"' in body
        assert state(small, id) == ("CREATED", None)


def test_no_token_is_written_to_the_log(server: Served) -> None:
    """A request is noted by the pattern of its path."""
    secret = token(server, attachment(server))
    ask(server, "POST", path_of(secret), PNG)
    server.call("GET", "/contacts", token=secret)

    said = str(server.notes)
    assert "/scg-attachment/api/v1/messaging/attachments/{Token}/content" in said
    assert secret not in said


def test_a_contacts_token_opens_that_contact_and_nothing_else(server: Served) -> None:
    """Its holder reads it and registers applications; everything else is forbidden."""
    mine, other = (server.call("POST", "/contacts", {}).json["id"] for _ in range(2))
    held = server.call("POST", f"/contacts/{mine}/access_tokens", {"duration": "6000"}).json["id"]
    fields = {"sender_id_address": "a.b", "message_delivery_provider": "APN", "token": "t"}

    assert server.call("GET", f"/contacts/{mine}", token=held).json["id"] == mine
    registered = f"/contacts/{mine}/application_tokens"
    made = server.call("POST", registered, fields, token=held).json["id"]
    assert server.call("GET", registered, token=held).json["total"] == 1
    assert server.call("PUT", f"{registered}/{made}", fields, token=held).status == 200
    assert server.call("DELETE", f"{registered}/{made}", token=held).status == 204
    for verb, path, body in (
        ("GET", f"/contacts/{other}", None),
        ("GET", f"/contacts/{other}/application_tokens", None),
        ("GET", "/contacts", None),
        ("POST", "/contacts", {}),
        ("POST", f"/contacts/{mine}", {"first_name": "x"}),
        ("PUT", f"/contacts/{mine}", {"first_name": "x"}),
        ("DELETE", f"/contacts/{mine}", None),
        ("GET", f"/contacts/{mine}/access_tokens", None),
        ("POST", f"/contacts/{mine}/access_tokens", {}),
        ("GET", "/messaging/messages", None),
        ("POST", "/messaging/message_requests", {"to": ["+14155550100"]}),
        ("GET", "/contacts/fast_access", None),
        ("GET", "/access_tokens", None),
    ):
        answer = server.call(verb, path, body, token=held)
        assert (answer.status, answer.code) == (403, "403"), (verb, path)
    id = attachment(server)
    of_file = token(server, id)
    assert server.call("GET", f"/contacts/{mine}", token=of_file).status == 401


def test_clients_of_old_write_contacts_their_way(server: Served) -> None:
    """Whole objects with read-only fields, zero dates, other names of lists, repeated members."""
    body = {
        "id": "x", "first_name": "Ann", "last_acquisition_date": 0, "first_acquisition_date": "0",
        "device_list": "[]", "account_list": [], "voice_preference": True, "unknown": 1,
        "primary_mdn": "14155550123", "birth_date": "", "extended_attributes": "",
    }  # fmt: skip
    id = server.call("POST", "/contacts", body).json["id"]
    held = server.call("GET", f"/contacts/{id}").json
    assert held["voice_preference"] == "PREFER_VOICE"
    assert held["device_list"] == held["customer_device_list"] == "[]"
    assert "last_acquisition_date" not in held
    assert server.call("POST", f"/contacts/{id}", held).status == 200
    assert server.call("GET", "/contacts?primary_mdn=+14155550123").json["total"] == 1
    assert server.call("GET", "/contacts/?primary_mdn=14155550123&offset=0").json["total"] == 1

    group = server.call("POST", "/contact_groups", {"name": "friends", "type": "STATIC"}).json["id"]
    for _ in range(2):
        for odd in ({}, 7, ["x" * 200], [7], []):
            answer = server.call("POST", f"/contact_groups/{group}/contacts", {"contacts": odd})
            assert answer.status == 400, odd
        added = server.call("POST", f"/contact_groups/{group}/contacts", {"contacts": [id, "bad"]})
        assert added.json == {"id": group, "errors": {"bad": "Unknown document: bad"}}
    assert server.call("GET", f"/contact_groups/{group}").json["member_count"] == 1
    assert server.call("GET", f"/contact_groups/{group}/contacts").json["total"] == 1


def test_a_contact_read_before_a_rule_changed_may_be_sent_back(server: Served) -> None:
    """Derived slots are read-only, which real clients send back all the same."""
    rule = {"target_attribute": "fast_access_9", "value_derivation_script": "$..a"}
    made = server.call("POST", "/contacts/fast_access", rule).json["id"]
    id = server.call("POST", "/contacts", {"extended_attributes": {"a": 1, "b": 2}}).json["id"]
    held = server.call("GET", f"/contacts/{id}").json
    del held["version_number"]
    server.call("POST", f"/contacts/fast_access/{made}", {"value_derivation_script": "$..b"})
    server.settle()

    assert server.call("POST", f"/contacts/{id}", {**held, "first_name": "Ann"}).status == 200
    assert server.call("GET", f"/contacts/{id}").json["fast_access_9"] == "2"


def test_contacts_are_filtered_by_friendly_names(server: Served) -> None:
    """In lists, in groups and by themselves; an unknown one is 400."""
    rule = {"target_attribute": "fast_access_8", "target_attribute_name": "tier"}
    server.call("POST", "/contacts/fast_access", rule)
    body = {"fast_access": {"tier": "gold"}}
    id = server.call("POST", "/contacts", body).json["id"]
    assert server.call("GET", f"/contacts/{id}").json["fast_access"] == {"tier": "gold"}
    group = {"name": "golden", "type": "DYNAMIC", "criteria": '{"fast_access.tier": "gold"}'}
    made = server.call("POST", "/contact_groups", group).json["id"]
    for path in ("/contacts", f"/contact_groups/{made}/contacts"):
        found = server.call("GET", f"{path}?fast_access.tier=gold,iron").json
        assert [one["id"] for one in found["list"]] == [id]
        assert server.call("GET", f"{path}?fast_access.tier=iron").json["total"] == 0
        assert server.call("GET", f"{path}?fast_access.nobody=gold").status == 400
    assert server.call("GET", f"/contacts/{id}?fast_access.tier=g*").status == 200
    assert server.call("GET", f"/contacts/{id}?fast_access.tier=iron").status == 404


def test_an_import_and_an_export_over_http(server: Served) -> None:
    """The way the clients do it: attachment, token, content, job."""
    id = attachment(server, type="text/csv")
    assert server.call("POST", "/contactimport", {"import_attachment_id": id}).status == 409
    ask(server, "POST", path_of(token(server, id)), b"external_id\nhttp1\nhttp2\na,b\n")
    job = server.call("POST", "/contactimport", {"import_attachment_id": id}).json["id"]
    server.settle()
    done = server.call("GET", f"/contactimport/{job}").json
    assert (done["state"], done["imported_count"], done["failed_count"]) == ("COMPLETED", 2, 1)
    failures = ask(server, "GET", path_of(token(server, done["failures_attachment_id"])))[2]
    assert failures.startswith(b"external_id,error_code,error_description\r\n")

    job = server.call("POST", "/contactexport", {}).json["id"]
    server.settle()
    done = server.call("GET", f"/contactexport/{job}").json
    content = ask(server, "GET", path_of(token(server, done["export_attachment_id"])))[2]
    assert b"http1" in content and content.count(b"\r\n") == done["exported_count"] + 1
    assert server.call("GET", "/contactexport?state=COMPLETED").json["total"] == 1
    assert server.call("DELETE", f"/contactexport/{job}").status == 204
    assert server.call("GET", f"/contactexport/{job}").status == 404
