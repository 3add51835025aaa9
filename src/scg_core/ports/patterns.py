"""Patterns of keywords: POSIX extended regular expressions, matched in linear time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class PatternSet(Protocol):
    """Some compiled patterns, asked all at once."""

    def match(self, text: str) -> Sequence[int]:
        """The places of the patterns that match the whole text, in any order.

        Laws:
            - ``a_pattern_matches_the_whole_text_or_not_at_all``
            - ``a_hostile_pattern_takes_time_in_proportion_to_the_text``
        """
        ...


class Patterns(Protocol):
    """Compiles patterns; pure, so a use case may ask."""

    def check(self, pattern: str) -> None:
        """Refuse what is no POSIX extended regular expression, or is too large.

        Laws:
            - ``what_check_lets_pass_compiles``
            - ``what_is_no_pattern_is_refused``

        Raises:
            InvalidField: the field is ``value``; it says what is wrong.
        """
        ...

    def compile(self, patterns: Sequence[str], *, insensitive: bool) -> PatternSet:
        """A set of patterns; ``insensitive`` ones match capital and small letters alike.

        Laws:
            - ``each_pattern_is_named_by_its_place``
            - ``insensitive_patterns_match_either_case``

        Raises:
            InvalidField: together they are too large.
        """
        ...
