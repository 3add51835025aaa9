"""What adapters that know things must do: ``Places``, ``Prices``, ``Patterns``, ``Translator``.

Each joins with three lines, as in ``PlacesContract``::

    class TestMyPlaces(PlacesContract):
        def adapter(self) -> Places:
            return MyPlaces(...)
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.resource import Micros
from scg_core.ports.patterns import Patterns, PatternSet
from scg_core.ports.places import Places
from scg_core.ports.prices import Prices
from scg_core.ports.translator import Translator
from scg_core.senders.rules.prices import PriceKey

COUNTRIES = ("USA", "GBR", "DEU", "AUS", "BRA", "IND")
_LETTERS = 2_000
_TOO_SHORT = 0.005
"""Seconds of this process below which a time says nothing."""
_LONG = 0.05
"""Seconds that nobody needs for a few letters."""
_MARK = re.compile(r"\{\{\d+\}\}")


class PlacesContract(ABC):
    """The laws of ``ports.places``, one test each."""

    @abstractmethod
    def adapter(self) -> Places:
        """The adapter."""

    @pytest.mark.parametrize(
        ("dialled", "country", "address"),
        [("4155550100", "USA", "+14155550100"), ("07700900123", "GBR", "+447700900123"),
         ("0612345678", "FRA", "+33612345678")],
    )  # fmt: skip
    def test_a_national_number_is_read_in_the_given_country(
        self, dialled: str, country: str, address: str
    ) -> None:
        """As people there dial it, trunk prefix and all."""
        [place] = self.adapter().locate([dialled], country)

        assert place is not None
        assert (place.address, place.country) == (address, country)

    def test_an_international_number_is_read_as_it_is_written(self) -> None:
        """Whatever country is given."""
        for country in (None, "USA", "FRA"):
            [place] = self.adapter().locate(["+447700900123"], country)
            assert place is not None
            assert (place.address, place.country) == ("+447700900123", "GBR")

    @pytest.mark.parametrize("number", ["", "+", "+1", "+1415555010", "hello", "+999123456789"])
    def test_an_impossible_number_has_no_place(self, number: str) -> None:
        """Too short, too long, of no country, or no number at all."""
        assert self.adapter().locate([number], "USA") == [None]

    def test_answers_come_in_the_order_asked(self) -> None:
        """One answer a number, None among them; asked twice, answered twice."""
        asked = ["+14155550100", "+1", "+447700900123", "+14155550100"]
        found = self.adapter().locate(asked)

        assert [place and place.country for place in found] == ["USA", None, "GBR", "USA"]
        assert self.adapter().locate([]) == []

    def test_the_reference_zone_of_a_country_comes_first(self) -> None:
        """Where a country has one zone it is that one; without a country there is UTC."""
        places = self.adapter()

        assert places.zones_of("GBR")[0] == "Europe/London"
        assert places.zones_of("USA")[0] == "America/New_York"
        assert len(set(places.zones_of("USA"))) == len(places.zones_of("USA")) > 3
        assert places.zones_of(None) == ("UTC",)

    def test_every_zone_is_known_to_the_clock(self) -> None:
        """The zones of countries, of numbers and of zip codes."""
        places = self.adapter()
        zones = {zone for country in COUNTRIES for zone in places.zones_of(country)}
        for place in places.locate(["+14155550100", "+447700900123"]):
            zones.update(place.zones if place else ())
        assert zones and all(ZoneInfo(zone) for zone in zones)

    def test_an_unknown_zip_has_no_zone(self) -> None:
        """None, not a guess; a code of another country is not looked up in this one."""
        places = self.adapter()
        for country, code in (("USA", ""), ("USA", "no zip"), ("ZZZ", "10001")):
            assert places.zone_of_zip(country, code) is None

    def test_holidays_of_a_country_are_one_object(self) -> None:
        """So that what was worked out with them can be kept."""
        places = self.adapter()

        assert places.holidays("USA") is places.holidays("USA")
        assert places.holidays(None) is places.holidays(None)

    def test_holidays_lie_in_the_year_asked_for(self) -> None:
        """Each is a day of that year; New Year is one in the United States."""
        for country in (*COUNTRIES, None):
            for year in (2024, 2026):
                days = self.adapter().holidays(country)(year)
                assert {date.fromordinal(day).year for day in days} <= {year}
        assert date(2026, 1, 1).toordinal() in self.adapter().holidays("USA")(2026)


class PricesContract(ABC):
    """The laws of ``ports.prices``, one test each."""

    @abstractmethod
    def adapter(self) -> Prices:
        """Prices that charge for ``known`` and for nothing else."""

    @abstractmethod
    def known(self) -> Mapping[PriceKey, Micros]:
        """At least two keys with different prices."""

    def test_prices_come_in_the_order_asked(self) -> None:
        """One for each key, None where nothing is charged; asked twice, answered twice."""
        prices, known = self.adapter(), self.known()
        free = PriceKey("nobody", "nobody", "ZZZ", "NONE")
        keys = [free, *known, free, *reversed(list(known))]

        assert prices.of_a_segment(keys) == [known.get(key) for key in keys]
        assert prices.of_a_segment([]) == []
        assert len(set(known.values())) > 1


class PatternsContract(ABC):
    """The laws of ``ports.patterns``, one test each."""

    @abstractmethod
    def adapter(self) -> Patterns:
        """The adapter."""

    def matched(self, *patterns: str, text: str, insensitive: bool = False) -> set[int]:
        """The places of the patterns that match."""
        return set(self.adapter().compile(patterns, insensitive=insensitive).match(text))

    def test_a_pattern_matches_the_whole_text_or_not_at_all(self) -> None:
        """Neither its beginning, its middle nor its end is enough."""
        for text, wanted in (("ab", {0}), ("xab", set()), ("abx", set()), ("xabx", set())):
            assert self.matched("ab", text=text) == wanted
        assert self.matched("x.*", "[0-9]+", "", text="") == {2}

    def test_each_pattern_is_named_by_its_place(self) -> None:
        """All that match, and no other."""
        assert self.matched("a+", "b+", "a|b", "aa", text="aa") == {0, 3}

    def test_insensitive_patterns_match_either_case(self) -> None:
        """And sensitive ones do not."""
        assert self.matched("stop", text="StOp", insensitive=True) == {0}
        assert self.matched("stop", text="StOp") == set()

    def test_what_check_lets_pass_compiles(self) -> None:
        """One by one, as it was checked."""
        adapter = self.adapter()
        for pattern in ("a", "", "^a$", "[[:digit:]]{2,4}", "(a|b)*c?", "ä.*"):
            adapter.check(pattern)
            adapter.compile([pattern], insensitive=True)

    @pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*", r"(a)\1", "(" * 2_000])
    def test_what_is_no_pattern_is_refused(self, pattern: str) -> None:
        """With a word about the value."""
        with pytest.raises(InvalidField) as refused:
            self.adapter().check(pattern)
        assert refused.value.field == "value"

    def test_a_hostile_pattern_takes_time_in_proportion_to_the_text(self) -> None:
        """What takes others for ever is refused; or four times the text takes under eight times."""
        adapter = self.adapter()
        for pattern in ("(a*)*b", "(a|a)*b", "(a|aa)+$"):
            try:
                adapter.check(pattern)
            except InvalidField:
                continue
            hostile = adapter.compile([pattern], insensitive=False)
            for size in range(10, 27, 2):  # what takes for ever shows before it does
                spent = _seconds(hostile, "a" * size + "!")
                assert spent < _LONG, f"{pattern}: {spent:.4f} s for {size} letters"
            once, more = (_seconds(hostile, "a" * size + "!") for size in (_LETTERS, 4 * _LETTERS))
            assert more <= 8 * max(once, _TOO_SHORT), f"{pattern}: {once:.4f} s, then {more:.4f} s"


def _seconds(patterns: PatternSet, text: str) -> float:
    """The least time of this process, of three, that matching takes; it matches nothing."""
    spent = []
    for _ in range(3):
        began = process_time()
        assert set(patterns.match(text)) == set()
        spent.append(process_time() - began)
    return min(spent)


class TranslatorContract(ABC):
    """The laws of ``ports.translator``, one test each."""

    source, target = "en", "de"
    texts = ("Hello", "Good morning, {{1}}!", "Your code is {{1}}, {{2}}.")
    """Three texts that can be translated; the second and third have marks."""
    hopeless: str | None = None
    """A text that cannot be translated, if there is one."""

    @abstractmethod
    def adapter(self) -> Translator:
        """The adapter."""

    def translated(self, *texts: str) -> list[Any]:
        """What becomes of some texts."""
        return list(self.adapter().translate(texts, self.source, self.target))

    def test_every_text_is_answered_in_order(self) -> None:
        """With a text or a failure, never both; each alone as all together; of none, nothing."""
        asked = [*self.texts, *([self.hopeless] if self.hopeless else [])]
        told = self.translated(*asked)

        assert len(told) == len(asked)
        assert all((one.text is None) != (one.failure is None) for one in told)
        assert [one.text for one in told] == [self.translated(one)[0].text for one in asked]
        assert all(one.text for one in told[:3]) and not any(one.text for one in told[3:])
        assert self.translated() == []

    def test_marks_come_back(self) -> None:
        """Each once, whatever their order is in the other language."""
        for text, one in zip(self.texts, self.translated(*self.texts), strict=True):
            assert one.text is not None
            assert sorted(_MARK.findall(one.text)) == sorted(_MARK.findall(text))
