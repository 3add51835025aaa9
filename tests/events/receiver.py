"""A receiver of webhooks that keeps its own history and misbehaves as it is told.

It runs in this process on a thread of its own, or as a process that can be killed: then its history
is a file, written before it answers.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scg_core.ports.events import Reception

STATUS = {Reception.TAKEN: 200, Reception.LATER: 503, Reception.REFUSED: 422}
Said = tuple[int, dict[str, str]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


class Receiver:
    """Takes deliveries; ``decide`` says how each is answered, None for not at all."""

    def __init__(
        self, decide: Callable[[dict[str, Any]], Said | None] | None = None, port: int = 0
    ) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self._answers: dict[str, Reception] = {}
        self._decide = decide or self._as_told
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append(
                    (self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                )
                said = receiver._decide(json.loads(body))
                if said is None:
                    self.close_connection = True
                    return
                status, headers = said
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                receiver.requests.append(
                    (self.path, {k.lower(): v for k, v in self.headers.items()}, b"")
                )
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/events"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def arrived(self) -> Sequence[str]:
        return [body.decode() for _, _, body in self.requests]

    def answer(self, event_id: str, reception: Reception) -> None:
        self._answers[event_id] = reception

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _as_told(self, event: dict[str, Any]) -> Said:
        return STATUS[self._answers.get(event["event_id"], Reception.TAKEN)], {}


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _unreliable(history: Path, seed: int, slow: float) -> Callable[[dict[str, Any]], Said | None]:
    """Fails in three of ten deliveries, in all the ways that receivers have.

    Each arrival is on disk before it is answered: its event, place, answer and what it says.
    """
    lock, chance = threading.Lock(), random.Random(seed)
    out = history.open("a", encoding="utf-8")

    def decide(event: dict[str, Any]) -> Said | None:
        with lock:
            dice = chance.random()
            status = 200
            if dice < 0.30:
                status = chance.choice([500, 500, 502, 503, 408, 429, 429, 410, 0, -1])
            values = event["event"]["fld-val-list"]
            moved = [values.get("previous_state"), values.get("new_state")]
            line = [event["event_id"], event["subject"], event["sequence"], status, *moved]
            out.write(json.dumps(line) + "\n")
            out.flush()
        if status == 0:
            time.sleep(slow)
            return 200, {}
        if status == -1:
            return None
        return status, {"Retry-After": "2"} if status in (429, 503) else {}

    return decide


def main() -> None:
    history, seed, port, slow = sys.argv[1:]
    receiver = Receiver(_unreliable(Path(history), int(seed), float(slow)), int(port))
    print(receiver.port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
