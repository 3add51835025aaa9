"""What is particular to the SQLite file: other programs' files, older ones, threads, processes."""

from __future__ import annotations

import gc
import multiprocessing
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from scg_adapters.embedded import open_storage
from scg_adapters.storage import migrations
from scg_adapters.storage.sql import select
from scg_adapters.storage.sqlite import SqliteStorage
from scg_core import ForeignStorage, InvalidField, StorageUnavailable
from scg_core.conformance.samples import NOW, a_message, a_request
from scg_core.contacts.model import Contact
from scg_core.kernel.query import Condition, Numeric, Op, Query, either, eq, negated
from scg_core.messaging.model import Message, MessageRequest
from scg_core.ports.storage import Work


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    """And it is left as it was."""
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear Sir or Madam, " * 100)
    with pytest.raises(ForeignStorage) as refused:
        SqliteStorage(path)

    assert refused.value.path == str(path)
    assert path.read_bytes() == b"Dear Sir or Madam, " * 100


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """Its tables are not touched."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table message (id text)")
    other.close()
    with pytest.raises(ForeignStorage) as refused:
        SqliteStorage(path)

    assert "another program" in refused.value.reason


def test_a_refused_file_is_left_as_it_was(tmp_path: Path) -> None:
    """Not even its journal mode is changed."""
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("create table theirs (id text)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(ForeignStorage):
        SqliteStorage(path)

    assert path.read_bytes() == before


def test_the_schema_changes_only_with_its_version() -> None:
    """A changed declaration needs a new VERSION (and SCHEMA), so that older engines refuse it."""
    assert migrations.fingerprint() == migrations.SCHEMA


def test_connections_of_ended_threads_are_closed(tmp_path: Path) -> None:
    """A host may use a new thread for each call."""
    storage = SqliteStorage(tmp_path / "scg.db")
    for _ in range(50):
        thread = threading.Thread(target=_add_another, args=(storage,))
        thread.start()
        thread.join()
        with storage.transaction("away") as session:
            session.remove(a_request("another"))
    gc.collect()

    assert len(storage._open_ones) <= 2


def test_a_closed_storage_says_so(tmp_path: Path) -> None:
    """A typed error, not the driver's."""
    storage = SqliteStorage(tmp_path / "scg.db")
    storage.close()
    with pytest.raises(StorageUnavailable), storage.transaction("late"):
        pass
    with pytest.raises(StorageUnavailable), storage.snapshot():
        pass


