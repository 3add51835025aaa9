"""Connections to receivers: a name is resolved once, checked, and what was checked is connected to.

So a name that resolves to another address a moment later leads nowhere else, and nothing in the
network that the engine runs in is reached by a URL that a customer chose.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, Final

import httpcore
import httpx
from attrs import frozen

from scg_core.events.rules.addresses import (
    Network,
    is_inside,
    is_literal,
    is_name,
    is_public,
    read_address,
)
from scg_core.kernel.errors import InvalidField

_CONNECTIONS: Final = 200
_KEPT: Final = 50
_KEPT_FOR: Final = 30.0
_LOOPBACK: Final = ip_address("127.0.0.1")
_RESOLVERS: Final = 64
_KEPT_HEADERS: Final = frozenset({b"retry-after"})


class Blocked(Exception):
    """A name resolves to an address that nothing is delivered to."""


@frozen
class Allowed:
    """What may be delivered to although it is inside: networks, and hosts by name."""

    networks: tuple[Network, ...] = ()
    names: tuple[str, ...] = ()

    def is_inside(self, host: str) -> bool:
        """Whether a host is refused by its name alone."""
        return is_inside(host, self.networks, self.names)

    def check(self, host: str, addresses: Sequence[str]) -> None:
        """Refuse a host of which any address is not to be delivered to.

        Raises:
            Blocked: one is not.
        """
        if host.rstrip(".").lower() in self.names:
            return
        if not all(is_public(read_address(one), self.networks) for one in addresses):
            raise Blocked


def read_allowed(given: Iterable[str]) -> Allowed:
    """What a host allows: networks such as ``10.0.0.0/8``, and hosts such as ``hooks.internal``.

    Raises:
        InvalidField: one is neither.
    """
    networks, names = [], []
    for one in given:
        try:
            networks.append(ip_network(one, strict=False))
        except ValueError:
            if not is_name(one):
                rule = f"must be a network or a host's name, not {one[:64]!r}"
                raise InvalidField("allow", rule) from None
            names.append(one.rstrip(".").lower())
    if any(_LOOPBACK in one for one in networks if one.version == _LOOPBACK.version):
        names.append("localhost")
    return Allowed(tuple(networks), tuple(names))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to nothing but addresses that were checked."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()
        self._resolvers = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="scg-resolve")
        self._asked: dict[tuple[str, int], asyncio.Future[Any]] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check all that came of it, connect to the first that answers."""
        try:
            found = await self._resolved(host, port)
        except (OSError, UnicodeError) as unknown:
            raise httpcore.ConnectError("the name cannot be resolved") from unknown
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        self._allowed.check(host, addresses)
        failed: Exception = httpcore.ConnectError("the name has no address")
        share = None if timeout is None else timeout / max(len(addresses), 1)
        for address in addresses:  # one that is silent must leave time for the next
            try:
                return await self._inner.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                failed = refused
        raise failed

    async def _resolved(self, host: str, port: int) -> Any:
        """What a name resolves to; a look-up that nobody can hurry is asked for once at a time."""
        if is_literal(host):
            return [(None, None, None, None, (host.strip("[]"), port))]
        asked = self._asked.get((host, port))
        if asked is None:
            look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            asked = asyncio.get_running_loop().run_in_executor(self._resolvers, look)
            self._asked[host, port] = asked
            asked.add_done_callback(lambda one: self._resolved_now(host, port, one))
        return await asyncio.shield(asked)

    def _resolved_now(self, host: str, port: int, asked: asyncio.Future[Any]) -> None:
        del self._asked[host, port]
        if not asked.cancelled():
            asked.exception()  # nobody may be waiting for it any more

    def close(self) -> None:
        """Let go of the threads; look-ups under way end by themselves."""
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """There is none to connect to."""
        raise Blocked

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self._inner.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    """What a receiver answers, as it comes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class CheckedTransport(httpx.AsyncBaseTransport):
    """httpx over a pool of checked connections.

    It is used without a client of httpx: so nothing follows a redirect, keeps a cookie, asks a
    proxy or logs a URL. Of an answer's headers only Retry-After is let through.
    """

    def __init__(self, allowed: Allowed, tls: ssl.SSLContext | None = None) -> None:
        self._network = CheckedNetwork(allowed)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_FOR,
            network_backend=self._network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, one answer; no redirect is followed."""
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        kept = [(name, value) for name, value in answer.headers if name.lower() in _KEPT_HEADERS]
        return httpx.Response(
            answer.status, headers=kept, stream=_Body(answer.stream), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Let go of connections and threads."""
        await self._pool.aclose()
        self._network.close()
