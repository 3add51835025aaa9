"""Contacts imported from and exported to files."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_core import IllegalTransition, InvalidField, NotFound
from scg_core.contacts.model import Contact, ExportJob, ImportJob, JobState
from scg_core.kernel.instant import HOUR
from scg_core.kernel.query import Query
from tests.world import World

HEADER = "external_id,first_name,primary_mdn,extended_attributes\r\n"


def a_file(world: World, content: bytes | str) -> str:
    """An uploaded file; its attachment's id."""
    made = world.app.attachments.create(name="contacts.csv", type="text/csv")
    world.app.attachments.upload(made.id, content.encode() if isinstance(content, str) else content)
    return made.id


def imported(world: World, content: bytes | str, **fields: Any) -> ImportJob:
    """An import that was run to its end."""
    job = world.app.contact_imports.create(import_attachment_id=a_file(world, content), **fields)
    assert job.state is JobState.CREATED
    world.engine.run_until_idle(world.clock.now() + HOUR)
    return world.app.contact_imports.get(job.id)


def failures(world: World, job: ImportJob) -> list[list[str]]:
    """The rows of a job's failures file."""
    assert job.failures_attachment_id is not None
    return rows_of(world, job.failures_attachment_id)


def rows_of(world: World, attachment_id: str) -> list[list[str]]:
    """The rows of a file."""
    text = b"".join(world.app.attachments.download(attachment_id)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def exported(world: World, **fields: Any) -> tuple[ExportJob, list[list[str]]]:
    """An export that was run to its end, and its rows."""
    job = world.app.contact_exports.create(**fields)
    world.engine.run_until_idle(world.clock.now() + HOUR)
    job = world.app.contact_exports.get(job.id)
    assert job.export_attachment_id is not None
    return job, rows_of(world, job.export_attachment_id)


def test_a_file_is_imported_row_by_row(world: World) -> None:
    """New contacts are made, known ones changed: by external id, else by number."""
    app = world.app
    old = app.contacts.create(external_id="e1", last_name="Lee", primary_mdn="+14155550100")
    numbered = app.contacts.create(primary_mdn="+14155550101")
    job = imported(
        world,
        HEADER + 'e1,Ann,,"{""a"": 1}"\r\n,Bo,1 (415) 555-0101,\r\ne3,Cy,+14155550103,\r\n'
        "e3,Cyd,,\r\n,Dee,,\r\n",
    )

    assert (job.state, job.imported_count, job.failed_count) == ("COMPLETED", 5, 0)
    assert job.failures_attachment_id is None
    assert job.started_date is not None and job.completed_date is not None
    changed = app.contacts.get(old.id)
    assert (changed.first_name, changed.last_name) == ("Ann", "Lee")
    assert changed.extended_attributes == '{"a": 1}'
    assert changed.primary_mdn == "+14155550100"
    assert changed.version_number == 2
    assert app.contacts.get(numbered.id).first_name == "Bo"
    [third] = app.contacts.find(external_id="e3")
    assert (third.first_name, third.primary_mdn) == ("Cyd", "+14155550103")
    assert app.contacts.page().total == 4


def test_bad_rows_are_written_to_a_file_of_their_own(world: World) -> None:
    """As they were, each with its error; the rows around them are imported."""
    world.app.contacts.create(external_id="held", primary_mdn="+14155550100")
    bad = [
        ("a,b\r\n", ["a", "b", "", "", "400"]),
        ("a,b,,,,\r\n", ["a,b,,,,", "", "", "", "400"]),
        ("+1,2+x,,,,\r\n", ["'+1,2+x,,,,", "", "", "", "400"]),
        (",Eve,call me,\r\n", ["", "Eve", "call me", "", "400"]),
        ('x,Eve,,"{"\r\n', ["x", "Eve", "", "{", "400"]),
        ("x,Eve,,[]\r\n", ["x", "Eve", "", "[]", "400"]),
        (f"x,{'y' * 129},,\r\n", ["x", "y" * 129, "", "", "1023"]),
        ("x,Eve,+14155550100,\r\n", ["x", "Eve", "+14155550100", "", "1011"]),
        ('"open,Eve,,\r\n', ['"open,Eve,,', "", "", "", "400"]),
    ]
    body = (
        "".join(f"g{at},Good,,\r\n{line}" for at, (line, _) in enumerate(bad)) + "last,Good,,\r\n"
    )
    job = imported(world, HEADER + body)

    assert (job.imported_count, job.failed_count) == (len(bad) + 1, len(bad))
    header, *rows = failures(world, job)
    assert header == [*HEADER.strip().split(","), "error_code", "error_description"]
    assert [row[:5] for row in rows] == [wanted for _, wanted in bad]
    assert all(row[5] for row in rows)
    assert world.app.contacts.page(first_name="Good").total == len(bad) + 1


def test_a_number_may_go_from_one_contact_of_a_page_to_another(world: World) -> None:
    """In any order of the rows: no page fails as a whole."""
    contacts = world.app.contacts
    for at, name in enumerate("ABC"):
        contacts.create(external_id=name, primary_mdn=f"+1415555000{at}")
    job = imported(
        world,
        "external_id,primary_mdn,first_name\r\nB,,bob\r\nA,+14155550009,\r\n"
        "B,+14155550000,\r\nD,+14155550001,\r\nC,+14155550009,\r\n",
    )

    assert (job.state, job.imported_count, job.failed_count) == ("COMPLETED", 4, 1)
    held = {one.external_id: one.primary_mdn for one in contacts.find()}
    assert held == {
        "A": "+14155550009", "B": "+14155550000", "C": "+14155550002", "D": "+14155550001",
    }  # fmt: skip
    versions = {one.external_id: one.version_number for one in contacts.find()}
    assert versions == {"A": 2, "B": 2, "C": 1, "D": 1}


def test_a_file_that_changes_nothing_raises_no_version(world: World) -> None:
    """However often it is imported (semantics 17)."""
    for _ in range(2):
        job = imported(world, 'external_id,extended_attributes\r\nE1,"{""a"": 1}"\r\n')
        world.clock.advance(1_000)

    assert job.imported_count == 1
    assert world.app.contacts.find()[0].version_number == 1


def test_a_failures_file_that_was_put_right_is_imported(world: World) -> None:
    """Its two columns of errors are passed over."""
    job = imported(world, "external_id,primary_mdn\r\nE1,call me\r\n")
    wrong = b"".join(world.app.attachments.download(job.failures_attachment_id or ""))
    again = imported(world, wrong.replace(b"call me", b"14155550100"))

    assert (again.imported_count, again.failed_count) == (1, 0)


def test_a_cell_of_many_lines_comes_back(world: World) -> None:
    """JSON is written on one line, and says what it said."""
    written = "{\n" + ",\n".join(f'"k{at}": {at}' for at in range(1_500)) + "\n}"
    world.app.contacts.create(external_id="e1", extended_attributes=written)
    job, (heads, row) = exported(world)
    cell = row[heads.index("extended_attributes")]
    assert "\n" not in cell and json.loads(cell) == json.loads(written)
    content = b"".join(world.app.attachments.download(job.export_attachment_id or ""))
    again = imported(world, content)

    assert (again.imported_count, again.failed_count) == (1, 0)


def test_an_export_that_was_deleted_leaves_its_attachment_to_others(world: World) -> None:
    """It has no content yet."""
    file = world.app.attachments.create(name="mine.csv").id
    job = world.app.contact_exports.create(export_attachment_id=file)
    world.app.contact_exports.delete(job.id)

    done, rows = exported(world, export_attachment_id=file)
    assert (done.export_attachment_id, len(rows)) == (file, 1)


def test_a_row_gives_a_numbered_contact_its_external_id(world: World) -> None:
    """Who was known by the number alone is the one the row speaks of."""
    held = world.app.contacts.create(primary_mdn="+14155550100", first_name="Ann")
    imported(world, "external_id,primary_mdn\r\nE1,14155550100\r\n")

    [after] = world.app.contacts.find()
    assert (after.id, after.external_id, after.first_name) == (held.id, "E1", "Ann")


def test_a_rule_that_vanishes_while_a_file_is_read_ends_the_job(world: World) -> None:
    """The failures file says why."""
    rule = world.app.fast_access.create(
        target_attribute="fast_access_1", target_attribute_name="tier"
    )
    body = "external_id,fast_access.tier\r\n" + "".join(f"e{at},x\r\n" for at in range(20_000))
    job = world.app.contact_imports.create(import_attachment_id=a_file(world, body))
    while not world.app.contact_imports.get(job.id).imported_count:
        world.engine.run_due(1)
    world.app.fast_access.delete(rule.id)
    world.engine.run_until_idle(world.clock.now() + HOUR)

    done = world.app.contact_imports.get(job.id)
    assert done.state is JobState.COMPLETED
    assert "fast_access.tier" in failures(world, done)[-1][-1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "missing"),
        (b"\xef\xbb\xbf", "missing"),
        (b"external_id,shoe_size\r\na,43\r\n", "shoe_size"),
        (b"external_id,external_id\r\na,b\r\n", "twice"),
        (b"external_id,fast_access.nobody\r\na,b\r\n", "fast_access.nobody"),
        ("external_id,first_name\r\n".encode("utf-16"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "UTF-8"),
        (b'"external_id', "header"),
    ],
    ids=["empty", "BOM", "unknown", "twice", "no rule", "utf-16", "picture", "open"],
)
def test_a_file_that_is_none_is_completed_with_nothing_done(
    world: World, content: bytes, problem: str
) -> None:
    """The failures file says why (semantics 15: there is no state FAILED)."""
    job = imported(world, content)

    assert (job.state, job.imported_count, job.failed_count) == ("COMPLETED", 0, 0)
    header, [code, text] = failures(world, job)
    assert header == ["error_code", "error_description"]
    assert code == "400" and problem in text
    assert world.app.contacts.page().total == 0


