"""What every adapter must do, as tests to inherit: one contract a port, one test a law."""

import pytest

pytest.register_assert_rewrite(
    "scg_core.conformance.machine", "scg_core.conformance.queue", "scg_core.conformance.storage"
)

from scg_core.conformance.machine import storage_machine  # noqa: E402
from scg_core.conformance.storage import StorageContract  # noqa: E402

__all__ = ["StorageContract", "storage_machine"]
