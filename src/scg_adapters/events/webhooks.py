"""Events by signed webhooks: each is POSTed to its subscription's URL.

Receivers are strangers: they are slow, broken or hostile, and none of it may hold up or harm the
engine. Every delivery has a time limit over all, redirects are not followed, what they answer is
not looked at beyond its status, and nothing is delivered into the engine's own network unless the
host allows it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore
import httpx

from scg_adapters.events.network import Blocked, CheckedTransport, read_allowed
from scg_core.events.rules.addresses import host_of
from scg_core.events.rules.outcomes import of_status
from scg_core.events.rules.signing import HEADER, sign
from scg_core.kernel.errors import InvalidField, TransportUnavailable
from scg_core.kernel.instant import SECOND, Instant, from_datetime
from scg_core.ports.events import EventsCapabilities, Parcel, Reception, Reply

log: Final = logging.getLogger("scg_adapters.events")

_LARGEST_ANSWER: Final = 64 * 1024
_DEAD: Final = 3
_INSIDE: Final = (
    "must be on the public Internet, or in a network or a host that the gateway's operator allows "
    "(scg serve --deliver-to, WebhookEvents(allow=...))"
)
_UNREACHED: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpx.HTTPError, OSError)


class WebhookEvents:
    """Delivers events by HTTP.

    ``allow`` are networks (``10.0.0.0/8``) and hosts (``hooks.internal``) that may be delivered to
    although they are inside. ``timeout`` is how many seconds a receiver has for all of one
    delivery, ``concurrency`` how many deliveries of a batch are under way at once, and ``patience``
    how many seconds a batch may take. ``tls`` is the context for https, if not the usual one.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        timeout: float = 10.0,
        concurrency: int = 16,
        batch: int = 100,
        patience: float = 15.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not 0 < timeout <= patience:
            raise InvalidField("timeout", "must be above 0 and at most the patience")
        if concurrency < 1:
            raise InvalidField("concurrency", "must be at least 1")
        self.capabilities: Final = EventsCapabilities(batch=batch, patience=int(patience * SECOND))
        self._allowed = read_allowed(allow)
        self._timeout = timeout
        self._concurrency = concurrency
        self._patience = patience
        self._waits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        self._tls = tls
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: CheckedTransport | None = None

    def refusal(self, url: str | None) -> str | None:
        """Why nothing is delivered to a URL."""
        if not url:
            return "is needed: where events are delivered"
        try:
            host = httpx.URL(url).host
        except (httpx.InvalidURL, ValueError):
            return "names a host that cannot be connected to"
        inside = self._allowed.is_inside(host_of(url)) or self._allowed.is_inside(host)
        return _INSIDE if inside else None

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        """POST each parcel, some at a time; what is not begun in time is left untried.

        Raises:
            TransportUnavailable: it was closed.
        """
        loop, client = self._running()
        doing = self._all(client, parcels, now)
        try:
            work = asyncio.run_coroutine_threadsafe(doing, loop)
            return work.result(self._patience + self._timeout)
        except (RuntimeError, TimeoutError, CancelledError):  # it was closed meanwhile
            doing.close()
            raise TransportUnavailable("webhooks") from None

    def close(self) -> None:
        """End what is under way and let go of connections."""
        with self._lock:
            loop, thread, client = self._loop, self._thread, self._client
            self._loop = self._thread = self._client = None
            self._closed = True
        if loop is None or thread is None or client is None:
            return
        asyncio.run_coroutine_threadsafe(_end(client), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> tuple[asyncio.AbstractEventLoop, CheckedTransport]:
        with self._lock:
            if self._closed:
                raise TransportUnavailable("webhooks")
            if self._loop is None or self._client is None:
                self._loop = asyncio.new_event_loop()
                self._client = CheckedTransport(self._allowed, self._tls)
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="scg-webhooks", daemon=True
                )
                self._thread.start()
            return self._loop, self._client

    async def _all(
        self, client: CheckedTransport, parcels: Sequence[Parcel], now: Instant
    ) -> list[Reply]:
        until = asyncio.get_running_loop().time() + self._patience - self._timeout
        room = asyncio.Semaphore(self._concurrency)
        silent: Counter[str] = Counter()
        return list(
            await asyncio.gather(
                *(self._one(client, one, now, room, until, silent) for one in parcels)
            )
        )

    async def _one(
        self,
        client: CheckedTransport,
        parcel: Parcel,
        now: Instant,
        room: asyncio.Semaphore,
        until: float,
        silent: Counter[str],
    ) -> Reply:
        """Deliver one; a receiver that was silent several times in a row is left alone."""
        url = parcel.url
        refused = self.refusal(url)
        if url is None or refused is not None:
            return Reply(Reception.REFUSED, reason=f"the URL {refused}")
        async with room:
            late = asyncio.get_running_loop().time() > until
            if late or silent[url] >= _DEAD:
                return Reply(Reception.UNTRIED)
            reply = await self._post(client, url, parcel, now)
            silent[url] = silent[url] + 1 if reply.code is None else 0
            return reply

    async def _post(
        self, client: CheckedTransport, url: str, parcel: Parcel, now: Instant
    ) -> Reply:
        body = parcel.body.encode("utf-8", "replace")
        headers = {
            "content-type": "application/json",
            "user-agent": "scg-engine",
            HEADER: sign(parcel.secrets, now, body),
            "SCG-Event-Id": parcel.event_id,
            "SCG-Attempt": str(parcel.attempt),
        }
        reply: Reply | None = None
        try:
            async with asyncio.timeout(self._timeout):
                request = httpx.Request(
                    "POST", url, content=body, headers=headers, extensions={"timeout": self._waits}
                )
                answer = await client.handle_async_request(request)
                try:
                    reply = _reply(answer, now)
                    await _drain(answer)
                finally:
                    await answer.aclose()
        except Blocked:
            reason = f"the URL {_INSIDE}"
            return Reply(Reception.REFUSED, reason=reason)
        except TimeoutError:
            return reply or Reply(Reception.LATER, reason="it did not answer in time")
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
            return reply or Reply(Reception.REFUSED, reason="the URL cannot be connected to")
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as odd:
            reason = f"its answer was no HTTP ({type(odd).__name__})"
            return reply or Reply(Reception.LATER, reason=reason)
        except _UNREACHED as lost:
            reason = f"it could not be reached ({type(lost).__name__})"
            return reply or Reply(Reception.LATER, reason=reason)
        except Exception as surprise:  # of one receiver, which must not spoil the others
            log.exception("a delivery of event %s failed", parcel.event_id)
            reason = f"it could not be delivered ({type(surprise).__name__})"
            return reply or Reply(Reception.LATER, reason=reason)
        return reply


async def _end(client: CheckedTransport) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)  # each ends within its time limit
    await client.aclose()
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()


async def _drain(answer: httpx.Response) -> None:
    """Read what little belongs to an answer, so that its connection may be used again."""
    size = 0
    async for part in answer.aiter_raw():
        size += len(part)
        if size > _LARGEST_ANSWER:
            return


def _reply(answer: httpx.Response, now: Instant) -> Reply:
    status = answer.status_code
    reception = of_status(status)
    if reception is Reception.TAKEN:
        return Reply(reception, str(status))
    wish = answer.headers.get("retry-after", "") if reception is Reception.LATER else ""
    said = "it redirected, which is not followed" if status < 400 else f"it answered {status}"
    return Reply(reception, str(status), said, _wish(wish, now))


def _wish(text: str, now: Instant) -> int | None:
    """For how many milliseconds a receiver wants to be left alone."""
    tidy = text.strip()
    if tidy.isascii() and tidy.isdigit() and len(tidy) <= 9:
        return int(tidy) * SECOND
    try:
        at = parsedate_to_datetime(tidy)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(from_datetime(at if at.tzinfo else at.replace(tzinfo=UTC)) - now, 0)
