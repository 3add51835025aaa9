"""From a request to a library call and back: the one place where the two meet.

Every route is served by the same few lines: find it, know the caller, read what was sent, call the
verb the table names, write down what it returned. What a route does decides the shape of the call.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from attrs import evolve, frozen

from scg_adapters.http import dealing
from scg_adapters.http.answers import (
    NOTHING,
    Answer,
    NoSuchPath,
    NotAllowed,
    error_answer,
    fault_answer,
)
from scg_adapters.http.auth import Gate, Known
from scg_adapters.http.desk import Desk
from scg_adapters.http.filters import read_asked
from scg_adapters.http.links import Links
from scg_adapters.http.reading import Gone, Receive, Room, read_body, read_fields, read_query
from scg_adapters.http.routes import BASE, ROUTES, Does, Paths, Route
from scg_core.engine import Application, Operator
from scg_core.kernel.errors import Forbidden, NotFound, ScgError
from scg_core.kernel.resource import declaration
from scg_core.tenancy.model import Scope

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Special = Callable[["Request"], Awaitable[Answer]]

CONTENT: Final = ["scg-attachment", "api", "v1", "messaging", "attachments"]
"""Where contents of attachments are put and got: below it an access token, then ``content``."""

log: Final = logging.getLogger("scg_adapters.http")
access: Final = logging.getLogger("scg_adapters.http.access")

_ID: Final = re.compile(rb"^[A-Za-z0-9._:-]{1,64}$")
_LONGEST_ID: Final = 128
_SMALL: Final = 64 * 1024
_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})


@frozen
class Limits:
    """What the server takes: bytes of a body and of all bodies at once, and seconds until one
    must be whole; ``page`` is about how many bytes a page of a list may have."""

    body: int = 8 * 2**20
    bodies: int = 64 * 2**20
    patience: float = 30.0
    page: int = 8 * 2**20


@frozen
class Request:
    """One request, tidied: path parts below the base, headers by lower-case name."""

    verb: str
    parts: list[str]
    query: bytes
    headers: Mapping[bytes, bytes]
    receive: Receive

    def header(self, name: bytes) -> str:
        """A header's text, empty if there is none."""
        return self.headers.get(name, b"").decode("latin-1").strip()


