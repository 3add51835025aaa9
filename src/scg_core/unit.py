"""One transaction, as use cases see it: resources in and out, work for later, events told.

A unit sends nothing. What must leave is filed as due work in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from scg_core.events.lifecycle import SubscriptionState
from scg_core.events.model import Event, Subscription, Topic
from scg_core.events.outbox import file_events, forget_subjects
from scg_core.events.rules.choosing import wants
from scg_core.kernel import codec
from scg_core.kernel.errors import Duplicate, InvalidField, NotFound, StaleData
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import DELETED, EXACT_TOTAL, Condition, Page, Query, eq, meets, ne
from scg_core.kernel.resource import R, Resource, declaration, evolve, identity
from scg_core.ports.ids import Ids
from scg_core.ports.storage import Session, Work

T = TypeVar("T")

_TOLD: Final = ne("state", SubscriptionState.INACTIVE.value)


class Unit:
    """One engine call's transaction at one instant."""

    def __init__(self, session: Session, ids: Ids, now: Instant) -> None:
        self.session = session
        self.ids = ids
        self.now = now
        self.notes: Counter[tuple[str, ...]] = Counter()
        self._anyone: bool | None = None
        self._listeners: dict[str, list[Subscription]] = {}
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

    def listens(self, company: str, topic: Topic) -> bool:
        """Whether a company has a subscription to a topic."""
        return any(topic in one.topics for one in self.listeners(company))

    def anyone_listens(self) -> bool:
        """Whether any company has a subscription; the storage is asked once a unit."""
        if self._anyone is None:
            self._anyone = bool(self.session.count(Query(Subscription, [_TOLD]), at_most=1))
        return self._anyone

    def listeners(self, company: str) -> list[Subscription]:
        """A company's subscriptions that are told of events, asked for once a unit."""
        if not self.anyone_listens():
            return []
        if company not in self._listeners:
            where = (eq("company_id", company), _TOLD)
            self._listeners[company] = self.session.find(Query(Subscription, where))
        return self._listeners[company]

    def tell(self, *events: Event) -> None:
        """Store an envelope for each subscription that wants one of the events, if there is any."""
        heard = [
            (event, wanting)
            for event in events
            if (wanting := [o for o in self.listeners(event.company_id) if wants(o, event)])
        ]
        if heard:
            file_events(self.session, self.ids, self.now, heard)

    def forget_events_of(self, subjects: Sequence[str]) -> None:
        """Subjects are gone for good: how many events were told of them need not be known."""
        forget_subjects(self.session, subjects)

    def note(self, what: str, *labels: str, amount: int = 1) -> None:
        """Note what a host may want to count; it is told once the transaction has ended well."""
        self.notes[(what, *labels)] += amount
