"""A real server on loopback in a thread of the test process, and a client of the plainest kind."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import uvicorn

from scg_adapters.http.app import create_app
from scg_adapters.http.routes import BASE
from scg_adapters.http.server import configured
from scg_core.events.settings import EventSettings
from tests.stories.calls import VoiceWorld
from tests.world import World

COMPANIES = ("acme", "rival")


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error code of the envelope."""
        assert set(self.json) == {"error_code", "error_description"}
        return str(self.json["error_code"])


class Served:
    """A world behind a server; ``call`` asks it something as the company acme."""

    def __init__(self, world: World | None = None, **options: Any) -> None:
        self.world = world or VoiceWorld(ports={"event_settings": EventSettings(most=100_000)})
        self.tokens: dict[str, str] = {}
        self.secrets: dict[str, tuple[str, str]] = {}
        self._number = itertools.count(10_000)
        operator = self.world.engine.operator()
        operator.load_defaults()
        for company in COMPANIES:
            operator.add_company(id=company)
            made = operator.add_application(company, application_id=1)
            self.secrets[company] = (made.consumer_key, made.consumer_secret)
            self.tokens[company] = operator.issue_token(company, 1).token
        self.tokens["operator"] = operator.issue_token("acme", 1, scope="operator").token
        self.notes: list[dict[str, object]] = []
        self._options = {"note": self.notes.append, **options}

    def __enter__(self) -> Served:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        app = create_app(self.world.engine, **self._options)
        self._server = uvicorn.Server(configured(app, host="127.0.0.1", port=self.port))
        started = threading.Event()
        startup = self._server.startup

        async def begin(sockets: Any = None) -> None:
            await startup(sockets)
            started.set()

        self._server.startup = begin  # type: ignore[method-assign]
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, daemon=True
        )
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def call(
        self,
        verb: str,
        path: str,
        body: object = None,
        *,
        token: str | None = "acme",
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        base: str = BASE,
    ) -> Answer:
        """One request; ``token`` names a company, or is sent as it is, or None: none."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {self.tokens.get(token, token)}")
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(verb, base + path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def raw(self, data: bytes, *, close: bool = False, wait: float = 5) -> bytes:
        """Whatever the server says to these bytes; with ``close`` nothing more is sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            connection.sendall(data)
            if close:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except (TimeoutError, ConnectionResetError):
                pass
            return answer

    def request(self, **fields: object) -> str:
        """A new message request of acme; its id."""
        body = {"from": self.world.sender.id, "to": ["+14155550100"], "body": "hello", **fields}
        made = self.call("POST", "/messaging/message_requests", body)
        assert made.status == 200, made.body
        return str(made.json["id"])

    def number(self) -> int:
        """A number that was not given before."""
        return next(self._number)

    def settle(self) -> None:
        """Let all due work be done."""
        self.world.engine.run_until_idle()
