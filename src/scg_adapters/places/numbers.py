"""Numbers and their countries, from the tables of the phonenumbers library.

The library takes some 40 microseconds a number; a bulk request cannot wait for that. A number in
E.164 is read here from the library's own tables: calling code, possible lengths, and a memo of
which region a leading part belongs to. Whatever is dialled nationally goes through the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from scg_adapters.places import calendars
from scg_core.kernel.countries import ALPHA2, ALPHA3
from scg_core.kernel.place import Place
from scg_core.ports.places import HolidaysOf

NANP: Final = "1"
_NO_REGION: Final = "001"
_REGION_DIGITS: Final = 8
_AREA_DIGITS: Final = 4
_MEMO: Final = 65_536
_LONGEST: Final = 15


class NumberPlaces:
    """The embedded ``Places``: it asks nobody and keeps a bounded memo."""

    def zones_of(self, country: str | None) -> tuple[str, ...]:
        """The time zones of a country, its reference zone first."""
        return calendars.zones_of(country)

    def zone_of_zip(self, country: str, code: str) -> str | None:
        """The time zone of a zip code of the United States."""
        return calendars.zone_of_zip(country, code)

    def holidays(self, country: str | None) -> HolidaysOf:
        """The public holidays of a country, by year."""
        return calendars.holidays_in(country)

    def locate(self, numbers: Sequence[str], country: str | None = None) -> list[Place | None]:
        """Each number in E.164 with its country, or None if it cannot be a number."""
        return [
            _international(number[1:]) if number[:1] == "+" else _dialled(number, country)
            for number in numbers
        ]


def _international(digits: str) -> Place | None:
    if not (digits.isascii() and digits.isdigit()):
        return None
    # What a number's beginning tells is remembered; in North America seven digits tell it all.
    start = digits[:7] if digits[0] == NANP else digits[:TIMEZONE_LONGEST_PREFIX]
    area = _area(start, len(digits))
    return None if area is None else Place("+" + digits, area[0], area[1])


@lru_cache(maxsize=_MEMO)
def _area(start: str, length: int) -> tuple[str | None, tuple[str, ...]] | None:
    """Country and zones of numbers of this length that begin like this; None: there are none."""
    code = _calling_code(start[:3])
    if code is None or length > _LONGEST or length - len(code) not in _lengths(code):
        return None
    country = _country(code, start, length)
    return country, _zones(start, country)


def _dialled(digits: str, country: str | None) -> Place | None:
    """A number without ``+``: as dialled in the country, else as written internationally."""
    region = ALPHA2.get(country or "")
    if region is not None:
        try:
            parsed = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            return None
        if phonenumbers.is_possible_number(parsed):
            return _international(phonenumbers.format_number(parsed, _E164)[1:])
    return _international(digits)


_E164: Final = phonenumbers.PhoneNumberFormat.E164


@lru_cache(maxsize=2048)
def _calling_code(start: str) -> str | None:
    for length in (1, 2, 3):
        code = start[:length]
        if code.isdigit() and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code
    return None


@lru_cache(maxsize=512)
def _lengths(code: str) -> frozenset[int]:
    """The lengths a national number of a calling code may have.

    In North America ten: the shorter numbers that Canada knows cannot receive messages.
    """
    if code == NANP:
        return frozenset({10})
    found: set[int] = set()
    for region in _regions(code):
        metadata = (
            PhoneMetadata.metadata_for_nongeo_region(int(code))
            if region == _NO_REGION
            else PhoneMetadata.metadata_for_region(region)
        )
        if metadata is not None and metadata.general_desc is not None:
            found.update(metadata.general_desc.possible_length or ())
    return frozenset(found)


def _regions(code: str) -> tuple[str, ...]:
    return tuple(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)])


def _country(code: str, start: str, length: int) -> str | None:
    regions = _regions(code)
    if len(regions) == 1:
        return None if regions[0] == _NO_REGION else ALPHA3[regions[0]]
    if code == NANP:
        return _north_american(start[:_AREA_DIGITS])
    return _shared_code(code, start[:_REGION_DIGITS], length)


@lru_cache(maxsize=1024)
def _north_american(start: str) -> str:
    """The country of an area code; one that is not assigned counts as the United States."""
    probe = phonenumbers.PhoneNumber(1, int(start[1:] + "2345678"))
    return ALPHA3[phonenumbers.region_code_for_number(probe) or "US"]


@lru_cache(maxsize=4096)
def _shared_code(code: str, start: str, length: int) -> str:
    """The country of numbers with this beginning where several share a calling code."""
    for filler in "0123456789":
        national = (start + filler * length)[len(code) : length]
        zeros = len(national) - len(national.lstrip("0")) if code == "39" else 0
        probe = phonenumbers.PhoneNumber(
            int(code), int(national), italian_leading_zero=bool(zeros) or None,
            number_of_leading_zeros=zeros or None,
        )  # fmt: skip
        region = phonenumbers.region_code_for_number(probe)
        if region is not None:
            return ALPHA3[region]
    return ALPHA3[_regions(code)[0]]


@lru_cache(maxsize=4096)
def _zones(start: str, country: str | None) -> tuple[str, ...]:
    """The time zones of the longest known beginning of a number, those of its country only.

    A beginning that tells nothing within the country means every zone of the country.
    """
    if country is None:
        return ()
    own = calendars.zones_of(country)
    for length in range(len(start), 0, -1):
        zones = TIMEZONE_DATA.get(start[:length])
        if zones is not None:
            mine = tuple(zone for zone in own if zone in zones)
            return mine or (tuple(zones) if len(zones) == 1 else own)
    return own
