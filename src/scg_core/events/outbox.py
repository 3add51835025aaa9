"""Envelopes are filed in the transaction that made an event happen.

A page of events costs a few statements, however many it holds. Of one subject only the first
undelivered envelope of a subscription has a due instant; the others wait behind it, so that they
leave in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from scg_core.events.lifecycle import EnvelopeState, SubscriptionState
from scg_core.events.model import Envelope, Event, Subscription
from scg_core.events.records import EventSequence, Outlet
from scg_core.events.rules.wording import facts_of
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, among, eq
from scg_core.ports.ids import Ids
from scg_core.ports.storage import Session, Work

DELIVER: Final = "deliver"
"""The due work of delivering events; the key is the subscription."""

GIVE_UP: Final = "give up"
"""The due work of giving up what waits for a receiver that is silent for too long."""

_CHUNK: Final = 400
_WAITING: Final = EnvelopeState.PENDING.value
_COLUMNS: Final = (
    "id", "event_id", "subscription_id", "company_id", "topic", "type", "subject", "sequence",
    "facts", "state", "open", "due", "asked_date", "created_date",
)  # fmt: skip

Heard = tuple[Event, Sequence[Subscription]]


def file_events(session: Session, ids: Ids, now: Instant, heard: Sequence[Heard]) -> None:
    """Store an envelope for each subscription that wants an event, and have them delivered."""
    sequences = _numbered(session, [event.subject for event, _ in heard])
    behind = _undelivered(session, heard)
    rows: list[tuple[Any, ...]] = []
    ready: dict[str, Subscription] = {}
    fresh = iter(ids.new(now, len(heard) + sum(len(wanting) for _, wanting in heard)))
    for (event, wanting), sequence in zip(heard, sequences, strict=True):
        event_id, facts = next(fresh), facts_of(event)
        for one in wanting:
            place = (one.id, event.subject)
            due = None if place in behind else now
            behind.add(place)
            if due is not None:
                ready[one.id] = one
            rows.append(
                (next(fresh), event_id, one.id, event.company_id, event.topic.value,
                 event.type.value, event.subject, sequence, facts, _WAITING, event.subject, due,
                 now, now)
            )  # fmt: skip
    session.insert(Envelope, _COLUMNS, rows)
    for one in ready.values():
        if one.state is SubscriptionState.ACTIVE:
            wake(session, one.id, now)


def wake(session: Session, subscription_id: str, now: Instant) -> None:
    """Have a subscription's envelopes looked at, unless a worker is about to look anyway."""
    outlet = session.get(Outlet, subscription_id)
    if outlet is not None and outlet.busy_until <= now:
        due = Instant(max(now, outlet.rest_until))
        session.file(Work(DELIVER, subscription_id, due))


def forget_subjects(session: Session, subjects: Sequence[str]) -> None:
    """Drop the numbers of subjects of which nothing will be told any more."""
    session.discard(EventSequence, subjects)


def _numbered(session: Session, subjects: Sequence[str]) -> list[int]:
    """The next number of each subject, in their order; the last ones are kept."""
    last: dict[str, int] = {}
    wanted = sorted(set(subjects))
    for some in _chunks(wanted):
        rows = session.rows(Query(EventSequence, [among("id", some)]), ("id", "last"))
        last.update(rows)
    known = set(last)
    numbers = []
    for subject in subjects:
        last[subject] = last.get(subject, 0) + 1
        numbers.append(last[subject])
    session.insert(
        EventSequence, ("id", "last"), [(id, last[id]) for id in wanted if id not in known]
    )
    held = [(last[id], id) for id in wanted if id in known]
    session.update(EventSequence, ("last",), ("id",), held)
    return numbers


def _undelivered(session: Session, heard: Sequence[Heard]) -> set[tuple[str, str]]:
    """Which subjects have an undelivered envelope already, with the subscription."""
    subjects: dict[str, set[str]] = {}
    for event, wanting in heard:
        for one in wanting:
            subjects.setdefault(one.id, set()).add(event.subject)
    found: set[tuple[str, str]] = set()
    for id, some in subjects.items():
        for chunk in _chunks(sorted(some)):
            where = [eq("subscription_id", id), among("open", chunk)]
            rows = session.rows(Query(Envelope, where), ("subscription_id", "subject"))
            found.update((row[0], row[1]) for row in rows)
    return found


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[begin : begin + _CHUNK] for begin in range(0, len(values), _CHUNK))
