"""The adapters that know things keep the published contracts."""

from __future__ import annotations

from collections.abc import Mapping

from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.prices.table import TablePrices
from scg_adapters.translation.table import TableTranslator
from scg_core.conformance import (
    PatternsContract,
    PlacesContract,
    PricesContract,
    TranslatorContract,
)
from scg_core.kernel.resource import Micros
from scg_core.ports.patterns import Patterns
from scg_core.ports.places import Places
from scg_core.ports.prices import Prices
from scg_core.ports.translator import Translator
from scg_core.senders.rules.prices import PriceKey


class TestNumberPlaces(PlacesContract):
    def adapter(self) -> Places:
        return NumberPlaces()


class TestPosixPatterns(PatternsContract):
    def adapter(self) -> Patterns:
        return PosixPatterns()


class TestTablePrices(PricesContract):
    def adapter(self) -> Prices:
        return TablePrices(
            [{"company_id": "acme", "price": 0.01},
             {"company_id": "acme", "country": "GBR", "price": 0.02}]
        )  # fmt: skip

    def known(self) -> Mapping[PriceKey, Micros]:
        return {
            PriceKey("acme", "sender", "USA", "SMS"): Micros(10_000),
            PriceKey("acme", "sender", "GBR", "SMS"): Micros(20_000),
        }


class TestTableTranslator(TranslatorContract):
    hopeless = "never heard of"

    def adapter(self) -> Translator:
        words = ("Hallo", "Guten Morgen, {{1}}!", "{{2}}, der Code ist {{1}}.")
        return TableTranslator({("en", "de"): dict(zip(self.texts, words, strict=True))})