def test_a_file_with_nothing_but_a_header_is_imported(world: World) -> None:
    """There was nothing to do."""
    job = imported(world, HEADER.encode())

    assert (job.state, job.imported_count, job.failures_attachment_id) == ("COMPLETED", 0, None)


def test_slots_of_a_file_are_those_of_the_rules(world: World) -> None:
    """Derived ones follow from the rest, whatever the file says; the others are read."""
    app = world.app
    app.fast_access.create(target_attribute="fast_access_1", target_attribute_name="tier",
                           value_derivation_script="$..tier")  # fmt: skip
    app.fast_access.create(target_attribute="fast_access_2", target_attribute_name="hand")
    app.fast_access.create(target_attribute="fast_access_3")
    job = imported(
        world,
        "external_id,fast_access.tier,fast_access.hand,fast_access_3,extended_attributes\r\n"
        'e1,wrong,mine,three,"{""tier"": ""gold""}"\r\n',
    )

    assert (job.imported_count, job.failed_count) == (1, 0)
    [made] = app.contacts.find()
    assert (made.fast_access_1, made.fast_access_2, made.fast_access_3) == ("gold", "mine", "three")
    assert app.contacts.find({"fast_access.tier": "gold"}) == [made]


def test_an_import_fills_a_static_group(world: World) -> None:
    """With those it makes and those it changes, each once; a DYNAMIC one is refused."""
    groups = world.app.contact_groups
    group = groups.create(name="g").id
    held = world.app.contacts.create(external_id="e1").id
    groups.add_contacts(group, [held])
    body = "external_id\r\n" + "".join(f"e{at}\r\n" for at in range(1_100)) + "e3\r\n"
    job = imported(world, body, contact_group_id=group)

    assert job.imported_count == 1_101
    assert groups.get(group).member_count == 1_100 == groups.contacts(group, limit=1).total
    dynamic = groups.create(name="d", type="DYNAMIC", criteria={"state": "TX"}).id
    for bad in (dynamic, "nobody"):
        with pytest.raises(InvalidField) as refused:
            world.app.contact_imports.create(
                import_attachment_id=a_file(world, body), contact_group_id=bad
            )
        assert refused.value.field == "contact_group_id"


