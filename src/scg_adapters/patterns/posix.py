"""Keyword patterns by RE2 in POSIX mode: linear time whatever the pattern and the text.

RE2 refuses back-references and ``\\d``-like classes in this mode, and repeats above 1,000. Linear
is not yet quick: a step costs as much as there are places in the patterns where the text may be at
once. So what follows the plain beginning of each pattern is weighed, and a company's patterns
together have a bound, at which the most hostile text of 2,000 characters takes under 50 ms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import re2

from scg_core.kernel.errors import InvalidField

HEAVIEST: Final = 800
"""What one pattern may weigh: about so many places after its plain beginning."""

HEAVIEST_SET: Final = 800
"""What all patterns of a set may weigh together; a company has two, one for each way with case."""

_LEAST_MEMORY: Final = 1024 * 1024
_MEMORY_EACH: Final = 256
"""Bytes for each instruction, so that the matcher has room for its states and never fails."""
_PLAIN: Final = re.compile(r"\^?[^\\^$.|?*+()\[\]{}]*")
_QUANTIFIER: Final = frozenset("?*+{")
_ANY: Final = re.compile(r"\.|\[\^?\]?(?:\[:[a-z]+:\]|[^\]])*\]")
_LET_BE: Final = frozenset({"", "$", ".*", ".*$", ".+", ".+$"})


class PosixPatterns:
    """``Patterns`` on google-re2."""

    def check(self, pattern: str) -> None:
        """Refuse what is no POSIX extended regular expression, or is too large."""
        if _weight(pattern) > HEAVIEST:
            raise InvalidField("value", "is too complex a pattern")

    def compile(self, patterns: Sequence[str], *, insensitive: bool) -> PosixSet:
        """A set of patterns."""
        if sum(_weight(one) for one in patterns) > HEAVIEST_SET:
            raise InvalidField(
                "value", "is too complex, together with the other patterns; simplify or delete one"
            )
        return PosixSet(patterns, insensitive)


class PosixSet:
    """Patterns compiled together."""

    def __init__(self, patterns: Sequence[str], insensitive: bool) -> None:
        memory = _LEAST_MEMORY + _MEMORY_EACH * sum(_size(one) for one in patterns)
        self._set = re2.Set.FullMatchSet(_options(insensitive, memory))
        for one in patterns:
            self._set.Add(one)
        self._set.Compile()

    def match(self, text: str) -> Sequence[int]:
        """The places of the patterns that match the whole text."""
        found: Sequence[int] | None = self._set.Match(text.encode("utf-8", "replace"))
        return found or ()


def _options(insensitive: bool, memory: int = 8 * _LEAST_MEMORY) -> Any:
    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.never_capture = True
    options.log_errors = False
    options.case_sensitive = not insensitive
    options.max_mem = memory
    return options


def _weight(pattern: str) -> int:
    """About how many places of a pattern a text may be at once."""
    _size(pattern)
    rest = pattern
    if "|" not in pattern:
        plain = _PLAIN.match(pattern)
        end = plain.end() if plain else 0
        if pattern[end : end + 1] in _QUANTIFIER:
            end -= 1
        rest = pattern[max(end, 0) :]
    if rest in _LET_BE:
        return 0
    try:
        return _size(_ANY.sub("(xx)", rest))
    except InvalidField:
        return _size(pattern)


def _size(pattern: str) -> int:
    """How many instructions a pattern compiles to."""
    try:
        compiled = re2.compile(pattern.encode("utf-8", "replace"), _options(True))
    except re2.error as reason:
        said = reason.args[0] if reason.args else ""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise InvalidField("value", f"is no POSIX pattern: {text[:100]}") from None
    return int(compiled.programsize)
