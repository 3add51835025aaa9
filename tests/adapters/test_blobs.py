"""Each place where contents can lie passes the kit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import fsspec
import pytest

from scg_adapters.blobs.directory import DirectoryBlobs
from scg_adapters.blobs.memory import MemoryBlobs
from scg_adapters.blobs.objects import ObjectBlobs
from scg_core.conformance.blobs import BlobsContract
from scg_core.kernel.errors import ContentUnavailable
from scg_core.ports.blobs import Blobs

FOLDER = tempfile.TemporaryDirectory()


class TestMemory(BlobsContract):
    """In a dictionary."""

    def empty(self) -> Blobs:
        """A new one."""
        return MemoryBlobs()


class TestDirectory(BlobsContract):
    """In a folder."""

    def empty(self) -> Blobs:
        """A new folder, which does not exist yet."""
        return DirectoryBlobs(Path(tempfile.mkdtemp(dir=FOLDER.name)) / "contents")


class TestObjects(BlobsContract):
    """In an object store, here a folder behind fsspec."""

    def empty(self) -> Blobs:
        """A new folder."""
        system = fsspec.filesystem("file", auto_mkdir=True)
        return ObjectBlobs(system, tempfile.mkdtemp(dir=FOLDER.name) + "/bucket")


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """In a typed error that can be tried again, without its path."""
    (tmp_path / "file").write_text("in the way")
    blobs = DirectoryBlobs(tmp_path / "file")

    with pytest.raises(ContentUnavailable) as refused:
        blobs.put("key", [b"x"])

    assert refused.value.retry
    assert str(tmp_path) not in str(refused.value)


def test_an_interrupted_put_leaves_no_file_aside(tmp_path: Path) -> None:
    """Nothing gathers in the folder."""
    blobs = DirectoryBlobs(tmp_path)

    with pytest.raises(ZeroDivisionError):
        blobs.put("key", (1 // 0 for _ in range(1)))  # type: ignore[misc]

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
