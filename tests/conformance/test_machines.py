"""The machines for limits and blobs let right adapters pass and find what wrong ones do."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from scg_adapters.blobs.directory import DirectoryBlobs
from scg_adapters.blobs.memory import MemoryBlobs
from scg_adapters.blobs.objects import ObjectBlobs
from scg_adapters.limits.memory import MemoryLimits
from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.sqlite import SqliteStorage
from scg_core.conformance import blobs_machine, limits_machine
from scg_core.conformance.machines import BlobsMachine, LimitsMachine
from scg_core.kernel.errors import ScgError
from scg_core.senders.steps.limiting import StoredLimits
from tests.conformance.others import BLOBS, LIMITS

FOLDER = tempfile.TemporaryDirectory()


def _folder() -> Path:
    return Path(tempfile.mkdtemp(dir=FOLDER.name))


TestMemoryLimits = limits_machine(lambda: (MemoryLimits(), MemoryStorage()))
TestStoredLimits = limits_machine(lambda: (StoredLimits(), SqliteStorage(":memory:")))
TestMemoryBlobs = blobs_machine(MemoryBlobs)
TestDirectoryBlobs = blobs_machine(
    lambda: DirectoryBlobs(Path(tempfile.mkdtemp(dir=FOLDER.name)) / "contents")
)
TestObjectBlobs = blobs_machine(
    lambda: ObjectBlobs(
        fsspec.filesystem("file", auto_mkdir=True), tempfile.mkdtemp(dir=FOLDER.name) + "/bucket"
    )
)
EVERY = (TestMemoryLimits, TestStoredLimits, TestMemoryBlobs, TestDirectoryBlobs, TestObjectBlobs)
for case in EVERY:
    case.settings = settings(max_examples=20, deadline=None)
del case  # it would be run again

TRIES = settings(max_examples=300, deadline=None, phases=[Phase.generate])
FOUND = {
    "asking_without_spending_changes_nothing": LimitsMachine,
    "no_second_has_more_than_the_rate_and_the_burst": LimitsMachine,
    "a_message_may_go_when_it_was_said_that_it_may": LimitsMachine,
    "two_that_share_a_limit_share_its_number": LimitsMachine,
    "reading_from_a_byte_gives_the_rest": BlobsMachine,
    "an_interrupted_put_leaves_nothing": BlobsMachine,
    "what_was_deleted_is_gone": BlobsMachine,
}
SEEN = [
    pytest.param(machine, make, id=f"{law}-{number}")
    for law, machine in FOUND.items()
    for number, make in enumerate(
        {**LIMITS, **BLOBS}[law][:3], 1
    )  # the fourth is no error of Python
]


@pytest.mark.parametrize(("machine", "make"), SEEN)
def test_a_machine_finds_what_a_wrong_adapter_does(machine: Any, make: Any) -> None:
    """Without being told where to look."""
    kind = type("Wrong", (machine,), {"make": staticmethod(make)})
    with pytest.raises((AssertionError, ScgError)):
        run_state_machine_as_test(kind, settings=TRIES)
