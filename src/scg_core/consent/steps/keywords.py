"""A company's keywords, compiled once and again when they have changed, in whatever process."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from scg_core.consent.model import Keyword, KeywordStamp
from scg_core.consent.rules.keywords import KeywordSet, Match
from scg_core.kernel.query import Condition, Query, among, either, eq
from scg_core.ports.patterns import Patterns
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit

_COMPANIES: Final = 2_000
_CHUNK: Final = 500

_Stamp = tuple[int, int]


class KeywordBook:
    """Remembers compiled keywords by company.

    Every change of keywords stores a new stamp in its own transaction; a set counts as long as the
    stamps it was made at are the present ones, so that no process works with old words.
    """

    def __init__(self, patterns: Patterns | None) -> None:
        self.patterns: Final = patterns
        self._made: dict[str, tuple[_Stamp, KeywordSet]] = {}

    def of(self, unit: Unit, company: str) -> KeywordSet:
        """The keywords that count for a company: its own, the operator's, the reserved ones."""
        stamps = _stamps(unit, [company])
        return self._at(unit, company, (stamps.get(company, 0), stamps.get(OPERATOR, 0)))

    def of_those_with_own(self, unit: Unit, companies: Sequence[str]) -> dict[str, KeywordSet]:
        """The same for each of these companies that ever had keywords of its own."""
        stamps = _stamps(unit, companies)
        common = stamps.pop(OPERATOR, 0)
        return {
            company: self._at(unit, company, (stamp, common)) for company, stamp in stamps.items()
        }

    def _at(self, unit: Unit, company: str, stamp: _Stamp) -> KeywordSet:
        known = self._made.get(company)
        if known is not None and known[0] == stamp:
            return known[1]
        made = compiled(unit, company, self.patterns)
        if len(self._made) >= _COMPANIES:
            self._made.clear()
        self._made[company] = (stamp, made)
        return made


def compiled(unit: Unit, company: str, patterns: Patterns | None) -> KeywordSet:
    """A company's keywords as they are now.

    Raises:
        InvalidField: its patterns are too complex together.
    """
    where = among("company_id", {company, OPERATOR})
    keywords = unit.session.find(Query(Keyword, [where]))
    if patterns is None:
        return KeywordSet(keywords, None)

    def compile(values: Sequence[str], folds: bool) -> Match:
        return patterns.compile(values, insensitive=folds).match

    return KeywordSet(keywords, compile)


def stamp_change(unit: Unit, company: str) -> None:
    """Note that a company's keywords have changed, by a stamp that never comes again.

    A plain count would: after a transaction that failed it is the same once more.
    """
    held = unit.session.get(KeywordStamp, company)
    if held is not None:
        unit.session.remove(held)
    digest = blake2b(unit.new_id().encode(), digest_size=7).digest()
    stamp = int.from_bytes(digest, "big")
    unit.add(KeywordStamp(id=company, stamp=stamp, last_updated_date=unit.now))


def seen_keywords(company: str) -> Condition:
    """What a company sees of keywords: its own, and the reserved ones, which it cannot change."""
    return either(eq("company_id", company), eq("company_id", OPERATOR))


def keyword_count(unit: Unit, company: str, at_most: int) -> int:
    """How many keywords a company has."""
    return unit.session.count(Query(Keyword, [eq("company_id", company)]), at_most=at_most)


def _stamps(unit: Unit, companies: Sequence[str]) -> dict[str, int]:
    """The stamps of these companies' keywords, and of the operator's; none had any without one."""
    found: dict[str, int] = {}
    wanted = [*dict.fromkeys([OPERATOR, *companies])]
    for begin in range(0, len(wanted), _CHUNK):
        query = Query(KeywordStamp, [among("id", wanted[begin : begin + _CHUNK])])
        found.update(unit.session.rows(query, ("id", "stamp")))
    return found
