"""Who hears of events and outlives its process: the history is in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scg_core.conformance.simulation.listener import Arrival, Listener, arrival
from scg_core.kernel.instant import Instant
from scg_core.ports.events import Parcel, Reply


class FileListener(Listener):
    """Keeps its history in a file, so that it outlives its process, and takes everything."""

    def __init__(self, path: Path) -> None:
        super().__init__(0)
        self.healed = True
        self._path = path

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        """Each arrival is in the file before it is answered."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(arrival(one)) + "\n" for one in parcels)
        return super().deliver(parcels, now)


def read_arrivals(path: Path) -> list[Arrival]:
    """The history in a file."""
    return [tuple(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
