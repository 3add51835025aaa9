"""Connections to receivers: a name is resolved once, checked, and what was checked is connected to.

So a name that resolves to another address a moment later leads nowhere else, and nothing in the
network that the engine runs in is reached by a URL that a customer chose.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_network
from typing import Any, Final

import httpcore
import httpx
from attrs import frozen

from scg_core.events.rules.addresses import Network, is_inside, is_public, read_address

_CONNECTIONS: Final = 200
_KEPT: Final = 50
_KEPT_FOR: Final = 30.0


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
    """What a host allows: networks such as ``10.0.0.0/8``, and hosts such as ``hooks.internal``."""
    networks, names = [], []
    for one in given:
        try:
            networks.append(ip_network(one, strict=False))
        except ValueError:
            names.append(one.rstrip(".").lower())
    return Allowed(tuple(networks), tuple(names))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to nothing but addresses that were checked."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check all that came of it, connect to the first that answers."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as unknown:
            raise httpcore.ConnectError("the name cannot be resolved") from unknown
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        self._allowed.check(host, addresses)
        failed: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                failed = refused
        raise failed

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


class _Checked(httpx.AsyncBaseTransport):
    """httpx over a pool of checked connections."""

    def __init__(self, allowed: Allowed, tls: ssl.SSLContext | None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_FOR,
            network_backend=CheckedNetwork(allowed),
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
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream),
            extensions=answer.extensions,
        )  # fmt: skip

    async def aclose(self) -> None:
        await self._pool.aclose()


def client_for(
    allowed: Allowed, timeout: float, tls: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """A client that keeps no cookies, follows nothing and asks no proxy."""
    nothing = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        transport=_Checked(allowed, tls), timeout=timeout, follow_redirects=False,
        trust_env=False, cookies=nothing,
    )  # fmt: skip
