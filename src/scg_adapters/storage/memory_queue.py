"""Due work and lanes on plain dictionaries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from attrs import evolve

from scg_adapters.storage.memory_tables import Change, Rows, Tables
from scg_core.kernel.errors import LeaseLost
from scg_core.kernel.instant import Instant
from scg_core.messaging.model import Claim, Lane, LaneKey, Run
from scg_core.messaging.rules.lanes import classes_for
from scg_core.ports.storage import Backlog, Standing, Waiting, Work


class MemoryQueue:
    """The part of a session that is about what is to be done."""

    def __init__(self, tables: Tables, undo: list[Change]) -> None:
        self._tables = tables
        self._undo = undo

    # -- due work ----------------------------------------------------------------------------

    def file(self, work: Work, /) -> None:
        """Ask for work to be done when due; of two of one kind and key the earlier due stands."""
        key = (work.kind, work.key)
        known = self._work.get(key)
        if known is not None:
            work = evolve(known, due=min(known.due, work.due))
        self._put(self._work, key, work)

    def claim(
        self,
        kinds: Collection[str],
        now: Instant,
        lease_until: Instant,
        key: str | None = None,
        /,
    ) -> Work | None:
        """Take the work of these kinds, and of this key if one is given, that is longest due."""
        due = [w for w in self._work.values() if w.kind in kinds and w.due <= now]
        due = due if key is None else [w for w in due if w.key == key]
        if not due:
            return None
        held: Work = min(due, key=lambda work: (work.due, work.kind, work.key))
        taken = evolve(held, due=lease_until, attempt=held.attempt + 1, fence=held.fence + 1)
        self._put(self._work, (held.kind, held.key), taken)
        return taken

    def complete(self, work: Work, /) -> None:
        """The claimed work is done."""
        self._held(work)
        self._take(self._work, (work.kind, work.key))

    def again(self, work: Work, due: Instant, position: int, /) -> None:
        """The claimed work goes on at ``due`` from ``position``."""
        self._held(work)
        after = evolve(work, due=due, position=position, attempt=0)
        self._put(self._work, (work.kind, work.key), after)

    def put_off(self, work: Work, due: Instant, /) -> None:
        """Work that failed is tried again at ``due``; its attempt rises."""
        held = self._work.get((work.kind, work.key))
        if held is not None:
            after = evolve(held, due=due, attempt=work.attempt)
            self._put(self._work, (work.kind, work.key), after)

    def withdraw(self, kind: str, key: str, /) -> None:
        """Work that is no longer wanted; unknown work is no error."""
        if (kind, key) in self._work:
            self._take(self._work, (kind, key))

    def next_due(
        self, connectors: Collection[str], kinds: Collection[str] | None = None, /
    ) -> Instant | None:
        """The earliest instant at which work (of these kinds) or a lane of these is due."""
        due = [w.due for w in self._work.values() if kinds is None or w.kind in kinds]
        for lane in self._lanes.values():
            ready = self._ready_at(lane)
            if ready is not None and lane.key.connector in connectors:
                due.append(max(ready, lane.wait_until))
        return min(due, default=None)

    def backlog(self, now: Instant, most: int, /) -> Backlog:
        """What waits: due work by kind, and the longest due lanes."""
        work = []
        for kind in sorted({one.kind for one in self._work.values()}):
            due = [one.due for one in self._work.values() if one.kind == kind]
            work.append(Waiting(kind, len(due), sum(one <= now for one in due), min(due)))
        lanes = []
        for lane in self._lanes.values():
            runs = [run for run in self._due_runs(lane, now) if not run.leased]
            if runs:
                since = min(run.due or self._made(run.first) for run in runs)
                lanes.append(Standing(lane, sum(run.size for run in runs), since))
        lanes.sort(key=lambda one: (one.since, one.lane.id))
        return Backlog(tuple(work), tuple(lanes[:most]))

    def _made(self, seq: int) -> Instant:
        message = self._tables["message"].get(seq)
        return Instant(0) if message is None else Instant(message.created_date)

    # -- lanes -------------------------------------------------------------------------------

    def lane(self, key: LaneKey, /) -> Lane:
        """The lane with this key, made if need be."""
        lane: Lane
        for lane in self._lanes.values():
            if lane.key == key:
                return lane
        made = Lane(len(self._lanes) + 1, key, Instant(0))
        self._put(self._lanes, made.id, made)
        return made

    def queue(self, runs: Iterable[Run], /) -> list[Run]:
        """Put runs into their lanes; the runs with the ids they were given."""
        counters = self._tables["counter"]
        stored = []
        for run in runs:
            id = counters.get("run", 0) + 1
            self._put(counters, "run", id)
            stored.append(evolve(run, id=id))
            self._put(self._runs, id, stored[-1])
        return stored

    def next_lane(self, connectors: Collection[str], now: Instant, /) -> Lane | None:
        """The lane whose turn it is, or None; the turn is noted."""
        ready = [
            lane
            for lane in self._lanes.values()
            if lane.key.connector in connectors
            and lane.wait_until <= now
            and self._is_due(lane, now)
        ]
        return self._next_lane(ready) if ready else None

    def claim_runs(self, lane: Lane, most: int, now: Instant, lease_until: Instant, /) -> Claim:
        """Lease up to so many message numbers of a lane, longest due first."""
        taken: list[Run] = []
        lapsed: list[Run] = []
        for run in self._due_runs(lane, now):
            room = most - sum(one.size for one in taken)
            if room <= 0:
                break
            taken.append(self._lease(run, lease_until, room))
            if run.leased:
                lapsed.append(taken[-1])
        return Claim(lane, tuple(taken), tuple(lapsed))

    def queued(self, sender_id: str, company_id: str, /) -> bool:
        """Whether any run lies in a lane of this root sender id and company."""
        lanes = {
            one.id
            for one in self._lanes.values()
            if (one.key.sender_id, one.key.company_id) == (sender_id, company_id)
        }
        return any(run.lane in lanes for run in self._runs.values())

    def pending(self, connector: str, now: Instant, /) -> tuple[int, Instant | None]:
        """How many attempts of a connector await a later answer, and until when."""
        held = [
            run
            for run in self._runs.values()
            if run.pending and run.due > now and self._lanes[run.lane].key.connector == connector
        ]
        return sum(run.size for run in held), min((run.due for run in held), default=None)

    def finish(self, claim: Claim, /) -> None:
        """Take a claim's runs out of their lane."""
        for run in claim.runs:
            held = self._runs.get(run.id)
            if held is None or held.fence != run.fence or not held.leased:
                raise LeaseLost(f"run {run.id}", run.fence)
            self._take(self._runs, run.id)

    def wait(self, lane: int, until: Instant, reason: str, /) -> None:
        """Let a whole lane rest; nothing in it is touched."""
        held = self._lanes[lane]
        self._put(self._lanes, lane, evolve(held, wait_until=until, reason=reason))

    def wake(self, senders: Collection[str], /) -> None:
        """Let the resting lanes of these root sender ids go on at once."""
        for lane in list(self._lanes.values()):
            if lane.key.sender_id in senders:
                self._put(self._lanes, lane.id, evolve(lane, wait_until=Instant(0), reason=None))

    def release(self, request_id: str, due: Instant | None, /) -> int:
        """Let a request's held runs go at ``due``, or each at its own; how many runs."""
        held = [run for run in self._runs.values() if run.request_id == request_id and run.held]
        for run in held:
            self._put(self._runs, run.id, evolve(run, held=False, due=due or run.due))
        return len(held)

    def lanes(self, ids: Collection[int], /) -> list[Lane]:
        """The lanes with these numbers."""
        return [lane for lane in self._lanes.values() if lane.id in ids]

    def runs_of(self, request_id: str, limit: int, /, held: bool | None = None) -> list[Run]:
        """Up to ``limit`` runs of a request that are not leased, by their numbers."""
        found = [
            run
            for run in self._runs.values()
            if run.request_id == request_id and not run.leased and held in (None, run.held)
        ]
        return sorted(found, key=lambda run: run.first)[:limit]

    def runs_at(self, numbers: Sequence[int], /) -> list[Run]:
        """The runs that any of these message numbers lie in."""
        found = [
            run
            for run in self._runs.values()
            if any(run.first <= number <= run.last for number in numbers)
        ]
        return sorted(found, key=lambda run: run.first)

    def drop(self, runs: Sequence[Run], /) -> None:
        """Take runs out, whoever holds them."""
        for run in runs:
            if run.id in self._runs:
                self._take(self._runs, run.id)

    def _next_lane(self, ready: Sequence[Lane]) -> Lane:
        """Whose turn it is, by ``rules.lanes``; the turn is noted."""
        turns = self._tables["turn"]

        def last(kind: str, name: object) -> int:
            return int(turns.get((kind, name), 0))

        connector = min(
            {one.key.connector for one in ready}, key=lambda c: (last("connector", c), c)
        )
        ready = [lane for lane in ready if lane.key.connector == connector]
        slot = last("slot", connector)
        classes = classes_for(slot, [lane.key.priority for lane in ready])
        kind = f"class/{connector}"
        priority = min(classes, key=lambda one: (last(kind, one), one))
        company = f"company/{connector}/{priority}"
        lane = min(
            (lane for lane in ready if lane.key.priority == priority),
            key=lambda one: (last(company, one.key.company_id), last("lane", one.id), one.id),
        )
        tick = last("tick", "") + 1
        for key in (("tick", ""), ("connector", connector), (kind, priority),
                    (company, lane.key.company_id), ("lane", lane.id)):  # fmt: skip
            self._put(turns, key, tick)
        self._put(turns, ("slot", connector), slot + 1)
        return lane

    def _is_due(self, lane: Lane, now: Instant) -> bool:
        ready = self._ready_at(lane)
        return ready is not None and ready <= now

    @property
    def _work(self) -> Rows:
        return self._tables["work"]

    @property
    def _lanes(self) -> Rows:
        return self._tables["lane"]

    @property
    def _runs(self) -> Rows:
        return self._tables["run"]

    def _ready_at(self, lane: Lane) -> Instant | None:
        due = [run.due for run in self._runs.values() if run.lane == lane.id and not run.held]
        return min(due, default=None)

    def _due_runs(self, lane: Lane, now: Instant) -> list[Run]:
        due = [
            run
            for run in self._runs.values()
            if run.lane == lane.id and not run.held and run.due <= now
        ]
        return sorted(due, key=lambda run: (run.due, run.first))

    def _lease(self, run: Run, lease_until: Instant, room: int) -> Run:
        leased = evolve(
            run,
            due=lease_until,
            leased=True,
            pending=False,
            attempt=run.attempt + 1,
            fence=run.fence + 1,
        )
        if run.size <= room:
            self._put(self._runs, run.id, leased)
            return leased
        cut = run.first + room
        self._put(self._runs, run.id, evolve(run, first=cut, fence=leased.fence))
        return self.queue([evolve(leased, last=cut - 1)])[0]

    def _held(self, work: Work) -> None:
        held = self._work.get((work.kind, work.key))
        if held is None or held.fence != work.fence:
            raise LeaseLost(f"{work.kind} {work.key}", work.fence)

    def _put(self, table: Rows, key: object, value: object) -> None:
        self._undo.append((table, key, table.get(key)))
        table[key] = value

    def _take(self, table: Rows, key: object) -> None:
        self._undo.append((table, key, table.pop(key)))
