"""``scg simulate``: let seeds decide what goes wrong, and look at what is left."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import suppress
from importlib import import_module
from itertools import islice
from traceback import extract_tb

import click

from scg_core.kernel.errors import InvalidField

_BATCH = 20

Found = tuple[Counter[str], list[tuple[int, str]]]


def _range(text: str) -> range:
    first, dots, last = text.partition("..")
    with suppress(ValueError):
        found = range(int(first), int(last if dots else first) + 1)
        if found and found[0] >= 0:
            return found
    raise InvalidField("seeds", "write A..B, two numbers from 0 on, the smaller first; or one")


def run_seeds(seeds: range, url: str) -> Found:
    """Some seeds: what they covered, and which of them broke a promise, with what was said."""
    from scg_adapters.simulation import simulation

    logging.disable(logging.CRITICAL)
    covered, broken = Counter[str](), []
    for seed in seeds:
        world = simulation(seed, url)
        try:
            world.run()
        except Exception as reason:
            said = str(reason).splitlines() or [extract_tb(reason.__traceback__)[-1].line or ""]
            broken.append((seed, f"{type(reason).__name__}: {said[0]}"))
        covered.update(world.coverage)
        covered["seeds"] += 1
        world.storage.close()
    logging.disable(logging.NOTSET)
    return covered, broken


def campaign(seeds: range, url: str, jobs: int, seconds: float | None) -> Iterator[Found]:
    """All seeds in batches on so many processes; after ``seconds`` no more are begun."""
    end = None if seconds is None else time.monotonic() + seconds
    batches = iter([seeds[at : at + _BATCH] for at in range(0, len(seeds), _BATCH)])
    with ProcessPoolExecutor(jobs) as pool:
        going = {pool.submit(run_seeds, one, url) for one in islice(batches, jobs)}
        while going:
            done, going = wait(going, return_when=FIRST_COMPLETED)
            for one in done:
                if end is None or time.monotonic() < end:
                    going |= {pool.submit(run_seeds, more, url) for more in islice(batches, 1)}
                yield one.result()


@click.command()
@click.option("--seeds", default="0..99", show_default=True, help="Which seeds: A..B, or one.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="Begin no more after it.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 256))
@click.option("--db", default="sqlite:///:memory:", show_default=True,
              type=click.Choice(["sqlite:///:memory:", "memory:"]))  # fmt: skip
def simulate(seeds: str, hours: float | None, jobs: int, db: str) -> None:
    """Crashes, faults and clock jumps by seed, checked against what is promised.

    Each seed is a world of its own: hosts, storage, carrier, switch, customers. It prints what was
    met, and each seed that broke a promise; it exits with 1 if there was one. The same seed gives
    the same history everywhere.
    """
    try:
        import_module("scg_core.conformance.simulation")
    except ModuleNotFoundError as missing:
        needs = f"scg simulate needs {missing.name}: pip install 'scg-engine[kit]'"
        raise click.ClickException(needs) from None
    covered, broken = Counter[str](), 0
    for met, failed in campaign(_range(seeds), db, jobs, None if hours is None else hours * 3600):
        covered.update(met)
        for seed, said in failed:
            broken += 1
            click.echo(f"seed {seed}: {said}", err=True)
    ran = covered.pop("seeds", 0)
    ended = covered["processes that ended"]
    click.echo(f"{ran} seeds, {ended} processes ended, {broken} seeds broke a promise")
    for what, count in sorted(covered.items()):
        click.echo(f"  {what}: {count}")
    if broken:
        raise SystemExit(1)
