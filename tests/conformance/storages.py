"""Storages that are wrong in one way each: the right one with one verb that misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import evolve

from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.memory_session import MemorySession
from scg_adapters.storage.memory_tables import Tables, undo
from scg_core.kernel.errors import NotFound, StaleData
from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query
from scg_core.kernel.resource import evolve as successor
from scg_core.messaging.model import Claim, Lane
from scg_core.ports.storage import Backlog, Storage
from tests.conformance.durable import CONCURRENT, DURABLE

Verb = Callable[..., Any]
LONG_AGO = Instant(0)


class Sly:
    """A session of which one verb, or some, do what they should not."""

    def __init__(self, session: Any, verbs: dict[str, Verb]) -> None:
        self.inner, self._verbs = session, verbs

    def __getattr__(self, name: str) -> Any:
        if name not in self._verbs:
            return getattr(self.inner, name)
        return lambda *args, **more: self._verbs[name](self.inner, *args, **more)


def sly(**verbs: Verb) -> Callable[[], Storage]:
    """A storage whose sessions have these verbs instead of the right ones."""

    class Wrong(MemoryStorage):
        @contextmanager
        def transaction(self, name: str, /) -> Iterator[Any]:
            with super().transaction(name) as session:
                yield Sly(session, verbs)

    return Wrong


# -- transactions ----------------------------------------------------------------------------


class KeepsWhatFailed(MemoryStorage):
    """Nothing is undone."""

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        with super().transaction(name):
            yield MemorySession(self._tables, [])


class ForgetsCommits(MemoryStorage):
    """Every transaction begins with nothing."""

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        self._tables = Tables()
        with super().transaction(name) as session:
            yield session


class LetsIn(MemoryStorage):
    """A transaction inside a transaction is no error."""

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        busy, self._busy = self._busy, False
        with super().transaction(name) as session:
            yield session
        self._busy = busy


class LetsGroupsIn(MemoryStorage):
    """A group inside a transaction is no error."""

    @contextmanager
    def together(self) -> Iterator[None]:
        yield


class GroupsFallTogether(MemoryStorage):
    """One failing call undoes the whole group."""

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        try:
            with super().transaction(name) as session:
                yield session
        except BaseException:
            undo(self._group or [])
            raise


class GroupsVanish(MemoryStorage):
    """What a group wrote is undone in the end."""

    @contextmanager
    def together(self) -> Iterator[None]:
        with super().together():
            yield
            undo(self._group or [])


class GroupsStay(MemoryStorage):
    """A group that fails leaves what it had written."""

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._lock:
            self._group = []
            try:
                yield
            finally:
                self._group = None


class ReadsDirty(MemoryStorage):
    """Snapshots look at what is there at every moment, committed or not."""

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        yield MemorySession(self._tables, [])


class LooksAgain(MemoryStorage):
    """A snapshot takes no part in any order: each of its verbs sees the latest commit."""

    def __init__(self) -> None:
        super().__init__()
        self._each = threading.Lock()

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        outer = self

        class Latest:
            def __getattr__(self, name: str) -> Any:
                def verb(*args: Any, **more: Any) -> Any:
                    with MemoryStorage.transaction(outer, "look") as session:
                        return getattr(session, name)(*args, **more)

                return verb

        yield Latest()


# -- resources -------------------------------------------------------------------------------


def _overwrites(s: Any, resource: Any) -> None:
    known = s.find(Query(type(resource)))
    for one in known:
        if getattr(one, "id", None) == resource.id:
            s.remove(one)
    s.add(resource)


def _lost_update(s: Any, resource: Any) -> None:
    known = s.get(type(resource), resource.id)
    version = resource.version_number if known is None else known.version_number + 1
    if known is not None and resource.version_number > version:
        raise StaleData("x", resource.id, version, version)
    s.replace(successor(resource, version_number=version))


def _skips_versions(s: Any, resource: Any) -> None:
    known = s.get(type(resource), resource.id)
    if known is not None and resource.version_number > known.version_number + 1:
        s.remove(known)
        s.add(resource)
    else:
        s.replace(resource)


def _adds_instead(s: Any, resource: Any) -> None:
    try:
        s.replace(resource)
    except NotFound:
        s.add(resource)


def _drops_a_field(name: str) -> Verb:
    def replace(s: Any, resource: Any) -> None:
        held = s.get(type(resource), resource.id)
        old = {} if held is None or not hasattr(held, name) else {name: getattr(held, name)}
        s.replace(successor(resource, **old))

    return replace


def _removes_quietly(s: Any, resource: Any) -> None:
    try:
        s.remove(resource)
    except NotFound:
        return


def _unsorted(s: Any, query: Any, columns: Any) -> Any:
    return s.rows(evolve(query, sort=()), columns)


def _ties_fall(s: Any, query: Any, columns: Any) -> Any:
    return s.rows(evolve(query, sort=(*query.sort, ("seq", False))), columns)


def _page_early(s: Any, query: Any) -> Any:
    return s.find(evolve(query, offset=max(query.offset - 1, 0)))


def _only_without(op: str) -> Verb:
    """A store that does not know an operator, and lets all pass."""

    def find(s: Any, query: Any) -> Any:
        where = [one for one in query.where if one.op.name != op]
        return s.find(evolve(query, where=where))

    return find


def _unconditional(s: Any, kind: Any, columns: Any, match: Any, rows: Any) -> Any:
    slim = [(*row[: len(columns)], row[len(columns)]) for row in rows]
    return s.update(kind, columns, match[:1], slim)


def _keeps_version(s: Any, kind: Any, columns: Any, match: Any, rows: Any) -> Any:
    changed = 0
    for row in rows:
        held = s._kind(kind).get(row[len(columns)])
        if held is not None:
            version = held.version_number
            plus = [(*row[: len(columns)], version, *row[len(columns) :])]
            changed += s.update(kind, (*columns, "version_number"), match, plus)
    return changed


def _only_hot(s: Any, kind: Any, columns: Any, match: Any, rows: Any) -> Any:
    keep = [at for at, name in enumerate(columns) if name == "state"]
    few = [(*(row[at] for at in keep), *row[len(columns) :]) for row in rows]
    return s.update(kind, [columns[at] for at in keep], match, few)


def _adds_one(s: Any, kind: Any, key: Any, amounts: Any, now: Any) -> None:
    s.increase(kind, key, dict.fromkeys(amounts, 1), now)


def _raises_version(s: Any, kind: Any, id: Any, amounts: Any, now: Any) -> None:
    s.increase(kind, id, amounts, now)
    held = s._kind(kind)[id]
    s._keep(s._kind(kind), id, successor(held, version_number=held.version_number + 1))


# -- due work and lanes ----------------------------------------------------------------------


def _any_due(s: Any, kinds: Any, now: Any, until: Any, key: Any = None) -> Any:
    return s.claim(kinds, Instant(now + 10), until, key)


def _later_stands(s: Any, work: Any) -> None:
    s.withdraw(work.kind, work.key) if s._work.get((work.kind, work.key)) else None
    s.file(work)


def _no_lease(s: Any, kinds: Any, now: Any, until: Any, key: Any = None) -> Any:
    return s.claim(kinds, now, now, key)


def _same_fence(s: Any, *args: Any) -> Any:
    work = s.claim(*args)
    if work is None:
        return None
    same = evolve(work, fence=1)
    s._put(s._work, (work.kind, work.key), same)
    return same


def _ignores_key(s: Any, kinds: Any, now: Any, until: Any, key: Any = None) -> Any:
    return s.claim(kinds, now, until)


def _completes_anyway(s: Any, work: Any) -> None:
    s.withdraw(work.kind, work.key)


def _again_anyway(s: Any, work: Any, due: Any, position: Any) -> None:
    s._put(s._work, (work.kind, work.key), evolve(work, due=due, position=position, attempt=0))


def _again_from_the_start(s: Any, work: Any, due: Any, position: Any) -> None:
    s.again(work, due, 0)


def _puts_off_and_forgets(s: Any, work: Any, due: Any) -> None:
    s.put_off(evolve(work, attempt=0), due)


def _lane_anew(s: Any, key: Any) -> Any:
    made = Lane(len(s._lanes) + 1, key, LONG_AGO)
    s._put(s._lanes, made.id, made)
    return made


def _early_runs(s: Any, connectors: Any, now: Any) -> Any:
    return s.next_lane(connectors, Instant(now + 60_000))


def _claims_early(s: Any, lane: Any, most: Any, now: Any, until: Any) -> Any:
    return s.claim_runs(lane, most, Instant(now + 60_000), until)


def _claims_held(s: Any, connectors: Any, now: Any) -> Any:
    for run in list(s._runs.values()):
        s._put(s._runs, run.id, evolve(run, held=False))
    return s.next_lane(connectors, now)


def _takes_all(s: Any, lane: Any, most: Any, now: Any, until: Any) -> Any:
    return s.claim_runs(lane, 10**9, now, until)


def _lease_twice(s: Any, lane: Any, most: Any, now: Any, until: Any) -> Any:
    return s.claim_runs(lane, most, now, now)


def _says_no_lapse(s: Any, lane: Any, most: Any, now: Any, until: Any) -> Any:
    return evolve(s.claim_runs(lane, most, now, until), lapsed=())


def _counts_overdue(s: Any, connector: Any, now: Any) -> Any:
    held = [one for one in s._runs.values() if one.pending]
    return sum(one.size for one in held), min((one.due for one in held), default=None)


def _ids_again(s: Any, runs: Any) -> Any:
    s._tables["counter"]["run"] = max(s._runs, default=0)
    return s.queue(runs)


def _finishes_nothing(s: Any, claim: Claim) -> None:
    return None


def _finishes_anyway(s: Any, claim: Claim) -> None:
    s.drop(claim.runs)


def _first_always(s: Any, connectors: Any, now: Any) -> Any:
    ready = [one for one in s._lanes.values() if one.key.connector in connectors
             and one.wait_until <= now and s._is_due(one, now)]  # fmt: skip
    return min(ready, key=lambda one: (one.key.priority, one.id)) if ready else None


def _lanes_in_turn(s: Any, connectors: Any, now: Any) -> Any:
    ready = [one for one in s._lanes.values() if one.key.connector in connectors
             and one.wait_until <= now and s._is_due(one, now)]  # fmt: skip
    turns = s._tables["turn"]
    if not ready:
        return None
    lane = min(ready, key=lambda one: (turns.get(one.id, 0), one.id))
    turns[lane.id] = turns.get(lane.id, 0) + 1
    return lane


def _wakes_everything(s: Any, connectors: Any, now: Any) -> Any:
    for lane in list(s._lanes.values()):
        s._put(s._lanes, lane.id, evolve(lane, wait_until=LONG_AGO))
    return s.next_lane(connectors, now)


def _any_connector(s: Any, connectors: Any, now: Any) -> Any:
    return s.next_lane({one.key.connector for one in s._lanes.values()}, now)


def _releases_at_once(s: Any, request_id: Any, due: Any) -> Any:
    return s.release(request_id, due or Instant(1))


def _leased_too(s: Any, request_id: Any, limit: Any, held: Any = None) -> Any:
    runs = [one for one in s._runs.values() if one.request_id == request_id]
    return sorted((one for one in runs if held in (None, one.held)), key=lambda one: one.first)


def _at_its_beginning(s: Any, numbers: Any) -> Any:
    return [one for one in s.runs_at(numbers) if one.first in numbers]


def _not_leased(s: Any, sender: Any, company: Any) -> Any:
    return any(s._lanes[one.lane].key.sender_id == sender for one in s._runs.values())


def _due_of_all(s: Any, connectors: Any, kinds: Any = None) -> Any:
    return s.next_due({one.key.connector for one in s._lanes.values()}, kinds)


def _counts_held(s: Any, now: Any, most: Any) -> Backlog:
    told = s.backlog(now, most)
    return evolve(told, lanes=tuple(evolve(one, due=one.due + 2) for one in told.lanes))


def _twice(s: Any, scope: Any, keys: Any) -> Any:
    s.remember(scope, keys)
    return set(keys)


def _always_new(s: Any, count: int) -> int:
    s.number(count)
    return 1


# Law -> storages that break it. The kit must find each.
WRONG: dict[str, list[Callable[[], Storage]]] = {
    "what_a_failed_transaction_wrote_is_gone": [KeepsWhatFailed],
    "a_failed_transaction_of_a_group_undoes_only_itself": [GroupsFallTogether, KeepsWhatFailed],
    "what_a_group_wrote_is_there_after_it": [GroupsVanish],
    "a_group_that_is_left_by_an_exception_is_gone": [GroupsStay],
    "a_group_is_not_begun_inside_a_transaction": [LetsGroupsIn],
    "a_transaction_sees_what_was_committed_before_it": [ForgetsCommits],
    **DURABLE,
    **CONCURRENT,
    "a_transaction_inside_a_transaction_is_refused": [LetsIn],
    "a_snapshot_sees_one_moment": [ReadsDirty, LooksAgain],
    "nobody_reads_what_is_not_committed": [ReadsDirty],
    "get_returns_what_was_added": [
        sly(get=lambda s, kind, key: None),
        sly(add=lambda s, r: s.add(successor(r, body=(r.body or "").strip()[:4]))),
    ],
    "get_of_an_unknown_id_is_none": [
        sly(get=lambda s, kind, key: s.get(kind, key) or s.find(Query(kind))[0])
    ],
    "add_of_a_known_id_raises_duplicate": [sly(add=_overwrites)],
    "add_of_a_taken_unique_value_raises_duplicate": [
        sly(add=lambda s, r: s._put(s._kind(type(r)), r.id, r))
    ],
    "replace_of_a_stale_version_raises_and_changes_nothing": [sly(replace=_lost_update)],
    "replace_of_a_skipped_version_raises": [sly(replace=_skips_versions)],
    "replace_of_an_unknown_id_raises_not_found": [sly(replace=_adds_instead)],
    "replace_stores_every_field": [sly(replace=_drops_a_field(name)) for name in ("to", "body")],
    "a_message_is_replaced_whole": [sly(replace=_drops_a_field("body"))],
    "remove_takes_it_out": [sly(remove=lambda s, r: None)],
    "remove_of_an_unknown_id_raises_not_found": [sly(remove=_removes_quietly)],
    "a_resource_without_a_version_is_added_and_removed": [
        sly(add=lambda s, r: s.add(r) if hasattr(r, "version_number") else None)
    ],
    "discarded_resources_are_gone_and_not_counted": [
        sly(discard=lambda s, kind, keys: len(keys)),
        sly(discard=lambda s, kind, keys: s.discard(kind, keys) and len(keys)),
    ],
    "find_agrees_with_matches": [
        sly(find=_only_without(op))
        for op in (
            "EQ",
            "NE",
            "IN",
            "GE",
            "LE",
            "LT",
            "GT",
            "PREFIX",
            "HAS",
            "CONTAINS",
            "NOT",
            "ALL",
            "EITHER",
        )
    ],
    "find_asks_another_query": [
        sly(rows=lambda s, q, c: s.rows(evolve(q, where=[]), c)),
    ],
    "find_orders_by_the_sort_and_then_the_key": [sly(rows=_unsorted), sly(rows=_ties_fall)],
    "find_pages_without_gap_or_repeat": [
        sly(find=_page_early),
        sly(find=lambda s, q: s.find(evolve(q, offset=q.offset + 1) if q.offset else q)),
        sly(find=lambda s, q: s.find(evolve(q, limit=None))),
    ],
    "count_is_the_length_of_find": [
        sly(count=lambda s, q, at_most=None: s.count(q)),
        sly(count=lambda s, q, at_most=None: s.count(Query(q.kind), at_most)),
    ],
    "a_census_counts_by_value": [
        sly(census=lambda s, kind, name: dict.fromkeys(s.census(kind, name), 1)),
        sly(
            census=lambda s, kind, name: {
                k: n for k, n in s.census(kind, name).items() if k != "DELETED"
            }
        ),
    ],
    "inserted_rows_are_found_as_resources": [
        sly(insert=lambda s, kind, columns, rows: None),
        sly(insert=lambda s, kind, columns, rows: s.insert(kind, columns, list(rows)[:1])),
    ],
    "rows_are_the_columns_of_find": [
        sly(rows=lambda s, q, c: s.rows(q, tuple(reversed(c)))),
        sly(rows=lambda s, q, c: [tuple(getattr(r, n) for n in reversed(c)) for r in s.find(q)]),
    ],
    "update_changes_only_rows_that_match": [
        sly(update=_unconditional),
        sly(update=lambda s, k, c, m, rows: s.update(k, c, m, rows) and len(rows)),
    ],
    "update_raises_the_version_by_one": [sly(update=_keeps_version)],
    "an_update_may_set_what_is_written_once_and_what_moves": [sly(update=_only_hot)],
    "increase_adds_and_leaves_the_version": [
        sly(increase=_raises_version),
        sly(increase=_adds_one),
    ],
    "numbers_are_never_given_twice": [sly(number=_always_new)],
    "a_key_is_new_once_in_its_scope": [
        sly(remember=_twice),
        sly(remember=lambda s, scope, keys: s.remember("", keys)),
    ],
    "filed_work_is_claimed_when_due_and_not_before": [sly(claim=_any_due)],
    "work_filed_twice_is_done_once": [sly(file=_later_stands)],
    "claimed_work_is_not_given_to_a_second_worker": [sly(claim=_no_lease)],
    "work_whose_lease_ran_out_is_claimed_again_with_a_higher_fence": [sly(claim=_same_fence)],
    "completing_with_an_old_fence_raises_lease_lost": [sly(complete=_completes_anyway)],
    "doing_again_with_an_old_fence_raises_lease_lost": [sly(again=_again_anyway)],
    "work_done_again_keeps_its_position": [sly(again=_again_from_the_start)],
    "work_put_off_waits_and_counts_its_attempts": [
        sly(put_off=_puts_off_and_forgets),
        sly(put_off=lambda s, work, due: s.put_off(work, LONG_AGO)),
    ],
    "withdrawn_work_is_not_done": [sly(withdraw=lambda s, kind, key: None)],
    "next_due_is_the_earliest_of_work_and_lanes": [
        sly(next_due=_due_of_all),
        sly(next_due=lambda s, c, k=None: s.next_due([], k)),
    ],
    "next_due_can_be_asked_of_some_kinds": [sly(next_due=lambda s, c, k=None: s.next_due(c))],
    "work_of_one_key_can_be_claimed": [sly(claim=_ignores_key)],
    "a_lane_is_made_once": [sly(lane=_lane_anew)],
    "a_queued_run_is_claimed_when_due": [sly(next_lane=_early_runs, claim_runs=_claims_early)],
    "a_held_run_is_not_claimed": [sly(next_lane=_claims_held)],
    "a_claim_takes_at_most_the_limit_and_leaves_the_rest": [sly(claim_runs=_takes_all)],
    "leased_runs_are_not_given_to_a_second_worker": [sly(claim_runs=_lease_twice)],
    "a_lapsed_lease_is_claimed_again_and_said_so": [sly(claim_runs=_says_no_lapse)],
    "pending_attempts_are_counted_until_their_time_runs_out": [sly(pending=_counts_overdue)],
    "the_id_of_a_run_is_never_used_again": [sly(queue=_ids_again)],
    "finishing_takes_the_runs_out": [sly(finish=_finishes_nothing)],
    "finishing_after_the_lease_was_taken_over_raises_lease_lost": [sly(finish=_finishes_anyway)],
    "lanes_of_one_priority_take_turns": [sly(next_lane=_first_always)],
    "companies_take_turns_however_many_lanes_they_have": [sly(next_lane=_lanes_in_turn)],
    "one_slot_in_twenty_goes_to_lower_priorities": [sly(next_lane=_first_always)],
    "connectors_take_turns": [sly(next_lane=_first_always)],
    "a_waiting_lane_gives_nothing": [sly(next_lane=_wakes_everything)],
    "a_woken_lane_gives_again": [
        sly(wake=lambda s, senders: None),
        sly(next_lane=_wakes_everything),
    ],
    "a_lane_of_another_connector_is_not_claimed": [sly(next_lane=_any_connector)],
    "released_runs_are_claimed": [
        sly(release=_releases_at_once),
        sly(release=lambda s, request_id, due: 1),
    ],
    "the_runs_of_a_request_are_found_unless_leased": [sly(runs_of=_leased_too)],
    "a_number_is_found_in_its_run": [sly(runs_at=_at_its_beginning)],
    "a_sender_is_queued_while_a_run_of_its_lanes_is_there": [sly(queued=_not_leased)],
    "dropped_runs_are_gone": [sly(drop=lambda s, runs: None)],
    "the_backlog_tells_work_by_kind_and_due_lanes": [
        sly(backlog=_counts_held),
        sly(backlog=lambda s, now, most: s.backlog(later(now, 60_000), most)),
    ],
}
