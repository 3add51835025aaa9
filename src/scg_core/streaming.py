"""Due work that moves files: sweeping contents, importing and exporting contacts.

Each piece is claimed by the pump in a transaction; bytes flow between transactions, never inside
one, and how far they flowed is written down by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, Final

from scg_core.attachments.rules import Measure
from scg_core.attachments.steps import (
    SWEEP_CONTENT,
    Content,
    is_held,
    note_content,
)
from scg_core.contacts.rules.csvfile import Page, Rows
from scg_core.contacts.usecases.exporting import (
    EXPORT,
    ExportTask,
    finish_export,
    give_export_up,
    next_export,
    note_progress,
    piece_of,
)
from scg_core.contacts.usecases.importing import (
    IMPORT,
    PAGE,
    ImportTask,
    Read,
    begin_rows,
    failures_after,
    failures_header,
    finish_import,
    next_import,
    pass_over,
    read_rows,
    stop,
    store_rows,
)
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound, ScgError
from scg_core.kernel.instant import SECOND
from scg_core.ports.blobs import Blobs
from scg_core.ports.storage import Work
from scg_core.unit import Unit

PAGES_A_TURN: Final = 16
"""Pages of a file that are imported before others get their turn."""

LEASE: Final = 30 * SECOND
_NO_LIMIT: Final = 2**62
_PIECES_A_NOTE: Final = 10

Begin = Callable[[str], AbstractContextManager[Unit]]
Stream = Generator[str, None, None]


class Files:
    """Moves the files of jobs; ``reading`` opens a moment to read from."""

    def __init__(
        self,
        blobs: Blobs,
        begin: Begin,
        reading: Callable[[], AbstractContextManager[Unit]],
        new_credential: Callable[[], str],
    ) -> None:
        self._blobs = blobs
        self._begin = begin
        self._reading = reading
        self._chance = new_credential

    kinds: Final = frozenset({SWEEP_CONTENT, IMPORT, EXPORT})

    def plan(self, unit: Unit, work: Work) -> Any:
        """In the transaction that claimed it: what a piece of work is to do, None for nothing."""
        if work.kind == IMPORT:
            return next_import(unit, work)
        if work.kind == EXPORT:
            return next_export(unit, work, self._chance())
        if is_held(unit, work):
            unit.session.complete(work)
            return None
        return work

    def do(self, task: Any) -> Stream:
        """After that transaction: do it. Pauses between any two port calls."""
        if isinstance(task, ImportTask):
            yield from self._import(task)
        elif isinstance(task, ExportTask):
            yield from self._export(task)
        else:
            yield "delete content"
            self._blobs.delete(task.key)
            yield "swept"
            with self._begin("swept") as unit:
                unit.session.complete(task)

    # -- import ------------------------------------------------------------------------------

    def _import(self, task: ImportTask) -> Stream:
        rows: Rows | None = None
        for _ in range(PAGES_A_TURN):
            yield "read rows"
            if task.failures:
                yield from self._write_failures(task)
                return
            try:
                if rows is None and task.problem is None:
                    rows = Rows(self._blobs.read(task.key, task.job.offset), task.job.offset)
                page = None if rows is None else rows.page(PAGE if task.columns else 1)
            except NotFound:
                page = None
            read = read_rows(page.rows, task.columns) if page and task.columns else []
            yield "store rows"
            with self._begin("import rows") as unit:
                work = self._store(unit, task, page, read)
                following = next_import(unit, work) if work is not None else None
                if following is not None and following.work.key != task.work.key:
                    rows = None
            if following is None:
                return
            task = following
        with self._begin("import goes on") as unit:
            unit.session.again(task.work, unit.now, task.work.position)

    def _store(
        self, unit: Unit, task: ImportTask, page: Page | None, read: list[Read]
    ) -> Work | None:
        if page is None or task.problem is not None:
            gone = InvalidField("import_attachment_id", "cannot be read: its content is gone")
            return stop(unit, task, task.problem or gone, LEASE)
        if not task.columns:
            if not page.rows and not page.whole:  # nothing but empty lines so far
                return pass_over(unit, task, page.end, LEASE)
            return begin_rows(unit, task, page.rows[0] if page.rows else None, LEASE)
        return store_rows(unit, task, read, page.end, page.whole, LEASE)

    def _write_failures(self, task: ImportTask) -> Stream:
        with self._begin("begin failures") as unit:
            key = f"{unit.new_id()}.{self._chance()}"
            note_content(unit, key)
        yield "write failures"
        content = self._put(key, self._failures(task))
        yield "import ends"
        with self._begin("import ends") as unit:
            finish_import(unit, task, content)

    def _failures(self, task: ImportTask) -> Iterator[bytes]:
        yield failures_header(task.job).encode()
        after = ""
        while True:
            with self._reading() as unit:
                some = failures_after(unit, task.job, after)
            if not some:
                return
            after = some[-1][0]
            yield "".join(cells for _, cells in some).encode()

    # -- export ------------------------------------------------------------------------------

    def _export(self, task: ExportTask) -> Stream:
        writer = _Writer(task)
        yield "write rows"
        try:
            content = self._put(task.upload.key, self._rows(writer))
        except _Unwanted:
            return
        yield "export ends"
        try:
            with self._begin("export ends") as unit:
                finish_export(unit, task, writer.work, content)
        except (NotFound, IllegalTransition):
            with self._begin("export gives up") as unit:
                give_export_up(unit, task)

    def _rows(self, writer: _Writer) -> Iterator[bytes]:
        yield writer.task.heading.encode()
        after: str | None = ""
        count = pieces = 0
        while after is not None:
            with self._reading() as unit:
                piece = piece_of(unit, writer.task, after)
            yield piece.text.encode()
            after, count, pieces = piece.after, count + piece.count, pieces + 1
            if after is None or pieces == _PIECES_A_NOTE:
                with self._begin("export rows") as unit:
                    work = note_progress(unit, writer.task, writer.work, count, LEASE)
                if work is None:
                    raise _Unwanted
                writer.work, count, pieces = work, 0, 0

    def _put(self, key: str, chunks: Iterator[bytes]) -> Content:
        measure = Measure(_NO_LIMIT)
        try:
            self._blobs.put(key, measure.through(chunks))
        except BaseException:
            with suppress(ScgError):  # the sweep gets it in any case
                self._blobs.delete(key)
            raise
        return Content(key, measure.size, measure.digest, measure.sniffed)


class _Writer:
    """An export under way, and the lease it holds at present."""

    def __init__(self, task: ExportTask) -> None:
        self.task = task
        self.work = task.work


class _Unwanted(Exception):
    """The job was deleted while its file was written."""
