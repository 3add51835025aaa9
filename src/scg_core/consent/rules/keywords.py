"""Which keywords a message says, and which of them acts (semantics 8).

A keyword is the whole message, after compatibility forms, blanks and, for reserved words, the
punctuation around are made equal. Plain words are found in a table; patterns are asked of the
Patterns port, all of a company's at once. The order among several is total: reserved, then for
this sender id, then plain, then the longest, then the oldest, then by id.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from attrs import frozen

from scg_core.consent.model import Keyword, KeywordCase, KeywordType
from scg_core.consent.rules.reserved import CONFIRM, RESERVED, Reserved
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant

EXAMINED: Final = 2_000
"""How many characters of a message are looked at."""

LONGEST: Final = 256
MOST: Final = 1_000
"""How many keywords a company may have."""

OPTIN, OPTOUT, STORE = "OPTIN", "OPTOUT", "STORE"
_ACTIONS: Final = (OPTIN, OPTOUT, STORE)
_SEPARATORS: Final = re.compile(r"[ ,;]+")
_META: Final = re.compile(r"[\\^$.|?*+()\[\]{}]")
_BLANKS: Final = re.compile(r"\s+")
_ASCII_AROUND: Final = "".join(chr(one) for one in range(128) if not chr(one).isalnum())
_AROUND: Final = frozenset({"P", "S", "C", "Z", "M"})


Match = Callable[[str], Sequence[int]]
"""The places of the patterns that match a whole text."""

Compile = Callable[[Sequence[str], bool], Match]
"""Makes one of several patterns; the second argument is whether capital letters do not count."""


@frozen
class Word:
    """One keyword as it is matched; ``countries`` are those in whose language it is, or all."""

    id: str
    name: str
    value: str
    actions: frozenset[str]
    reserved: bool = False
    literal: bool = True
    sender_id: str | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    created: int = 0
    reply_template: str | None = None
    associated_info: str | None = None
    campaign_id: str | None = None
    language: str = "en"
    countries: frozenset[str] = frozenset()

    @property
    def rank(self) -> tuple[object, ...]:
        """Its place among keywords that match the same message, the first lowest."""
        return (
            not self.reserved, self.sender_id is None, not self.literal, -len(self.value),
            self.created, self.id,
        )  # fmt: skip

    def counts(self, sender_id: str, country: str | None, now: Instant) -> bool:
        """Whether it counts at a sender id, for a handset of a country, at present."""
        if self.sender_id not in (None, sender_id):
            return False
        if self.countries and country not in self.countries:
            return False
        began = self.valid_from is None or self.valid_from <= now
        return began and (self.valid_to is None or now < self.valid_to)


@frozen
class Said:
    """What a message says: all keywords in it, the first acts; ``opts`` is what it does."""

    words: tuple[Word, ...]
    acts: Word
    opts: str | None


def normalized(text: str) -> str:
    """A message as keywords are compared with it: compatible forms and blanks made equal."""
    if text.isascii():
        return " ".join(text[:EXAMINED].split())
    same = unicodedata.normalize("NFKC", text[:EXAMINED])
    return _BLANKS.sub(" ", same[:EXAMINED]).strip()


def bare(text: str) -> str:
    """The same without punctuation, quotes, emoji and invisible characters around it."""
    if text.isascii():
        return text.strip(_ASCII_AROUND)
    begin, end = 0, len(text)
    while begin < end and unicodedata.category(text[begin])[0] in _AROUND:
        begin += 1
    while end > begin and unicodedata.category(text[end - 1])[0] in _AROUND:
        end -= 1
    return "".join(one for one in text[begin:end] if unicodedata.category(one) != "Cf")


def is_literal(value: str) -> bool:
    """Whether a keyword is a plain word, without any sign that means something in a pattern."""
    return not _META.search(value)


def read_actions(given: object) -> tuple[str, ...]:
    """The actions of a keyword, from a list or from a text with commas or blanks.

    Raises:
        InvalidField: an unknown action, or OPTIN together with OPTOUT.
    """
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):
        raise InvalidField("actions", f"must be some of {', '.join(_ACTIONS)}")
    found = [one.upper() for text in texts for one in _SEPARATORS.split(text) if one]
    for one in found:
        if one not in _ACTIONS:
            raise InvalidField("actions", f"{one[:32]!r} is none of {', '.join(_ACTIONS)}")
    if OPTIN in found and OPTOUT in found:
        raise InvalidField("actions", "cannot opt in and opt out at once")
    return tuple(dict.fromkeys(found)) or (STORE,)


def check_value(value: str) -> None:
    """Refuse what can be no keyword; what is a pattern is for the Patterns port to judge.

    Raises:
        InvalidField: it is empty or too long.
    """
    if not normalized(value) or len(value) > LONGEST:
        raise InvalidField("value", f"must have 1 to {LONGEST} characters")


def is_reserved(value: str) -> bool:
    """Whether a plain keyword is one that customers cannot have."""
    return is_literal(value) and bare(normalized(value)).casefold() in _RESERVED


def word_of(keyword: Keyword) -> Word:
    """A stored keyword as it is matched."""
    return Word(
        id=keyword.id,
        name=keyword.name,
        value=keyword.value,
        actions=frozenset(keyword.actions),
        reserved=keyword.type is KeywordType.RESERVED,
        literal=is_literal(keyword.value),
        sender_id=keyword.sender_id,
        valid_from=keyword.valid_from,
        valid_to=keyword.valid_to,
        created=keyword.created_date,
        reply_template=keyword.reply_template,
        associated_info=keyword.associated_info,
        campaign_id=keyword.campaign_id,
    )


class KeywordSet:
    """All keywords that count for one company, compiled once."""

    def __init__(self, keywords: Iterable[Keyword], compile: Compile | None) -> None:
        self._exact: dict[str, list[Word]] = {}
        self._folded: dict[str, list[Word]] = {}
        self._bare: dict[str, list[Word]] = {}
        rest: dict[tuple[bool, str], list[Word]] = {}
        for word in _BUILT_IN:
            self._bare.setdefault(word.value.casefold(), []).append(word)
        for keyword in keywords:
            word, folds = word_of(keyword), keyword.case is KeywordCase.INSENSITIVE
            if word.reserved and is_reserved(word.value):
                continue  # a shipped one, that is stored to be seen in lists
            if not word.literal:
                rest.setdefault((folds, keyword.company_id), []).append(word)
            elif word.reserved:
                self._bare.setdefault(bare(normalized(word.value)).casefold(), []).append(word)
            elif folds:
                self._folded.setdefault(normalized(word.value).casefold(), []).append(word)
            else:
                self._exact.setdefault(normalized(word.value), []).append(word)
        self._patterns = [
            (words, compile([word.value for word in words], folds))
            for (folds, _), words in rest.items()
            if compile is not None
        ]

    def match(
        self, text: str, sender_id: str, country: str | None, now: Instant
    ) -> tuple[Word, ...]:
        """The keywords that a message says at a sender id, in their order."""
        whole = normalized(text)
        if not whole:
            return ()
        found: list[Word] = []
        if len(text) <= EXAMINED or not text[EXAMINED:].strip():
            folded = whole.casefold()
            found += self._exact.get(whole, ())
            found += self._folded.get(folded, ())
            found += self._bare.get(bare(folded), ())
        for words, match in self._patterns:
            for at in match(whole):
                found.append(words[at])
        counting = [one for one in found if one.counts(sender_id, country, now)]
        if len(counting) > 1:
            counting.sort(key=lambda one: one.rank)
        return tuple(counting)


def said(words: Sequence[Word], *, awaited: bool) -> Said | None:
    """What acts among keywords in their order; any that opts out does, before all others.

    The word that confirms a double opt-in counts only while that is ``awaited``.
    """
    meant = [one for one in words if awaited or not is_confirmation(one)]
    if not meant:
        return None
    acts = next((one for one in meant if OPTOUT in one.actions), meant[0])
    opts = next((one for one in (OPTOUT, OPTIN) if one in acts.actions), None)
    return Said(tuple(meant), acts, opts)


def is_confirmation(word: Word) -> bool:
    """Whether a word is the one that confirms a double opt-in."""
    return word.reserved and word.value == CONFIRM


def _built_in(one: Reserved) -> Word:
    return Word(
        id=f"reserved/{one.value}", name=one.value, value=one.value,
        actions=frozenset({one.action}), reserved=True, language=one.language,
        countries=one.countries,
    )  # fmt: skip


_BUILT_IN: Final = tuple(_built_in(one) for one in RESERVED)
_RESERVED: Final = frozenset(one.value.casefold() for one in RESERVED)
