"""A server in a process of its own, on a file: how much memory it takes is seen from outside.

``python -m tests.http.apart FOLDER`` serves one of everything, records a good request of each
route, says where it listens, and ends when its standard input does.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from scg_adapters.http import server as server_module
from scg_adapters.http.routes import BASE, ROUTES, Does
from scg_adapters.http.server import HEAD_PATIENCE
from tests.http.lives import body_of, path_of
from tests.http.operator_lives import token_for
from tests.http.server import Served
from tests.stories.calls import VoiceWorld

MEGABYTE = 2**20
CONTENT = "/scg-attachment/api/v1/messaging/attachments"


@frozen
class Apart:
    """A server that runs: its port, a customer's token, an attachment, recorded requests."""

    port: int
    token: str
    operator: str
    attachment: str
    folder: Path
    requests: list[bytes]
    pid: int

    @property
    def memory(self) -> int:
        """Bytes of memory it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        [line] = [one for one in status.splitlines() if one.startswith("VmRSS")]
        return int(line.split()[1]) * 1024


@contextmanager
def apart(folder: Path, patience: float = HEAD_PATIENCE) -> Iterator[Apart]:
    """Such a server, which waits so many seconds for a head, for as long as the block lasts."""
    errors = (folder / "stderr").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.http.apart", str(folder), str(patience)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        facts: dict[str, Any] = json.loads(process.stdout.readline())
        recorded = json.loads((folder / "requests.json").read_text(encoding="utf-8"))
        yield Apart(
            **facts, folder=folder, requests=[one.encode("latin-1") for one in recorded],
            pid=process.pid,
        )  # fmt: skip
    finally:
        assert process.stdin is not None
        process.stdin.close()
        if process.stdout is not None:
            process.stdout.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        errors.close()


def raw(verb: str, path: str, token: str, body: object = None, *, base: str = BASE) -> bytes:
    """A request as it goes over the wire."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{verb} {base}{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        head += "Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def recorded(served: Served) -> list[bytes]:
    """A good request of each route, and one of each that is served besides."""
    found = []
    for route in ROUTES:
        token = served.tokens[token_for(route)]
        if route.does is Does.REFUSE:
            found.append(raw(route.verb, path_of(route, served), token, {}))
            continue
        found.append(raw(route.verb, path_of(route, served), token, body_of(route, served)))
    key, secret = served.secrets["rival"]
    refresh = f"/saop-rest-data/v1/apptoken-refresh?consumerkey={key}&consumersecret={secret}"
    attachment = served.world.app.attachments.create(name="f").id
    opened = served.world.app.attachments.create_token(attachment, {}).id
    content = f"{CONTENT}/{opened}/content"
    for path in ("/health/live", "/health/ready", refresh, content):
        found.append(raw("GET", path, "", base=""))
    found.append(f"POST {content} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".encode())
    part = b'--b\r\nContent-Disposition: form-data; name="file-upload"\r\n\r\nhi\r\n--b--\r\n'
    head = f"POST {content} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b"
    found.append(f"{head}\r\nContent-Length: {len(part)}\r\n\r\n".encode() + part)
    return found


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes true within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return true()


def main(folder: Path, patience: float) -> None:
    """Serve until standard input ends."""
    server_module.HEAD_PATIENCE = patience  # type: ignore[misc]
    logging.basicConfig(level=logging.ERROR)
    world = VoiceWorld(f"sqlite:///{folder}/scg.db")
    with Served(world, note=lambda _: None) as served:
        requests = [one.decode("latin-1") for one in recorded(served)]
        (folder / "requests.json").write_text(json.dumps(requests), encoding="utf-8")
        facts = {
            "port": served.port, "token": served.tokens["acme"],
            "operator": served.tokens["operator"],
            "attachment": world.app.attachments.create(name="big").id,
        }  # fmt: skip
        print(json.dumps(facts), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
