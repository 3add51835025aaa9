"""Clients that are slow, go away, send without end or come in thousands: others are served on."""

from __future__ import annotations

import contextlib
import json
import resource
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scg_adapters.http.routes import BASE
from scg_core.messaging.settings import Settings
from tests.http.apart import CONTENT, MEGABYTE, Apart, apart, raw, wait_for
from tests.http.fuzzing import send

LARGEST = Settings().attachment_size
REQUESTS = f"{BASE}/messaging/message_requests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """A server in a process of its own, which waits a second for a head."""
    with apart(tmp_path_factory.mktemp("hostile"), patience=1.0) as running:
        yield running


def answers(server: Apart) -> float:
    """How many seconds a good request takes; it must be answered with 200."""
    began = time.perf_counter()
    assert send(server.port, raw("GET", "/contacts", server.token)).startswith(b"HTTP/1.1 200 ")
    return time.perf_counter() - began


def streamed(server: Apart, head: bytes, block: bytes, times: int) -> bytes:
    """What the server says to a head and a block repeated; it may answer before all is sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        answer = b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(head)
            for _ in range(times):
                connection.sendall(block)
            if b"chunked" in head:
                connection.sendall(b"0\r\n\r\n")
            elif b"boundary" in head:
                connection.sendall(b"\r\n--b--\r\n")
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while part := connection.recv(65536):
                answer += part
                if b"\r\n\r\n" in answer and b"}" in answer:
                    break
        return answer


def heads(server: Apart, size: int) -> dict[str, tuple[bytes, bytes]]:
    """A head for each way to send a large body, and what such a body consists of."""
    token = _token(server)
    bearer = f"Authorization: Bearer {server.token}\r\n"
    chunked, length = "Transfer-Encoding: chunked\r\n", f"Content-Length: {size}\r\n"
    json_type = "Content-Type: application/json\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    files = "Content-Type: multipart/form-data; boundary=b\r\n"
    content = f"POST {CONTENT}/{token}/content HTTP/1.1\r\nHost: x\r\n"
    request = f"POST {REQUESTS} HTTP/1.1\r\nHost: x\r\n{bearer}"
    plain, chunk = b"a" * MEGABYTE, b"100000\r\n" + b"a" * MEGABYTE + b"\r\n"
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    end = f"Content-Length: {size + len(part) + 9}\r\n"
    return {
        name: (head.encode(), body)
        for name, head, body in (
            ("JSON with a length", f"{request}{json_type}{length}\r\n", plain),
            ("JSON in chunks", f"{request}{json_type}{chunked}\r\n", chunk),
            ("a form in chunks", f"{request}{form}{chunked}\r\n", chunk),
            ("a content with a length", f"{content}{length}\r\n", plain),
            ("a content in chunks", f"{content}{chunked}\r\n", chunk),
            ("a content in parts", f"{content}{files}{end}\r\n{part}", plain),
            ("a part's endless head",
             f"{content}{files}{length}\r\n--b\r\nContent-Disposition: ", plain),
        )
    }  # fmt: skip


def _token(server: Apart) -> str:
    path = f"/messaging/attachments/{server.attachment}/access_tokens"
    answer = send(server.port, raw("POST", path, server.token, {"duration": 80_000}))
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["id"])


def send_large_bodies(server: Apart, megabytes: int) -> list[str]:
    """Send bodies of that size in every way; what was said, and how much memory grew."""
    told = []
    for name, (head, block) in heads(server, megabytes * MEGABYTE).items():
        before = server.memory
        began = time.perf_counter()
        answer = streamed(server, head, block, megabytes)
        spent = time.perf_counter() - began
        grown = (server.memory - before) / MEGABYTE
        status = answer[9:12].decode()
        told.append(f"{name}: {status or 'closed'} after {spent:.1f} s, {grown:+.1f} MiB")
        small = megabytes * MEGABYTE < LARGEST and name.startswith("a content")
        assert status in (("200",) if small else ("413", "400", "431", "")), told[-1]
        assert grown < 50, told[-1]
        assert answers(server) < 5
    return told


