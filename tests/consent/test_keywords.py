"""Keywords: what counts as saying one, which of several acts, and hostile patterns and texts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.simulated import NEW_YEAR
from scg_core.consent.model import Keyword, KeywordCase, KeywordType
from scg_core.consent.rules.keywords import (
    KeywordSet,
    Word,
    bare,
    normalized,
    read_actions,
    said,
)
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import DAY, Instant, later

PATTERNS = PosixPatterns()
CORPUS = json.loads((Path(__file__).parent / "keywords.json").read_text(encoding="utf-8"))


def keyword(value: str, **fields: Any) -> Keyword:
    """A keyword that is not stored."""
    values: dict[str, Any] = {
        "id": f"id {value}", "name": value, "value": value, "company_id": "acme",
        "created_date": NEW_YEAR, "last_updated_date": NEW_YEAR,
    }  # fmt: skip
    return Keyword(**(values | fields))


def words(*keywords: Keyword) -> KeywordSet:
    """A company's keywords, compiled."""
    return KeywordSet(
        keywords, lambda values, folds: PATTERNS.compile(values, insensitive=folds).match
    )


def heard(
    text: str, *keywords: Keyword, sender: str = "s", country: str = "USA", now: Instant = NEW_YEAR
) -> list[str]:
    """The values of the keywords a text says, in their order."""
    return [one.value for one in words(*keywords).match(text, sender, country, now)]


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", "Stop!", " STOP. ", "“Stop”", "*stop*", "stop 🙏", "🛑 STOP 🛑", "ＳＴＯＰ",
     "s\u200btop", "\ufeffSTOP", "stop\n", "'stop'", "(STOP)", "stop..."],
)  # fmt: skip
def test_a_reserved_word_is_heard_however_it_is_dressed(text: str) -> None:
    """Case, punctuation, quotes, emoji, wide letters and invisible characters do not matter."""
    assert heard(text) == ["STOP"]


@pytest.mark.parametrize(
    "text", ["please don't STOP", "stop it", "non stop", "stops", "s t o p", "", "!", "   "]
)
def test_a_word_within_a_sentence_is_not_heard(text: str) -> None:
    """The whole message is the keyword."""
    assert heard(text) == []


def test_blank_runs_are_one_blank() -> None:
    """OPT OUT is heard with any blanks between."""
    assert heard("opt \t out!") == ["OPT OUT"]


@pytest.mark.parametrize(
    ("texts", "actions"),
    [
        (("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT"),
         {"OPTOUT"}),
        (("START", "UNSTOP", "YES"), {"OPTIN"}),
        (("HELP", "INFO"), {"STORE"}),
    ],
)  # fmt: skip
def test_the_words_that_carriers_require_are_reserved(
    texts: tuple[str, ...], actions: set[str]
) -> None:
    """Everywhere, each with what it does (semantics 8)."""
    for text in texts:
        [word] = words().match(text, "s", "JPN", NEW_YEAR)

        assert (word.value, word.actions, word.reserved) == (text, actions, True)


@pytest.mark.parametrize(
    ("text", "does", "language", "countries"),
    [
        ("ARRET", "OPTOUT", "fr", "BEL CAN CHE FRA LUX MCO"),
        ("ARRÊT", "OPTOUT", "fr", "BEL CAN CHE FRA LUX MCO"),
        ("AIDE", "STORE", "fr", "BEL CAN CHE FRA LUX MCO"),
        ("ALTO", "OPTOUT", "es", "ARG CHL COL ESP MEX PER PRI USA"),
        ("AYUDA", "STORE", "es", "ARG CHL COL ESP MEX PER PRI USA"),
        ("STOPP", "OPTOUT", "de", "AUT CHE DEU"),
        ("HILFE", "STORE", "de", "AUT CHE DEU"),
    ],
)
def test_words_of_a_language_count_where_it_is_spoken(
    text: str, does: str, language: str, countries: str
) -> None:
    """ARRET stops in France, and is a word like any other in the USA or if nobody knows where."""
    said_in = {
        country: word
        for country in [None, *(one.alpha_3 for one in pycountry.countries)]
        for word in words().match(text, "s", country, NEW_YEAR)
    }

    assert set(said_in) == set(countries.split())
    for word in said_in.values():
        assert (word.value, word.actions, word.language) == (text, {does}, language)


