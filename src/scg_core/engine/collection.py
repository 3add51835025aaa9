"""What all of a company's collections have in common: getting one, finding some, paging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Final, Generic, Protocol

from attrs import evolve

from scg_core.calling.steps.exchange import Exchange
from scg_core.events.settings import EventSettings
from scg_core.kernel.query import (
    DEFAULT_LIMIT,
    Condition,
    Page,
    Query,
    above,
    filtered,
    listing,
)
from scg_core.kernel.resource import R, declaration
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.sources import Sources
from scg_core.ports.blobs import Blobs
from scg_core.ports.events import Events
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_PAGE: Final = 1_000
NONE: Final[Mapping[str, object]] = MappingProxyType({})


class Host(Protocol):
    """What a collection needs of the engine."""

    @property
    def sources(self) -> Sources:
        """What use cases may ask, and the numbers a host may choose."""
        ...

    @property
    def settings(self) -> Settings:
        """The numbers a host may choose."""
        ...

    @property
    def exchange(self) -> Exchange:
        """What calling may ask: the switches and what they can do."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Where contents lie."""
        ...

    @property
    def events(self) -> Events:
        """What delivers events."""
        ...

    @property
    def event_settings(self) -> EventSettings:
        """The numbers of events that a host may choose."""
        ...

    def new_credential(self) -> str:
        """22 characters that nobody can guess and nobody else gets."""
        ...

    def transaction(self, name: str) -> AbstractContextManager[Unit]:
        """One transaction at the clock's present instant."""
        ...

    def reading(self) -> AbstractContextManager[Unit]:
        """One moment, to read from."""
        ...


class Collection(Generic[R]):
    """The resources of one kind that a company sees.

    Fields and filters are given by name, or as a mapping in the first place; filters by what they
    equal, several values of one meaning any of them, ``Prefix`` and ``Between`` for the rest.
    """

    def __init__(
        self, engine: Host, caller: Caller, kind: type[R], scope: Condition | None = None
    ) -> None:
        self._engine = engine
        self._caller = caller
        self._kind = kind
        self._scope = scope

    def get(self, id: str, filters: Mapping[str, object] = NONE, /, **named: object) -> R:
        """The resource as it is now.

        Raises:
            NotFound: the company has none with this id, it was deleted, or it does not meet the
                filters.
            InvalidField: an unknown filter.
        """
        with self._engine.reading() as unit:
            conditions = filtered(self._kind, self._asked(unit, {**filters, **named}))
            found = unit.get(self._kind, self._caller.company_id, id, conditions, self._scope)
            return self._told(unit, [found])[0]

    def find(
        self,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> list[R]:
        """Those that meet the filters, a page of at most 1,000; deleted ones only if asked for.

        Raises:
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        with self._engine.reading() as unit:
            asked = self._asked(unit, {**filters, **named})
            return self._told(unit, unit.session.find(self._listing(asked, sort, limit, offset)))

    def page(
        self,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[R]:
        """The same as ``find``, with how many there are in all."""
        with self._engine.reading() as unit:
            asked = self._asked(unit, {**filters, **named})
            page = unit.page(self._listing(asked, sort, limit, offset))
            return evolve(page, items=self._told(unit, page.items))

    def all(self, filters: Mapping[str, object] = NONE, /, **named: object) -> Iterator[R]:
        """Every one that meets the filters, in the order of their keys, read page by page.

        A page costs the same wherever it is; what is made meanwhile may come along.
        """
        key = declaration(self._kind).key
        after: tuple[Condition, ...] = ()
        while True:
            with self._engine.reading() as unit:
                asked = self._asked(unit, {**filters, **named})
                query = evolve(self._listing(asked, None, _PAGE, 0), sort=((key, False),))
                some = self._told(unit, unit.session.find(query.also(*after)))
            yield from some
            if len(some) < _PAGE:
                return
            after = (above(key, getattr(some[-1], key)),)

    def _told(self, unit: Unit, items: list[R]) -> list[R]:
        """What was read, with what is not stored with it."""
        return items

    def _asked(self, unit: Unit, filters: Mapping[str, object]) -> Mapping[str, object]:
        """The filters by the names of attributes, where a collection knows them by others too."""
        return filters

    def _listing(
        self, filters: Mapping[str, object], sort: str | None, limit: int, offset: int
    ) -> Query[R]:
        return listing(
            self._kind, self._caller.company_id, filters, sort=sort, limit=limit, offset=offset,
            scope=self._scope,
        )  # fmt: skip