def test_a_writer_that_holds_on_for_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process must not stop all others."""
    monkeypatch.setattr("scg_adapters.storage.sqlite.BUSY_TIMEOUT", 30)
    hog, other = SqliteStorage(tmp_path / "scg.db"), SqliteStorage(tmp_path / "scg.db")
    with hog.transaction("long") as session:
        session.add(a_request())
        with pytest.raises(StorageUnavailable), other.transaction("waits"):
            pass

    with other.transaction("free") as session:
        assert session.get(MessageRequest, "request") is not None


def test_a_file_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Better not opened than spoilt."""
    path = tmp_path / "scg.db"
    SqliteStorage(path).close()
    newer = sqlite3.connect(path)
    newer.execute("pragma user_version = 99")
    newer.close()
    with pytest.raises(ForeignStorage) as refused:
        SqliteStorage(path)

    assert "newer version" in refused.value.reason


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A page of noise in the middle of a database."""
    path = tmp_path / "scg.db"
    SqliteStorage(path).close()
    whole = bytearray(path.read_bytes())
    whole[0:4096] = b"\xff" * 4096
    path.write_bytes(whole)
    with pytest.raises(ForeignStorage):
        SqliteStorage(path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(ForeignStorage):
        SqliteStorage(tmp_path / "nowhere" / "scg.db")


def test_a_file_from_an_older_version_is_migrated(tmp_path: Path) -> None:
    """What was added since is made, and old rows keep their values."""
    path = tmp_path / "scg.db"
    storage = SqliteStorage(path)
    with storage.transaction("fill") as session:
        session.add(a_request(sent_count=3, body="kept"))
        session.add(a_message(body="kept too"))
    storage.close()
    old = sqlite3.connect(path)
    old.executescript(
        """
        drop view message_requests;
        alter table message_request_state drop column staged_count;
        alter table message_request add column sent_count integer;
        update message_request set sent_count = 3;
        alter table message_request_state drop column sent_count;
        alter table message_request drop column src_language;
        drop table parked_receipt;
        drop index message_by_to_address_message_request_id;
        drop index run_pending;
        alter table run drop column pending;
        pragma user_version = 0;
        """
    )
    old.close()

    storage = SqliteStorage(path)

    with storage.transaction("read") as session:
        held = session.get(MessageRequest, "request")
        assert held == a_request(sent_count=3, body="kept")
        assert session.get(Message, "message-1") == a_message(body="kept too")
        assert session.find(Query(Message, [eq("to_address", "x")])) == []
    indexes = sqlite3.connect(path).execute("select name from sqlite_master").fetchall()
    assert ("message_by_to_address_message_request_id",) in indexes


def test_any_sql_tool_can_read_the_messages(tmp_path: Path) -> None:
    """One real column an attribute, both rows of a message behind one view."""
    path = tmp_path / "scg.db"
    storage = SqliteStorage(path)
    with storage.transaction("fill") as session:
        session.add(a_message(to_address="+14155550100"))

    reader = sqlite3.connect(path)
    row = reader.execute("select to_address, state from messages").fetchone()
    reader.close()

    assert row == ("+14155550100", "CREATED")


def test_what_was_committed_survives_closing(tmp_path: Path) -> None:
    """The file is the state."""
    storage = SqliteStorage(tmp_path / "scg.db")
    with storage.transaction("fill") as session:
        session.add(a_request())
        session.file(Work("prepare", "request", NOW))
    storage.close()

    with SqliteStorage(tmp_path / "scg.db").transaction("read") as session:
        assert session.get(MessageRequest, "request") == a_request()
        assert session.next_due([]) == NOW


def count_up(path: Path, times: int) -> None:
    """Add to one counter, a transaction each time."""
    storage = SqliteStorage(path)
    for _ in range(times):
        with storage.transaction("count") as session:
            session.increase(MessageRequest, "request", {"sent_count": 1}, NOW)
    storage.close()


def test_threads_share_a_file_without_losing_a_write(tmp_path: Path) -> None:
    """One storage object, several threads."""
    storage = SqliteStorage(tmp_path / "scg.db")
    with storage.transaction("fill") as session:
        session.add(a_request())

    def work() -> None:
        for _ in range(50):
            with storage.transaction("count") as session:
                session.increase(MessageRequest, "request", {"sent_count": 1}, NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with storage.snapshot() as session:
        held = session.get(MessageRequest, "request")
    assert held is not None and held.sent_count == 200


def test_processes_share_a_file_without_losing_a_write(tmp_path: Path) -> None:
    """Several processes, each with a storage of its own, opened at the same time."""
    path = tmp_path / "scg.db"
    with SqliteStorage(path).transaction("fill") as session:
        session.add(a_request())
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=count_up, args=(path, 50)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0, 0]
    with SqliteStorage(path).snapshot() as session:
        held = session.get(MessageRequest, "request")
    assert held is not None and held.sent_count == 100


def test_a_snapshot_does_not_see_what_is_written_meanwhile(tmp_path: Path) -> None:
    """Readers see one moment and do not wait for the writer."""
    storage = SqliteStorage(tmp_path / "scg.db")
    with storage.transaction("fill") as session:
        session.add(a_request())

    with storage.snapshot() as reading:
        assert reading.count(Query(MessageRequest)) == 1
        writer = threading.Thread(target=_add_another, args=(storage,))
        writer.start()
        writer.join()
        assert reading.count(Query(MessageRequest)) == 1

    with storage.snapshot() as reading:
        assert reading.count(Query(MessageRequest)) == 2


def _add_another(storage: SqliteStorage) -> None:
    with storage.transaction("another") as session:
        session.add(a_request("another"))


def test_a_file_that_is_locked_for_long_is_unavailable_and_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typed error that says to try again."""
    monkeypatch.setattr("scg_adapters.storage.sqlite.BUSY_TIMEOUT", 10)
    storage = SqliteStorage(tmp_path / "scg.db")
    hog = sqlite3.connect(tmp_path / "scg.db", isolation_level=None)
    hog.execute("begin immediate")
    with pytest.raises(StorageUnavailable) as refused, storage.transaction("add") as session:
        session.add(a_request())
    hog.execute("rollback")
    hog.close()

    assert refused.value.retry
    with storage.snapshot() as session:
        assert session.count(Query(MessageRequest)) == 0