def test_large_bodies_leave_memory_as_it_is(server: Apart) -> None:
    """The short form: in each way that a body comes; contents are taken, the rest refused."""
    send_large_bodies(server, 128)


@pytest.mark.long
def test_a_gigabyte_leaves_memory_as_it_is(tmp_path: Path) -> None:
    """With a length, in chunks, as a form, as a content raw and in parts."""
    with apart(tmp_path) as server:
        answers(server)
        before = server.memory
        for line in send_large_bodies(server, 1024):
            print(line)
        assert server.memory - before < 50 * MEGABYTE


def crowd(server: Apart, many: int) -> tuple[int, int, float]:
    """Open so many connections, half a head on each; how many stayed, left, and a good answer's
    time in between."""
    half = b"GET /scg-external-api/api/v1/contacts HTTP/1.1\r\nHost: x\r\nX-Half: "
    held: list[socket.socket] = []
    refused = 0
    for _ in range(many):
        try:
            one = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            one.sendall(half)
            held.append(one)
        except OSError:
            refused += 1
    spent = answers(server)
    watch = selectors.DefaultSelector()
    for one in held:
        one.setblocking(False)
        watch.register(one, selectors.EVENT_READ)
    ended = 0
    until = time.monotonic() + 30
    while ended < len(held) and time.monotonic() < until:
        for key, _ in watch.select(timeout=1):
            one = key.fileobj
            assert isinstance(one, socket.socket)
            with contextlib.suppress(ConnectionError):
                said = one.recv(4096)
                assert said in (b"",) or said.startswith(b"HTTP/1.1 408 "), said
            watch.unregister(one)
            one.close()
            ended += 1
    assert ended == len(held)
    return len(held), refused, spent


def test_a_crowd_of_half_requests_holds_up_nobody(server: Apart) -> None:
    """The short form: each is closed in time; meanwhile others are served."""
    before = server.memory
    stayed, refused, spent = crowd(server, 500)

    assert stayed + refused == 500
    assert spent < 5
    assert server.memory - before < 50 * MEGABYTE
    answers(server)


@pytest.mark.long
def test_ten_thousand_connections_are_served_or_refused(tmp_path: Path) -> None:
    """The server lives, answers a good request in between, and is as large as before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 12_000)), hard))
    with apart(tmp_path) as server:
        crowd(server, 2_000)
        before = server.memory
        stayed, refused, spent = crowd(server, 10_000)
        print(f"\n{stayed} held, {refused} refused, a good request took {spent * 1000:.0f} ms; "
              f"memory {(server.memory - before) / MEGABYTE:+.1f} MiB")  # fmt: skip
        assert stayed + refused == 10_000
        assert spent < 1
        assert wait_for(lambda: server.memory - before < 50 * MEGABYTE, 5)
        assert answers(server) < 1


def test_a_client_that_trickles_is_cut_off_and_one_that_leaves_is_forgotten(
    server: Apart,
) -> None:
    """A byte at a time for longer than a head may take; bodies that end in the middle."""
    whole = raw("POST", "/contacts", server.token, {"first_name": "x" * 50})
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.settimeout(0.1)
        said = b""
        for at in range(len(whole)):
            try:
                slow.sendall(whole[at : at + 1])
                said = slow.recv(4096)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert said in (b"",) or said.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 10
    for cut in range(1, len(whole), 7):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as leaving:
            leaving.sendall(whole[:cut])
    listed = send(server.port, raw("GET", "/contacts?first_name=" + "x" * 50, server.token))
    assert b'"total":0' in listed


def test_a_client_that_does_not_read_holds_up_nobody(server: Apart) -> None:
    """Many answers are asked for on one connection and none is read."""
    ask = raw("GET", "/contacts?limit=1000", server.token)
    unread = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for one in unread:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(200):
                one.send(ask)
    assert answers(server) < 5
    for one in unread:
        one.close()
    assert answers(server) < 5
