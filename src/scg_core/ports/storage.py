"""The store: resources, pages of rows, due work and lanes, all in one transaction.

Laws are named in each verb; ``scg_core.conformance`` has a test of the same name for each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query
from scg_core.kernel.resource import R, Resource
from scg_core.messaging.model import Claim, Lane, LaneKey, Run


@frozen
class Work:
    """Something to do at an instant: a kind, a key unique within the kind, where it stands.

    ``fence`` rises with every claim; ``attempt`` counts claims since it last moved on.
    """

    kind: str
    key: str
    due: Instant
    position: int = 0
    attempt: int = 0
    fence: int = 0


@frozen
class Waiting:
    """How much due work of a kind there is: all of it, what of it is due, the earliest instant."""

    kind: str
    count: int
    due: int
    earliest: Instant


@frozen
class Standing:
    """How many messages of a lane are due and not in hand, and since when the oldest."""

    lane: Lane
    due: int
    since: Instant


@frozen
class Backlog:
    """What waits to be done."""

    work: tuple[Waiting, ...]
    lanes: tuple[Standing, ...]


class Session(Protocol):
    """One transaction. What it writes is seen by others all at once or never."""

    # -- resources ---------------------------------------------------------------------------

    def get(self, kind: type[R], id: str, /) -> R | None:
        """The resource with this id, or None.

        Laws:
            - ``get_returns_what_was_added``
            - ``get_of_an_unknown_id_is_none``
        """
        ...

    def add(self, resource: Resource, /) -> None:
        """Store a new resource.

        Laws:
            - ``add_of_a_known_id_raises_duplicate``
            - ``add_of_a_taken_unique_value_raises_duplicate``
            - ``a_resource_without_a_version_is_added_and_removed``
        """
        ...

    def replace(self, resource: Resource, /) -> None:
        """Store the successor of a resource: its version is the stored one's plus one.

        Laws:
            - ``replace_of_a_stale_version_raises_and_changes_nothing``
            - ``replace_of_a_skipped_version_raises``
            - ``replace_of_an_unknown_id_raises_not_found``
            - ``replace_stores_every_field``
            - ``a_message_is_replaced_whole``
        """
        ...

    def remove(self, resource: Resource, /) -> None:
        """Take a resource out.

        Laws:
            - ``remove_takes_it_out``
            - ``remove_of_an_unknown_id_raises_not_found``
        """
        ...

    def discard(self, kind: type[Resource], keys: Sequence[Any], /) -> int:
        """Take out the resources with these keys; unknown ones are passed over; how many were out.

        Laws:
            - ``discarded_resources_are_gone_and_not_counted``
        """
        ...

    def find(self, query: Query[R], /) -> list[R]:
        """The resources a query asks for, in its order.

        Laws:
            - ``find_agrees_with_matches``
            - ``find_asks_another_query``
            - ``find_orders_by_the_sort_and_then_the_key``
            - ``find_pages_without_gap_or_repeat``
        """
        ...

    def count(self, query: Query[R], /, at_most: int | None = None) -> int:
        """How many resources meet the query's conditions, counted up to ``at_most``.

        Laws:
            - ``count_is_the_length_of_find``
        """
        ...

    def census(self, kind: type[Resource], name: str, /) -> dict[Any, int]:
        """How many resources of a kind there are, by the plain values of one of their fields.

        It looks at all of them: it is for those who watch, not for those who decide.

        Laws:
            - ``a_census_counts_by_value``
        """
        ...

    # -- pages of rows: the hot path ---------------------------------------------------------

    def insert(
        self, kind: type[Resource], columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Store many new resources given as rows of plain values; the rest takes its default.

        Plain values are what ``rows`` gives back: enumerations as their text, tuples as tuples.

        Laws:
            - ``inserted_rows_are_found_as_resources``
        """
        ...

    def rows(self, query: Query[R], columns: Sequence[str], /) -> list[tuple[Any, ...]]:
        """Some columns of what a query asks for, as plain values.

        Laws:
            - ``rows_are_the_columns_of_find``
        """
        ...

    def update(
        self,
        kind: type[Resource],
        columns: Sequence[str],
        match: Sequence[str],
        rows: Sequence[Sequence[Any]],
        /,
    ) -> int:
        """Set ``columns`` where ``match`` equals: each row is the new values, then those to match.

        The version number of each changed row rises by one. ``match`` begins with the key; a row
        that does not match changes nothing.

        Returns:
            How many rows were changed.

        Laws:
            - ``update_changes_only_rows_that_match``
            - ``update_raises_the_version_by_one``
            - ``an_update_may_set_what_is_written_once_and_what_moves``
        """
        ...

    def increase(
        self, kind: type[Resource], id: str, amounts: Mapping[str, int], now: Instant, /
    ) -> None:
        """Add to counters of a resource and date it; its version stays.

        Laws:
            - ``increase_adds_and_leaves_the_version``
        """
        ...

    def number(self, count: int, /) -> int:
        """Reserve that many message numbers in a row; the first of them.

        Laws:
            - ``numbers_are_never_given_twice``
        """
        ...

    def remember(self, scope: str, keys: Sequence[int], /) -> set[int]:
        """Note keys within a scope; those of them that were not yet known.

        Laws:
            - ``a_key_is_new_once_in_its_scope``
        """
        ...

    def forget(self, scope: str, at_most: int, /) -> int:
        """Drop up to so many keys of a scope; how many were dropped."""
        ...

    # -- due work ----------------------------------------------------------------------------

    def file(self, work: Work, /) -> None:
        """Ask for work to be done when due; of two of one kind and key the earlier due stands.

        Laws:
            - ``filed_work_is_claimed_when_due_and_not_before``
            - ``work_filed_twice_is_done_once``
        """
        ...

    def claim(
        self,
        kinds: Collection[str],
        now: Instant,
        lease_until: Instant,
        key: str | None = None,
        /,
    ) -> Work | None:
        """Take the work of these kinds that is longest due, for as long as the lease lasts.

        With a ``key`` only work of that key is taken.

        Laws:
            - ``work_of_one_key_can_be_claimed``
            - ``claimed_work_is_not_given_to_a_second_worker``
            - ``work_whose_lease_ran_out_is_claimed_again_with_a_higher_fence``
        """
        ...

    def complete(self, work: Work, /) -> None:
        """The claimed work is done.

        Laws:
            - ``completing_with_an_old_fence_raises_lease_lost``
        """
        ...

    def again(self, work: Work, due: Instant, position: int, /) -> None:
        """The claimed work goes on at ``due`` from ``position``.

        Laws:
            - ``work_done_again_keeps_its_position``
            - ``doing_again_with_an_old_fence_raises_lease_lost``
        """
        ...

    def put_off(self, work: Work, due: Instant, /) -> None:
        """Work that failed is tried again at ``due``; its attempt rises, whoever holds it.

        Laws:
            - ``work_put_off_waits_and_counts_its_attempts``
        """
        ...

    def withdraw(self, kind: str, key: str, /) -> None:
        """Work that is no longer wanted; unknown work is no error.

        Laws:
            - ``withdrawn_work_is_not_done``
        """
        ...

    def next_due(
        self, connectors: Collection[str], kinds: Collection[str] | None = None, /
    ) -> Instant | None:
        """The earliest instant at which work or a lane of these connectors is due.

        With ``kinds`` only work of these kinds counts.

        Laws:
            - ``next_due_can_be_asked_of_some_kinds``
            - ``next_due_is_the_earliest_of_work_and_lanes``
        """
        ...

    def backlog(self, now: Instant, most: int, /) -> Backlog:
        """What waits, for those who watch: due work by kind, and the ``most`` longest due lanes.

        A message that was put back at the front of its lane counts since it was made.

        Laws:
            - ``the_backlog_tells_work_by_kind_and_due_lanes``
        """
        ...

    # -- lanes -------------------------------------------------------------------------------

    def lane(self, key: LaneKey, /) -> Lane:
        """The lane with this key, made if need be.

        Laws:
            - ``a_lane_is_made_once``
        """
        ...

    def queue(self, runs: Iterable[Run], /) -> list[Run]:
        """Put runs into their lanes; the runs with the ids they were given.

        Laws:
            - ``a_queued_run_is_claimed_when_due``
            - ``the_id_of_a_run_is_never_used_again``
            - ``a_held_run_is_not_claimed``
        """
        ...

    def next_lane(self, connectors: Collection[str], now: Instant, /) -> Lane | None:
        """The lane of these connectors whose turn it is, or None; the turn is noted.

        It has something due and does not wait. Connectors take turns; within one
        ``messaging.rules.lanes`` says which priority may go, and within that companies take turns,
        then a company's lanes.

        Laws:
            - ``lanes_of_one_priority_take_turns``
            - ``companies_take_turns_however_many_lanes_they_have``
            - ``one_slot_in_twenty_goes_to_lower_priorities``
            - ``connectors_take_turns``
            - ``a_waiting_lane_gives_nothing``
            - ``a_lane_of_another_connector_is_not_claimed``
        """
        ...

    def claim_runs(self, lane: Lane, most: int, now: Instant, lease_until: Instant, /) -> Claim:
        """Lease up to so many message numbers of a lane, longest due first.

        A run that is larger is split.

        Laws:
            - ``a_claim_takes_at_most_the_limit_and_leaves_the_rest``
            - ``leased_runs_are_not_given_to_a_second_worker``
            - ``a_lapsed_lease_is_claimed_again_and_said_so``
        """
        ...

    def queued(self, sender_id: str, company_id: str, /) -> bool:
        """Whether any run lies in a lane of this root sender id and company.

        Laws:
            - ``a_sender_is_queued_while_a_run_of_its_lanes_is_there``
        """
        ...

    def pending(self, connector: str, now: Instant, /) -> tuple[int, Instant | None]:
        """How many attempts of a connector await the transport's later answer, and until when.

        Those whose time has run out are not counted; the instant is the earliest end.

        Laws:
            - ``pending_attempts_are_counted_until_their_time_runs_out``
        """
        ...

    def finish(self, claim: Claim, /) -> None:
        """Take a claim's runs out of their lane.

        Laws:
            - ``finishing_after_the_lease_was_taken_over_raises_lease_lost``
            - ``finishing_takes_the_runs_out``
        """
        ...

    def wait(self, lane: int, until: Instant, reason: str, /) -> None:
        """Let a whole lane rest; nothing in it is touched."""
        ...

    def wake(self, senders: Collection[str], /) -> None:
        """Let the resting lanes of these root sender ids go on at once.

        Laws:
            - ``a_woken_lane_gives_again``
        """
        ...

    def release(self, request_id: str, due: Instant | None, /) -> int:
        """Let a request's held runs go at ``due``, or each at its own; how many runs.

        Laws:
            - ``released_runs_are_claimed``
        """
        ...

    def lanes(self, ids: Collection[int], /) -> list[Lane]:
        """The lanes with these numbers."""
        ...

    def runs_of(self, request_id: str, limit: int, /, held: bool | None = None) -> list[Run]:
        """Up to ``limit`` runs of a request that are not leased, by their numbers.

        ``held`` keeps it to those that are held, or to those that are not.

        Laws:
            - ``the_runs_of_a_request_are_found_unless_leased``
        """
        ...

    def runs_at(self, numbers: Sequence[int], /) -> list[Run]:
        """The runs that any of these message numbers lie in.

        Laws:
            - ``a_number_is_found_in_its_run``
        """
        ...

    def drop(self, runs: Sequence[Run], /) -> None:
        """Take runs out, whoever holds them.

        Laws:
            - ``dropped_runs_are_gone``
        """
        ...


