"""The command line: ``scg``."""

from __future__ import annotations

import sys
from typing import Any

try:
    import click
except ModuleNotFoundError:
    sys.exit("scg needs what embedding needs: pip install 'scg-engine[embedded]'")

from scg_adapters.cli.bench import bench
from scg_adapters.cli.consent import receive, suppress
from scg_adapters.cli.contacts import contacts, fast_access, groups, templates
from scg_adapters.cli.send import demo, send
from scg_adapters.cli.serve import serve
from scg_adapters.cli.simulate import simulate
from scg_adapters.cli.tenancy import provision, token
from scg_core.kernel.errors import ScgError


class _Commands(click.Group):
    """Says what went wrong in one line and exits with 2; a traceback is for our own mistakes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ScgError as reason:
            click.echo(f"scg: {reason}", err=True)
            sys.exit(2)


@click.group(cls=_Commands)
@click.version_option(package_name="scg-engine")
def main() -> None:
    """An embeddable engine for business messaging and calling."""


COMMANDS = (
    demo, send, receive, suppress, contacts, groups, fast_access, templates, serve, provision,
    token, bench, simulate,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