class Api:
    """The routes as an ASGI application.

    ``woken`` is called after each change, so that a worker looks for what is due; ``specials`` are
    further paths, by their parts, each with what serves them by verb, ``content`` serves the
    contents of attachments, ``links`` those who follow tracked links; ``note`` takes the facts of
    each request, which are logged if it is not given.
    """

    def __init__(
        self,
        desk: Desk,
        gate: Gate,
        operator: Operator,
        *,
        new_id: Callable[[], str],
        limits: Limits | None = None,
        woken: Callable[[], None] = lambda: None,
        specials: Mapping[str, Mapping[str, Special]] | None = None,
        note: Note | None = None,
        routes: tuple[Route, ...] = ROUTES,
        content: Special | None = None,
        links: Links | None = None,
    ) -> None:
        self._desk = desk
        self._content = content
        self._links = links
        self._gate = gate
        self._operator = operator
        self._new_id = new_id
        self._limits = limits or Limits()
        self._bodies = Room(self._limits.bodies)
        self._woken = woken
        self._specials = specials or {}
        self._note = note or logged
        self._paths = Paths(routes)
        self._base = BASE.strip("/").split("/")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _ID.match(given) else self._new_id()
        verb = scope["method"]
        trace = _Trace()
        try:
            parts = _parts(scope)
            request = Request(verb, parts, scope.get("query_string", b""), headers, receive)
            answer = await self._answer(request, trace)
        except Gone:
            self._note(_facts(request_id, verb, trace, 499, began))
            return
        except ScgError as refused:
            answer = error_answer(refused)
            if answer.status >= 500:
                log.error("request %s: %s", request_id, refused)
        except Exception:
            log.exception("request %s failed", request_id)
            answer = fault_answer(request_id)
        await self._send(send, answer, request_id, head=verb == "HEAD")
        self._note(_facts(request_id, verb, trace, answer.status, began))

    async def _answer(self, request: Request, trace: _Trace) -> Answer:
        if request.parts[:-2] == CONTENT and request.parts[-1] == "content" and self._content:
            trace.path = f"/{'/'.join(CONTENT)}/{{Token}}/content"
            verb = _chosen(request.verb, {"GET": None, "POST": None})
            if verb is None:
                return _options({"GET": None, "POST": None})
            return await self._content(evolve(request, verb=verb))
        special = self._specials.get("/".join(request.parts))
        if special is not None:
            trace.path = "/" + "/".join(request.parts)
            verb = _chosen(request.verb, special)
            return _options(special) if verb is None else await special[verb](request)
        token = None if self._links is None else self._links.token_in(request.parts)
        if token is not None and self._links is not None:
            return await self._follow(self._links, token, request, trace)
        parts = request.parts
        if parts[: len(self._base)] == self._base:
            parts = parts[len(self._base) :]
        found = self._paths.find(parts) if parts else None
        if found is None:
            raise NoSuchPath()
        by_verb, ids = found
        route = next(iter(by_verb.values()))
        trace.path = route.path
        if request.verb == "OPTIONS":
            return _options(_served(by_verb))
        known = await self._gate.known(request.headers)
        trace.known = known
        _refuse_scope(route, known)
        verb = _chosen(request.verb, _served(by_verb))
        if verb is None:
            raise NotAllowed(())
        return await self._serve(by_verb[verb], known, ids, request)

    async def _follow(self, links: Links, token: str, request: Request, trace: _Trace) -> Answer:
        trace.path = "/{Link}"
        if _chosen(request.verb, {"GET": None}) is None:
            return _options({"GET": None})
        answer = await links.follow(token, request.verb, dict(request.headers))
        self._woken()
        return answer

    async def _serve(
        self, route: Route, known: Known, ids: tuple[str, ...], request: Request
    ) -> Answer:
        if known.contact is not None and not (route.holder and ids[:1] == (known.contact,)):
            raise Forbidden("token", "opens one contact and its application tokens, nothing else")
        _refuse_bad_ids(route, ids)
        of = self._operator if route.scope is Scope.OPERATOR else known.application
        if not route.writes:
            asked = read_asked(route.kind, read_query(request.query))
            return await self._desk.read(
                lambda: dealing.read(route, of, ids, asked, self._limits.page)
            )
        fields = await self._fields(request, route)
        return await self.change(route, of, ids, request, fields)

    async def change(
        self,
        route: Route,
        of: Application | Operator,
        ids: tuple[str, ...],
        request: Request,
        fields: Mapping[str, object],
    ) -> Answer:
        """Do what a writing route does, and let the worker know."""
        key = request.header(b"idempotency-key") or None
        match = request.header(b"if-match")
        answer = await self._desk.write(lambda: dealing.write(route, of, ids, fields, key, match))
        if route.attended:
            await self._desk.attend(dealing.attended_id(route, ids, answer))
        self._woken()
        return answer

    async def _fields(self, request: Request, route: Route) -> Mapping[str, object]:
        """What is sent along: the body, for an action also the query."""
        if request.verb not in _BODIES and not route.field:
            return dict(read_query(request.query)) if request.query else {}
        length = request.header(b"content-length") or None
        body = await read_body(
            request.receive, length, self._limits.body, self._limits.patience, self._bodies
        )
        kind = request.header(b"content-type")
        if len(body) > _SMALL:  # what takes long to read must not hold up everybody else
            fields = await self._desk.read(lambda: read_fields(body, kind))
        else:
            fields = read_fields(body, kind)
        if route.does is Does.ACT:
            return {**dict(read_query(request.query)), **fields}
        return dealing.without_shown(route, fields) if route.scope is Scope.OPERATOR else fields

    async def _send(self, send: Send, answer: Answer, request_id: str, *, head: bool) -> None:
        headers = [*answer.head(), (b"x-request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        stream = answer.stream
        while stream is not None and not head:
            chunk = await self._desk.stream(lambda: next(stream, None))
            if chunk is None:
                break
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        body = b"" if head or stream is not None else answer.body
        await send({"type": "http.response.body", "body": body})


class _Trace:
    """What is known of a request so far, for the log."""

    __slots__ = ("known", "path")

    def __init__(self) -> None:
        self.path = ""
        self.known: Known | None = None


def _parts(scope: Mapping[str, Any]) -> list[str]:
    """The parts of the path, decoded one by one; double and trailing slashes do not count."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    raw = raw.partition(b"?")[0]
    mounted = scope.get("root_path", "").encode()
    if mounted and raw.startswith(mounted):
        raw = raw[len(mounted) :]
    try:
        return [
            (unquote_to_bytes(part) if b"%" in part else part).decode()
            for part in raw.split(b"/")
            if part
        ]
    except UnicodeDecodeError:
        raise NoSuchPath() from None


def _served(by_verb: Mapping[str, Route]) -> dict[str, Route]:
    return {verb: route for verb, route in by_verb.items() if route.does is not Does.REFUSE}


def _chosen(verb: str, served: Mapping[str, object]) -> str | None:
    """The verb that serves a request, None for OPTIONS; HEAD is served like GET.

    Raises:
        NotAllowed: none does.
    """
    if verb in served:
        return verb
    if verb == "HEAD" and "GET" in served:
        return "GET"
    if verb == "OPTIONS":
        return None
    raise NotAllowed(_allowed(served))


def _allowed(served: Mapping[str, object]) -> tuple[str, ...]:
    head = ("HEAD",) if "GET" in served and "HEAD" not in served else ()
    return (*served, *head, "OPTIONS")


def _options(served: Mapping[str, object]) -> Answer:
    """The answer to OPTIONS."""
    return evolve(NOTHING, headers=((b"allow", ", ".join(_allowed(served)).encode()),))


def _refuse_scope(route: Route, known: Known) -> None:
    if route.scope is Scope.OPERATOR and known.scope is not Scope.OPERATOR:
        raise Forbidden("token", "has not the scope of an operator")


def _refuse_bad_ids(route: Route, ids: tuple[str, ...]) -> None:
    """An id that no resource can have is an unknown one."""
    for id in ids:
        if len(id) > _LONGEST_ID or not id.isprintable() or not id.strip():
            raise NotFound(declaration(route.kind).title, id[:16])


Note = Callable[[dict[str, object]], None]


def logged(facts: dict[str, object]) -> None:
    """Log the facts of a request."""
    access.info("request", extra={"facts": facts})


def _facts(
    request_id: str, verb: str, trace: _Trace, status: int, began: float
) -> dict[str, object]:
    """What is noted of a request: no body, token or query, and of the path only its pattern."""
    facts: dict[str, object] = {
        "request_id": request_id,
        "method": verb[:16],
        "path": trace.path,
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 2),
    }
    if trace.known is not None:
        facts["company"] = trace.known.company_id
        facts["application"] = trace.known.application_id
    return facts
