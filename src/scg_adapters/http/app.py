"""The server as an ASGI application: routes, token refresh, health, documentation.

``create_app(engine)`` can be served by any ASGI server, or mounted in a host's own application.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve
from openapi_ui_bundles import swagger_ui
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from scg_adapters.http.answers import UNKEPT, Answer, NotAllowed, plain
from scg_adapters.http.api import Api, Limits, Note, Request, logged
from scg_adapters.http.auth import Gate
from scg_adapters.http.content import Contents
from scg_adapters.http.desk import Desk
from scg_adapters.http.links import Links
from scg_adapters.http.openapi import document
from scg_adapters.http.reading import read_query
from scg_adapters.http.routes import ROUTES, Route
from scg_core.engine import Engine
from scg_core.kernel.errors import Forbidden, InvalidField, ScgError, Unauthorized
from scg_core.tenancy.model import Scope as TokenScope

if TYPE_CHECKING:  # an extra of its own
    from scg_adapters.watching.metrics import Metrics

REFRESH: Final = "saop-rest-data/v1/apptoken-refresh"
_METRICS: Final = b"text/plain; version=0.0.4; charset=utf-8"
_FOREVER: Final = 10 * 365 * 86_400
_STALLED: Final = 60_000
_ASSETS: Final = {
    "swagger-ui.css": b"text/css; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>scg-engine API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css"></head>
<body><div id="ui"></div><script src="docs/assets/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#ui", validatorUrl: null,
  deepLinking: true, filter: true, displayRequestDuration: true});</script>
</body></html>
"""


def create_app(
    engine: Engine,
    *,
    woken: Callable[[], None] = lambda: None,
    limits: Limits | None = None,
    internal_auth: bool = False,
    rate: float | None = None,
    token_life: int | None = None,
    note: Note | None = None,
    routes: tuple[Route, ...] = ROUTES,
    metrics: Metrics | None = None,
) -> Starlette:
    """The REST API of an engine.

    ``woken`` is called after each change (a worker's ``wake``); ``internal_auth`` trusts the
    ``int-`` headers; ``rate`` limits applications without a rate of their own, in requests a
    second; ``token_life`` is for how many milliseconds a refreshed token counts; ``note`` takes the
    facts of each request instead of the log; ``routes`` is the table to serve. ``metrics`` are
    served under ``/metrics`` to who has an operator's token, and hear of each request.
    """
    desk = Desk(engine)
    gate = Gate(engine, desk, internal=internal_auth, rate=rate)
    pages = _Pages(engine, desk, token_life, routes, gate, metrics)
    api = Api(
        desk,
        gate,
        engine.operator(),
        new_id=_numbered(engine.new_credential()[:12]),
        limits=limits,
        woken=woken,
        note=_noting(note, metrics),
        routes=routes,
        content=Contents(engine, desk, patience=(limits or Limits()).patience),
        links=Links(engine, desk),
        specials={
            REFRESH: {"GET": pages.refresh, "HEAD": pages.not_by_head},
            "health/live": {"GET": pages.live},
            "health/ready": {"GET": pages.ready},
            **({} if metrics is None else {"metrics": {"GET": pages.metrics}}),
            "openapi.json": {"GET": pages.openapi},
            "docs": {"GET": pages.docs},
            **{f"docs/assets/{name}": {"GET": pages.asset} for name in _ASSETS},
        },
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()

    return _Shell(api, routes=[Mount("/", api)], lifespan=lifespan)


def _noting(note: Note | None, metrics: Metrics | None) -> Note | None:
    """Who hears of each request."""
    if metrics is None:
        return note
    tell = note or logged

    def both(facts: dict[str, object]) -> None:
        metrics.request(facts)
        tell(facts)

    return both


class _Shell(Starlette):
    """Starlette for the lifespan, and so that a host may mount it; requests need no layer of it."""

    def __init__(self, api: Api, **options: Any) -> None:
        super().__init__(**options)
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._api(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Pages:
    """What is served besides the resources."""

    def __init__(
        self,
        engine: Engine,
        desk: Desk,
        token_life: int | None,
        routes: tuple[Route, ...],
        gate: Gate,
        metrics: Metrics | None,
    ) -> None:
        self._gate = gate
        self._metrics = metrics
        self._engine = engine
        self._desk = desk
        self._token_life = token_life
        self._document = plain(200, document(_version(), routes))
        self._since = time.monotonic()

    async def refresh(self, request: Request) -> Answer:
        """A new token for an application that shows its key and secret (wire 1).

        Its errors have a shape of their own, which real clients read.
        """
        try:
            given = dict(read_query(request.query))
        except InvalidField as reason:
            return _refusal(400, str(reason))
        missing = [name for name in ("consumerkey", "consumersecret") if not given.get(name)]
        if missing:
            return _refusal(400, f"{missing[0]} is missing")
        key, secret, old = (
            given.get(name, "") for name in ("consumerkey", "consumersecret", "oldtoken")
        )
        try:
            issued = await self._desk.write(
                lambda: self._engine.operator().refresh_token(
                    key, secret, old, valid_for=self._token_life
                )
            )
        except Unauthorized:
            return _refusal(401, "the key and the secret do not belong together")
        life = _FOREVER if issued.valid_for is None else issued.valid_for // 1000
        told = plain(200, {"accessToken": issued.token, "validityTime": life})
        return evolve(told, headers=UNKEPT)

    async def not_by_head(self, _: Request) -> Answer:
        """A token that nobody would see must not replace one that works."""
        raise NotAllowed(("GET",))

    async def asset(self, request: Request) -> Answer:
        """A file of the documentation page."""
        name = request.parts[-1]
        body = await self._desk.read((Path(swagger_ui.static_path) / name).read_bytes)
        return Answer(200, body, media=_ASSETS[name])

    async def live(self, _: Request) -> Answer:
        """Whether the process answers at all."""
        return plain(200, {"status": "ok", "seconds": round(time.monotonic() - self._since)})

    async def ready(self, _: Request) -> Answer:
        """Whether the storage answers, and whether due work is being done."""
        try:
            overdue = await self._desk.read(self._engine.overdue)
        except ScgError as reason:
            return plain(503, {"status": "unavailable", "reason": str(reason)})
        status = "ok" if overdue < _STALLED else "behind"
        return plain(200, {"status": status, "overdue_ms": overdue})

    async def metrics(self, request: Request) -> Answer:
        """What Prometheus scrapes; companies are named in it, so it is the operator's."""
        known = await self._gate.known(request.headers)
        if known.scope is not TokenScope.OPERATOR:
            raise Forbidden("token", "has not the scope of an operator")
        text = b"" if self._metrics is None else await self._desk.read(self._metrics.text)
        return Answer(200, text, headers=UNKEPT, media=_METRICS)

    async def openapi(self, _: Request) -> Answer:
        """The OpenAPI document."""
        return self._document

    async def docs(self, _: Request) -> Answer:
        """A page to browse it; it needs nothing from outside."""
        return Answer(200, _PAGE.encode(), media=b"text/html; charset=utf-8")


def _numbered(prefix: str) -> Callable[[], str]:
    """Request ids: a name of this process, and a number."""
    numbers = itertools.count(1)
    return lambda: f"{prefix}-{next(numbers):x}"


def _refusal(status: int, text: str) -> Answer:
    return plain(status, {"errorCode": 1, "moreInfo": text, "userMsg": text})


def _version() -> str:
    try:
        return version_of("scg-engine")
    except PackageNotFoundError:
        return "0"