def test_a_job_needs_an_uploaded_file_of_the_company(world: World) -> None:
    """Unknown and foreign ones are 400, one without content is 409."""
    jobs = world.app.contact_imports
    empty = world.app.attachments.create(name="a").id
    rival = world.engine.application("rival", 1).attachments.create(name="a").id

    for id in ("nobody", rival):
        with pytest.raises(InvalidField) as refused:
            jobs.create(import_attachment_id=id)
        assert refused.value.field == "import_attachment_id"
    with pytest.raises(IllegalTransition):
        jobs.create(import_attachment_id=empty)
    assert jobs.find() == []


def test_a_deleted_job_stops_and_keeps_what_it_imported(world: World) -> None:
    """At the next page; it is not to be found any more."""
    body = "external_id\r\n" + "".join(f"e{at}\r\n" for at in range(20_000)) + "bad,row\r\n"
    job = world.app.contact_imports.create(import_attachment_id=a_file(world, body))
    world.engine.run_due(1)
    running = world.app.contact_imports.get(job.id)
    assert (running.state, running.imported_count) == (JobState.RUNNING, 16 * 500 - 500)
    world.app.contact_imports.delete(job.id)
    world.engine.run_until_idle(world.clock.now() + HOUR)

    with pytest.raises(NotFound):
        world.app.contact_imports.get(job.id)
    assert world.app.contacts.page(limit=1).total == running.imported_count


