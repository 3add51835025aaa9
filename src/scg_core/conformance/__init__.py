"""What every adapter must do, as tests to inherit: one contract a port, one test a law."""

import pytest

pytest.register_assert_rewrite(
    "scg_core.conformance.blobs",
    "scg_core.conformance.concurrency",
    "scg_core.conformance.durability",
    "scg_core.conformance.events",
    "scg_core.conformance.facts",
    "scg_core.conformance.limits",
    "scg_core.conformance.machine",
    "scg_core.conformance.machines",
    "scg_core.conformance.line",
    "scg_core.conformance.phones",
    "scg_core.conformance.queue",
    "scg_core.conformance.storage",
    "scg_core.conformance.transactions",
    "scg_core.conformance.transport",
    "scg_core.conformance.upkeep",
    "scg_core.conformance.voice",
)

from scg_core.conformance.blobs import BlobsContract  # noqa: E402
from scg_core.conformance.events import EventsContract, Receiver  # noqa: E402
from scg_core.conformance.facts import (  # noqa: E402
    PatternsContract,
    PlacesContract,
    PricesContract,
    TranslatorContract,
)
from scg_core.conformance.limits import LimitsContract  # noqa: E402
from scg_core.conformance.machine import storage_machine  # noqa: E402
from scg_core.conformance.machines import blobs_machine, limits_machine  # noqa: E402
from scg_core.conformance.storage import StorageContract  # noqa: E402
from scg_core.conformance.transport import MessageTransportContract, Network  # noqa: E402
from scg_core.conformance.voice import Line, VoiceContract  # noqa: E402

__all__ = [
    "BlobsContract",
    "EventsContract",
    "LimitsContract",
    "Line",
    "MessageTransportContract",
    "Network",
    "PatternsContract",
    "PlacesContract",
    "PricesContract",
    "Receiver",
    "StorageContract",
    "TranslatorContract",
    "VoiceContract",
    "blobs_machine",
    "limits_machine",
    "storage_machine",
]
