"""One process that serves the API and does the due work: what ``scg serve`` runs."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn

from scg_adapters.http.app import create_app
from scg_adapters.http.server import configured
from scg_adapters.worker import Worker
from scg_core.engine import Engine
from scg_core.kernel.errors import InvalidField
from scg_core.ports.clock import Clock


def serve(
    engine: Engine,
    clock: Clock,
    *,
    host: str,
    port: int,
    ready: Callable[[str], None],
    worker: bool = True,
    **options: Any,
) -> None:
    """Serve until the process is asked to end, then finish what is in hand.

    ``ready`` is told the server's URL once it answers; port 0 takes a free one. Without a
    ``worker`` another process has to do the due work. Further options are those of ``create_app``.

    Raises:
        InvalidField: the address cannot be listened on.
    """
    busy = Worker(engine, clock) if worker else None
    woken = busy.wake if busy is not None else lambda: None
    app = create_app(engine, woken=woken, **options)
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listening.getsockname()[1]}"
    server = _Server(configured(app, host=host, port=port), lambda: ready(url))
    if busy is not None:
        busy.start()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _heard)  # uvicorn raises what it heard again once it has ended
    try:
        asyncio.run(server.serve(sockets=[listening]))
    finally:
        if busy is not None:
            busy.stop(20)


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(list(sockets or ()) or None)
        if self.started:
            self._ready()


def _heard(_: int, __: object) -> None:
    """The server has ended as it was asked to; so may the process."""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as reason:
        listening.close()
        raise InvalidField("port", f"{host}:{port} cannot be listened on: {reason}") from None
    return listening
