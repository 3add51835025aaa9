"""Recorded requests with their bytes changed, from a seed, and what a server says to them."""

from __future__ import annotations

import random
import re
import socket
import time
from collections import Counter
from collections.abc import Sequence

from attrs import define, field

_TOKENS = (
    b"\x00", b"\xff\xfe", b"\r\n", b"\r\n\r\n", b"%00", b"%2e%2e", b"%ff", b"../", b"//",
    b"?", b"#", b"&", b"=", b"'", b'"', b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]",
    b"[[[[", b"null",
    b"true", b"NaN", b"1e999", b"-1", b"0", b"99999999999999999999", b"9" * 400,
    b"\xf0\x9f\x98\x80",
    "é".encode(), b"*", b"..", b",", b" ", b"\t", b"${x}", b"#parse(", b"#set($a=$a)", b"state",
    b"limit=0", b"offset=-1", b"sort=-id", b"version_number", b"group:", b"contact:", b"channel:",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n", b"If-Match: *\r\n", b"If-Match: \"x\"\r\n", b"Idempotency-Key: a\r\n",
    b"Content-Type: multipart/form-data; boundary=b\r\n", b"Content-Encoding: gzip\r\n",
    b"application/x-www-form-urlencoded", b"GET", b"DELETE", b"PUT", b"OPTIONS", b"HTTP/1.0",
)  # fmt: skip
_SECRET = re.compile(rb"(?i)authorization: bearer [!-~]+")


def changed(rng: random.Random, request: bytes, others: Sequence[bytes]) -> bytes:
    """A request with one to six changes, most in its body or path; its token stays mostly."""
    kept = _SECRET.search(request)
    hidden = b"\x01TOKEN\x01"
    keep = kept is not None and rng.random() < 0.95
    data = bytearray(request.replace(kept[0], hidden) if keep and kept is not None else request)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        _change(rng, data, others)
    made = bytes(data)
    if rng.random() < 0.8:
        made = _measured(made)
    return made.replace(hidden, kept[0]) if keep and kept is not None else made


_USUAL = (0, 1, 2, 3, 4, 5, 6, 7) * 3 + (8,)


def _change(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    body, line = data.find(b"\r\n\r\n") + 4, data.find(b" HTTP")
    if rng.random() < 0.8 and 4 <= body < len(data):
        at = rng.randrange(body, len(data) + 1)
    elif rng.random() < 0.6 and line > 0:
        at = rng.randrange(line)
    match rng.choice(_USUAL):
        case 0 if data:
            data[at % len(data)] = rng.randrange(256)
        case 1 if data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        case 2:
            data[at:at] = rng.choice(_TOKENS)
        case 3:
            del data[at : at + rng.choice((1, 2, 4, 16, 64))]
        case 4:
            end = at + rng.choice((1, 4, 16, 64))
            data[at:at] = data[at:end] * rng.choice((1, 2, 8))
        case 5:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            data[at : at + rng.randrange(32)] = other[start : start + rng.randrange(1, 64)]
        case 6:
            numbers = list(re.finditer(rb"\d+", data))
            if numbers:
                one = rng.choice(numbers)
                data[one.start() : one.end()] = rng.choice(
                    (b"0", b"-1", b"1.5", b"9" * 30, b"1e400", b'"7"', b"2147483648", b"x")
                )
        case 7:
            texts = list(re.finditer(rb'"[^"]*"', data))
            if texts:
                one = rng.choice(texts)
                data[one.start() : one.end()] = rng.choice(
                    (
                        b"null",
                        b"[]",
                        b"{}",
                        b"7",
                        b'""',
                        b"true",
                        b'["a"]',
                        b'"' + b"x" * 300 + b'"',
                    )
                )
        case _:
            del data[at:]


def _measured(request: bytes) -> bytes:
    """The request with the length that its body has, so that more than the head is looked at."""
    head, blank, body = request.partition(b"\r\n\r\n")
    length = b"Content-Length: %d" % len(body)
    return re.sub(rb"(?i)content-length:[^\r\n]*", length, head, count=1) + blank + body


@define
class Report:
    """What was said to how many, and how long the slowest took."""

    sent: int = 0
    statuses: Counter[str] = field(factory=Counter)
    slowest: float = 0.0
    slow: list[tuple[float, bytes]] = field(factory=list)
    failed: list[bytes] = field(factory=list)

    def told(self) -> str:
        """In one line."""
        said = ", ".join(f"{status} {many}" for status, many in sorted(self.statuses.items()))
        return f"{self.sent} requests, slowest {self.slowest * 1000:.0f} ms: {said}"


def is_whole(request: bytes) -> bool:
    """Whether a server need not wait for more of it; where that is not certain, it is not."""
    head, blank, body = request.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not blank or b"chunked" in head.lower() or b"100-continue" in head.lower():
        return False
    lengths = re.findall(rb"(?i)\r\ncontent-length:([^\r\n]*)", head)
    if head.lower().count(b"content-length") != len(lengths) or len(lengths) > 1:
        return False
    return not lengths or (lengths[0].strip().isdigit() and int(lengths[0]) <= len(body))


def send(port: int, data: bytes, wait: float = 10) -> bytes:
    """What the server says to a request; one that is not whole is cut off."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        answer = b""
        try:
            connection.sendall(data)
            if not is_whole(data):
                connection.shutdown(socket.SHUT_WR)
            while not _is_answered(answer) and (part := connection.recv(65536)):
                answer += part
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def _is_answered(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if not blank or head.startswith(b"HTTP/1.1 100 "):
        return False
    return len(body) >= (int(length[1]) if length else 0) and b"chunked" not in head


def fuzz(port: int, requests: Sequence[bytes], seed: int, count: int, slow: float) -> Report:
    """Send so many changed requests; keep those that failed the server or took it long."""
    rng = random.Random(seed)
    report = Report()
    for _ in range(count):
        data = changed(rng, rng.choice(requests), requests)
        began = time.perf_counter()
        answer = send(port, data)
        spent = time.perf_counter() - began
        status = answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "closed"
        report.sent += 1
        report.statuses[status] += 1
        report.slowest = max(report.slowest, spent)
        if spent > slow:
            report.slow.append((spent, data))
        if status.startswith("5") or (answer and status == "closed"):
            report.failed.append(data)
    return report
