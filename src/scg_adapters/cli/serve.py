"""``scg serve``: the REST API and the worker in one process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import click

from scg_adapters import devworld, logs
from scg_adapters.cli.send import somewhere
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.watching import Together
from scg_core.engine import Engine
from scg_core.events.settings import EventSettings
from scg_core.kernel.instant import DAY
from scg_core.messaging.settings import Settings
from scg_core.ports.watch import Watch


@click.command()
@click.option("--db", metavar="URL", help="sqlite:///FILE; --dev takes a temporary one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535),
              help="0 takes a free one.")  # fmt: skip
@click.option("--dev", is_flag=True, help="Set up a company, a token and senders to play with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready.")
@click.option(
    "--carrier-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the simulated carrier keeps its own log; FILE.carrier beside --db.",
)
@click.option("--no-worker", is_flag=True, help="Serve only; another process does the due work.")
@click.option("--internal-auth", is_flag=True, help="Trust the int-appId and -companyId headers.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="N",
              help="Requests a second for applications without a rate of their own.")  # fmt: skip
@click.option("--token-life", type=click.IntRange(1), metavar="SECONDS",
              help="For how long refreshed tokens count; for ever, if not given.")  # fmt: skip
@click.option("--links", metavar="URL", help="What tracked links begin with; without it, none.")
@click.option("--deliver-to", multiple=True, metavar="NETWORK",
              help="A network or host of your own that events may be delivered to.")  # fmt: skip
@click.option("--metrics-port", type=click.IntRange(1, 65535), metavar="N",
              help="Serve metrics there too, to whoever asks.")  # fmt: skip
@click.option("--metrics-host", default="127.0.0.1", show_default=True)
@click.option("--keep-messages", type=click.IntRange(7), metavar="DAYS",
              help="Drop requests and messages after so long; kept, if not given.")  # fmt: skip
@click.option("--keep-receipts", type=click.IntRange(1), metavar="DAYS",
              help="Drop the log of receipts after so long.")  # fmt: skip
@click.option("--keep-envelopes", type=click.IntRange(1), metavar="DAYS",
              help="Drop events that were delivered or have failed after so long.")  # fmt: skip
@click.option("--longest-read", default=2.0, show_default=True, metavar="SECONDS",
              type=click.FloatRange(0, min_open=True),
              help="When a list that looks at too much is given up.")  # fmt: skip
@click.option("--log-level", default="info", show_default=True,
              type=click.Choice(["debug", "info", "warning", "error"]))  # fmt: skip
def serve(
    db: str | None,
    host: str,
    port: int,
    dev: bool,
    as_json: bool,
    carrier_log: Path | None,
    no_worker: bool,
    internal_auth: bool,
    rate: float | None,
    token_life: int | None,
    links: str | None,
    deliver_to: tuple[str, ...],
    metrics_port: int | None,
    metrics_host: str,
    keep_messages: int | None,
    keep_receipts: int | None,
    keep_envelopes: int | None,
    longest_read: float,
    log_level: str,
) -> None:
    """Serve the REST API; messages and calls go out through a simulated carrier and switch."""
    if db is None and not dev:
        raise click.UsageError("give --db, or --dev to play with")
    try:
        from scg_adapters.events.webhooks import WebhookEvents
        from scg_adapters.http.serve import serve as serve_http
        from scg_adapters.watching.metrics import Metrics
    except ImportError as missing:
        raise click.UsageError(
            f"install scg-engine[http,webhooks,metrics] first: {missing}"
        ) from None
    logs.to_stderr(log_level)
    requests = logs.RequestLog() if log_level in ("debug", "info") else None
    clock = SystemClock()
    with somewhere(db, carrier_log) as (url, log):
        settings = Settings(
            link_base=links, keep_messages=_days(keep_messages), keep_receipts=_days(keep_receipts)
        )
        events, metrics = WebhookEvents(allow=deliver_to), Metrics()
        engine = open_engine(
            url, {devworld.CONNECTOR: devworld.carrier(log)}, clock=clock, settings=settings,
            voice={devworld.SWITCH: devworld.switch()}, longest_read=longest_read, events=events,
            event_settings=EventSettings(keep_envelopes=_days(keep_envelopes)),
            watch=_watching(metrics),
        )  # fmt: skip
        metrics.watch(engine)
        if metrics_port is not None:
            metrics.serve(metrics_host, metrics_port)
        with contextlib.suppress(KeyboardInterrupt):
            serve_http(
                engine, clock, host=host, port=port, ready=_announce(engine, dev, as_json),
                worker=not no_worker, internal_auth=internal_auth, rate=rate,
                token_life=None if token_life is None else token_life * 1000,
                note=_unnoted if requests is None else requests.note, metrics=metrics,
            )  # fmt: skip
        events.close()
        if requests is not None:
            requests.close()


def _days(given: int | None) -> int | None:
    return None if given is None else given * DAY


def _watching(metrics: Watch) -> Watch:
    """Metrics, and traces where OpenTelemetry's API is installed."""
    try:
        from scg_adapters.watching.traces import Traces
    except ImportError:
        return metrics
    return Together(metrics, Traces())


def _unnoted(_: dict[str, object]) -> None:
    """Requests are not logged at this level."""


def _announce(engine: Engine, dev: bool, as_json: bool) -> Callable[[str], None]:
    world = devworld.make(engine) if dev else {}

    def ready(url: str) -> None:
        facts = {"url": url, **world}
        if as_json:
            click.echo(json.dumps(facts))
            return
        for name, value in facts.items():
            click.echo(f"{name}: {value}")

    return ready