def test_a_company_word_keeps_its_punctuation() -> None:
    """Only reserved words lose what is around them."""
    assert heard("sports", keyword("SPORTS")) == ["SPORTS"]
    assert heard("sports!", keyword("SPORTS")) == []
    assert heard("sports", keyword("SPORTS", case=KeywordCase.SENSITIVE)) == []
    assert heard("SPORTS", keyword("SPORTS", case=KeywordCase.SENSITIVE)) == ["SPORTS"]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("^respond.*", "Respond now", "now respond"),
        (".*respond$", "now respond", "respond now"),
        ("[[:alpha:]]+", "abc", "ab1"),
        ("(win|won) [0-9]{1,3}", "WIN 12", "win 1234"),
        ("vote +[1-9]", "vote 3", "vote 0"),
    ],
)
def test_a_pattern_matches_the_whole_text_or_not_at_all(pattern: str, yes: str, no: str) -> None:
    """POSIX classes and counted repeats; blanks are already one."""
    assert heard(yes, keyword(pattern)) == [pattern]
    assert heard(no, keyword(pattern)) == []


@pytest.mark.parametrize("letter", ["a", "é"])
def test_two_thousand_characters_of_a_text_are_looked_at(letter: str) -> None:
    """A pattern that ends with the last of them matches, one that ends later does not."""
    ends = keyword(".*b")

    assert heard(letter * 1_999 + "b", ends) == [".*b"]
    assert heard(letter * 2_000 + "b", ends) == []


def test_capital_letters_count_where_a_pattern_says_so() -> None:
    """SENSITIVE and INSENSITIVE patterns are two sets."""
    one = keyword("a+b", case=KeywordCase.SENSITIVE)

    assert heard("aab", one, keyword("A+B", name="x")) == ["A+B", "a+b"]
    assert heard("AAB", one) == []


def test_validity_is_half_open() -> None:
    """From its first instant on, and not at its last."""
    one = keyword("x", valid_from=NEW_YEAR, valid_to=later(NEW_YEAR, DAY))

    assert heard("x", one) == ["x"]
    assert heard("x", one, now=later(NEW_YEAR, -1)) == []
    assert heard("x", one, now=later(NEW_YEAR, DAY)) == []


def test_a_scoped_keyword_counts_at_its_sender_id_only() -> None:
    """And goes before one for all sender ids there."""
    here, all_ = keyword("win", sender_id="s"), keyword("WIN", id="older")

    assert heard("win", all_, here) == ["win", "WIN"]
    assert heard("win", all_, here, sender="t") == ["WIN"]


def test_the_order_is_reserved_scoped_plain_longest_oldest_id() -> None:
    """Each rule decides where the ones before it do not."""
    found = heard(
        "help",
        keyword("h.*", id="5"),
        keyword("he.*", id="4"),
        keyword("help", id="3", created_date=later(NEW_YEAR, 1)),
        keyword("HELP", id="2"),
        keyword("hel[p]", id="1", sender_id="s"),
    )

    assert found == ["HELP", "hel[p]", "HELP", "help", "he.*", "h.*"]


def test_any_opt_out_acts_before_everything_else() -> None:
    """Also one that is not first; and it beats an opt-in."""
    found = words(
        keyword("bye", actions=("OPTIN",)), keyword("b.e", actions=("OPTOUT", "STORE"))
    ).match("bye", "s", "USA", NEW_YEAR)
    meant = said(found, awaited=False)

    assert meant is not None
    assert (meant.acts.value, meant.opts) == ("b.e", "OPTOUT")
    assert [one.value for one in meant.words] == ["bye", "b.e"]


def test_yes_is_a_word_only_while_it_is_awaited() -> None:
    """Else it is an answer to something else."""
    found = words().match("Yes!", "s", "USA", NEW_YEAR)

    assert said(found, awaited=False) is None
    answer = said(found, awaited=True)
    assert answer is not None and answer.opts == "OPTIN"


ranks = st.builds(
    Word,
    id=st.text(alphabet="abc", min_size=1, max_size=3),
    name=st.just("n"),
    value=st.text(alphabet="xy", min_size=1, max_size=3),
    actions=st.sampled_from([frozenset({"STORE"}), frozenset({"OPTIN"}), frozenset({"OPTOUT"})]),
    reserved=st.booleans(),
    literal=st.booleans(),
    sender_id=st.sampled_from([None, "s"]),
    created=st.integers(0, 2),
)


