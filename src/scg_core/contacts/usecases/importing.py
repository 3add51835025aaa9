"""Import jobs: a page of rows a transaction, the place in the file kept with what was stored.

The rows of a page are checked before anything of them is written, and against the keys that the
page, the company's contacts and its earlier rows hold; so one bad row spoils no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from scg_core.attachments.lifecycle import ATTACHMENT, AttachmentEvent, AttachmentState
from scg_core.attachments.model import Attachment
from scg_core.attachments.steps import Content, keep_content, new_attachment
from scg_core.contacts.model import (
    ContactGroup,
    GroupStatus,
    GroupType,
    ImportJob,
    JobState,
)
from scg_core.contacts.records import ImportFailure
from scg_core.contacts.rules.columns import ERRORS, Column, columns, values_of
from scg_core.contacts.rules.csvfile import Row, guarded, unguarded, written
from scg_core.contacts.steps.deriving import rules_for
from scg_core.contacts.steps.jobs import group_of, renewed
from scg_core.contacts.steps.upserting import Upserts
from scg_core.kernel import codec
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound
from scg_core.kernel.instant import SECOND, later
from scg_core.kernel.query import Query, above, below
from scg_core.kernel.resource import Writer
from scg_core.ports.storage import Work
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

IMPORT: Final = "import"
"""The due work of importing a page; the key is the job's id."""

DROP_FAILURES: Final = "drop_failures"
"""The due work of dropping what a job noted of failed rows; the key is the job's id."""

PAGE: Final = 500
_AT_ONCE: Final = 500


@frozen
class ImportTask:
    """What to read next: of which content, from which byte; or failures to be written."""

    work: Work
    job: ImportJob
    key: str
    columns: tuple[Column, ...] = ()
    problem: InvalidField | None = None
    failures: bool = False


@frozen
class Read:
    """A row that was read: its values, or why it has none."""

    row: Row
    values: dict[str, Any] = field(factory=dict)
    problem: InvalidField | None = None


def create_import(unit: Unit, caller: Caller, given: Mapping[str, object]) -> ImportJob:
    """Import contacts from an attachment, in the background.

    Raises:
        InvalidField: it names the field: no such attachment or group, or the group is DYNAMIC.
        IllegalTransition: the attachment is not UPLOADED.
    """
    values = codec.read(ImportJob, given, lenient=caller.lenient)
    codec.mandatory(ImportJob, values, Writer.CUSTOMER)
    file = _attachment(unit, caller, values["import_attachment_id"], "import_attachment_id")
    group = group_of(unit, caller, values.get("contact_group_id"))
    if group is not None and group.type is GroupType.DYNAMIC:
        raise InvalidField("contact_group_id", "is a DYNAMIC group, which takes no members")
    ATTACHMENT.step(file.phase, AttachmentEvent.USE)
    if not file.used:
        unit.save(file, used=True)
    job = unit.add(
        ImportJob(
            id=unit.new_id(),
            contact_group_id=None if group is None else group.id,
            import_attachment_id=file.id,
            state=JobState.CREATED,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            company_id=caller.company_id,
        )
    )
    unit.later(IMPORT, job.id, unit.now)
    return job


