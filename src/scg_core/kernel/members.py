"""What came of adding members to something, or taking them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

from attrs import frozen

from scg_core.kernel.resource import R


@frozen
class Added(Generic[R]):
    """A resource after members were added or taken out, and why some were not, by id."""

    into: R
    errors: Mapping[str, str]
