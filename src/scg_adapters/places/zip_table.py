"""Makes ``zips.txt``: needs the packages ``zipcodes`` and ``timezonefinder``.

Run ``python -m scg_adapters.places.zip_table > zips.txt``. The package itself takes 100 MB of
memory, the table five kilobytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def rows() -> Iterator[tuple[str, str]]:
    """Each zip code at which the time zone changes, with the zone from there on."""
    import zipcodes
    from timezonefinder import TimezoneFinder

    finder = TimezoneFinder()
    held = ""
    places: list[dict[str, Any]] = zipcodes.list_all()  # type: ignore[no-untyped-call]
    for place in sorted(places, key=lambda one: str(one["zip_code"])):
        zone = _zone(place, finder)
        if zone and zone != held:
            held = zone
            yield str(place["zip_code"]), zone


def _zone(place: dict[str, Any], finder: Any) -> str | None:
    zone = str(place["timezone"])
    if "/" not in zone:
        lat, lng = float(place["lat"] or 0), float(place["long"] or 0)
        zone = finder.timezone_at(lng=lng, lat=lat) if lat or lng else ""
    return zone if zone and zone.startswith(("America/", "Pacific/")) else None


if __name__ == "__main__":
    for code, name in rows():
        print(code, name)
