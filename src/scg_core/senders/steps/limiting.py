"""Throughput limits kept in the storage: shared by all processes that share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, among
from scg_core.ports.storage import Session
from scg_core.senders.model import LimitState
from scg_core.senders.rules.throughput import Grant, Limit, Used, grant, returned

_COLUMNS = ("arrival", "day", "used")


class StoredLimits:
    """``Limits`` in the storage itself: what a failed transaction took is given back."""

    def ask(
        self,
        session: Session,
        limits: Sequence[Limit],
        units: Sequence[int],
        now: Instant,
        *,
        spend: bool,
    ) -> Grant:
        """How many messages of these sizes may leave now under all the limits."""
        held = _held(session, limits)
        given = grant(limits, held, units, now)
        if spend and given.count:
            _keep(session, held, given.used)
        return given

    def give_back(
        self, session: Session, limits: Sequence[Limit], given: Grant, units: int
    ) -> None:
        """Take back so many units of what was granted."""
        held = _held(session, limits)
        _keep(session, held, returned(limits, held, given, units))


def _held(session: Session, limits: Sequence[Limit]) -> dict[str, Used]:
    query = Query(LimitState, [among("id", [one.key for one in limits])])
    rows = session.rows(query, ("id", *_COLUMNS))
    return {key: Used(arrival, day, used) for key, arrival, day, used in rows}


def _keep(session: Session, known: Mapping[str, Used], after: Mapping[str, Used]) -> None:
    rows = [(key, one.arrival, one.day, one.used) for key, one in after.items()]
    fresh = [row for row in rows if row[0] not in known]
    session.insert(LimitState, ("id", *_COLUMNS), fresh)
    held = [(*row[1:], row[0]) for row in rows if row not in fresh]
    session.update(LimitState, _COLUMNS, ("id",), held)
