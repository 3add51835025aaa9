"""Where an address is."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A telephone number as the network writes it, and where it belongs.

    ``country`` is ISO 3166 alpha-3, or None for numbers of no country (satellite, freephone).
    ``zones`` are the time zones the number may be in; if they are all of its country's, the
    country's reference zone comes first.
    """

    address: str
    country: str | None
    zones: tuple[str, ...] = ()
