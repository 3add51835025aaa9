"""Time zones and holidays of countries, and time zones of zip codes, without asking anybody.

Zones come from the time zone database, holidays from the ``holidays`` package, zip codes of the
United States from a table of our own (``zips.txt``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from importlib.resources import files
from typing import Final

from scg_core.kernel.countries import ALPHA2, ALPHA3
from scg_core.ports.places import HolidaysOf

_ZIP: Final = re.compile(r"^\s*(\d{5})(?:-?\d{4})?\s*$")
_UTC: Final = ("UTC",)
_FIRST_YEAR, _LAST_YEAR = 1, 9999

REFERENCE: Final = {
    "ATA": "Antarctica/McMurdo", "ARG": "America/Argentina/Buenos_Aires",
    "AUS": "Australia/Sydney", "BRA": "America/Sao_Paulo", "CAN": "America/Toronto",
    "COD": "Africa/Kinshasa", "CHL": "America/Santiago", "CHN": "Asia/Shanghai",
    "CYP": "Asia/Nicosia", "DEU": "Europe/Berlin", "ECU": "America/Guayaquil",
    "ESP": "Europe/Madrid", "FSM": "Pacific/Pohnpei", "GRL": "America/Nuuk",
    "IDN": "Asia/Jakarta", "KIR": "Pacific/Tarawa", "KAZ": "Asia/Almaty",
    "MHL": "Pacific/Majuro", "MNG": "Asia/Ulaanbaatar", "MEX": "America/Mexico_City",
    "MYS": "Asia/Kuala_Lumpur", "NZL": "Pacific/Auckland", "PYF": "Pacific/Tahiti",
    "PNG": "Pacific/Port_Moresby", "PSE": "Asia/Hebron", "PRT": "Europe/Lisbon",
    "RUS": "Europe/Moscow", "UKR": "Europe/Kyiv", "UMI": "Pacific/Wake",
    "USA": "America/New_York", "UZB": "Asia/Tashkent",
}  # fmt: skip
"""Of each country with several zones the one that most people live by."""


def zones_of(country: str | None) -> tuple[str, ...]:
    """The zones of a country, its reference zone first; UTC alone if there is none."""
    return _zones().get(country or "", _UTC)


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    text = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            region, _, zone, *_ = line.split("\t")
            found.setdefault(ALPHA3.get(region, region), []).append(zone)
    for country, zone in REFERENCE.items():
        rest = [one for one in found.get(country, []) if one != zone]
        found[country] = [zone, *rest]
    return {country: tuple(zones) for country, zones in found.items()}


def zone_of_zip(country: str, code: str) -> str | None:
    """The zone of a zip code of the United States; of other countries none is known."""
    match = _ZIP.match(code)
    if country != "USA" or match is None:
        return None
    starts, zones = _zips()
    at = bisect_right(starts, match[1])
    return zones[at - 1] if at else None


@cache
def _zips() -> tuple[list[str], list[str]]:
    text = files("scg_adapters.places").joinpath("zips.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return [row[0] for row in rows], [row[1] for row in rows]


@cache
def holidays_in(country: str | None) -> HolidaysOf:
    """The public holidays of a country, by year; none where they are not known."""
    region = ALPHA2.get(country or "")

    @cache
    def of(year: int) -> frozenset[int]:
        if region is None or not _FIRST_YEAR < year < _LAST_YEAR:
            return frozenset()
        import holidays as public  # ten megabytes that only windows with holidays need

        try:
            found = public.country_holidays(region, years=[year])
        except NotImplementedError:
            return frozenset()
        return frozenset(day.toordinal() for day in found)

    return of
