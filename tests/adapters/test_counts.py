"""What a storage counts, by whatever short cut, is what it finds; what is too broad is given up."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_adapters.embedded import open_engine, open_storage
from scg_adapters.storage.sql import select, select_keys_first
from scg_adapters.storage.sqlite import SqliteStorage
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core import StaleData, TooBroad
from scg_core.conformance.samples import NOW, a_message, a_request
from scg_core.events.model import Envelope
from scg_core.events.records import Outlet
from scg_core.kernel.query import (
    DELETED,
    Query,
    above,
    among,
    at_least,
    at_most,
    below,
    eq,
    listing,
    ne,
)
from scg_core.kernel.resource import declaration
from scg_core.messaging.lifecycle import MessageState, RequestState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.records import LoggedReceipt
from scg_core.ports.storage import Session
from scg_core.senders.model import SenderId, Tariff

ALIVE = ne("state", DELETED)
QUESTIONS = [
    [eq("company_id", "acme"), ALIVE],
    [eq("company_id", "nobody"), ALIVE],
    [ALIVE, eq("company_id", "rival"), eq("campaign_id", "c1")],
    [eq("company_id", "acme"), eq("state", "SENT"), ALIVE],
    [eq("company_id", "acme")],
    [ALIVE],
    [eq("message_request_id", "r1"), ALIVE],
    [eq("company_id", "acme"), among("to_address", ["+1", "+2"]), ALIVE, ALIVE],
]
STATES = [MessageState.SENT, MessageState.DELETED, MessageState.CREATED]

one_step = st.tuples(
    st.sampled_from(["add", "insert", "remove", "move"]), st.integers(1, 6), st.sampled_from(STATES)
)


def apply(session: Session, step: tuple[str, int, MessageState]) -> None:
    """One thing that is done to a message, if it can be."""
    what, seq, state = step
    held = session.find(Query(Message, [eq("seq", seq)]))
    company = "acme" if seq % 3 else "rival"
    fields: dict[str, Any] = {
        "state": state, "company_id": company, "campaign_id": f"c{seq % 2}",
        "message_request_id": f"r{seq % 2}", "to_address": f"+{seq}",
    }  # fmt: skip
    if what == "remove" and held:
        session.remove(held[0])
    elif what == "move" and held and held[0].state is not MessageState.DELETED:
        session.update(Message, ("state",), ("seq",), [(state.value, seq)])
    elif what == "add" and not held:
        session.add(a_message(seq, **fields))
    elif what == "insert" and not held:
        columns = ("seq", "id", "direction", "application_id", "created_date", *fields,
                   "last_updated_date")  # fmt: skip
        values = {**fields, "state": state.value}
        row = (seq, f"message-{seq}", "MT", 1, NOW, *values.values(), NOW)
        session.insert(Message, columns, [row])


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(one_step, max_size=25))
def test_what_is_counted_is_what_is_found(steps: list[tuple[str, int, MessageState]]) -> None:
    """After any history, for any question, with and without a bound."""
    storage = SqliteStorage(":memory:")
    try:
        for step in steps:
            with storage.transaction("step") as session:
                apply(session, step)
        with storage.snapshot() as session:
            for where in QUESTIONS:
                query = Query(Message, where)
                found = len(session.find(query))
                assert session.count(query) == found
                for most in (1, 2, 100):
                    assert session.count(query, at_most=most) == min(found, most)
    finally:
        storage.close()


def test_what_is_counted_is_right_after_odd_changes() -> None:
    """One row twice in a page, a stale version within a transaction, a row read before."""
    storage = SqliteStorage(":memory:")
    with storage.transaction("odd") as session:
        for seq in range(1, 6):
            session.add(a_message(seq))
        deleted = MessageState.DELETED
        rows = [(deleted.value, 1), (deleted.value, 1)]
        session.update(Message, ("state",), ("seq",), rows)
        with pytest.raises(StaleData):
            session.replace(a_message(2, state=deleted, version_number=9))
        before = session.find(Query(Message, [eq("seq", 3)]))[0]
        session.update(Message, ("state",), ("seq",), [(deleted.value, 3)])
        session.remove(before)
    with storage.snapshot() as session:
        query = Query(Message, [eq("company_id", "acme"), ALIVE])
        assert session.count(query) == len(session.find(query)) == 3
    storage.close()


def test_what_is_rolled_back_is_not_counted() -> None:
    """The count lies in the same transaction."""
    storage = SqliteStorage(":memory:")
    with pytest.raises(ZeroDivisionError), storage.transaction("fails") as session:
        session.add(a_request())
        raise ZeroDivisionError
    with storage.snapshot() as session:
        assert session.count(Query(MessageRequest, [eq("company_id", "acme"), ALIVE])) == 0
    storage.close()


def test_an_older_file_is_counted_once_when_it_is_opened(tmp_path: Path) -> None:
    """What was there before there was a count."""
    path = tmp_path / "scg.db"
    with closing(SqliteStorage(path)) as storage, storage.transaction("fill") as session:
        for seq in (1, 2, 3):
            session.add(a_message(seq))
        session.add(a_request(state=RequestState.DELETED))
    with closing(sqlite3.connect(path)) as older:
        older.execute("drop table tally")
        older.execute("pragma user_version = 4")
    with closing(SqliteStorage(path)) as storage, storage.snapshot() as session:
        acme = eq("company_id", "acme")
        assert session.count(Query(Message, [acme, ALIVE])) == 3
        assert session.count(Query(MessageRequest, [acme, ALIVE])) == 0
        assert session.count(Query(MessageRequest, [acme])) == 1


def test_a_file_from_before_there_were_tariffs_and_texts_is_brought_up(tmp_path: Path) -> None:
    """A step finds only what an old file has; addresses are written in one spelling."""
    path = tmp_path / "scg.db"
    with closing(SqliteStorage(path)) as storage, storage.transaction("fill") as session:
        session.add(
            SenderId(
                id="s", address="+1 (415) 555-0177", company_id="acme", created_date=NOW,
                last_updated_date=NOW, application_id=1,
            )
        )  # fmt: skip
    with closing(sqlite3.connect(path)) as older:
        for name in ("tally", "tariff", "consent_text", "suppression"):
            older.execute(f"drop table {name}")
        older.execute("pragma user_version = 1")
    with closing(SqliteStorage(path)) as storage, storage.snapshot() as session:
        held = session.get(SenderId, "s")
        assert held is not None
        assert held.address == "+14155550177"
        assert session.find(Query(Tariff)) == []


def test_sorting_and_passing_over_pages_gives_the_same_as_all_at_once() -> None:
    """Pages are found by their keys first."""
    storage = SqliteStorage(":memory:")
    with storage.transaction("fill") as session:
        for seq in range(1, 30):
            session.add(a_message(seq, subject=f"s{seq % 4}", to_address=f"+{seq % 7}"))
    with storage.snapshot() as session:
        for sort in ((("subject", True),), (("to_address", False), ("subject", True)), ()):
            whole = session.find(Query(Message, [ALIVE], sort))
            paged = [
                one
                for offset in range(0, 35, 5)
                for one in session.find(Query(Message, [ALIVE], sort, 5, offset))
            ]
            assert paged == whole
            assert len(whole) == 29
    storage.close()


def test_a_question_that_looks_at_too_much_is_given_up(tmp_path: Path) -> None:
    """With a typed error, after the time that was said; the storage answers the next one."""
    url = f"sqlite:///{tmp_path}/scg.db"
    storage = open_storage(url, longest_read=0.02)
    with storage.transaction("fill") as session:
        columns = ("seq", "id", "direction", "state", "application_id", "created_date",
                   "last_updated_date", "company_id", "body")  # fmt: skip
        rows = [(n, f"m{n}", "MT", "SENT", 1, NOW, NOW, "acme", "hello") for n in range(1, 60_000)]
        session.insert(Message, columns, rows)
    engine = open_engine(url, {"loopback": LoopbackCarrier()}, longest_read=0.02)
    app = engine.application("acme", 1)
    began = time.monotonic()
    with pytest.raises(TooBroad) as refused:
        for sort in ("body", "-body", "subject", "-last_updated_date"):  # one of them is too slow
            app.messages.page(sort=sort, limit=1000)

    assert time.monotonic() - began < 5
    assert "narrow it" in str(refused.value)
    assert (refused.value.code, refused.value.status) == (400, 400)
    assert app.messages.find(id="m7")[0].id == "m7"


def test_the_list_of_a_small_company_does_not_read_a_large_ones() -> None:
    """Its order of creation comes from an index by company, whatever else is asked."""
    storage = SqliteStorage(":memory:")
    for filters in ({}, {"campaign_id": "c"}, {"state": "SENT"}):
        query = listing(Message, "small", filters)
        sql, parameters = select(query, ("id",))
        plan = storage._connection().execute(f"explain query plan {sql}", parameters).fetchall()
        assert "message_by_company_id (company_id=?)" in str(plan), plan
        assert "SCAN" not in str(plan), plan
    for sort in ("to_address", "-id", "created_date", "-last_updated_date", "body"):
        sql, parameters = select_keys_first(listing(Message, "small", {}, sort=sort), ("id",))
        plan = storage._connection().execute(f"explain query plan {sql}", parameters).fetchall()
        assert "message_by_company_id" in str(plan), plan
        assert "SCAN" not in str(plan).replace("SCAN (", ""), plan
    for sort in (None, "id", "-created_date", "external_id", "subject"):
        query = listing(MessageRequest, "small", {}, sort=sort)
        sql, parameters = select_keys_first(query, ("id",))
        plan = storage._connection().execute(f"explain query plan {sql}", parameters).fetchall()
        assert "message_request_by_company_id" in str(plan), plan
    storage.close()


def test_duplicates_of_a_page_are_looked_up_by_address() -> None:
    """Not among all messages of the request, of which there may be a million."""
    storage = SqliteStorage(":memory:")
    addresses = [f"+1415555{n:04}" for n in range(500)]
    where = [eq("message_request_id", "r"), among("to_address", addresses)]
    sql, parameters = select(Query(Message, where), ("to_address", "type"))
    plan = storage._connection().execute(f"explain query plan {sql}", parameters).fetchall()

    assert "message_by_to_address_message_request_id" in str(plan), plan
    for filters in ({"message_request_id": "r"}, {"to_address": "+1"}, {"id": "m"}):
        query = listing(Message, "acme", filters)
        sql, parameters = select(query, ("id",))
        plan = storage._connection().execute(f"explain query plan {sql}", parameters).fetchall()
        assert f"message_by_{next(iter(filters))}" in str(plan), plan
    storage.close()


_ENVELOPES = eq("subscription_id", "s")
_BY_DATE = (("created_date", False),)
_BY_ID = (("id", False),)
HOT_QUESTIONS: list[Query[Any]] = [
    Query(Envelope, [_ENVELOPES, at_most("due", 5)], (("due", False),), limit=9),
    Query(Envelope, [_ENVELOPES, eq("open", "x")], (("sequence", False),), limit=1),
    Query(Envelope, [_ENVELOPES, among("open", ["x", "y"])]),
    Query(Envelope, [_ENVELOPES, eq("state", "FAILED"), above("id", "")], _BY_ID, limit=9),
    Query(Envelope, [_ENVELOPES], _BY_DATE, limit=9),
    Query(Envelope, [_ENVELOPES, eq("subject", "x")], _BY_DATE, limit=9),
    Query(Envelope, [below("settled_date", 5)], (("settled_date", False),), limit=9),
    Query(
        Envelope,
        [_ENVELOPES, ne("open", None), below("created_date", 5), below("asked_date", 5)],
        _BY_DATE,
        limit=9,
    ),
    Query(
        Envelope,
        [_ENVELOPES, eq("state", "FAILED"), among("subject", ["x"]), at_most("created_date", 5)],
        (("sequence", False),),
        limit=9,
    ),
    Query(Outlet, [eq("company_id", "x"), above("busy_until", 5)]),
    Query(Message, [eq("direction", "MO"), below("created_date", 5)], _BY_DATE, limit=9),
    Query(
        MessageRequest,
        [
            at_least("created_date", 0),
            below("created_date", 5),
            below("last_updated_date", 5),
            among("state", ["COMPLETED"]),
        ],
        _BY_DATE,
        limit=9,
    ),
    Query(LoggedReceipt, [below("arrived_date", 5)], (("arrived_date", False),), limit=9),
    Query(Message, [eq("message_request_id", "x")]),
]


@pytest.mark.parametrize("query", HOT_QUESTIONS, ids=lambda one: str(one.where)[:60])
def test_events_and_retention_go_by_indexes(query: Query[Any]) -> None:
    """None of their questions goes through a table, however large it is."""
    storage = SqliteStorage(":memory:")
    with storage.transaction("plan") as session:
        sql, parameters = select(query, (declaration(query.kind).key,))
        rows = session._db.execute(f"explain query plan {sql}", parameters).fetchall()  # type: ignore[attr-defined]

    assert rows and not [row[3] for row in rows if row[3].startswith("SCAN") or "ANY(" in row[3]]
