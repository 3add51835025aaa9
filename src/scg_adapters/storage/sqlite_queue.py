"""Due work and lanes in SQLite.

A lane's ``ready_at`` is the earliest due instant of its runs that are not held; a leased run's
due instant is the end of its lease, so a lapsed lease needs no search of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import evolve

from scg_core.kernel.errors import LeaseLost
from scg_core.kernel.instant import Instant
from scg_core.messaging.model import Claim, Lane, LaneKey, Run
from scg_core.messaging.rules.lanes import classes_for
from scg_core.ports.storage import Backlog, Standing, Waiting, Work

_RUN: Final = "id, lane, request_id, first, last, due, held, leased, pending, attempt, fence"
_LANE: Final = "id, connector, sender_id, country, company_id, priority, wait_until, reason"


class SqliteQueue:
    """The part of a session that is about what is to be done."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # -- due work ----------------------------------------------------------------------------

    def file(self, work: Work, /) -> None:
        """Ask for work to be done when due; of two of one kind and key the earlier due stands."""
        self._db.execute(
            "insert into work values (?, ?, ?, ?, ?, ?) on conflict do update set "
            "due = min(due, excluded.due)",
            (work.kind, work.key, work.due, work.position, work.attempt, work.fence),
        )

    def claim(
        self,
        kinds: Collection[str],
        now: Instant,
        lease_until: Instant,
        key: str | None = None,
        /,
    ) -> Work | None:
        """Take the work of these kinds, and of this key if one is given, that is longest due."""
        marks = ", ".join("?" * len(kinds))
        only, keys = ("", []) if key is None else ("and key = ? ", [key])
        row = self._db.execute(
            "select kind, key, due, position, attempt, fence from work "
            f"where due <= ? and kind in ({marks}) {only}order by due, kind, key limit 1",
            [now, *kinds, *keys],
        ).fetchone()
        if row is None:
            return None
        held = Work(*row)
        taken = evolve(held, due=lease_until, attempt=held.attempt + 1, fence=held.fence + 1)
        self._db.execute(
            "update work set due = ?, attempt = ?, fence = ? where kind = ? and key = ?",
            (taken.due, taken.attempt, taken.fence, taken.kind, taken.key),
        )
        return taken

    def complete(self, work: Work, /) -> None:
        """The claimed work is done."""
        sql = "delete from work where kind = ? and key = ? and fence = ?"
        self._held(self._db.execute(sql, (work.kind, work.key, work.fence)), work)

    def again(self, work: Work, due: Instant, position: int, /) -> None:
        """The claimed work goes on at ``due`` from ``position``."""
        sql = (
            "update work set due = ?, position = ?, attempt = 0 "
            "where kind = ? and key = ? and fence = ?"
        )
        parameters = (due, position, work.kind, work.key, work.fence)
        self._held(self._db.execute(sql, parameters), work)

    def put_off(self, work: Work, due: Instant, /) -> None:
        """Work that failed is tried again at ``due``; its attempt rises."""
        sql = "update work set due = ?, attempt = ? where kind = ? and key = ?"
        self._db.execute(sql, (due, work.attempt, work.kind, work.key))

    def withdraw(self, kind: str, key: str, /) -> None:
        """Work that is no longer wanted; unknown work is no error."""
        self._db.execute("delete from work where kind = ? and key = ?", (kind, key))

    def next_due(
        self, connectors: Collection[str], kinds: Collection[str] | None = None, /
    ) -> Instant | None:
        """The earliest instant at which work (of these kinds) or a lane of these is due."""
        marks = ", ".join("?" * len(connectors))
        only = "" if kinds is None else f"where kind in ({', '.join('?' * len(kinds))}) "
        row = self._db.execute(
            "select min(due) from "
            f"(select due from (select due from work {only}order by due limit 1) union all "
            "select min(max(ready_at, wait_until)) from lane "
            f"where ready_at is not null and connector in ({marks}))",
            [*(kinds or ()), *connectors],
        ).fetchone()
        return None if row[0] is None else Instant(row[0])

    def backlog(self, now: Instant, most: int, /) -> Backlog:
        """What waits: due work by kind, and the longest due lanes."""
        work = self._db.execute(
            "select kind, count(*), sum(due <= ?), min(due) from work group by kind order by kind",
            (now,),
        )
        since = (
            "min(case when r.due > 0 then r.due else "
            "coalesce((select created_date from message where seq = r.first), 0) end)"
        )
        lanes = self._db.execute(
            f"select {', '.join('l.' + name for name in _LANE.split(', '))}, "
            f"sum(r.last - r.first + 1), {since} as since from run r join lane l on l.id = r.lane "
            "where r.held = 0 and r.leased = 0 and r.due <= ? group by l.id "
            "order by since, l.id limit ?",
            (now, most),
        )
        return Backlog(
            tuple(Waiting(*row) for row in work),
            tuple(Standing(_lane(row[:-2]), row[-2], row[-1]) for row in lanes),
        )

    # -- lanes -------------------------------------------------------------------------------

    def lane(self, key: LaneKey, /) -> Lane:
        """The lane with this key, made if need be."""
        values = (key.connector, key.sender_id, key.country, key.company_id, key.priority)
        where = (
            "connector = ? and sender_id = ? and country = ? and company_id = ? and priority = ?"
        )
        sql = f"select {_LANE} from lane where {where}"
        row = self._db.execute(sql, values).fetchone()
        if row is None:
            self._db.execute(
                "insert into lane (connector, sender_id, country, company_id, priority) "
                "values (?, ?, ?, ?, ?)",
                values,
            )
            row = self._db.execute(sql, values).fetchone()
        return _lane(row)

    def queue(self, runs: Iterable[Run], /) -> list[Run]:
        """Put runs into their lanes; the runs with the ids they were given."""
        stored = []
        earliest: dict[int, Instant] = {}
        for run in runs:
            cursor = self._db.execute(
                "insert into run (lane, request_id, first, last, due, held, leased, pending, "
                "attempt, fence) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (run.lane, run.request_id, run.first, run.last, run.due, run.held, run.leased,
                 run.pending, run.attempt, run.fence),
            )  # fmt: skip
            stored.append(evolve(run, id=int(cursor.lastrowid or 0)))
            if not run.held:
                earliest[run.lane] = min(run.due, earliest.get(run.lane, run.due))
        for lane, due in earliest.items():
            self._db.execute(
                "update lane set ready_at = min(coalesce(ready_at, ?1), ?1) where id = ?2",
                (due, lane),
            )
        return stored

    def claim_runs(self, lane: Lane, most: int, now: Instant, lease_until: Instant, /) -> Claim:
        """Lease up to so many message numbers of a lane, longest due first."""
        taken: list[Run] = []
        lapsed: list[Run] = []
        for run in self._due_runs(lane, now, most):
            room = most - sum(one.size for one in taken)
            if room <= 0:
                break
            leased = self._lease(run, lease_until, room)
            taken.append(leased)
            if run.leased:
                lapsed.append(leased)
        self._set_ready(lane.id)
        return Claim(lane, tuple(taken), tuple(lapsed))

    def queued(self, sender_id: str, company_id: str, /) -> bool:
        """Whether any run lies in a lane of this root sender id and company."""
        sql = (
            "select exists(select 1 from run where lane in "
            "(select id from lane where sender_id = ? and company_id = ?))"
        )
        return bool(self._db.execute(sql, (sender_id, company_id)).fetchone()[0])

    def pending(self, connector: str, now: Instant, /) -> tuple[int, Instant | None]:
        """How many attempts of a connector await a later answer, and until when."""
        row = self._db.execute(
            "select coalesce(sum(last - first + 1), 0), min(due) from run where pending = 1 "
            "and due > ? and lane in (select id from lane where connector = ?)",
            (now, connector),
        ).fetchone()
        return int(row[0]), None if row[1] is None else Instant(row[1])

    def finish(self, claim: Claim, /) -> None:
        """Take a claim's runs out of their lane."""
        for run in claim.runs:
            sql = "delete from run where id = ? and fence = ? and leased = 1"
            if not self._db.execute(sql, (run.id, run.fence)).rowcount:
                raise LeaseLost(f"run {run.id}", run.fence)
        self._set_ready(claim.lane.id)

    def wait(self, lane: int, until: Instant, reason: str, /) -> None:
        """Let a whole lane rest; nothing in it is touched."""
        self._db.execute(
            "update lane set wait_until = ?, reason = ? where id = ?", (until, reason, lane)
        )

    def wake(self, senders: Collection[str], /) -> None:
        """Let the resting lanes of these root sender ids go on at once."""
        self._db.executemany(
            "update lane set wait_until = 0, reason = null where sender_id = ? and wait_until > 0",
            [(sender,) for sender in senders],
        )

    def release(self, request_id: str, due: Instant | None, /) -> int:
        """Let a request's held runs go at ``due``, or each at its own; how many runs."""
        lanes = self._db.execute(
            "select distinct lane from run where request_id = ? and held = 1", (request_id,)
        ).fetchall()
        changed = self._db.execute(
            "update run set held = 0, due = coalesce(?, due) where request_id = ? and held = 1",
            (due, request_id),
        ).rowcount
        for (lane,) in lanes:
            self._set_ready(lane)
        return changed

    def lanes(self, ids: Collection[int], /) -> list[Lane]:
        """The lanes with these numbers."""
        marks = ", ".join("?" * len(ids))
        found = self._db.execute(f"select {_LANE} from lane where id in ({marks})", list(ids))
        return [_lane(row) for row in found]

    def runs_of(self, request_id: str, limit: int, /, held: bool | None = None) -> list[Run]:
        """Up to ``limit`` runs of a request that are not leased, by their numbers."""
        only = "" if held is None else f" and held = {int(held)}"
        sql = (
            f"select {_RUN} from run where request_id = ? and leased = 0{only} "
            "order by first limit ?"
        )
        return [_run(row) for row in self._db.execute(sql, (request_id, limit))]

    def runs_at(self, numbers: Sequence[int], /) -> list[Run]:
        """The runs that any of these message numbers lie in."""
        found: dict[int, Run] = {}
        sql = f"select {_RUN} from run where first <= ? order by first desc limit 1"
        for number in numbers:
            row = self._db.execute(sql, (number,)).fetchone()
            if row is not None and number <= row[4]:
                found[row[0]] = _run(row)
        return sorted(found.values(), key=lambda run: run.first)

    def drop(self, runs: Sequence[Run], /) -> None:
        """Take runs out, whoever holds them."""
        self._db.executemany("delete from run where id = ?", [(run.id,) for run in runs])
        for lane in {run.lane for run in runs}:
            self._set_ready(lane)

    def next_lane(self, connectors: Collection[str], now: Instant, /) -> Lane | None:
        """The lane whose turn it is, or None; the turn is noted."""
        marks = ", ".join("?" * len(connectors))
        found = self._db.execute(
            "select distinct connector, priority from lane "
            f"where connector in ({marks}) and ready_at <= ? and wait_until <= ?",
            [*connectors, now, now],
        ).fetchall()
        if not found:
            return None
        connector = self._longest_ago("connector", {row[0] for row in found})
        slot = self._turns("slot", [connector]).get(connector, 0)
        classes = classes_for(slot, [row[1] for row in found if row[0] == connector])
        priority = int(self._longest_ago(f"class/{connector}", {str(one) for one in classes}))
        lane = self._lane_in_turn(connector, priority, now)
        company = f"company/{connector}/{priority}"
        self._note_turn(
            lane.id,
            [
                ("connector", connector),
                (f"class/{connector}", str(priority)),
                (company, lane.key.company_id),
            ],
        )
        self._db.execute(
            "insert into turn values ('slot', ?, 1) on conflict do update set served = served + 1",
            (connector,),
        )
        return lane

    def _lane_in_turn(self, connector: str, priority: int, now: Instant) -> Lane:
        columns = ", ".join(f"lane.{name}" for name in _LANE.split(", "))
        row = self._db.execute(
            f"select {columns} from lane left join turn on turn.kind = ? "
            "and turn.name = lane.company_id where connector = ? and priority = ? "
            "and ready_at <= ? and wait_until <= ? "
            "order by coalesce(turn.served, 0), lane.served, lane.id limit 1",
            (f"company/{connector}/{priority}", connector, priority, now, now),
        ).fetchone()
        return _lane(row)

    def _longest_ago(self, kind: str, names: Collection[str]) -> str:
        if len(names) == 1:
            return next(iter(names))
        turns = self._turns(kind, names)
        return min(names, key=lambda name: (turns.get(name, 0), name))

    def _turns(self, kind: str, names: Collection[str]) -> dict[str, int]:
        marks = ", ".join("?" * len(names))
        sql = f"select name, served from turn where kind = ? and name in ({marks})"
        return dict(self._db.execute(sql, [kind, *names]).fetchall())

    def _note_turn(self, lane: int, turns: Sequence[tuple[str, str]]) -> None:
        tick = self._db.execute(
            "insert into turn values ('tick', '', 1) "
            "on conflict do update set served = served + 1 returning served"
        ).fetchone()[0]
        self._db.executemany(
            "insert into turn values (?, ?, ?) on conflict do update set served = excluded.served",
            [(*turn, tick) for turn in turns],
        )
        self._db.execute("update lane set served = ? where id = ?", (tick, lane))

    def _due_runs(self, lane: Lane, now: Instant, limit: int) -> Iterator[Run]:
        sql = (
            f"select {_RUN} from run where lane = ? and held = 0 and due <= ? "
            "order by due, first limit ?"
        )
        return map(_run, self._db.execute(sql, (lane.id, now, limit)).fetchall())

    def _lease(self, run: Run, lease_until: Instant, room: int) -> Run:
        """Lease a run; of one that is larger than the room only its beginning."""
        leased = evolve(
            run,
            due=lease_until,
            leased=True,
            pending=False,
            attempt=run.attempt + 1,
            fence=run.fence + 1,
        )
        if run.size <= room:
            self._db.execute(
                "update run set due = ?, leased = 1, pending = 0, attempt = ?, fence = ? "
                "where id = ?",
                (leased.due, leased.attempt, leased.fence, run.id),
            )
            return leased
        cut = run.first + room
        self._db.execute(
            "update run set first = ?, fence = ? where id = ?", (cut, leased.fence, run.id)
        )
        return self.queue([evolve(leased, last=cut - 1)])[0]

    def _set_ready(self, lane: int) -> None:
        self._db.execute(
            "update lane set ready_at = (select min(due) from run where lane = ?1 and held = 0) "
            "where id = ?1",
            (lane,),
        )

    @staticmethod
    def _held(cursor: sqlite3.Cursor, work: Work) -> None:
        if not cursor.rowcount:
            raise LeaseLost(f"{work.kind} {work.key}", work.fence)


def _run(row: Sequence[Any]) -> Run:
    id, lane, request_id, first, last, due, held, leased, pending, attempt, fence = row
    return Run(
        lane=lane,
        request_id=request_id,
        first=first,
        last=last,
        due=Instant(due),
        held=bool(held),
        leased=bool(leased),
        pending=bool(pending),
        attempt=attempt,
        fence=fence,
        id=id,
    )


def _lane(row: Sequence[Any]) -> Lane:
    id, connector, sender_id, country, company_id, priority, wait_until, reason = row
    key = LaneKey(connector, sender_id, country, company_id, priority)
    return Lane(id, key, Instant(wait_until), reason)
