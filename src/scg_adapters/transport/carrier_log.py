"""What a simulated carrier keeps of its own: every submission it took, every receipt it brought.

It is written before the carrier answers, apart from the engine's storage, so that lost and
doubled messages can be counted from outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from attrs import frozen

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant

SUBMITTED = "S"
REPORTED = "R"
NEVER = Instant(0)


@frozen
class Entry:
    """One line: a submission taken (address, time, fragments), or a receipt brought."""

    kind: str
    attempt_id: str
    to_address: str = ""
    at: Instant = NEVER
    fragments: int = 1


class CarrierLog(Protocol):
    """Appended to by the carrier, read by whoever audits."""

    def append(self, entries: Iterable[Entry]) -> None:
        """Keep entries; they are safe from a crash of this process when this returns."""
        ...

    def entries(self) -> Iterator[Entry]:
        """All entries, oldest first."""
        ...


class MemoryLog:
    """A log that ends with the process."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, entries: Iterable[Entry]) -> None:
        """Keep entries."""
        self._entries.extend(entries)

    def entries(self) -> Iterator[Entry]:
        """All entries, oldest first."""
        return iter(self._entries)


class FileLog:
    """A log in a file of tab-separated lines, handed to the system before ``append`` returns.

    Raises:
        InvalidField: the file cannot be written or read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._torn: bool | None = None

    def append(self, entries: Iterable[Entry]) -> None:
        """Keep entries: one write for all of them."""
        lines = "".join(_line(entry) for entry in entries)
        if not lines:
            return
        if self._torn is None:
            self._torn = self._is_torn()
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(("\n" + lines if self._torn else lines).encode())
        except OSError as reason:
            raise _unusable(self._path, reason) from None
        self._torn = False

    def entries(self) -> Iterator[Entry]:
        """All whole lines, oldest first; a line torn by a crash is no entry."""
        if not self._path.exists():
            return
        try:
            with self._path.open(encoding="utf-8", newline="\n", errors="replace") as lines:
                for line in lines:
                    kind, *rest = line.rstrip("\n").split("\t")
                    if line.endswith("\n") and len(rest) == 4 and all(map(str.isdigit, rest[2:])):
                        yield Entry(kind, rest[0], rest[1], Instant(int(rest[2])), int(rest[3]))
        except OSError as reason:
            raise _unusable(self._path, reason) from None

    def _is_torn(self) -> bool:
        """Whether a crash left half a line at the end; the next entry must not continue it."""
        try:
            with self._path.open("rb") as file:
                file.seek(-1, 2)
                return file.read(1) != b"\n"
        except OSError:  # there is no file yet, or it is empty
            return False


def _line(entry: Entry) -> str:
    fields = (entry.kind, entry.attempt_id, entry.to_address, entry.at, entry.fragments)
    return "\t".join(map(str, fields)) + "\n"


def _unusable(path: Path, reason: OSError) -> InvalidField:
    return InvalidField("carrier-log", f"{path} cannot be used: {reason.strerror}")


def submissions(log: CarrierLog) -> Counter[str]:
    """How often each attempt reached the carrier: more than once is a doubled message."""
    return Counter(entry.attempt_id for entry in log.entries() if entry.kind == SUBMITTED)