def test_a_file_that_is_deleted_while_it_is_read_ends_the_job(world: World) -> None:
    """What was read counts, and the failures file says what happened."""
    body = "external_id\r\n" + "".join(f"e{at}\r\n" for at in range(20_000))
    file = a_file(world, body)
    job = world.app.contact_imports.create(import_attachment_id=file)
    world.engine.run_due(1)
    world.app.attachments.delete(file)
    world.engine.run_until_idle(world.clock.now() + HOUR)

    done = world.app.contact_imports.get(job.id)
    assert done.state is JobState.COMPLETED
    assert done.imported_count == world.app.contacts.page(limit=1).total < 20_000
    assert "deleted" in failures(world, done)[-1][-1]


def test_an_export_is_all_contacts_in_the_order_of_their_ids(world: World) -> None:
    """Those there were when it began; formulas travel behind an apostrophe."""
    app = world.app
    app.fast_access.create(target_attribute="fast_access_1", target_attribute_name="tier")
    world.clock.advance(1)
    one = app.contacts.create(
        external_id="=cmd()", first_name="-1+1", primary_mdn="+14155550100",
        extended_attributes={"a": "b,\n\"c\""}, fast_access_1="@gold",
    )  # fmt: skip
    world.clock.advance(1)
    two = app.contacts.create(first_name="Bo")
    job, (header, *rows) = exported(world)

    assert (job.state, job.exported_count) == ("COMPLETED", 2)
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["id"] for row in found] == [one.id, two.id]
    assert found[0]["external_id"] == "'=cmd()"
    assert found[0]["first_name"] == "'-1+1"
    assert found[0]["primary_mdn"] == "+14155550100"
    assert found[0]["fast_access.tier"] == "'@gold"
    file = app.attachments.get(job.export_attachment_id or "")
    assert (file.state, file.type) == ("UPLOADED", "text/csv")


@pytest.mark.parametrize("kind", ["STATIC", "DYNAMIC"])
def test_an_export_of_a_group_is_its_contacts(world: World, kind: str) -> None:
    """Into an attachment that was made for it."""
    for at in range(2_500):
        world.app.contacts.create(external_id=f"e{at}", primary_addr_state="TX" if at % 5 else "CA")
    group = world.app.contact_groups.create(name="g", type=kind, criteria={"state": "CA"})
    file = world.app.attachments.create(name="mine.csv")
    job, rows = exported(world, contact_group_id=group.id, export_attachment_id=file.id)

    assert (job.export_attachment_id, job.exported_count, len(rows)) == (file.id, 500, 501)
    taken = world.app.attachments.create(name="taken.csv").id
    world.app.contact_exports.create(export_attachment_id=taken)
    with pytest.raises(IllegalTransition):
        world.app.contact_exports.create(export_attachment_id=taken)
    with pytest.raises(IllegalTransition):
        world.app.contact_exports.create(export_attachment_id=file.id)


def test_an_export_whose_group_or_file_is_gone_is_completed_with_nothing(world: World) -> None:
    """There is no state FAILED."""
    world.app.contacts.create(external_id="e1")
    group = world.app.contact_groups.create(name="g").id
    jobs = [
        world.app.contact_exports.create(contact_group_id=group).id,
        world.app.contact_exports.create().id,
    ]
    world.app.contact_groups.delete(group)
    gone = world.app.contact_exports.get(jobs[1]).export_attachment_id
    world.app.attachments.delete(gone or "")
    world.engine.run_until_idle(world.clock.now() + HOUR)

    for id in jobs:
        job = world.app.contact_exports.get(id)
        assert (job.state, job.exported_count) == ("COMPLETED", 0)


NASTY = st.text(
    alphabet=st.sampled_from([*"=+-@'\",\t\r\n;aé1 ", "\u2028", "😀"]), min_size=1, max_size=6
)


