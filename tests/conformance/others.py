"""Wrong adapters of the ports that keep bytes, count or know things."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from attrs import evolve

from scg_adapters.blobs.memory import MemoryBlobs
from scg_adapters.limits.memory import MemoryLimits
from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.prices.table import TablePrices
from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.translation.table import TableTranslator
from scg_core.conformance import TranslatorContract
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.instant import DAY, later
from scg_core.kernel.resource import Micros
from scg_core.ports.translator import Translated
from scg_core.senders.rules.prices import PriceKey

Table = dict[str, list[Callable[[], Any]]]


def like(right: Callable[[], Any], **verbs: Callable[..., Any]) -> Callable[[], Any]:
    """An adapter of which some verbs do what they should not; each is given the right one."""

    class Wrong:
        def __init__(self) -> None:
            self.inner = right()

        def __getattr__(self, name: str) -> Any:
            if name not in verbs:
                return getattr(self.inner, name)
            return lambda *args, **more: verbs[name](self.inner, *args, **more)

    return Wrong


# -- blobs -----------------------------------------------------------------------------------


def _keeps_half(inner: Any, key: str, chunks: Iterable[bytes]) -> None:
    held: list[bytes] = []
    try:
        held.extend(chunks)
    finally:
        inner.put(key, held)


def _swallows(inner: Any, key: str, chunks: Iterable[bytes]) -> None:
    held: list[bytes] = []
    try:
        for one in chunks:
            held.append(one)
    except ZeroDivisionError:
        return
    inner.put(key, held)


def _partial(inner: Any, key: str, chunks: Iterable[bytes]) -> None:
    first = next(iter(chunks), None)
    inner.put(key, [] if first is None else [first])
    inner.put(key, chain([first or b""], chunks))


def _in_one_piece(inner: Any, key: str, start: int = 0) -> Iterator[bytes]:
    return iter([b"".join(inner.read(key, start))])


def _empty_for_unknown(inner: Any, key: str, start: int = 0) -> Iterator[bytes]:
    try:
        yield from inner.read(key, start)
    except NotFound:
        return


def _interrupted_by_all_but_errors(inner: Any, key: str, chunks: Iterable[bytes]) -> None:
    held: list[bytes] = []
    try:
        held.extend(chunks)
    except Exception:
        raise
    except BaseException:
        inner.put(key, held)
        raise
    inner.put(key, held)


def _short(inner: Any, key: str, start: int = 0) -> Iterator[bytes]:
    content = b"".join(inner.read(key, start))
    for at in range(0, len(content), 2**18):
        if key not in inner.held:
            return
        yield content[at : at + 2**18]


BUFFER: list[bytes] = []


def _one_buffer(inner: Any, key: str, chunks: Iterable[bytes]) -> None:
    BUFFER.clear()
    for one in chunks:
        BUFFER.append(one)
    inner.put(key, list(BUFFER))


def _cut(inner: Any, key: str, chunks: Iterable[bytes]) -> None:
    inner.put(key, [b"".join(chunks)[: 4 * 2**20]])


def _small_letters() -> Any:
    def made(verb: str) -> Callable[..., Any]:
        return lambda inner, key, *more: getattr(inner, verb)(key.lower(), *more)

    return like(MemoryBlobs, **{verb: made(verb) for verb in ("put", "read", "delete")})()


def _strict(inner: Any, key: str) -> None:
    b"".join(inner.read(key))
    inner.delete(key)


BLOBS: Table = {
    "what_was_put_is_read": [
        like(MemoryBlobs, put=lambda inner, key, chunks: inner.put(key, list(chunks)[:-1])),
        like(MemoryBlobs, read=lambda inner, key, start=0: iter(set(inner.read(key, start)))),
    ],
    "reading_from_a_byte_gives_the_rest": [
        like(MemoryBlobs, read=lambda inner, key, start=0: inner.read(key)),
        like(MemoryBlobs, read=lambda inner, key, start=0: inner.read(key, max(start - 1, 0))),
    ],
    "content_is_read_in_chunks": [like(MemoryBlobs, read=_in_one_piece)],
    "an_interrupted_put_leaves_nothing": [
        like(MemoryBlobs, put=_keeps_half), like(MemoryBlobs, put=_swallows),
        like(MemoryBlobs, put=_partial), like(MemoryBlobs, put=_interrupted_by_all_but_errors),
    ],
    "contents_are_apart": [_small_letters],
    "two_contents_are_put_and_read_at_once": [like(MemoryBlobs, put=_one_buffer)],
    "a_content_that_is_deleted_while_it_is_read_is_not_cut_short": [like(MemoryBlobs, read=_short)],
    "a_large_content_is_kept_whole": [like(MemoryBlobs, put=_cut)],
    "reading_an_unknown_key_raises_not_found": [like(MemoryBlobs, read=_empty_for_unknown)],
    "what_was_deleted_is_gone": [like(MemoryBlobs, delete=lambda inner, key: None)],
    "deleting_an_unknown_key_is_no_error": [like(MemoryBlobs, delete=_strict)],
}  # fmt: skip


# -- limits ----------------------------------------------------------------------------------


def limits(**verbs: Callable[..., Any]) -> Callable[[], Any]:
    """Limits of which some verbs are wrong, and a storage."""
    make = like(MemoryLimits, **verbs)
    return lambda: (make(), MemoryStorage())


def _each_by_itself(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    """Reserves one limit after the other, and keeps what the last one refused."""
    given = [inner.ask(s, [one], units, now, spend=spend) for one in some]
    return min(given, key=lambda one: one.count)


def _two_of_three(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    return inner.ask(s, list(some)[:2], units, now, spend=spend)


def _always_spends(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    return inner.ask(s, some, units, now, spend=True)


def _faster(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    quick = [one if one.rate is None else evolve(one, rate=evolve(one.rate, burst=20))
             for one in some]  # fmt: skip
    return inner.ask(s, quick, units, now, spend=spend)


def _by_messages(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    return inner.ask(s, some, [1] * len(units), now, spend=spend)


def _says_early(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    given = inner.ask(s, some, units, now, spend=spend)
    return given if given.next_at is None else evolve(given, next_at=later(now, 1))


def _says_late(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    given = inner.ask(s, some, units, now, spend=spend)
    return given if given.next_at is None else evolve(given, next_at=later(given.next_at, DAY))


def _to_each_its_own(inner: Any, s: Any, some: Any, units: Any, now: Any, *, spend: bool) -> Any:
    first = some[0].key
    return inner.ask(s, [evolve(one, key=f"{first} {one.key}") for one in some], units, now,
                     spend=spend)  # fmt: skip


def _gives_rates_back(inner: Any, s: Any, some: Any, given: Any, units: int) -> None:
    inner._used = {key: value for key, value in inner._used.items()
                   if key not in {one.key for one in some}}  # fmt: skip


def _keeps_all(inner: Any, s: Any, some: Any, given: Any, units: int) -> None:
    return None


LIMITS: Table = {
    "what_one_limit_refuses_no_limit_is_charged_for": [
        limits(ask=_each_by_itself), limits(ask=_two_of_three),
    ],
    "asking_without_spending_changes_nothing": [limits(ask=_always_spends)],
    "no_second_has_more_than_the_rate_and_the_burst": [
        limits(ask=_faster), limits(ask=_by_messages),
    ],
    "a_message_may_go_when_it_was_said_that_it_may": [
        limits(ask=_says_early), limits(ask=_says_late),
    ],
    "a_daily_number_is_asked_again_when_its_day_is_over": [
        limits(ask=_says_early), limits(ask=_says_late),
    ],
    "two_that_share_a_limit_share_its_number": [limits(ask=_to_each_its_own)],
    "what_is_given_back_of_a_day_may_be_taken_again": [limits(give_back=_keeps_all)],
    "a_rate_is_given_back_only_if_nobody_used_it_since": [
        limits(give_back=_gives_rates_back), limits(give_back=_keeps_all),
    ],
}  # fmt: skip


# -- what is known of places, prices, patterns, languages ------------------------------------


def places(**verbs: Callable[..., Any]) -> Callable[[], Any]:
    """Places of which some verbs are wrong."""
    return like(NumberPlaces, **verbs)


def _from(country: str | None) -> Callable[..., Any]:
    return lambda inner, numbers, given=None: inner.locate(numbers, country)


def _no_nones(inner: Any, numbers: Sequence[str], country: str | None = None) -> Any:
    return [one for one in inner.locate(numbers, country) if one is not None]


def _known_once(inner: Any, numbers: Sequence[str], country: str | None = None) -> Any:
    return inner.locate(list(dict.fromkeys(numbers)), country)


def _everything_is_somewhere(inner: Any, numbers: Any, country: str | None = None) -> Any:
    [usual] = inner.locate(["+14155550100"])
    return [one or usual for one in inner.locate(numbers, country)]


def _always_dialled(inner: Any, numbers: Any, country: str | None = None) -> Any:
    if country is None:
        return inner.locate(numbers)
    return inner.locate([one.removeprefix("+447") for one in numbers], country)


def _with_a_zone(inner: Any, country: str | None) -> Any:
    return (*inner.zones_of(country), "Mars/Olympus")


PLACES: Table = {
    "a_national_number_is_read_in_the_given_country": [
        places(locate=_from(None)), places(locate=_from("USA")),
    ],
    "an_international_number_is_read_as_it_is_written": [places(locate=_always_dialled)],
    "an_impossible_number_has_no_place": [places(locate=_everything_is_somewhere)],
    "answers_come_in_the_order_asked": [
        places(locate=_no_nones), places(locate=_known_once),
        places(locate=lambda inner, numbers, c=None: inner.locate(sorted(numbers), c)),
    ],
    "the_reference_zone_of_a_country_comes_first": [
        places(zones_of=lambda inner, c: tuple(sorted(inner.zones_of(c)))),
        places(zones_of=lambda inner, c: inner.zones_of(c) if c else ()),
    ],
    "every_zone_is_known_to_the_clock": [places(zones_of=_with_a_zone)],
    "an_unknown_zip_has_no_zone": [
        places(zone_of_zip=lambda inner, c, code: inner.zone_of_zip(c, code) or "UTC"),
        places(zone_of_zip=lambda inner, c, code: inner.zone_of_zip("USA", code)),
    ],
    "holidays_of_a_country_are_one_object": [
        places(holidays=lambda inner, c: lambda year: inner.holidays(c)(year))
    ],
    "holidays_lie_in_the_year_asked_for": [
        places(holidays=lambda inner, c: lambda year: inner.holidays(c)(2025)),
        places(holidays=lambda inner, c: lambda year: frozenset()),
    ],
}  # fmt: skip

TARIFFS = {
    PriceKey("acme", "sender", "USA", "SMS"): Micros(10_000),
    PriceKey("acme", "sender", "GBR", "SMS"): Micros(20_000),
}


def _table() -> TablePrices:
    return TablePrices([{"company_id": "acme", "price": 0.01},
                        {"company_id": "acme", "country": "GBR", "price": 0.02}])  # fmt: skip


PRICES: Table = {
    "prices_come_in_the_order_asked": [
        like(_table, of_a_segment=lambda i, keys: [p for p in i.of_a_segment(keys) if p]),
        like(_table, of_a_segment=lambda i, keys: sorted(i.of_a_segment(keys), key=str)),
        like(_table, of_a_segment=lambda i, keys: [p or 0 for p in i.of_a_segment(keys)]),
    ],
}


class _Searches:
    """A set of patterns on ``re``, wrong in one way."""

    def __init__(self, patterns: Sequence[str], how: str, flags: int) -> None:
        self._patterns = [re.compile(one, flags) for one in patterns]
        self._how = how

    def match(self, text: str) -> Sequence[int]:
        return [at for at, one in enumerate(self._patterns) if getattr(one, self._how)(text)]


def patterns(how: str = "fullmatch", *, minds: bool = True) -> Callable[[], Any]:
    """Patterns that search, or match the beginning; that mind case, or never do."""

    def compile(inner: Any, some: Sequence[str], *, insensitive: bool) -> Any:
        flags = re.IGNORECASE if insensitive == minds else 0
        return _Searches(some, how, flags)

    return like(PosixPatterns, compile=compile)


def _refuses(inner: Any, some: Sequence[str], *, insensitive: bool) -> Any:
    if any("{" in one for one in some):
        raise InvalidField("value", "is too complex")
    return inner.compile(some, insensitive=insensitive)


class _Crawls:
    """Looks at a text once for each of its beginnings: it grows with the square."""

    def match(self, text: str) -> Sequence[int]:
        for end in range(len(text)):
            for _ in text[:end]:
                pass
        return []


PATTERNS: Table = {
    "a_pattern_matches_the_whole_text_or_not_at_all": [patterns("search"), patterns("match")],
    "each_pattern_is_named_by_its_place": [
        like(PosixPatterns, compile=lambda inner, some, *, insensitive: inner.compile(
            sorted(some), insensitive=insensitive)),
    ],
    "insensitive_patterns_match_either_case": [patterns(minds=False)],
    "what_check_lets_pass_compiles": [like(PosixPatterns, compile=_refuses)],
    "what_is_no_pattern_is_refused": [like(PosixPatterns, check=lambda inner, pattern: None)],
    "a_hostile_pattern_takes_time_in_proportion_to_the_text": [
        patterns(),
        like(PosixPatterns, compile=lambda inner, some, *, insensitive: _Crawls()),
    ],
}  # fmt: skip


def _right() -> TableTranslator:
    words = ("Hallo", "Guten Morgen, {{1}}!", "{{2}}, der Code ist {{1}}.")
    return TableTranslator({("en", "de"): dict(zip(TranslatorContract.texts, words, strict=True))})


def _told(change: Callable[[list[Translated]], list[Translated]]) -> Callable[[], Any]:
    return like(_right, translate=lambda inner, *args: change(list(inner.translate(*args))))


TRANSLATORS: Table = {
    "every_text_is_answered_in_order": [
        _told(lambda some: [one for one in some if one.text]),
        _told(lambda some: list(reversed(some))),
        _told(lambda some: [Translated(one.text, "but") for one in some]),
        _told(lambda some: [Translated(one.text or "?") for one in some]),
    ],
    "marks_come_back": [
        _told(lambda some: [Translated(one.text and one.text.replace("{{2}}", ""), one.failure)
                            for one in some]),
        _told(lambda some: [Translated(one.text and one.text.replace("{{1}}", "{{1}}{{1}}"),
                                       one.failure) for one in some]),
    ],
}  # fmt: skip
