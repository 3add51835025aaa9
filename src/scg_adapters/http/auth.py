"""Who asks: bearer tokens, how often each application may ask, and the internal headers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from scg_adapters.http.answers import Throttled
from scg_adapters.http.desk import Desk
from scg_core.engine import Application, Engine
from scg_core.kernel.errors import InvalidField, NotFound, Unauthorized
from scg_core.kernel.gcra import Rate
from scg_core.kernel.instant import Instant
from scg_core.tenancy.model import Scope

_REMEMBERED: Final = 1.0
_MOST: Final = 10_000
_TOKEN: Final = re.compile(rb"^[\x21-\x7e]{1,512}$")


@frozen
class Known:
    """Whoever is behind a token: what may be done, and as which application.

    ``contact`` is the only one that the holder of a contact's access token is let to.
    """

    application: Application
    company_id: str
    application_id: int
    scope: Scope
    rate: float | None
    contact: str | None = None


class Gate:
    """Says who a request comes from.

    A token is looked up at most once a second: one that was revoked or has expired stops to count
    within that time. ``internal`` trusts the ``int-appId`` and ``int-companyId`` headers of
    requests without a token: only for a server that nobody else can reach. ``rate`` limits every
    application that has no rate of its own, in requests a second.
    """

    def __init__(
        self,
        engine: Engine,
        desk: Desk,
        *,
        internal: bool = False,
        rate: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._internal = internal
        self._rate = rate
        self._clock = clock
        self._tokens: dict[str, tuple[float, Known]] = {}
        self._arrivals: dict[tuple[str, int], int] = {}

    async def known(self, headers: Mapping[bytes, bytes]) -> Known:
        """Whoever sends these headers.

        Raises:
            Unauthorized: nobody we know.
            Throttled: they ask too often.
        """
        scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not _TOKEN.match(token):
            known = self._by_headers(headers)
        else:
            known = await self._by_token(token.decode("latin-1"))
        self._count(known)
        return known

    async def _by_token(self, token: str) -> Known:
        now = self._clock()
        held = self._tokens.get(token)
        if held is not None and held[0] > now:
            return held[1]
        self._tokens.pop(token, None)
        known = await self._desk.read(lambda: self._look_up(token))
        if len(self._tokens) >= _MOST:
            self._tokens.clear()
        self._tokens[token] = (now + _REMEMBERED, known)
        return known

    def _look_up(self, token: str) -> Known:
        try:
            identity = self._engine.authenticate(token)
        except Unauthorized:
            return self._holder(token)
        caller = identity.caller
        return Known(
            self._engine.application(caller.company_id, caller.application_id, lenient=True),
            caller.company_id,
            caller.application_id,
            identity.scope,
            identity.requests_per_second or self._rate,
        )

    def _holder(self, token: str) -> Known:
        """Whoever shows an access token of a contact."""
        try:
            held = self._engine.contact_token(token)
        except (NotFound, InvalidField):
            raise Unauthorized() from None
        application = self._engine.application(held.company_id, held.application_id, lenient=True)
        return Known(
            application, held.company_id, held.application_id, Scope.CUSTOMER, self._rate,
            held.resource_id,
        )  # fmt: skip

    def _by_headers(self, headers: Mapping[bytes, bytes]) -> Known:
        company = headers.get(b"int-companyid", b"").decode("latin-1").strip()
        number = headers.get(b"int-appid", b"").strip()
        if not self._internal or not company or not number.isdigit() or len(number) > 18:
            raise Unauthorized()
        try:
            application = self._engine.application(company, int(number), lenient=True)
        except InvalidField:
            raise Unauthorized() from None
        return Known(application, company, int(number), Scope.CUSTOMER, self._rate)

    def _count(self, known: Known) -> None:
        if known.rate is None:
            return
        rate = Rate(known.rate, burst=max(int(known.rate), 1))
        now = Instant(int(self._clock() * 1000))
        key = (known.company_id, known.application_id)
        arrival = self._arrivals.get(key, 0)
        free = rate.free_at(arrival)
        if free > now:
            raise Throttled(max(-(-(free - now) // 1000), 1))
        if len(self._arrivals) >= _MOST and key not in self._arrivals:
            self._arrivals.clear()
        self._arrivals[key] = rate.after(arrival, now, 1)
