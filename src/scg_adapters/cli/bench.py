"""``scg bench``: measure this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from scg_adapters.bench import calls as calling
from scg_adapters.bench import contacts, events, http, lists, pipeline, rules, singles, words


@click.group()
def bench() -> None:
    """Measure this machine with the engine's own benchmarks."""


@bench.command("pipeline")
@click.option("--recipients", default=100_000, show_default=True, type=click.IntRange(100))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_pipeline(recipients: int, file: Path | None) -> None:
    """Accept, fan out, hand off and settle one bulk request, beside raw SQLite in the same run."""
    _show("scg bench pipeline", pipeline.measure(recipients), file)


@bench.command("events")
@click.option("--recipients", default=20_000, show_default=True, type=click.IntRange(100))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_events(recipients: int, file: Path | None) -> None:
    """A bulk request without a subscription, with another company's, and with one of its own."""
    _show("scg bench events", events.measure(recipients), file)


@bench.command("calls")
@click.option("--calls", default=1_000, show_default=True, type=click.IntRange(2))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_calls(calls: int, file: Path | None) -> None:
    """Calls a second from dialling to the end, two by two on a bridge."""
    _show("scg bench calls", calling.measure(calls), file)


@bench.command("singles")
@click.option("--sends", default=1_000, show_default=True, type=click.IntRange(10))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_singles(sends: int, file: Path | None) -> None:
    """Time single durable sends, alone and while another process runs a bulk job on the file."""
    _show("scg bench singles", singles.measure(sends), file)


@bench.command("http")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(1))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_http(seconds: float, file: Path | None) -> None:
    """Durable single sends over REST, beside bare commits, with and without a bulk job."""
    _show("scg bench http", http.measure(seconds), file)


@bench.command("contacts")
@click.option("--contacts", "count", default=100_000, show_default=True, type=click.IntRange(100))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_contacts(count: int, file: Path | None) -> None:
    """Import contacts, derive two attributes, count a group, write to it, export it."""
    _show("scg bench contacts", contacts.measure(count), file)


@bench.command("lists")
@click.option("--messages", default=100_000, show_default=True, type=click.IntRange(2_000))
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_lists(messages: int, file: Path | None) -> None:
    """Pages of lists, filters and orders at a thousand messages and at many; milliseconds."""
    _show("scg bench lists", lists.measure(messages), file)


@bench.command("window")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_window(file: Path | None) -> None:
    """Whether a delivery window is open, and when it opens next."""
    _show("scg bench window", rules.window(), file)


@bench.command("limiter")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_limiter(file: Path | None) -> None:
    """Three throughput limits asked at once, all or none."""
    _show("scg bench limiter", rules.limiter(), file)


@bench.command("places")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_places(file: Path | None) -> None:
    """Country and time zones of a number."""
    _show("scg bench places", rules.places(), file)


@bench.command("template")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_template(file: Path | None) -> None:
    """Filling templates in."""
    _show("scg bench template", words.template(), file)


@bench.command("keyword")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_keyword(file: Path | None) -> None:
    """A thousand keywords on a text."""
    _show("scg bench keyword", words.keyword(), file)


@bench.command("segment")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def bench_segment(file: Path | None) -> None:
    """How many segments a text takes."""
    _show("scg bench segment", words.segment(), file)


def _show(title: str, figures: dict[str, Any], file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    table = Table("figure", "value", title=title)
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
