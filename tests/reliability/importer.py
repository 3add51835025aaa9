"""A process that imports a file of contacts and kills itself with SIGKILL at its n-th point.

Run by ``test_sigkill_import``: ``python -m tests.reliability.importer FOLDER NOW KILL_AT``. A point
lies before and after each commit, and within each content that is put.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from scg_adapters import contacts_file
from scg_adapters.blobs.directory import DirectoryBlobs
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import SimulatedClock
from scg_adapters.system import SystemIds
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core import Engine
from scg_core.kernel.instant import Instant
from tests.reliability.victim import Killer, Storage

ROWS = 4_000
BAD = 40
GROUP = "imported"


class Blobs(DirectoryBlobs):
    """A folder, with points before and after each chunk that is put."""

    killer: Killer

    def put(self, key: str, chunks: Iterable[bytes], /) -> None:
        """The folder's, with its points."""
        super().put(key, self._watched(chunks))
        self.killer.at("after put")

    def _watched(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self.killer.at("within put")


def write_file(path: Path) -> None:
    """A file of which every hundredth row is bad, and every tenth changes an earlier contact."""
    lines = ["external_id,first_name,extended_attributes"]
    for at in range(ROWS):
        if at % (ROWS // BAD) == 0:
            lines.append(f"bad{at},row")
        else:
            lines.append(f'c{at - at % 10 if at % 10 == 9 else at},N{at},"{{""n"": {at}}}"')
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")


def main(folder: Path, now: int, kill_at: int) -> None:
    """Begin the import, or go on with it."""
    killer = Killer(kill_at)
    clock = SimulatedClock(Instant(now))
    blobs = Blobs(folder / "blobs")
    blobs.killer = killer
    engine = Engine(
        storage=Storage(folder / "scg.db", killer),  # type: ignore[arg-type]
        transports={"carrier": LoopbackCarrier()},
        clock=clock,
        ids=SystemIds(),
        places=NumberPlaces(),
        blobs=blobs,
    )
    app = engine.application("acme", 1)
    if not app.fast_access.find():
        app.fast_access.create(target_attribute="fast_access_1", value_derivation_script="$..n")
    groups = app.contact_groups.find() or [app.contact_groups.create(name=GROUP)]
    if not any(job.state == "COMPLETED" for job in app.contact_imports.find()):
        job = contacts_file.begin_import(app, folder / "contacts.csv", groups[0].id)
        contacts_file.run_import(engine, app, job.id, clock, lambda _: None)
    engine.run_until_idle()
    sys.stdout.write(f"done {killer.passed}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