class Storage(Protocol):
    """Keeps what the engine knows."""

    def transaction(self, name: str, /) -> AbstractContextManager[Session]:
        """A transaction that may write; leaving it normally makes it durable.

        ``name`` says what it is for, in traces and in crash tests. An adapter may make several
        transactions durable in one commit, each atomic by itself, as long as it lets nobody leave
        before that commit.

        Laws:
            - ``what_a_failed_transaction_wrote_is_gone``
            - ``a_transaction_sees_what_was_committed_before_it``
            - ``what_was_committed_is_there_after_reopening``
            - ``every_kind_of_resource_is_there_after_reopening``
            - ``a_value_that_was_handed_over_is_held_after_reopening``
            - ``a_commit_that_cannot_be_kept_has_not_happened``
            - ``of_two_writers_one_gets_the_work``
            - ``of_two_writers_one_gets_the_runs``
            - ``two_writers_are_given_different_numbers``
            - ``of_two_writers_of_a_version_one_is_stale``
            - ``what_two_writers_add_to_a_counter_is_all_counted``
            - ``of_two_writers_of_an_id_one_is_refused``
            - ``a_transaction_inside_a_transaction_is_refused``

        Raises:
            StorageUnavailable: it cannot begin or commit now.
            BrokenInvariant: this thread is inside another transaction.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """Make this thread's transactions durable in one commit, when the block is left.

        Each is still atomic by itself. An adapter that cannot do so commits each as it ends.

        Laws:
            - ``a_failed_transaction_of_a_group_undoes_only_itself``
            - ``what_a_group_wrote_is_there_after_it``
            - ``a_group_that_is_left_by_an_exception_is_gone``
            - ``a_group_is_not_begun_inside_a_transaction``

        Raises:
            StorageUnavailable: it cannot commit; nothing of the block is stored.
            BrokenInvariant: this thread is inside a transaction.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Session]:
        """A transaction that only reads, and sees one moment throughout.

        Laws:
            - ``a_snapshot_sees_one_moment``
            - ``nobody_reads_what_is_not_committed``
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
