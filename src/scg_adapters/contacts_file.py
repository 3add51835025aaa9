"""Contacts from and to a CSV file, resumable: what ``scg contacts`` does."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from scg_core.attachments.model import Attachment
from scg_core.contacts.model import ExportJob, ImportJob, JobState
from scg_core.engine import Application, Engine
from scg_core.kernel.errors import InvalidField
from scg_core.ports.clock import Clock

_CHUNK: Final = 2**20
_PATIENCE: Final = 250

Job = TypeVar("Job", ImportJob, ExportJob)
Progress = Callable[[Job], None]


def begin_import(app: Application, path: Path, group: str | None = None) -> ImportJob:
    """A job that imports a file; one that was begun for the same file and group goes on.

    Raises:
        InvalidField: the file cannot be read, or there is no such group.
    """
    digest = hashlib.sha256()
    for chunk in _read(path):
        digest.update(chunk)
    for state in (JobState.RUNNING, JobState.CREATED):
        for job in app.contact_imports.all(state=state):
            file = app.attachments.get(job.import_attachment_id)
            if file.digest == digest.hexdigest() and job.contact_group_id == group:
                return job
    made = app.attachments.create(name=path.name[:128], filename=path.name[:255], type="text/csv")
    app.attachments.upload(made.id, _read(path))
    return app.contact_imports.create(import_attachment_id=made.id, contact_group_id=group)


def run_import(
    engine: Engine, app: Application, job_id: str, clock: Clock, moved: Progress[ImportJob]
) -> ImportJob:
    """Do due work until an import is finished."""
    return _run(engine, clock, lambda: app.contact_imports.get(job_id), moved)


def run_export(
    engine: Engine, app: Application, job_id: str, clock: Clock, moved: Progress[ExportJob]
) -> ExportJob:
    """Do due work until an export is finished."""
    return _run(engine, clock, lambda: app.contact_exports.get(job_id), moved)


def save(app: Application, attachment_id: str, path: Path) -> Attachment:
    """Write an attachment's content to a file.

    Raises:
        InvalidField: the file cannot be written.
    """
    try:
        with path.open("wb") as file:
            for chunk in app.attachments.download(attachment_id):
                file.write(chunk)
    except OSError as reason:
        raise InvalidField("file", f"cannot be written: {reason.strerror}") from None
    return app.attachments.get(attachment_id)


def save_failures(app: Application, job: ImportJob, path: Path | None) -> None:
    """Write the rows of an import that failed to a file; no such file is left if there are none.

    Raises:
        InvalidField: the file that was imported is none, or the other cannot be written.
    """
    if job.failures_attachment_id is None:
        if path is not None:
            path.unlink(missing_ok=True)
        return
    if not job.imported_count + job.failed_count:
        text = b"".join(app.attachments.download(job.failures_attachment_id)).decode()
        raise InvalidField("file", list(csv.reader(text.splitlines()))[-1][-1])
    if path is not None:
        save(app, job.failures_attachment_id, path)


def group_id(app: Application, named: str | None) -> str | None:
    """The id of a group by its id or its name.

    Raises:
        InvalidField: there is none.
    """
    if named is None:
        return None
    for filters in ({"id": named}, {"name": named}):
        found = app.contact_groups.find(filters, limit=1)
        if found:
            return found[0].id
    raise InvalidField("group", f"no group has the id or the name {named[:64]!r}")


def _run(engine: Engine, clock: Clock, read: Callable[[], Job], moved: Progress[Job]) -> Job:
    while True:
        due = engine.run_due(4)
        job = read()
        moved(job)
        if job.state is JobState.COMPLETED:
            return job
        if due is not None and due > clock.now():
            clock.wait(min(due, type(due)(clock.now() + _PATIENCE)))


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as reason:
        raise InvalidField("file", f"cannot be read: {reason.strerror}") from None
