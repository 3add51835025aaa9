"""One transaction, as use cases see it: resources in and out, work for later, events told.

A unit sends nothing. What must leave is filed as due work in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from scg_core.events.model import Envelope, Event, Subscription, Topic
from scg_core.kernel import codec
from scg_core.kernel.errors import Duplicate, InvalidField, NotFound, StaleData
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import DELETED, EXACT_TOTAL, Condition, Page, Query, eq, meets
from scg_core.kernel.resource import R, Resource, declaration, evolve, identity
from scg_core.ports.ids import Ids
from scg_core.ports.storage import Session, Work

T = TypeVar("T")


class Unit:
    """One engine call's transaction at one instant."""

    def __init__(self, session: Session, ids: Ids, now: Instant) -> None:
        self.session = session
        self.ids = ids
        self.now = now
        self._listened: dict[Topic, bool] = {}
        self._made: dict[str, Any] = {}

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What ``make`` gives, made at most once in this unit."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def new_id(self) -> str:
        """A new id, ordered by time."""
        return self.ids.new(self.now)[0]

    def get(
        self,
        kind: type[R],
        company: str,
        id: str,
        where: Iterable[Condition] = (),
        scope: Condition | None = None,
    ) -> R:
        """A company's resource; ``scope`` says what it sees, if that is more than its own.

        Raises:
            NotFound: there is none, or it is another company's, or it is deleted, or it does not
                meet the conditions.
            InvalidField: the id is no text.
        """
        found = self.session.get(kind, codec.read_text("id", id))
        seen = scope or eq("company_id", company)
        if found is None or not meets(found, seen):
            raise NotFound(declaration(kind).title, id)
        if getattr(found, "state", None) == DELETED or not all(meets(found, one) for one in where):
            raise NotFound(declaration(kind).title, id)
        return found

    def page(self, query: Query[R]) -> Page[R]:
        """One page of a list and how many there are in all, counted only if the page is full."""
        items = self.session.find(query)
        limit = len(items) if query.limit is None else query.limit
        total = query.offset + len(items)
        if len(items) == limit or (query.offset and not items):
            total = self.session.count(query, at_most=max(EXACT_TOTAL, total + 1))
        return Page(items, total, query.offset, limit)

    def add(self, resource: R) -> R:
        """Store a new resource."""
        self.session.add(resource)
        return resource

    def save(self, resource: R, **changes: object) -> R:
        """Store a changed resource: one version on, dated now."""
        version = getattr(resource, "version_number") + 1  # noqa: B009
        after = evolve(resource, **changes, version_number=version, last_updated_date=self.now)
        self.session.replace(after)
        return after

    def check_version(self, resource: Resource, seen: object) -> None:
        """Refuse an update of a resource that has changed since the caller read it.

        ``seen`` is the version the caller read, as a number or its digits; None and the empty text
        check nothing (semantics 17).

        Raises:
            StaleData: the resource is at another version.
            InvalidField: the version is no number.
        """
        if seen is None or seen == "":
            return
        if isinstance(seen, str) and seen.isascii() and seen.isdigit() and len(seen) <= 18:
            seen = int(seen)
        if isinstance(seen, bool) or not isinstance(seen, int):
            raise InvalidField("version_number", "must be a whole number")
        current: int = getattr(resource, "version_number")  # noqa: B009
        if seen != current:
            raise StaleData(declaration(resource).title, identity(resource), seen, current)

    def refuse_duplicate(
        self, kind: type[Resource], same: Mapping[str, Any], named: tuple[str, ...]
    ) -> None:
        """Refuse a resource if another one has the same values.

        Raises:
            Duplicate: it names the fields.
        """
        if self.session.count(Query(kind, [eq(*pair) for pair in same.items()]), at_most=1):
            raise Duplicate(declaration(kind).title, named)

    def later(self, kind: str, key: str, due: Instant) -> None:
        """File work to be done at ``due``; two of one kind and key are done once."""
        self.session.file(Work(kind, key, due))

    def anyone_listens(self, topic: Topic) -> bool:
        """Whether any company subscribed to a topic; asked of the storage once a unit."""
        if topic not in self._listened:
            where = [eq("topic", topic.value)]
            found = self.session.count(Query(Subscription, where), at_most=1)
            self._listened[topic] = bool(found)
        return self._listened[topic]

    def tell(self, event: Event) -> None:
        """Store an envelope for each subscription that wants the event, if there is any."""
        if not self.anyone_listens(event.topic):
            return
        where = (eq("company_id", event.company_id), eq("topic", event.topic.value))
        for subscription in self.session.find(Query(Subscription, where)):
            self.add(
                Envelope(
                    id=self.new_id(),
                    subscription_id=subscription.id,
                    company_id=event.company_id,
                    topic=event.topic,
                    type=event.type,
                    facts=json.dumps(dict(event.facts), sort_keys=True),
                    created_date=self.now,
                )
            )