@given(st.lists(ranks, min_size=1, max_size=8, unique_by=lambda one: one.id), st.randoms())
def test_precedence_is_total_and_does_not_depend_on_the_order_of_arrival(
    given: list[Word], chance: Any
) -> None:
    """No two different keywords have one place, so the same one acts always."""
    ordered = sorted(given, key=lambda one: one.rank)
    shuffled = list(given)
    chance.shuffle(shuffled)

    assert sorted(shuffled, key=lambda one: one.rank) == ordered
    assert len({one.rank for one in given}) == len(given)
    meant = said(ordered, awaited=True)
    assert meant is not None
    if any("OPTOUT" in one.actions for one in given):
        assert meant.opts == "OPTOUT"


@pytest.mark.parametrize("pattern", CORPUS["refused"])
def test_what_is_no_posix_pattern_or_too_large_is_refused(pattern: str) -> None:
    """Back-references, Perl classes, unbalanced brackets, huge repeats: 400, naming ``value``."""
    with pytest.raises(InvalidField) as refused:
        PATTERNS.check(pattern)

    assert refused.value.field == "value"


@pytest.mark.parametrize("pattern", CORPUS["hostile"])
def test_a_hostile_pattern_takes_time_in_proportion_to_the_text(pattern: str) -> None:
    """On the texts that hurt backtracking matchers most."""
    PATTERNS.check(pattern)
    found = words(keyword(pattern))
    texts = ["a" * 26 + "!", "a" * 2_000, "ab" * 1_000, "a" * 1_000_000, "漢" * 2_000]
    best = min(_seconds(found, texts) for _ in range(3))

    assert best < 0.25


def _seconds(found: KeywordSet, texts: list[str]) -> float:
    began = time.process_time()
    for text in texts:
        found.match(text, "s", "USA", NEW_YEAR)
    return time.process_time() - began


def test_a_set_that_would_be_slow_together_is_refused() -> None:
    """Each alone may be; together they may not."""
    with pytest.raises(InvalidField, match="together"):
        words(*[keyword(f"(a|b)*a(a|b){{{100 + n}}}") for n in range(20)])


@given(st.text(alphabet=st.sampled_from("ab.*+?|()[]{}^$\\1,-:é漢 \u200b"), max_size=40))
@settings(max_examples=400)
def test_what_check_lets_pass_compiles(pattern: str) -> None:
    """Any text is a pattern that can be matched, or is refused by name."""
    try:
        PATTERNS.check(pattern)
    except InvalidField as refused:
        assert refused.field == "value"
    else:
        PATTERNS.compile([pattern], insensitive=True).match("a" * 100)


@given(st.text(max_size=200))
def test_any_text_is_normalized_once_and_for_all(text: str) -> None:
    """What is normal stays so, and bare texts have nothing around them to lose."""
    plain = normalized(text)

    assert normalized(plain) == plain
    assert bare(bare(plain)) == bare(plain)


@pytest.mark.parametrize(
    ("given", "read"),
    [("optin, store", ("OPTIN", "STORE")), (["OPTOUT"], ("OPTOUT",)), ("", ("STORE",)),
     ("STORE STORE", ("STORE",)), ([], ("STORE",)), (["optin store"], ("OPTIN", "STORE"))],
)  # fmt: skip
def test_actions_are_a_list_or_a_text_with_commas_or_blanks(
    given: object, read: tuple[str, ...]
) -> None:
    """Any case; nothing means STORE."""
    assert read_actions(given) == read


@pytest.mark.parametrize("given", ["OPTIN OPTOUT", "DANCE", 5, [1], {"a": 1}])
def test_actions_that_are_none_are_refused(given: object) -> None:
    """Unknown ones, opting in and out at once, what is no list."""
    with pytest.raises(InvalidField, match="actions"):
        read_actions(given)


def test_a_reserved_keyword_of_the_operator_is_as_forgiving_as_the_shipped_ones() -> None:
    """It counts for every company."""
    extra = keyword("PARAR", type=KeywordType.RESERVED, actions=("OPTOUT",), company_id="operator")

    assert heard("Parar!", extra) == ["PARAR"]


def test_a_reserved_word_is_heard_however_it_is_typed() -> None:
    """In small letters, with a mark behind it, with its accent or without."""
    assert heard("arret", country="FRA") == ["ARRET"]
    assert heard("Arrêt !", country="CAN") == ["ARRÊT"]
    assert heard("arret") == []
