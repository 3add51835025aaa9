"""``scg token`` and ``scg provision``: what the operator of a gateway sets up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from scg_adapters.embedded import open_engine
from scg_adapters.provisioning import apply, read_plan
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core.engine import Engine
from scg_core.kernel.instant import SECOND
from scg_core.tenancy.model import Scope

_SCOPES: Final = [one.value for one in Scope]
_DB: Final = click.option("--db", required=True, metavar="URL", help="sqlite:///FILE")


def _engine(db: str) -> Engine:
    return open_engine(db, {"loopback": LoopbackCarrier()})


@click.command()
@_DB
@click.option("--company", required=True, help="The company's id.")
@click.option("--application", required=True, type=click.IntRange(1), help="The application's id.")
@click.option("--scope", type=click.Choice(_SCOPES), default=Scope.CUSTOMER.value)
@click.option("--expires-in", type=click.IntRange(1), metavar="SECONDS", help="Default: never.")
@click.option("--revoke", metavar="TOKEN_ID", help="Take a token back instead of making one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def token(
    db: str,
    company: str,
    application: int,
    scope: str,
    expires_in: int | None,
    revoke: str | None,
    as_json: bool,
) -> None:
    """Make a bearer token for an application; it is shown this once."""
    operator = _engine(db).operator()
    if revoke is not None:
        operator.revoke_token(revoke)
        click.echo(json.dumps({"revoked": revoke}) if as_json else f"revoked {revoke}")
        return
    life = None if expires_in is None else expires_in * SECOND
    issued = operator.issue_token(company, application, scope=scope, valid_for=life)
    if as_json:
        click.echo(json.dumps({"token": issued.token, "id": issued.record.id}))
    else:
        click.echo(issued.token)


@click.command()
@_DB
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--defaults", is_flag=True, help="Load the classes and types that come along first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def provision(db: str, file: Path, defaults: bool, as_json: bool) -> None:
    """Set up classes, types, tariffs, companies and sender ids from a TOML or JSON FILE.

    What is there already stays as it is, so the command can be repeated.
    """
    done = apply(_engine(db), read_plan(file), defaults=defaults)
    if as_json:
        click.echo(json.dumps(done))
        return
    for line in done["added"]:
        click.echo(f"added {line}")
    for one in done["credentials"]:
        click.echo(f"{one['company']}/{one['application_id']}: consumerkey {one['consumer_key']} "
                   f"consumersecret {one['consumer_secret']}")  # fmt: skip
    click.echo(f"{len(done['added'])} added, {done['known']} known already")
