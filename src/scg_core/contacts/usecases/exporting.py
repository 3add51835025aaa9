"""Export jobs: the contacts there are at its start go into a CSV file, in the order of ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from scg_core.attachments.lifecycle import AttachmentState
from scg_core.attachments.model import Attachment
from scg_core.attachments.steps import (
    Content,
    Upload,
    begin_upload,
    finish_upload,
    new_attachment,
)
from scg_core.contacts.model import ContactGroup, ExportJob, GroupStatus, JobState
from scg_core.contacts.rules.columns import cells_of, exported, writers_of
from scg_core.contacts.rules.csvfile import written
from scg_core.contacts.steps.deriving import rules_for
from scg_core.contacts.steps.jobs import group_of, renewed
from scg_core.contacts.steps.members import Who, last_contact, part_of, who_of
from scg_core.kernel import codec
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound
from scg_core.kernel.instant import SECOND, later
from scg_core.ports.storage import Work
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

EXPORT: Final = "export"
"""The due work of writing the file; the key is the job's id."""

_PAGE: Final = 1_000
_FILE: Final = "contacts.csv"


@frozen
class ExportTask:
    """What to write, and where to."""

    work: Work
    job: ExportJob
    who: Who
    until: str
    names: tuple[str, ...]
    heading: str
    upload: Upload


@frozen
class Piece:
    """Some rows as CSV, how many, and where to go on (None: these were the last)."""

    text: str
    count: int
    after: str | None


def create_export(unit: Unit, caller: Caller, given: Mapping[str, object]) -> ExportJob:
    """Export contacts, all or those of a group, in the background.

    ``export_attachment_id`` may name an attachment without content; else one is made.

    Raises:
        InvalidField: it names the field: no such attachment or group.
        IllegalTransition: the attachment has content.
    """
    values = codec.read(ExportJob, given, lenient=caller.lenient)
    group = group_of(unit, caller, values.get("contact_group_id"))
    file = _file(unit, caller, values.get("export_attachment_id"))
    job = unit.add(
        ExportJob(
            id=unit.new_id(),
            contact_group_id=None if group is None else group.id,
            export_attachment_id=file.id,
            state=JobState.CREATED,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            company_id=caller.company_id,
        )
    )
    unit.later(EXPORT, job.id, unit.now)
    return job


def delete_export(unit: Unit, caller: Caller, job_id: str, seen: object = None) -> None:
    """Delete a job; one that runs stops.

    Raises:
        NotFound: the company has no such job.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(ExportJob, caller.company_id, job_id)
    unit.check_version(held, seen)
    unit.session.remove(held)
    unit.session.withdraw(EXPORT, held.id)
    _let_go(unit, held)


def next_export(unit: Unit, work: Work, chance: str) -> ExportTask | None:
    """What a claimed piece of work is to write; None: nothing, or not yet."""
    job = unit.session.get(ExportJob, work.key)
    if job is None or job.state is JobState.COMPLETED:
        unit.session.complete(work)
        return None
    group = None
    if job.contact_group_id is not None:
        group = unit.session.get(ContactGroup, job.contact_group_id)
        if group is not None and group.status is GroupStatus.PROCESSING:
            unit.session.again(work, later(unit.now, SECOND), 0)
            return None
    job = unit.save(
        job, state=JobState.RUNNING, started_date=job.started_date or unit.now, exported_count=0
    )
    file = unit.session.get(Attachment, job.export_attachment_id or "")
    who = _who(unit, job, group)
    if file is None or file.state is not AttachmentState.CREATED or who is None:
        unit.session.complete(work)
        unit.save(job, state=JobState.COMPLETED, completed_date=unit.now)
        _let_go(unit, job)
        return None
    of = exported(rules_for(unit, job.company_id))
    names = tuple(name for name, _ in of)
    heading = written([heading for _, heading in of])
    upload = begin_upload(unit, file, chance)
    return ExportTask(work, job, who, last_contact(unit, who), names, heading, upload)


def piece_of(unit: Unit, task: ExportTask, after: str) -> Piece:
    """The next rows of the file."""
    columns = ("id", *(name for name in task.names if name != "id"))
    at = [columns.index(name) for name in task.names]
    part = part_of(unit, task.who, columns, after, task.until, _PAGE)
    writers = writers_of(task.names)
    lines = [written(cells_of([row[i] for i in at], writers)) for row in part.rows]
    return Piece("".join(lines), len(lines), part.after)


def note_progress(unit: Unit, task: ExportTask, work: Work, count: int, lease: int) -> Work | None:
    """So many more rows are written; the work, leased anew. None: nobody wants them any more."""
    if unit.session.get(ExportJob, task.job.id) is None:
        unit.session.complete(work)
        return None
    unit.session.increase(ExportJob, task.job.id, {"exported_count": count}, unit.now)
    return renewed(unit, work, lease)


def finish_export(unit: Unit, task: ExportTask, work: Work, content: Content) -> None:
    """The file lies in its place: it is UPLOADED, and the job COMPLETED.

    Raises:
        LeaseLost: another worker has taken the job over.
        NotFound: the attachment was deleted meanwhile.
    """
    unit.session.complete(work)
    job = unit.session.get(ExportJob, task.job.id)
    if job is None:
        raise NotFound(ExportJob.__declaration__.title, task.job.id)
    finish_upload(unit, task.upload, content)
    unit.save(job, state=JobState.COMPLETED, completed_date=unit.now)


def give_export_up(unit: Unit, task: ExportTask) -> None:
    """The file cannot be written any more: its attachment is gone or taken."""
    unit.session.withdraw(EXPORT, task.job.id)
    job = unit.session.get(ExportJob, task.job.id)
    if job is not None and job.state is not JobState.COMPLETED:
        unit.save(job, state=JobState.COMPLETED, completed_date=unit.now, exported_count=0)


def _let_go(unit: Unit, job: ExportJob) -> None:
    """A job that wrote nothing leaves its attachment to others."""
    file = unit.session.get(Attachment, job.export_attachment_id or "")
    if file is not None and file.used and file.state is AttachmentState.CREATED:
        unit.save(file, used=False)


def _who(unit: Unit, job: ExportJob, group: ContactGroup | None) -> Who | None:
    if job.contact_group_id is None:
        return Who(job.company_id)
    if group is None:
        return None
    try:
        return who_of(unit, group)
    except InvalidField:
        return None


def _file(unit: Unit, caller: Caller, id: str | None) -> Attachment:
    if not id:
        made = new_attachment(unit, caller, name=_FILE, filename=_FILE, type="text/csv")
        return unit.add(made)
    try:
        held = unit.get(Attachment, caller.company_id, id)
    except NotFound:
        raise InvalidField("export_attachment_id", f"no attachment has the id {id!r}") from None
    if held.state is not AttachmentState.CREATED or held.used:
        now = "taken by another job" if held.used else held.state.value
        raise IllegalTransition("attachment", now, "EXPORT", ("an empty one",))
    return unit.save(held, used=True)