@settings(max_examples=40)
@given(st.lists(st.tuples(NASTY, NASTY), min_size=1, max_size=5, unique_by=lambda pair: pair[0]))
def test_what_was_exported_is_imported_as_it_was(pairs: list[tuple[str, str]]) -> None:
    """Into another company: every attribute of every contact, formulas and line breaks too."""
    world = World()
    for external_id, name in pairs:
        world.app.contacts.create(
            external_id=external_id, first_name=name, extended_attributes={"n": name},
            first_acquisition_date="1970-02-01T00:00:00.123Z",
        )  # fmt: skip
    job, _ = exported(world)
    content = b"".join(world.app.attachments.download(job.export_attachment_id or ""))
    rival = world.engine.application("rival", 1)
    file = rival.attachments.create(name="c.csv")
    rival.attachments.upload(file.id, content)
    again = rival.contact_imports.create(import_attachment_id=file.id)
    world.engine.run_until_idle(world.clock.now() + HOUR)

    assert rival.contact_imports.get(again.id).failed_count == 0
    kept = {one.external_id: one for one in rival.contacts.find()}
    assert set(kept) == {external_id for external_id, _ in pairs}
    for one in world.app.contacts.find():
        twin = kept[one.external_id]
        assert (twin.first_name, twin.extended_attributes, twin.first_acquisition_date) == (
            one.first_name, one.extended_attributes, one.first_acquisition_date,
        )  # fmt: skip


def stopped(world: World, at: int) -> bool:
    """Let a worker do due work and end at its n-th pause, as a crash would; whether it did."""
    pump = world.engine.pump
    for _ in range(200):
        pieces = pump.round(pump.capabilities)
        try:
            while True:
                next(pieces)
                at -= 1
                if at == 0:
                    pieces.close()
                    return True
        except StopIteration as stop:
            if not stop.value[0]:
                return False
    raise AssertionError("the work does not end")


@pytest.mark.parametrize("seed", range(12))
def test_an_import_that_crashes_again_and_again_ends_with_exactly_its_rows(seed: int) -> None:
    """Wherever its workers end: between reading and storing, and while the failures are written."""
    world = World()
    group = world.app.contact_groups.create(name="g").id
    body = HEADER + "".join(
        f"e{at},Name,,\r\n" if at % 100 else f"bad{at},row\r\n" for at in range(3_000)
    )
    job = world.app.contact_imports.create(
        import_attachment_id=a_file(world, body), contact_group_id=group
    )
    crashes = 0
    for step in range(40):
        crashes += stopped(world, at=(seed * 7 + step * 5) % 23 + 1)
        world.clock.advance(HOUR // 10)
    world.engine.run_until_idle(world.clock.now() + HOUR)

    assert crashes > 3
    done = world.app.contact_imports.get(job.id)
    assert (done.state, done.imported_count, done.failed_count) == ("COMPLETED", 2_970, 30)
    assert world.app.contacts.page(limit=1).total == 2_970
    assert world.app.contact_groups.get(group).member_count == 2_970
    rows = failures(world, done)
    assert [row[0] for row in rows[1:]] == [f"bad{at}" for at in range(0, 3_000, 100)]
    world.engine.run_until_idle()
    held = set(world.blobs.held)  # type: ignore[attr-defined]
    assert {key.partition(".")[0] for key in held} == {
        job.import_attachment_id, done.failures_attachment_id,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_an_export_that_crashes_again_and_again_ends_whole(seed: int) -> None:
    """It begins anew, and what it had written is swept."""
    world = World()
    for at in range(2_100):
        world.app.contacts.create(external_id=f"e{at}")
    job = world.app.contact_exports.create()
    for step in range(12):
        stopped(world, at=(seed * 5 + step * 3) % 11 + 1)
        world.clock.advance(HOUR // 10)
    world.engine.run_until_idle(world.clock.now() + HOUR)

    done = world.app.contact_exports.get(job.id)
    assert (done.state, done.exported_count) == ("COMPLETED", 2_100)
    assert len(rows_of(world, done.export_attachment_id or "")) == 2_101
    world.engine.run_until_idle()
    assert len(world.blobs.held) == 1  # type: ignore[attr-defined]


def test_counts_equal_the_rows_at_every_step(world: World) -> None:
    """Imported is what is there, at each commit."""
    body = "external_id\r\n" + "".join(f"e{at}\r\n" for at in range(2_300))
    job = world.app.contact_imports.create(import_attachment_id=a_file(world, body))
    pump = world.engine.pump
    for _ in range(20):
        pieces = pump.round(pump.capabilities)
        for _ in pieces:
            with world.storage.snapshot() as session:
                held = session.get(ImportJob, job.id)
                there = session.count(Query(Contact))
            assert held is not None and held.imported_count == there
    assert there == 2_300
