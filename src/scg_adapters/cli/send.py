"""``scg demo`` and ``scg send``: one bulk request through the simulated carrier."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scg_adapters import bulk, contacts_file, recipients_file
from scg_adapters.bench import pipeline
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.engine import Application, Engine
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.query import Query, eq
from scg_core.messaging.model import MessageRequest
from scg_core.senders.model import SenderId

_COMPANY: Final = "demo"
_APPLICATION: Final = 1
_ADDRESS: Final = "55512"
_CONNECTOR: Final = "loopback"
_TEXT: Final = "Hello from scg-engine"
_BATCH: Final = 10_000


@click.command()
@click.option("--recipients", default=1_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--db", metavar="URL", help="sqlite:///FILE; a temporary file if not given.")
@click.option(
    "--carrier-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the simulated carrier keeps its own log; FILE.carrier beside --db.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")  # fmt: skip
def demo(recipients: int, db: str | None, carrier_log: Path | None, as_json: bool) -> None:
    """Send one bulk request to a simulated carrier and settle its receipts.

    Run again on the same file it continues where it was.
    """
    with somewhere(db, carrier_log) as (url, log):
        clock = SystemClock()
        behaviour = Behaviour(refuse=0.01, undelivered=0.02, read=0.05, delay=20, spread=200)
        carrier = LoopbackCarrier(seed=1, behaviour=behaviour, log=log)
        engine = open_engine(url, {_CONNECTOR: carrier}, clock=clock)
        sender = _demo_sender(engine)
        app = engine.application(_COMPANY, _APPLICATION)
        began = time.perf_counter()
        with _progress(recipients, shown=not as_json) as moved:
            request = bulk.submit(
                app, bulk.cut(pipeline.numbers(recipients)), f"scg-demo-{recipients}", moved,
                from_=sender.id, body=_TEXT, external_id=f"demo-{recipients}",
            )  # fmt: skip
            request = bulk.run(engine, app, request.id, clock, moved)
        _report(request, time.perf_counter() - began, as_json)


@click.command()
@click.option("--db", required=True, metavar="URL", help="sqlite:///FILE")
@click.option("--from", "sender", required=True, metavar="SENDER", help="A sender id.")
@click.option(
    "--to", "file", metavar="FILE.csv", type=click.Path(path_type=Path),
    help="A CSV file of recipients.",
)  # fmt: skip
@click.option("--group", help="A group of contacts, by its id or name, instead of a file.")
@click.option("--body", required=True, metavar="TEXT", help="The text to send.")
@click.option("--company", default=_COMPANY, show_default=True, help="The company that sends.")
@click.option("--application", default=_APPLICATION, show_default=True, type=int)
@click.option("--key", help="Makes the command safe to repeat: the same key sends once.")
@click.option(
    "--carrier-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the simulated carrier keeps its own log.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")  # fmt: skip
def send(
    db: str,
    sender: str,
    file: Path | None,
    group: str | None,
    body: str,
    company: str,
    application: int,
    key: str | None,
    carrier_log: Path | None,
    as_json: bool,
) -> None:
    """Send a text to every number in a CSV file or to a group, through the simulated carrier."""
    if (file is None) == (group is None):
        raise click.UsageError("give --to with a file, or --group")
    total = 0 if file is None else recipients_file.count(file)
    with somewhere(db, carrier_log) as (url, log):
        clock = SystemClock()
        carrier = LoopbackCarrier(behaviour=Behaviour(delay=20, spread=200), log=log)
        engine = open_engine(url, {_CONNECTOR: carrier}, clock=clock)
        app = engine.application(company, application)
        began = time.perf_counter()
        named = contacts_file.group_id(app, group)
        if named is not None:
            total = app.contact_groups.get(named).member_count
        fields = {"from_": _sender(engine, app, company, sender), "body": body}
        with _progress(total, shown=not as_json) as moved:
            if file is None:
                request = app.message_requests.create(
                    fields, contact_group_id=named, idempotency_key=key
                )
            else:
                pages = recipients_file.pages(file, bulk.PAGE)
                request = bulk.submit(app, pages, key, moved, **fields)
            request = bulk.run(engine, app, request.id, clock, moved)
        _report(request, time.perf_counter() - began, as_json)


def _demo_sender(engine: Engine) -> SenderId:
    app = engine.application(_COMPANY, _APPLICATION)
    with engine.reading() as unit:
        where = [eq("company_id", _COMPANY), eq("address", _ADDRESS)]
        held = unit.session.find(Query(SenderId, where, limit=1))
    if held:
        return app.sender_ids.get(held[0].id)
    return engine.operator().add_sender_id(_COMPANY, address=_ADDRESS, country="USA", name="demo")


def _sender(engine: Engine, app: Application, company: str, named: str) -> str:
    """A sender id, or an address of which a sender id is made on first use.

    Raises:
        InvalidField: it is neither.
    """
    try:
        return app.sender_ids.get(named.removeprefix("sender_id:")).id
    except NotFound:
        if not named.lstrip("+").isdigit():
            raise InvalidField("from", f"no sender id has the id {named!r}") from None
    with engine.reading() as unit:
        where = [eq("company_id", company), eq("address", named)]
        held = unit.session.find(Query(SenderId, where, limit=1))
    if not held:
        raise InvalidField("from", f"no sender id has the id or address {named!r}")
    return held[0].id


@contextmanager
def somewhere(db: str | None, log: Path | None) -> Iterator[tuple[str, Path]]:
    """The database and carrier log to use: those given, or temporary ones."""
    if db is None:
        with tempfile.TemporaryDirectory(prefix="scg-") as folder:
            yield f"sqlite:///{folder}/scg.db", log or Path(folder) / "carrier"
        return
    path = Path(db.removeprefix("sqlite:///"))
    yield db, log or path.with_name(path.name + ".carrier")


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[bulk.Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bars:
        names = ("staged_count", "recipient_count", "sent_count", "delivered_count")
        tasks = {name: bars.add_task(name.removesuffix("_count"), total=total) for name in names}

        def moved(request: MessageRequest) -> None:
            for name, task in tasks.items():
                bars.update(task, completed=getattr(request, name))

        yield moved


def _report(request: MessageRequest, seconds: float, as_json: bool) -> None:
    figures: dict[str, Any] = {
        "request_id": request.id,
        "state": request.state.value,
        "recipients": request.recipient_count,
        "sent": request.sent_count,
        "delivered": request.delivered_count,
        "read": request.read_count,
        "failed": request.failed_count,
        "canceled": request.canceled_count,
        "seconds": round(seconds, 3),
        "messages_per_second": round(request.recipient_count / seconds, 1) if seconds else 0.0,
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    table = Table("what", "value", title="message request")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
