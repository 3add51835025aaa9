"""Imports killed with SIGKILL anywhere end with exactly the right rows."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scg_adapters.blobs.directory import DirectoryBlobs
from scg_adapters.storage.sqlite import SqliteStorage
from scg_core.attachments.model import Attachment
from scg_core.contacts.model import Contact, ContactGroup, GroupMember, ImportJob, JobState
from scg_core.contacts.records import ImportFailure
from scg_core.kernel.instant import HOUR
from scg_core.kernel.query import Query
from tests.reliability.importer import BAD, ROWS, write_file

ROOT = Path(__file__).parents[2]
START = 1_767_225_600_000
POINTS = 60


def run(folder: Path, now: int, kill_at: int) -> tuple[int, str]:
    """One process; how it ended and its last word."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.reliability.importer", str(folder), str(now), str(kill_at)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode, ran.stdout.strip()


def campaign(folder: Path, seed: int, kills: int) -> Counter[str]:
    """Kill one process after the other on one import, let the last finish, and count."""
    write_file(folder / "contacts.csv")
    chance, where = random.Random(seed), Counter[str]()
    for number in range(kills):
        ended, said = run(folder, START + number * HOUR, chance.randint(1, POINTS // (number + 1)))
        if ended == 0:
            break
        where[said] += 1
    assert run(folder, START + kills * HOUR, 0)[0] == 0
    counted(folder)
    return where


def counted(folder: Path) -> None:
    """Each row once: contacts as the last row of theirs says, failures in their file."""
    storage = SqliteStorage(folder / "scg.db")
    with storage.snapshot() as session:
        jobs = session.find(Query(ImportJob))
        contacts = {one.external_id: one for one in session.find(Query(Contact))}
        [group] = session.find(Query(ContactGroup))
        members = session.count(Query(GroupMember))
        kept = session.count(Query(ImportFailure))
        held = [one.content_key for one in session.find(Query(Attachment)) if one.content_key]
    storage.close()
    done = [job for job in jobs if job.state is JobState.COMPLETED]
    assert len(done) == len(jobs) == 1
    assert (done[0].imported_count, done[0].failed_count) == (ROWS - BAD, BAD)
    wanted = {}
    for at in range(ROWS):
        if at % (ROWS // BAD):
            wanted[f"c{at - at % 10 if at % 10 == 9 else at}"] = at
    assert {id: one.first_name for id, one in contacts.items()} == {
        id: f"N{at}" for id, at in wanted.items()
    }
    assert all(one.fast_access_1 == str(wanted[id or ""]) for id, one in contacts.items())
    assert group.member_count == members == len(wanted)
    assert kept == 0
    files = sorted(path.name for path in (folder / "blobs").rglob("*") if path.is_file())
    assert files == sorted(held)
    failures = next(one for one in held if one.startswith(done[0].failures_attachment_id or "-"))
    text = b"".join(DirectoryBlobs(folder / "blobs").read(failures)).decode()
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [
        f"bad{at}" for at in range(0, ROWS, ROWS // BAD)
    ]


def test_an_import_that_is_not_killed_is_right(tmp_path: Path) -> None:
    """The victim by itself."""
    write_file(tmp_path / "contacts.csv")
    ended, said = run(tmp_path, START, 0)

    assert ended == 0
    assert int(said.split()[1]) >= POINTS
    counted(tmp_path)


@pytest.mark.parametrize("seed", range(2))
def test_an_import_that_is_killed_ends_with_exactly_its_rows(tmp_path: Path, seed: int) -> None:
    """Killed four times, before and after commits and within contents."""
    assert campaign(tmp_path, seed, 4).total() >= 1


@pytest.mark.long
def test_a_hundred_kills_of_imports(tmp_path: Path) -> None:
    """The campaign behind the figures in docs/explanation/reliability.md."""
    where, seed = Counter[str](), 100
    while where.total() < 100:
        folder = tmp_path / str(seed)
        folder.mkdir()
        where.update(campaign(folder, seed, 8))
        seed += 1
    print(f"\n{where.total()} SIGKILLs of {seed - 100} imports, each row exactly once")
    for point, count in sorted(where.items()):
        print(f"  {point}: {count}")
