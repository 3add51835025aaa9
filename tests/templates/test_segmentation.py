"""Segments of a text (semantics 9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core.templates.rules.segmentation import Alphabet, measure, split

GSM, UCS2 = Alphabet.GSM7, Alphabet.UCS2


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("", GSM, 0, 1),
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("a" * 306, GSM, 306, 2),
        ("a" * 307, GSM, 307, 3),
        ("€" * 80, GSM, 160, 1),
        ("€" * 81, GSM, 162, 2),
        ("a" * 152 + "€" + "a" * 152, GSM, 306, 3),
        ("Ω" * 160, GSM, 160, 1),
        ("\f^{}\\[~]|€", GSM, 20, 1),
        ("`" * 70, UCS2, 70, 1),
        ("ж" * 70, UCS2, 70, 1),
        ("ж" * 71, UCS2, 71, 2),
        ("ж" * 134, UCS2, 134, 2),
        ("ж" * 135, UCS2, 135, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 36, UCS2, 72, 2),
        ("ж" * 66 + "😀" + "ж" * 66, UCS2, 134, 3),
        ("a" * 69 + "ç", UCS2, 70, 1),
    ],
)
def test_a_text_has_the_size_that_the_standard_says(
    text: str, alphabet: Alphabet, units: int, segments: int
) -> None:
    """Alphabet, units and segments at every edge."""
    size = measure(text)

    assert (size.alphabet, size.units, size.segments) == (alphabet, units, segments)


@given(st.text(st.sampled_from("a€ж😀[^"), max_size=900))
def test_segments_joined_are_the_text_and_none_is_too_long(text: str) -> None:
    """Nothing is lost, and neither an escape nor a surrogate pair is split."""
    size = measure(text)
    parts = split(text)
    limit = {(GSM, 1): 160, (UCS2, 1): 70}.get((size.alphabet, size.segments))
    limit = limit or {GSM: 153, UCS2: 67}[size.alphabet]

    assert "".join(parts) == text
    assert len(parts) == size.segments
    for part in parts:
        units = (
            sum(2 if c in "\f^{}\\[~]|€" else 1 for c in part)
            if size.alphabet is GSM
            else len(part.encode("utf-16-le")) // 2
        )
        assert units <= limit
