"""What every ``Storage`` must do.

An adapter joins with three lines::

    class TestMyStorage(StorageContract):
        def empty(self) -> Storage:
            return MyStorage(...)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import pytest

from scg_core.conformance.concurrency import ConcurrencyContract
from scg_core.conformance.samples import NOW, a_key, a_message, a_request
from scg_core.conformance.transactions import TransactionsContract
from scg_core.kernel.errors import Duplicate, NotFound, StaleData
from scg_core.kernel.instant import later
from scg_core.kernel.query import (
    Condition,
    Numeric,
    Op,
    Query,
    above,
    among,
    at_least,
    at_most,
    below,
    either,
    eq,
    every,
    meets,
    ne,
    negated,
    within,
)
from scg_core.kernel.resource import evolve
from scg_core.messaging.lifecycle import MessageState, RequestState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.records import IdempotencyKey
from scg_core.ports.storage import Storage


class StorageContract(TransactionsContract, ConcurrencyContract, ABC):
    """Subclass, say how to make an empty storage, run pytest; each is closed after its law."""

    @abstractmethod
    def empty(self) -> Storage:
        """A new storage with nothing in it."""

    @pytest.fixture(autouse=True)
    def closing(self) -> Iterator[None]:
        """Close what ``empty`` and ``reopen`` gave, however the law ends."""
        made: list[Storage] = []

        def kept(make: Callable[..., Storage]) -> Callable[..., Storage]:
            def asked(*given: Storage) -> Storage:
                made.append(make(*given))
                return made[-1]

            return asked

        vars(self).update(empty=kept(self.empty), reopen=kept(self.reopen))
        yield
        for one in reversed(made):
            one.close()

    # -- resources ---------------------------------------------------------------------------

    def test_get_returns_what_was_added(self) -> None:
        """Every field comes back as it went in: lists, flags, enumerations, nulls."""
        storage = self.empty()
        whole = a_request(
            to=("+14155550100", 'a "quoted" name', "ünïcode"),
            test_message_flag=True,
            price_threshold=0.25,
            expiry_time=later(NOW, 5),
            state=RequestState.PAUSED,
        )
        with storage.transaction("add") as session:
            session.add(whole)
            session.add(a_message(body="line\nbreak ''"))

        with storage.snapshot() as session:
            assert session.get(MessageRequest, "request") == whole
            assert session.get(Message, "message-1") == a_message(body="line\nbreak ''")

    def test_get_of_an_unknown_id_is_none(self) -> None:
        """A storage knows only what it was given."""
        with self.empty().snapshot() as session:
            assert session.get(MessageRequest, "nobody") is None

    def test_add_of_a_known_id_raises_duplicate(self) -> None:
        """An id is used once."""
        storage = self.empty()
        with storage.transaction("first") as session:
            session.add(a_request())

        with pytest.raises(Duplicate), storage.transaction("second") as session:
            session.add(a_request(sent_count=9))

        with storage.snapshot() as session:
            assert session.get(MessageRequest, "request") == a_request()

    def test_add_of_a_taken_unique_value_raises_duplicate(self) -> None:
        """A declared unique group of fields is held by one resource, and the error names it."""
        storage = self.empty()
        with storage.transaction("first") as session:
            session.add(a_key())
            session.add(a_key("other application", application_id=2))

        with pytest.raises(Duplicate) as refused, storage.transaction("second") as session:
            session.add(a_key("again"))

        assert set(refused.value.fields) == {"company_id", "application_id", "value"}

    def test_replace_of_a_stale_version_raises_and_changes_nothing(self) -> None:
        """The second of two writers who read the same version loses."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_request())
        with storage.transaction("first") as session:
            session.replace(a_request(version_number=2, sent_count=1))

        with pytest.raises(StaleData) as lost, storage.transaction("second") as session:
            session.replace(a_request(version_number=2, sent_count=2))

        assert (lost.value.seen, lost.value.current) == (1, 2)
        with storage.snapshot() as session:
            held = session.get(MessageRequest, "request")
        assert held == a_request(version_number=2, sent_count=1)

    def test_replace_of_a_skipped_version_raises(self) -> None:
        """Versions rise by one."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_request())

        with pytest.raises(StaleData), storage.transaction("skip") as session:
            session.replace(a_request(version_number=3))

    def test_replace_of_an_unknown_id_raises_not_found(self) -> None:
        """What was never added cannot be replaced."""
        with pytest.raises(NotFound), self.empty().transaction("replace") as session:
            session.replace(a_request(version_number=2))

    def test_replace_stores_every_field(self) -> None:
        """Fields that change often and fields that do not are both replaced."""
        storage = self.empty()
        after = a_request(version_number=2, to=("+14155550100",), sent_count=7, body="new")
        with storage.transaction("add") as session:
            session.add(a_request())
            session.replace(after)

        with storage.snapshot() as session:
            assert session.get(MessageRequest, "request") == after

    def test_remove_takes_it_out(self) -> None:
        """What was removed is found no more."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_message())
            session.add(a_message(2))
            session.remove(a_message())

        with storage.snapshot() as session:
            assert session.get(Message, "message-1") is None
            assert session.find(Query(Message)) == [a_message(2)]

    def test_remove_of_an_unknown_id_raises_not_found(self) -> None:
        """What was never added cannot be removed."""
        with pytest.raises(NotFound), self.empty().transaction("remove") as session:
            session.remove(a_request())

    # -- queries -----------------------------------------------------------------------------

    def test_find_agrees_with_matches(self) -> None:
        """Every operator means what ``matches`` says, nulls included."""
        held = [
            a_message(1, to_address="+1415", sent_date=NOW, attachments=("a", "b"), body="10"),
            a_message(
                2, to_address="+1416", state=MessageState.SENT, attachments=("b",), body="9.50"
            ),
            a_message(3, to_address="+44%_", sent_date=later(NOW, 5), body="9.50"),
            a_message(4, to_address=None, state=MessageState.FAILED, body="10 or so"),
        ]
        storage = self.empty()
        with storage.transaction("add") as session:
            for message in held:
                session.add(message)
        for condition in (
            eq("to_address", "+1415"),
            eq("to_address", None),
            ne("to_address", "+1415"),
            ne("to_address", None),
            eq("state", MessageState.SENT),
            eq("state", "FAILED"),
            ne("state", "SENT"),
            among("seq", (1, 3, 9)),
            among("seq", ()),
            among("state", ("SENT", "FAILED")),
            at_least("sent_date", NOW),
            at_most("sent_date", NOW),
            below("sent_date", NOW + 1),
            Condition("seq", Op.GT, 2),
            Condition("to_address", Op.PREFIX, "+14"),
            Condition("to_address", Op.PREFIX, "+44%"),
            Condition("attachments", Op.HAS, "a"),
            Condition("attachments", Op.HAS, "c"),
            Condition("to_address", Op.CONTAINS, "4%"),
            negated(eq("to_address", "+1415")),
            negated(at_least("sent_date", NOW)),
            negated(Condition("to_address", Op.CONTAINS, "41")),
            every(ne("to_address", None), negated(among("state", ("SENT",)))),
            either(eq("seq", 4), every(eq("state", "SENT"), above("seq", 1))),
            Condition("to_address", Op.GE, Numeric(1415)),
            Condition("body", Op.GT, Numeric(9)),
            Condition("body", Op.EQ, Numeric(9.5)),
            Condition("body", Op.NE, Numeric(10)),
            negated(Condition("body", Op.LT, Numeric(10))),
        ):
            wanted = [m for m in held if meets(m, condition)]
            with storage.snapshot() as session:
                assert session.find(Query(Message, [condition])) == wanted, condition

    def test_find_asks_another_query(self) -> None:
        """A field is compared with a column of what another query finds, also the other way."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_request("one"))
            session.add(a_request("two", sent_count=5))
            for seq, request in enumerate(("one", "two", "three"), start=1):
                session.add(a_message(seq, message_request_id=request))
        inside = within("message_request_id", Query(MessageRequest, [eq("sent_count", 5)]), "id")

        with storage.snapshot() as session:
            found = session.rows(Query(Message, [inside]), ("seq",))
            others = session.rows(Query(Message, [negated(inside)]), ("seq",))
            counted = session.count(Query(Message, [inside]))

        assert (found, others, counted) == ([(2,)], [(1,), (3,)], 1)

    def test_find_orders_by_the_sort_and_then_the_key(self) -> None:
        """Ties are broken by the key, in the direction of the last sort."""
        storage = self.empty()
        campaigns = {1: "b", 2: "a", 3: "b", 4: None}
        with storage.transaction("add") as session:
            for seq, campaign in campaigns.items():
                session.add(a_message(seq, campaign_id=campaign))

        with storage.snapshot() as session:
            rising = session.rows(Query(Message, sort=(("campaign_id", False),)), ("seq",))
            falling = session.rows(Query(Message, sort=(("campaign_id", True),)), ("seq",))

        assert [seq for (seq,) in rising] == [4, 2, 1, 3]
        assert [seq for (seq,) in falling] == [3, 1, 2, 4]

    def test_find_pages_without_gap_or_repeat(self) -> None:
        """Pages laid end to end are the whole."""
        storage = self.empty()
        with storage.transaction("add") as session:
            for seq in range(1, 8):
                session.add(a_message(seq))

        with storage.snapshot() as session:
            pages = [session.find(Query(Message, limit=3, offset=at)) for at in (0, 3, 6, 9)]
            rest = session.find(Query(Message, offset=5))

        assert [m.seq for page in pages for m in page] == list(range(1, 8))
        assert [m.seq for m in rest] == [6, 7]

    def test_count_is_the_length_of_find(self) -> None:
        """Counting is finding without the resources; it may stop early."""
        storage = self.empty()
        with storage.transaction("add") as session:
            for seq in range(1, 6):
                session.add(a_message(seq, state=MessageState.SENT if seq > 2 else "CREATED"))

        with storage.snapshot() as session:
            assert session.count(Query(Message)) == 5
            assert session.count(Query(Message, [eq("state", "SENT")])) == 3
            assert session.count(Query(Message), at_most=2) == 2

    # -- pages of rows -----------------------------------------------------------------------

    def test_inserted_rows_are_found_as_resources(self) -> None:
        """Rows of plain values become resources; what a row leaves out takes its default."""
        storage = self.empty()
        columns = ("seq", "id", "direction", "state", "application_id", "created_date",
                   "last_updated_date", "company_id", "attachments")  # fmt: skip
        rows = [
            (seq, f"message-{seq}", "MT", "CREATED", 1, NOW, NOW, "acme", ("x",)) for seq in (1, 2)
        ]
        with storage.transaction("insert") as session:
            session.insert(Message, columns, rows)

        with storage.snapshot() as session:
            wanted = [a_message(1, attachments=("x",)), a_message(2, attachments=("x",))]
            assert session.find(Query(Message)) == wanted

    def test_rows_are_the_columns_of_find(self) -> None:
        """Plain values: enumerations as text, lists as tuples."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_message(1, attachments=("x", "y")))

        with storage.snapshot() as session:
            rows = session.rows(Query(Message), ("state", "attachments", "body", "seq"))

        assert rows == [("CREATED", ("x", "y"), None, 1)]
        assert type(rows[0][0]) is str

    def test_update_changes_only_rows_that_match(self) -> None:
        """A row whose other values are not the expected ones stays as it is."""
        storage = self.empty()
        with storage.transaction("add") as session:
            for seq in (1, 2, 3):
                session.add(a_message(seq, state="SENT" if seq == 2 else MessageState.CREATED))
            changed_rows = session.update(
                Message, ("state", "sent_date"), ("seq", "state"),
                [("SENT", NOW, seq, "CREATED") for seq in (1, 2, 3, 4)],
            )  # fmt: skip

        with storage.snapshot() as session:
            rows = session.rows(Query(Message), ("state", "sent_date"))
        assert changed_rows == 2
        assert rows == [("SENT", NOW), ("SENT", None), ("SENT", NOW)]

    def test_update_raises_the_version_by_one(self) -> None:
        """A changed row is one version on, a row passed by is not."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_message(1))
            session.add(a_message(2))
            session.update(Message, ("state",), ("seq",), [("SENT", 1)])

        with storage.snapshot() as session:
            assert session.rows(Query(Message), ("version_number",)) == [(2,), (1,)]

    def test_increase_adds_and_leaves_the_version(self) -> None:
        """Counters move by deltas, the version only with the state."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_request(sent_count=3))
            amounts = {"sent_count": 2, "failed_count": 1}
            session.increase(MessageRequest, "request", amounts, later(NOW, 1))

        with storage.snapshot() as session:
            held = session.get(MessageRequest, "request")
        wanted = a_request(sent_count=5, failed_count=1, last_updated_date=later(NOW, 1))
        assert held == wanted

    def test_numbers_are_never_given_twice(self) -> None:
        """Reserved numbers lie in a row and are not reserved again."""
        storage = self.empty()
        given: list[int] = []
        for count in (1, 5, 500, 2):
            with storage.transaction("number") as session:
                first = session.number(count)
                assert first > max(given, default=0)
                given += range(first, first + count)

    def test_a_key_is_new_once_in_its_scope(self) -> None:
        """Remembered keys are known in their scope until they are forgotten."""
        storage = self.empty()
        big = 2**62 + 1
        with storage.transaction("remember") as session:
            assert session.remember("one", [1, 2, big]) == {1, 2, big}
            assert session.remember("one", [2, 3, big]) == {3}
            assert session.remember("two", [1]) == {1}
            assert session.forget("one", 3) == 3
            assert session.forget("one", 3) == 1
            assert session.remember("two", [1]) == set()

    def test_a_resource_without_a_version_is_added_and_removed(self) -> None:
        """Not every resource is versioned."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_key())
            session.remove(a_key())
            assert session.find(Query(IdempotencyKey)) == []

    def test_an_update_may_set_what_is_written_once_and_what_moves(self) -> None:
        """However the columns are stored, the version rises by one."""
        storage = self.empty()
        with storage.transaction("add") as session:
            session.add(a_message())
            columns = ("from_address", "state", "lane")
            assert session.update(Message, columns, ("seq",), [("999", "SENT", 7, 1)]) == 1
            assert session.update(Message, ("lane",), ("seq",), [(8, 1)]) == 1

            held = session.get(Message, "message-1")

        assert held is not None
        assert (held.from_address, held.state.value, held.lane) == ("999", "SENT", 8)
        assert held.version_number == 3

    def test_a_message_is_replaced_whole(self) -> None:
        """A message is one resource, however its fields are stored."""
        storage = self.empty()
        after = evolve(
            a_message(), state=MessageState.SENT, body="new", sent_date=NOW, version_number=2
        )
        with storage.transaction("add") as session:
            session.add(a_message())
            session.replace(after)

        with storage.snapshot() as session:
            assert session.get(Message, "message-1") == after
