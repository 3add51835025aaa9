"""``scg receive`` and ``scg suppress``: what comes from handsets, and what carriers list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from scg_adapters.devworld import CONNECTOR
from scg_adapters.embedded import open_engine
from scg_adapters.recipients_file import pages
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core.engine import Engine
from scg_core.ports.message_transport import Inbound

_PAGE: Final = 1_000
_DB: Final = click.option("--db", required=True, metavar="URL", help="sqlite:///FILE")


def _engine(db: str) -> Engine:
    return open_engine(db, {CONNECTOR: LoopbackCarrier()})


@click.command()
@_DB
@click.option("--from", "handset", required=True, help="The handset's number.")
@click.option("--to", required=True, help="The address it writes to: a short code, a number.")
@click.argument("text")
def receive(db: str, handset: str, to: str, text: str) -> None:
    """Let a simulated handset send TEXT; a server on the same file answers it."""
    message = Inbound(handset, to, text, SystemClock().now())
    _engine(db).inbound_arrived(CONNECTOR, [message])
    click.echo(f"received from {handset[:-4]}**** to {to}")


@click.command()
@_DB
@click.option("--sender-id", help="The root sender id it is for; all, if not given.")
@click.option("--remove", is_flag=True, help="Take the addresses off the list.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def suppress(db: str, sender_id: str | None, remove: bool, as_json: bool, file: Path) -> None:
    """Put the addresses in FILE, one a line, on the list of those that nobody may write to.

    The file is read and stored a page at a time; what is on the list already is left, so that it
    may be loaded again.
    """
    operator = _engine(db).operator()
    change = operator.unsuppress if remove else operator.suppress
    changed = total = 0
    for page in pages(file, _PAGE):
        changed += change(page, sender_id=sender_id)
        total += len(page)
    done = "removed" if remove else "added"
    figures = {"addresses": total, done: changed}
    click.echo(json.dumps(figures) if as_json else f"{done} {changed} of {total} addresses")