@pytest.mark.parametrize("url", ["", "sqlite:///", "postgres://x", "scg.db"])
def test_a_storage_url_nobody_knows_is_refused(url: str) -> None:
    """The error shows how a URL is written."""
    with pytest.raises(InvalidField):
        open_storage(url)


def test_a_durability_nobody_knows_is_refused() -> None:
    """FULL, NORMAL, OFF, EXTRA."""
    with pytest.raises(InvalidField):
        SqliteStorage(":memory:", synchronous="maybe")


def test_receipts_are_looked_up_by_an_index(tmp_path: Path) -> None:
    """The query behind receipts uses the partial index on messages in state SENT."""
    from scg_adapters.storage.sql import select
    from scg_core.kernel.query import among

    SqliteStorage(tmp_path / "scg.db").close()
    where = [eq("state", "SENT"), among("transport_id", ["a", "b"])]
    sql, parameters = select(Query(Message, where), ("seq",))
    reader = sqlite3.connect(tmp_path / "scg.db")
    plan = " ".join(row[3] for row in reader.execute("explain query plan " + sql, parameters))
    reader.close()

    assert "message_state_by_transport_id_sent" in plan
    assert "SCAN" not in plan


def test_repeated_recipients_are_looked_up_by_an_index(tmp_path: Path) -> None:
    """The query behind fan-out's search for duplicates looks at single addresses."""
    from scg_adapters.storage.sql import select
    from scg_core.kernel.query import among

    SqliteStorage(tmp_path / "scg.db").close()
    where = [eq("message_request_id", "r"), among("to_address", ["a", "b"])]
    sql, parameters = select(Query(Message, where), ("to_address",))
    reader = sqlite3.connect(tmp_path / "scg.db")
    plan = " ".join(row[3] for row in reader.execute("explain query plan " + sql, parameters))
    reader.close()

    assert "message_by_to_address_message_request_id (to_address=? AND message" in plan


def test_a_statement_that_cannot_be_run_is_no_outage(tmp_path: Path) -> None:
    """What asks too much fails by itself; a storage that is down is told apart from it."""
    storage = SqliteStorage(tmp_path / "scg.db")
    many = either(*(Condition("body", Op.EQ, Numeric(at)) for at in range(5_000)))

    with pytest.raises(sqlite3.OperationalError), storage.snapshot() as session:
        session.find(Query(Message, [many]))
    with storage.snapshot() as session:
        assert session.find(Query(Message)) == []


@pytest.mark.parametrize(
    ("conditions", "index"),
    [
        ([eq("external_id", "x")], "contact_by_company_id_external_id"),
        ([eq("mdn_key", "1")], "contact_by_company_id_mdn_key"),
        ([eq("fast_access_3", "gold")], "contact_by_company_id_fast_access_3_id"),
        ([eq("fast_access_3", "gold"), Condition("id", Op.GT, "a"), Condition("id", Op.LE, "b")],
         "contact_by_company_id_fast_access_3_id"),
        ([Condition("id", Op.GT, "a"), Condition("first_name", Op.GT, "a")],
         "contact_by_company_id_id"),
        ([Condition("fast_access_3", Op.PREFIX, "g")], "contact_by_company_id_id"),
        ([either(eq("fast_access_3", "a"), eq("last_name", "b"))], "contact_by_company_id_id"),
        ([negated(eq("primary_addr_state", "TX"))], "contact_by_company_id_id"),
    ],
)  # fmt: skip
def test_contacts_are_found_by_an_index(
    tmp_path: Path, conditions: list[Condition], index: str
) -> None:
    """In the order of their ids, without sorting them."""
    storage = SqliteStorage(tmp_path / "scg.db")
    query = Query(Contact, [eq("company_id", "acme"), *conditions], sort=(("id", False),), limit=9)
    sql, values = select(query, ("id",))
    storage.close()
    with closing(sqlite3.connect(tmp_path / "scg.db")) as raw:
        plan = " ".join(row[3] for row in raw.execute(f"explain query plan {sql}", values))

    assert index in plan
    assert "TEMP B-TREE" not in plan
