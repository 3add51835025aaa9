"""``scg contacts``, ``scg groups``, ``scg fast-access``, ``scg templates``: who is written to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from scg_adapters import contacts_file
from scg_adapters.devworld import CONNECTOR
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core.contacts.model import ContactGroup, ExportJob, FastAccessRule, GroupStatus, ImportJob
from scg_core.engine import Application, Engine

F = TypeVar("F", bound=Callable[..., Any])
_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_SOON: Final = 250


def _where(command: F) -> F:
    """The options that say which company's contacts are meant."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--application", default=1, show_default=True, type=int),
        click.option("--company", default="demo", show_default=True, help="Whose contacts."),
        click.option("--db", required=True, metavar="URL", help="sqlite:///FILE"),
    ):
        command = option(command)
    return command


def _open(db: str, company: str, application: int) -> tuple[Engine, Application]:
    engine = open_engine(db, {CONNECTOR: LoopbackCarrier()}, clock=SystemClock())
    return engine, engine.application(company, application)


@click.group()
def contacts() -> None:
    """Import and export contacts."""


@contacts.command("import")
@_where
@click.option("--group", help="A STATIC group to put the contacts in: its id or name.")
@click.option("--failures", type=_FILE, help="Where to write the rows that failed.")
@click.argument("file", type=_FILE)
def import_(
    db: str, company: str, application: int, as_json: bool, group: str | None,
    failures: Path | None, file: Path,
) -> None:  # fmt: skip
    """Import contacts from a CSV FILE.

    Given again after it was stopped, the command goes on where it was.
    """
    engine, app = _open(db, company, application)
    began = time.perf_counter()
    job = contacts_file.begin_import(app, file, contacts_file.group_id(app, group))
    size = file.stat().st_size
    with _bar("rows", size, as_json) as (bar, task):

        def moved(at: ImportJob) -> None:
            text = f"{at.imported_count:,} imported, {at.failed_count:,} failed"
            bar.update(task, completed=size if at.whole else at.offset, description=text)

        job = contacts_file.run_import(engine, app, job.id, SystemClock(), moved)
    contacts_file.save_failures(app, job, failures)
    seconds = time.perf_counter() - began
    rows = job.imported_count + job.failed_count
    _tell(as_json, {
        "job_id": job.id, "imported": job.imported_count, "failed": job.failed_count,
        "failures_attachment_id": job.failures_attachment_id, **_speed(rows, seconds),
    })  # fmt: skip


@contacts.command("export")
@_where
@click.option("--group", help="Only contacts of this group: its id or name.")
@click.argument("file", type=_FILE)
def export(
    db: str, company: str, application: int, as_json: bool, group: str | None, file: Path
) -> None:
    """Export contacts to a CSV FILE."""
    engine, app = _open(db, company, application)
    began = time.perf_counter()
    named = contacts_file.group_id(app, group)
    total = app.contacts.page(limit=1).total
    if named is not None:
        total = app.contact_groups.get(named).member_count
    job = app.contact_exports.create(contact_group_id=named)
    with _bar("contacts", total, as_json) as (bar, task):

        def moved(at: ExportJob) -> None:
            count = at.exported_count
            bar.update(task, completed=count, description=f"{count:,} exported")

        job = contacts_file.run_export(engine, app, job.id, SystemClock(), moved)
    written = contacts_file.save(app, job.export_attachment_id or "", file)
    seconds = time.perf_counter() - began
    _tell(as_json, {
        "job_id": job.id, "exported": job.exported_count, "bytes": written.size,
        **_speed(job.exported_count, seconds),
    })  # fmt: skip


@click.group()
def groups() -> None:
    """Groups of contacts."""


@groups.command("create")
@_where
@click.option("--criteria", metavar="JSON", help="Which contacts are meant.")
@click.option("--dynamic", is_flag=True, help="Whoever meets the criteria when it is used.")
@click.argument("name")
def create_group(
    db: str, company: str, application: int, as_json: bool, criteria: str | None, dynamic: bool,
    name: str,
) -> None:  # fmt: skip
    """Make a group, and find its members."""
    engine, app = _open(db, company, application)
    kind = "DYNAMIC" if dynamic else "STATIC"
    made = app.contact_groups.create(name=name, type=kind, criteria=criteria)
    made = _until(
        engine, lambda: app.contact_groups.get(made.id), lambda one: one.status is GroupStatus.READY
    )
    _tell(as_json, {"id": made.id, "type": made.type.value, "members": made.member_count})


@groups.command("members")
@_where
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000))
@click.argument("group")
def members(db: str, company: str, application: int, as_json: bool, limit: int, group: str) -> None:
    """Show how many contacts a group has, and the first of them."""
    _, app = _open(db, company, application)
    named = contacts_file.group_id(app, group) or group
    page = app.contact_groups.contacts(named, sort="id", limit=limit)
    count = app.contact_groups.get(named).member_count
    _tell(as_json, {"id": named, "members": count, "first": [one.id for one in page.items]})


@click.group("fast-access")
def fast_access() -> None:
    """Indexed attributes of contacts."""


@fast_access.command("add")
@_where
@click.option("--name", help="Its friendly name.")
@click.option("--script", metavar="PATH", help="A JSONPath into the contact; else by hand.")
@click.argument("slot")
def add_rule(
    db: str, company: str, application: int, as_json: bool, name: str | None, script: str | None,
    slot: str,
) -> None:  # fmt: skip
    """Make a rule for SLOT (fast_access_1 to fast_access_20), and derive all contacts."""
    engine, app = _open(db, company, application)
    began = time.perf_counter()
    made = app.fast_access.create(
        target_attribute=slot, target_attribute_name=name, value_derivation_script=script
    )
    made = _until(
        engine, lambda: app.fast_access.get(made.id), lambda one: one.status.value == "Ready"
    )
    figures = _speed(made.derived_count, time.perf_counter() - began)
    _tell(as_json, {"id": made.id, "derived": made.derived_count, **figures})


@click.group()
def templates() -> None:
    """Message templates."""


@templates.command("add")
@_where
@click.argument("name")
@click.argument("pattern")
def add_template(
    db: str, company: str, application: int, as_json: bool, name: str, pattern: str
) -> None:
    """Make a message template NAME with the text PATTERN."""
    _, app = _open(db, company, application)
    made = app.message_templates.create(name=name, pattern=pattern, designation="TEMPLATE")
    _tell(as_json, {"id": made.id, "name": made.name})


_One = TypeVar("_One", ContactGroup, FastAccessRule)


def _until(engine: Engine, read: Callable[[], _One], done: Callable[[_One], bool]) -> _One:
    """Do due work until something is done."""
    clock = SystemClock()
    while not done(one := read()):
        due = engine.run_due(20)
        if due is not None and due > clock.now():
            clock.wait(min(due, type(due)(clock.now() + _SOON)))
    return one


def _speed(count: int, seconds: float) -> dict[str, Any]:
    rate = round(count / seconds) if seconds else 0
    return {"seconds": round(seconds, 2), "per_second": rate}


@contextmanager
def _bar(name: str, total: int, hidden: bool) -> Iterator[tuple[Progress, Any]]:
    console = Console(stderr=True)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    shown = console.is_terminal and not hidden
    with Progress(*columns, console=console, disable=not shown) as bar:
        yield bar, bar.add_task(name, total=total)


def _tell(as_json: bool, facts: dict[str, Any]) -> None:
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name}: {value}")
