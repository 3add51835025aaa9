"""Where an address is: country and time zones of a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scg_core.kernel.place import Place


class Places(Protocol):
    """Looks numbers up; pure, so a use case may ask."""

    def locate(self, numbers: Sequence[str], country: str | None = None) -> list[Place | None]:
        """Each number in E.164 with its country, or None if it cannot be a number.

        A number without ``+`` is read as dialled in ``country`` (alpha-3). Possible is enough:
        it need not be assigned to anyone.

        Laws:
            - ``a_national_number_is_read_in_the_given_country``
            - ``an_impossible_number_has_no_place``
            - ``answers_come_in_the_order_asked``
        """
        ...
