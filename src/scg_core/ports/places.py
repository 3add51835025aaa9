"""Where an address is: country and time zones of a number; zones of zip codes; holidays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from scg_core.kernel.place import Place

HolidaysOf = Callable[[int], frozenset[int]]
"""The public holidays of a year, as ordinals of ``datetime.date``."""


class Places(Protocol):
    """Looks places up; pure, so a use case may ask."""

    def locate(self, numbers: Sequence[str], country: str | None = None) -> list[Place | None]:
        """Each number in E.164 with its country, or None if it cannot be a number.

        A number without ``+`` is read as dialled in ``country`` (alpha-3). Possible is enough:
        it need not be assigned to anyone.

        Laws:
            - ``a_national_number_is_read_in_the_given_country``
            - ``an_international_number_is_read_as_it_is_written``
            - ``an_impossible_number_has_no_place``
            - ``answers_come_in_the_order_asked``
        """
        ...

    def zones_of(self, country: str | None) -> tuple[str, ...]:
        """The time zones of a country, its reference zone first; UTC alone for no country.

        Laws:
            - ``the_reference_zone_of_a_country_comes_first``
            - ``every_zone_is_known_to_the_clock``
        """
        ...

    def zone_of_zip(self, country: str, code: str) -> str | None:
        """The time zone of a zip code, or None if the port does not know it.

        Laws:
            - ``an_unknown_zip_has_no_zone``
        """
        ...

    def holidays(self, country: str | None) -> HolidaysOf:
        """The public holidays of a country, by year; the same object for the same country.

        Laws:
            - ``holidays_of_a_country_are_one_object``
            - ``holidays_lie_in_the_year_asked_for``
        """
        ...
