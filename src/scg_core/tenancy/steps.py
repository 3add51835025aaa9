"""The credit ledger: reserve before a message leaves, confirm when it was taken, else release.

Every step is part of the transaction of what it pays for, so the ledger never disagrees with the
messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.kernel.resource import Micros
from scg_core.tenancy.model import CreditAccount
from scg_core.unit import Unit


def account(unit: Unit, company: str) -> CreditAccount | None:
    """A company's account, once it was paid into or spent from."""
    return unit.session.get(CreditAccount, company)


def left(unit: Unit, company: str) -> Micros | None:
    """What a company may still spend; None: any amount, it pays later."""
    held = account(unit, company)
    return held.left if held is not None and held.prepaid else None


def reserve(unit: Unit, company: str, prices: Sequence[int]) -> int:
    """Set money aside for messages, in order, as far as it reaches; for how many of them.

    A company that pays later is counted too, so that its account can become a prepaid one while
    messages are in flight.
    """
    held = account(unit, company)
    most = held.left if held is not None and held.prepaid else None
    total, count = 0, 0
    for price in prices:
        if most is not None and price > 0 and total + price > most:
            break
        total, count = total + price, count + 1
    if total and held is None:
        unit.add(CreditAccount(id=company, prepaid=False, balance=Micros(0),
                               created_date=unit.now, last_updated_date=unit.now))  # fmt: skip
    if total:
        unit.session.increase(CreditAccount, company, {"reserved": total}, unit.now)
    return count


def settle(unit: Unit, amounts: Mapping[str, tuple[int, int]]) -> None:
    """End reservations: by company, how much was earned and how much is given back."""
    for company, (confirmed, released) in amounts.items():
        if confirmed or released:
            changes = {"reserved": -(confirmed + released), "confirmed": confirmed}
            unit.session.increase(CreditAccount, company, changes, unit.now)
