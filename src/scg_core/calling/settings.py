"""Numbers of calling that a host may choose."""

from __future__ import annotations

from typing import Final

from attrs import fields, frozen

from scg_core.kernel.codec import read_integer
from scg_core.kernel.instant import MINUTE, SECOND


@frozen
class CallSettings:
    """Limits of calling; times are milliseconds.

    ``answer_timeout`` is how long a call rings if it does not say itself. A call costs its tariff
    for each begun ``charge_unit``. ``look`` is how often a switch is asked about calls that are not
    over, ``lease`` how long a worker may hold commands before another gives them again, ``tries``
    how often it is given a command that it broke on, ``spoken`` how long a call
    may take that only speaks a message. A conference has at most ``members``, a call's timeline
    at most ``moments``: digits beyond are of no account. At most ``waiting`` sounds and digits wait
    for a switch on one call or in one room.
    """

    answer_timeout: int = MINUTE
    charge_unit: int = MINUTE
    look: int = 30 * SECOND
    lease: int = 15 * SECOND
    tries: int = 5
    spoken: int = 10 * MINUTE
    members: int = 500
    moments: int = 1_000
    waiting: int = 200

    def __attrs_post_init__(self) -> None:
        """Refuse numbers that make no sense.

        Raises:
            InvalidField: it names the setting.
        """
        for name in (one.name for one in fields(CallSettings)):
            read_integer(name, getattr(self, name), _LEAST.get(name, 1))


_LEAST: Final = {"answer_timeout": SECOND, "charge_unit": SECOND, "look": SECOND, "lease": SECOND}
