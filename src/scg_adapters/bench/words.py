"""The rules of words, timed one by one: templates, keywords, segments. Nanoseconds an operation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.simulated import NEW_YEAR
from scg_core.consent.model import Keyword
from scg_core.consent.rules.keywords import KeywordSet, Match
from scg_core.templates.rules.language import Parts, read_body, read_template
from scg_core.templates.rules.rendering import expand, fill
from scg_core.templates.rules.segmentation import measure

_TIMES: Final = 50_000
_PATTERN: Final = "Dear ${first}, your order ${number} of ${day} is on its way."
_VALUES: Final = {"contact.first": "Ann", "contact.number": "4711", "contact.day": "Monday"}
_BODY: Final = '#set($first="Ann")\n#set($number="4711")\n#set($day="Monday")\n#parse("order")'
_GSM: Final = "Your parcel is on its way and will be with you on Monday. " * 2 + "Reply STOP to end"
_UCS: Final = "Ваш заказ уже в пути, курьер позвонит вам. Спасибо! 🙂"
_HOSTILE: Final = ("(a+)+$", "(a|a)*b", "(.*a){20}", "(a|b)*a(a|b){100}", ".*a.{100}")


def template() -> dict[str, Any]:
    """Three values into a compiled template, and a whole body of #set and #parse."""
    pattern = read_template(_PATTERN.replace("${", "${contact."))
    ready = expand(pattern, {}, _nothing)
    named = {"order": read_template(_PATTERN)}
    return {
        "three_values_ns": _timed(lambda: fill(ready, _VALUES, _same)),
        "body_of_set_and_parse_ns": _timed(lambda: _whole(named), _TIMES // 10),
        "limit_format_ns": _timed(lambda: "Dear {}, your order {} of {}.".format("a", "b", "c")),
    }


def keyword() -> dict[str, Any]:
    """A thousand keywords on one text: plain words, prefixes, fifty that may be anywhere."""
    plain = _set([f"word {n}" for n in range(950)] + [f".*sale{n}.*" for n in range(50)])
    prefixes = _set([f"word {n} .*" for n in range(1_000)])
    hostile = {pattern: _set([pattern]) for pattern in _HOSTILE}
    texts = ("a" * 160 + "!", "ab" * 80)
    worst = max(
        _timed(lambda held=held, text=text: _heard(held, text), 200)  # type: ignore[misc]
        for held in hostile.values()
        for text in texts
    )
    return {
        "plain_word_of_1000_ns": _timed(lambda: _heard(plain, "word 500")),
        "no_word_of_1000_ns": _timed(lambda: _heard(plain, "see you at the station at six")),
        "prefix_of_1000_patterns_ns": _timed(lambda: _heard(prefixes, "word 500 please")),
        "worst_of_hostile_on_an_sms_ns": worst,
    }


def segment() -> dict[str, Any]:
    """How many segments a text takes, in the GSM alphabet and in UCS-2."""
    assert len(_GSM) >= 120
    text = (_GSM * 2)[:160]
    return {
        "gsm_160_characters_ns": _timed(lambda: measure(text)),
        "ucs2_ns": _timed(lambda: measure(_UCS)),
        "limit_encode_ns": _timed(lambda: text.encode("utf-16-be")),
    }


def _whole(named: dict[str, Parts]) -> str:
    return fill(expand(read_body(_BODY), {}, named.get), {}, _same)


def _same(track: Any) -> str:
    return str(track.url)


def _nothing(_: str) -> Parts | None:
    return None


def _set(values: list[str]) -> KeywordSet:
    patterns = PosixPatterns()

    def compile(given: Any, folds: bool) -> Match:
        return patterns.compile(given, insensitive=folds).match

    made = [
        Keyword(id=f"{n:04}", name=value, value=value, company_id="acme", created_date=NEW_YEAR,
                last_updated_date=NEW_YEAR)
        for n, value in enumerate(values)
    ]  # fmt: skip
    return KeywordSet(made, compile)


def _heard(held: KeywordSet, text: str) -> object:
    return held.match(text, "s", "USA", NEW_YEAR)


def _timed(do: Callable[[], object], times: int = _TIMES) -> float:
    began = time.perf_counter()
    for _ in range(times):
        do()
    return (time.perf_counter() - began) / times * 1e9