def delete_import(unit: Unit, caller: Caller, job_id: str, seen: object = None) -> None:
    """Delete a job; one that runs stops, and what it has imported stays.

    Raises:
        NotFound: the company has no such job.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(ImportJob, caller.company_id, job_id)
    unit.check_version(held, seen)
    unit.session.remove(held)
    unit.session.withdraw(IMPORT, held.id)
    unit.later(DROP_FAILURES, held.id, unit.now)


def next_import(unit: Unit, work: Work) -> ImportTask | None:
    """What a claimed piece of work is to read; None: there is nothing left to do."""
    job = unit.session.get(ImportJob, work.key)
    if job is None or job.state is JobState.COMPLETED:
        unit.session.complete(work)
        return None
    group = unit.session.get(ContactGroup, job.contact_group_id or "")
    if group is not None and group.status is GroupStatus.PROCESSING:
        unit.session.again(work, later(unit.now, SECOND), work.position)
        return None
    if job.state is JobState.CREATED:
        job = unit.save(job, state=JobState.RUNNING, started_date=unit.now)
    if job.whole and not has_failures(unit, job):
        _end(unit, work, job)
        return None
    file = unit.session.get(Attachment, job.import_attachment_id)
    key = None if file is None else file.content_key
    if job.whole:
        return ImportTask(work, job, "", failures=True)
    if key is None:
        gone = InvalidField("import_attachment_id", "was deleted")
        return ImportTask(work, job, "", problem=gone)
    if not job.header:
        return ImportTask(work, job, key)
    try:
        of = columns(job.header, rules_for(unit, job.company_id))
    except InvalidField as wrong:  # a rule was deleted while the job ran
        return ImportTask(work, job, key, problem=wrong)
    return ImportTask(work, job, key, of)


def read_rows(rows: Sequence[Row], of: Sequence[Column]) -> list[Read]:
    """The values that rows give, or why they give none."""
    found = []
    for row in rows:
        if row.problem is not None:
            found.append(Read(row, problem=InvalidField("row", row.problem)))
            continue
        try:
            found.append(Read(row, values_of(row.cells, of)))
        except InvalidField as wrong:
            found.append(Read(row, problem=wrong))
    return found


def begin_rows(unit: Unit, task: ImportTask, header: Row | None, lease: int) -> Work | None:
    """The header was read: keep it, or end the job if it is none; the work to go on with."""
    job = task.job
    problem = InvalidField("header", "is missing: the file is empty")
    if header is not None:
        problem = InvalidField("header", header.problem or "")
        if header.problem is None:
            try:
                columns(header.cells, rules_for(unit, job.company_id))
            except InvalidField as wrong:
                problem = wrong
            else:
                unit.save(job, header=header.cells, offset=header.end)
                return renewed(unit, task.work, lease)
    return stop(unit, task, problem, lease)


def pass_over(unit: Unit, task: ImportTask, end: int, lease: int) -> Work | None:
    """There was nothing but empty lines up to a byte; the work to go on with."""
    unit.save(task.job, offset=end)
    return renewed(unit, task.work, lease)


def stop(unit: Unit, task: ImportTask, problem: InvalidField, lease: int) -> Work | None:
    """The job cannot go on: what failed it is all that its failures file adds."""
    job = task.job
    number = job.imported_count + job.failed_count + 1
    _note(unit, job, [(number, (), problem)])
    unit.save(job, whole=True, failed_count=job.failed_count if job.header else 0)
    return renewed(unit, task.work, lease)


def store_rows(
    unit: Unit, task: ImportTask, rows: Sequence[Read], end: int, whole: bool, lease: int
) -> Work | None:
    """Store a page of rows, and that the job is at byte ``end``; the work to go on with.

    Raises:
        LeaseLost: another worker has taken the job over.
    """
    job = unit.session.get(ImportJob, task.job.id)
    if job is None or job.offset != task.job.offset:
        unit.session.complete(task.work)
        return None
    failures: list[tuple[int, Sequence[str], InvalidField]] = []
    page = Upserts(unit, job)
    first = job.imported_count + job.failed_count + 1
    page.look_up([one.values for one in rows if one.problem is None])
    for number, one in enumerate(rows, start=first):
        problem = one.problem or page.take(one.values)
        if problem is not None:
            failures.append((number, one.row.cells, problem))
    page.store()
    _note(unit, job, failures)
    unit.save(
        job, offset=end, whole=whole,
        imported_count=job.imported_count + len(rows) - len(failures),
        failed_count=job.failed_count + len(failures),
    )  # fmt: skip
    return renewed(unit, task.work, lease)


def has_failures(unit: Unit, job: ImportJob) -> bool:
    """Whether a job noted any failed row."""
    return bool(unit.session.count(_failures(job.id), at_most=1))


def failures_after(unit: Unit, job: ImportJob, after: str) -> list[tuple[str, str]]:
    """A page of what a job noted: (id, row as CSV)."""
    query = _failures(job.id, after)
    return [(id, cells) for id, cells in unit.session.rows(query, ("id", "cells"))]


def failures_header(job: ImportJob) -> str:
    """The first row of a failures file."""
    return written([*job.header, *ERRORS])


def finish_import(unit: Unit, task: ImportTask, content: Content | None) -> None:
    """The failures file lies in its place: the job is COMPLETED.

    Raises:
        LeaseLost: another worker has taken the job over.
    """
    job = unit.session.get(ImportJob, task.job.id)
    if job is None or content is None:
        unit.session.complete(task.work)
        return
    caller = Caller(job.company_id, job.application_id, False)
    made = new_attachment(
        unit, caller, id=content.key.partition(".")[0], name="failures.csv",
        filename="failures.csv", type="text/csv",
    )  # fmt: skip
    keep_content(unit, unit.add(made), content)
    _end(unit, task.work, job, failures_attachment_id=made.id)


def drop_failures(unit: Unit, work: Work) -> None:
    """Drop a page of what a job noted of failed rows."""
    some = unit.session.find(_failures(work.key))
    for one in some:
        unit.session.remove(one)
    if some:
        unit.session.again(work, unit.now, 0)
    else:
        unit.session.complete(work)


def _note(
    unit: Unit, job: ImportJob, failures: Sequence[tuple[int, Sequence[str], InvalidField]]
) -> None:
    """Keep rows that failed, as they will stand in the failures file."""
    rows = []
    for number, cells, problem in failures:
        shown = [guarded(unguarded(cell)) for cell in cells]
        if len(shown) > len(job.header) and job.header:
            shown = [guarded(written(cells).strip("\r\n"))]
        shown += [""] * (len(job.header) - len(shown))
        line = written([*shown, str(problem.error_code), str(problem)])
        rows.append((f"{job.id}/{number:012}", line))
    unit.session.insert(ImportFailure, ("id", "cells"), rows)


def _failures(job_id: str, after: str = "") -> Query[ImportFailure]:
    where = (above("id", after or f"{job_id}/"), below("id", f"{job_id}/~"))
    return Query(ImportFailure, where, sort=(("id", False),), limit=_AT_ONCE)


def _end(unit: Unit, work: Work, job: ImportJob, **facts: Any) -> None:
    unit.session.complete(work)
    unit.save(job, state=JobState.COMPLETED, completed_date=unit.now, **facts)
    unit.later(DROP_FAILURES, job.id, unit.now)


def _attachment(unit: Unit, caller: Caller, id: str, named: str) -> Attachment:
    try:
        found = unit.get(Attachment, caller.company_id, id)
    except NotFound:
        raise InvalidField(named, f"no attachment has the id {id[:64]!r}") from None
    if found.state is not AttachmentState.UPLOADED:
        raise IllegalTransition("attachment", found.state.value, "IMPORT", ("UPLOAD",))
    return found
