"""A company's keywords, compiled once and again when they have changed, in whatever process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scg_core.consent.model import Keyword, KeywordStamp
from scg_core.consent.rules.keywords import KeywordSet, Match
from scg_core.kernel.query import Query, among, eq
from scg_core.ports.patterns import Patterns
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit

_COMPANIES: Final = 2_000

_Stamp = tuple[int, int]


class KeywordBook:
    """Remembers compiled keywords by company.

    Every change of keywords counts a stamp up in its own transaction; a set counts as long as the
    stamps it was made at are the present ones, so that no process works with old words. A unit
    that changes keywords does not ask the book.
    """

    def __init__(self, patterns: Patterns | None) -> None:
        self.patterns: Final = patterns
        self._made: dict[str, tuple[_Stamp, KeywordSet]] = {}

    def of(self, unit: Unit, company: str) -> KeywordSet:
        """The keywords that count for a company: its own, the operator's, the reserved ones."""
        stamp = _stamp(unit, company)
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


def count_change(unit: Unit, company: str) -> None:
    """Note that a company's keywords have changed."""
    if unit.session.get(KeywordStamp, company) is None:
        unit.add(KeywordStamp(id=company, changes=1, last_updated_date=unit.now))
    else:
        unit.session.increase(KeywordStamp, company, {"changes": 1}, unit.now)


def keyword_count(unit: Unit, company: str, at_most: int) -> int:
    """How many keywords a company has."""
    return unit.session.count(Query(Keyword, [eq("company_id", company)]), at_most=at_most)


def _stamp(unit: Unit, company: str) -> _Stamp:
    query = Query(KeywordStamp, [among("id", {company, OPERATOR})])
    held = dict(unit.session.rows(query, ("id", "changes")))
    return held.get(company, 0), held.get(OPERATOR, 0)
