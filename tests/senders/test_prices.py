"""Which tariff a message is charged by (semantics 11)."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Micros
from scg_core.senders.model import Tariff
from scg_core.senders.rules.prices import PriceKey, price_of_a_segment

KEY = PriceKey("acme", "sender", "USA", "SMS")
NAMED = ("company_id", "sender_id", "country", "kind")


def tariff(price: int, *named: str, since: int = 0, **other: str) -> Tariff:
    """A tariff for what it names of the key, or for something else."""
    values = {name: getattr(KEY, name) for name in named} | other
    return Tariff(
        id=f"tariff {price}", price=Micros(price), created_date=Instant(since),
        **{name: values.get(name) for name in NAMED},
    )  # fmt: skip


ALL = [
    tuple(name for name, on in zip(NAMED, some, strict=True) if on)
    for some in product((0, 1), repeat=4)
]


@pytest.mark.parametrize(("less", "more"), list(pairwise(ALL)))
def test_what_a_tariff_names_counts_in_order(less: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Company, sender id, country, kind: the first that only one of them names, however old."""
    older, newer = tariff(1, *more), tariff(2, *less, since=1)

    assert price_of_a_segment([older, newer], KEY) == 1
    assert price_of_a_segment([newer, older], KEY) == 1


def test_of_two_that_name_the_same_the_later_counts() -> None:
    """Of the same instant, the one with the higher id."""
    assert price_of_a_segment([tariff(2, "country", since=1), tariff(1, "country")], KEY) == 2
    assert price_of_a_segment([tariff(2, "country"), tariff(1, "country")], KEY) == 2


@pytest.mark.parametrize("name", NAMED)
def test_a_tariff_for_something_else_does_not_count(name: str) -> None:
    """Without any that does nothing is charged."""
    assert price_of_a_segment([tariff(1, **{name: "another"})], KEY) is None
