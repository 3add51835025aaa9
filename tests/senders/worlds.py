"""Classes, senders and recipients that the tests of sending share."""

from __future__ import annotations

from typing import Any

from scg_adapters.simulated import NEW_YEAR
from scg_core.senders.model import SenderIdClass


def klass(**fields: Any) -> SenderIdClass:
    """A sender class that is not stored."""
    values: dict[str, Any] = {
        "id": "CLASS",
        "created_date": NEW_YEAR,
        "last_updated_date": NEW_YEAR,
    }
    return SenderIdClass(**(values | fields))
