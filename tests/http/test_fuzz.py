"""Whatever bytes arrive, the server answers or closes: no 5xx, no hang, no memory that grows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.http.apart import MEGABYTE, Apart, apart, raw
from tests.http.fuzzing import Report, changed, fuzz, send

SHORT, LONG = 3_000, 1_000_000
WORKERS = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """A server in a process of its own."""
    with apart(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


def is_alive(server: Apart) -> bool:
    """Whether it answers a good request."""
    return send(server.port, raw("GET", "/contacts", server.token)).startswith(b"HTTP/1.1 200 ")


def test_every_recorded_request_is_a_good_one(server: Apart) -> None:
    """So that what is changed of it is near to something that is looked at; 405 where refused."""
    said = [send(server.port, one)[9:12] for one in server.requests]

    assert set(said) <= {b"200", b"204", b"405", b"404", b"409"}  # some are of what is gone by now
    assert sum(one in (b"200", b"204") for one in said) > 0.9 * len(said)


def test_the_same_seed_changes_the_same_bytes(server: Apart) -> None:
    """A failure can be had again."""
    first, second = (
        [changed(random.Random(7), one, server.requests) for one in server.requests]
        for _ in range(2)
    )

    assert first == second


def test_changed_requests_find_no_fault(server: Apart) -> None:
    """The short form of the campaign below."""
    report = fuzz(server.port, server.requests, 1, SHORT, slow=5)

    assert (report.failed, report.slow) == ([], [])
    assert report.statuses["200"] > SHORT / 50
    assert report.statuses["400"] > SHORT / 50
    assert is_alive(server)


@pytest.mark.long
def test_a_million_changed_requests_find_no_fault(tmp_path: Path) -> None:
    """No 5xx, none above a second, memory within 50 MiB."""
    with apart(tmp_path) as server:
        fuzz(server.port, server.requests, 0, 20_000, slow=1)  # caches are filled
        before = server.memory
        total = Report()
        with ProcessPoolExecutor(WORKERS) as pool:
            share = LONG // WORKERS
            jobs = [
                pool.submit(fuzz, server.port, server.requests, seed, share, 1.0)
                for seed in range(1, WORKERS + 1)
            ]
            for job in jobs:
                part = job.result()
                total.sent += part.sent
                total.statuses += part.statuses
                total.slowest = max(total.slowest, part.slowest)
                total.failed += part.failed
                total.slow += part.slow
        grown = server.memory - before
        print(f"\n{total.told()}; memory grew by {grown / MEGABYTE:.1f} MiB")
        assert total.failed == []
        assert total.slow == []
        assert grown < 50 * MEGABYTE
        assert is_alive(server)
