"""The template language: what it reads, what it refuses, what comes out."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core.kernel.errors import InvalidField
from scg_core.templates.rules.language import (
    Parse,
    Parts,
    Set,
    Track,
    Value,
    read_body,
    read_template,
)
from scg_core.templates.rules.rendering import expand, fill, settled
from scg_core.templates.rules.validation import LONGEST_VALUE, agrees

CORPUS = Path(__file__).parent / "corpus.json"


def rendered(body: str, templates: Mapping[str, str] | None = None, **values: str) -> str:
    """A body filled in."""
    read = {name: read_template(text) for name, text in (templates or {}).items()}
    expanded = expand(read_body(body), values, read.get)
    return fill(expanded, values, lambda track: f"<{track.url}>")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hi ${name}!", ("Hi ", Value("name"), "!")),
        ("Hi $name!", ("Hi ", Value("name"), "!")),
        ("Hi $!{name}", ("Hi ", Value("name", needed=False))),
        (r"\$5 \#1 \\", ("$5 #1 \\",)),
        ("costs $5", ("costs $5",)),
        ("#1 deal # ok", ("#1 deal # ok",)),
        ('#set($a="x")\n${a}', (Set("a", "x"), Value("a"))),
        ('#set($a="say \\"x\\"")', (Set("a", 'say "x"'),)),
        ("#set($a=5.50)", (Set("a", "5.50"),)),
        ('#parse("Other one")', (Parse("Other one"),)),
        ('#track("https://x.example/a?b=c")', (Track("https://x.example/a?b=c"),)),
        ('#trackurl("http://x.example","here")', (Track("http://x.example", "here"),)),
        ("a ## not this\nb", ("a b",)),
        ("${contact.first_name}", (Value("contact.first_name"),)),
        ("", ()),
    ],
)
def test_a_template_is_read_into_parts(text: str, parts: Parts) -> None:
    """Each form of the language."""
    assert read_template(text) == parts


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("#if($x)a#end", 1, 1), ("a\n  #foreach($x in $y)", 2, 3), ("${", 1, 1), ("${1x}", 1, 1),
        ("$name.length()", 1, 1), ("x $list[0]", 1, 3), ("#macro(x)", 1, 1), ("#end", 1, 1),
        ("#include(\"x\")", 1, 1), ("#set($x=$y)", 1, 1), ("#parse($x)", 1, 1),
        ("${a}${b.c.d}", 1, 5), ("$!{", 1, 1), ("#set($x=\"a)", 1, 1),
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_refused_with_its_place(
    text: str, line: int, column: int
) -> None:
    """1006, with line and column; in a body it is plain text."""
    with pytest.raises(InvalidField) as refused:
        read_template(text)

    assert refused.value.error_code == 1006
    assert refused.value.rule.startswith(f"line {line}, column {column}:")


def test_in_a_body_everything_else_is_plain_text() -> None:
    """Nobody's hash tags and prices are lost."""
    for text in ("#if($x) $5 #win ${", "Save $50 now #sale", "a ## b", "$unknown stays", "50% #1"):
        assert rendered(text) == text
    assert rendered('#set($brand="Acme")$brand and $other') == "Acme and $other"
    assert rendered(r"\$brand") == "$brand"


def test_a_body_puts_values_into_a_named_template() -> None:
    """The form of the public samples."""
    body = '#set($Brand="Acme")\n#set($n="3")\n#parse("Order")'
    templates = {"Order": "${Brand}: your $n parcels$!{extra}"}

    assert rendered(body, templates) == "Acme: your 3 parcels"
    assert (
        rendered('#parse("Order")', templates, Brand="B", n="1", extra="!") == "B: your 1 parcels!"
    )


@pytest.mark.parametrize(
    ("body", "templates"),
    [
        ("${missing}", {}),
        ('#parse("nobody")', {}),
        ('#parse("a")', {"a": '#parse("a")'}),
        ('#parse("a")', {"a": '#parse("b")', "b": 'x#parse("a")'}),
        ('#parse("t0")', {f"t{n}": f'#parse("t{n + 1}")' for n in range(9)}),
        ('#parse("t")', {"t": "${missing}"}),
    ],
)
def test_what_cannot_be_filled_in_is_1006(body: str, templates: dict[str, str]) -> None:
    """A missing value, an unknown template, one that contains itself, too many inside another."""
    with pytest.raises(InvalidField) as refused:
        rendered(body, templates)

    assert refused.value.error_code == 1006


@pytest.mark.parametrize("nested", [1, 4, 5, 6, 7])
def test_templates_stand_within_templates_five_deep(nested: int) -> None:
    """The body itself is none; one more is 1006, though each of them could be filled in."""
    templates = {f"t{n}": f'{n}#parse("t{n + 1}")' for n in range(1, nested)} | {f"t{nested}": "!"}

    if nested <= 5:
        assert rendered('#parse("t1")', templates) == "1234"[: nested - 1] + "!"
        return
    with pytest.raises(InvalidField, match="nests templates more than 5 deep") as refused:
        rendered('#parse("t1")', templates)
    assert refused.value.error_code == 1006


def test_a_template_in_itself_is_shown_with_the_way_to_it() -> None:
    """But one that stands twice side by side is not in itself."""
    templates = {"a": 'x#parse("b")', "b": '#parse("a")', "c": "c"}

    with pytest.raises(InvalidField, match="puts a template into itself: a > b > a"):
        rendered('#parse("a")', templates)
    assert rendered('#parse("c")#parse("c")', templates) == "cc"


def test_what_is_the_recipients_own_is_filled_in_for_each() -> None:
    """After the body was put together once; what a contact lacks is 1006, or nothing if asked."""
    body = expand(read_body("Hi ${contact.first_name}$!{contact.title}!"), {}, {}.get)

    for name in ("Ann", "Bob"):
        assert fill(body, {"contact.first_name": name}, str) == f"Hi {name}!"
    with pytest.raises(InvalidField) as refused:
        fill(body, {"contact.title": "Dr"}, str)
    assert refused.value.error_code == 1006


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("${a}${contact.name}-${a}${b}", "AAnn-AB"),
        ("${contact.name}${a}$!{nobody}${b}${contact.name}", "AnnABAnn"),
        (
            '${a}#track("http://x.io")-${b}#track("http://y.io")${a}',
            "A<http://x.io>-B<http://y.io>A",
        ),
        ('$!{nobody}${contact.name}#set($a="S")${a}', "AnnS"),
        ("$!{nobody}", ""),
    ],
)
def test_every_part_stands_where_it_was_put(template: str, text: str) -> None:
    """Texts between what differs from recipient to recipient, and links, keep their places."""
    body = expand(read_template(template), {"a": "A", "b": "B"}, {}.get)

    assert fill(body, {"contact.name": "Ann"}, lambda track: f"<{track.url}>") == text
    known = settled(body, {"contact.name": "Ann"})
    assert fill(known, {}, lambda track: f"<{track.url}>") == text
    assert known.text == (None if known.links else text)


def test_values_are_never_read_as_templates() -> None:
    """Whatever they hold."""
    for value in ("${other}", '#parse("x")', "$name", r"\$", '#track("javascript:x")'):
        assert rendered("${name}", name=value) == value
        assert rendered("${contact.name}", **{"contact.name": value}) == value


def test_growth_is_bounded_while_it_happens() -> None:
    """A billion laughs are refused within milliseconds."""
    laughs = {f"l{n}": f'#parse("l{n + 1}")' * 10 for n in range(4)} | {"l4": "ha" * 50}
    began = time.perf_counter()
    with pytest.raises(InvalidField) as refused:
        rendered('#parse("l0")', laughs)
    assert refused.value.error_code == 1012
    with pytest.raises(InvalidField):
        rendered("${a}" * 1_000, a="x" * 1_000)
    with pytest.raises(InvalidField):
        read_template("x" * 70_000)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("part", "length"),
    [
        ("${word}", 5),
        ("${contact.first_name}", 1),
        ("$!{nobody}", 0),
        ('#track("https://x.example")', 17),
        ('#trackurl("https://x.example","label")', 17),
        ('#parse("Inner")', 6),
        ('#set($word="nothing")', 0),
    ],
)
def test_a_body_grows_to_16000_characters(part: str, length: int) -> None:
    """Whatever is put in counts, wherever it stands; the recipient's own as one, not yet known."""
    values, templates = {"word": "hello"}, {"Inner": read_template("${word}!")}
    for full in ("x" * (16_000 - length) + part, part + "x" * (16_000 - length)):
        expand(read_template(full), values, templates.get)
        with pytest.raises(InvalidField) as refused:
            expand(read_template("x" + full), values, templates.get)

        assert (refused.value.field, refused.value.error_code) == ("body", 1012)


@pytest.mark.parametrize("part", ["${word}", "${contact.name}", '#track("http://x.io")'])
def test_a_body_has_up_to_1000_parts(part: str) -> None:
    """Of any kind; those that leave nothing behind are not among them."""
    full = '#set($word="a")' + part * 1_000
    expand(read_template(full), {}, {}.get)
    with pytest.raises(InvalidField) as refused:
        expand(read_template(full + part), {}, {}.get)

    assert (refused.value.field, refused.value.error_code) == ("body", 1012)


def test_up_to_10000_parts_are_gone_through() -> None:
    """Those that leave nothing behind take time, too: two names, and 4,999 values in each."""
    templates = {"Sets": read_template("#set($a=1)" * 4_999)}
    full = '#parse("Sets")' * 2
    expand(read_template(full), {}, templates.get)
    with pytest.raises(InvalidField) as refused:
        expand(read_template(full + "#set($a=1)"), {}, templates.get)

    assert (refused.value.field, refused.value.error_code) == ("body", 1012)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "ftp://x.example", "//x.example", "http://", "https://a b", "x",
     "https:///", "https:///path", "http://?a", "http://:80/", "http://@",
     "https://x.example/" + "a" * 2_048, "HTTPS://x.example/<script>", "https://[::1/",
     "https://ü..example/", "https://x:99999/", "https://é:port/", "https://x.example:80:80/",
     "https://" + "ü" * 70 + ".example/", "https://x:0/"],
)  # fmt: skip
def test_a_link_that_is_no_http_address_is_1020(url: str) -> None:
    """In templates and bodies alike."""
    for read in (read_template, read_body):
        with pytest.raises(InvalidField) as refused:
            read(f'#track("{url}")')
        assert refused.value.error_code == 1020


words = st.text("abc ${}#.,!\n", min_size=0, max_size=12)
values = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=40)


@given(st.lists(st.text("abc .,!", max_size=9), min_size=1, max_size=6), st.data())
def test_what_a_template_renders_it_also_validates(
    literals: list[str], data: st.DataObject
) -> None:
    """For any values of 1 to 160 characters that are not blank."""
    solid = values.filter(lambda v: v == " ".join(v.split()))
    names = [f"v{n}" for n in range(len(literals) - 1)]
    given_values = {name: data.draw(solid) for name in names}
    pattern = literals[0] + "".join(
        f"${{{name}}}{literal}" for name, literal in zip(names, literals[1:], strict=True)
    )
    parts = read_template(pattern)
    text = fill(expand(parts, given_values, {}.get), {}, str)

    assert agrees(parts, text)


def test_a_text_goes_on_behind_a_link_of_its_template() -> None:
    """A link is as literal as what stands before and after it."""
    parts = read_template('See #track("https://x.example/a") now, ${name}')

    assert agrees(parts, "See https://x.example/a now, Ann")
    assert not agrees(parts, "See https://x.example/a soon, Ann")


def _by_regex(parts: Parts, text: str) -> bool:
    """The same rule in the plainest way, for short texts."""
    found = {0}
    for part in parts:
        if isinstance(part, str):
            found = {at + len(part) for at in found if text.startswith(part, at)}
        else:
            found = {
                end for at in found for end in range(at + 1, min(at + LONGEST_VALUE, len(text)) + 1)
            }
    return len(text) in found


@given(st.lists(st.sampled_from(["a", "b", "ab", "${x}", "${y}"]), min_size=1, max_size=7),
       st.text("ab", max_size=9))  # fmt: skip
def test_the_matcher_agrees_with_the_plainest_one(pieces: list[str], text: str) -> None:
    """Every way to cut the text is considered."""
    parts = read_template("".join(pieces))

    assert agrees(parts, text) == _by_regex(parts, text)


def test_a_hostile_pattern_is_matched_in_no_time() -> None:
    """Ambiguity costs nothing: a regular expression would not come back."""
    parts = read_template("${a}x" * 400)
    began = time.perf_counter()

    assert not agrees(parts, "x" * 8_000 + "y")
    assert time.perf_counter() - began < 0.5


def test_blanks_count_as_one_and_values_have_a_length() -> None:
    """1 to 160 characters; an optional one may be empty."""
    parts = read_template("Dear  ${name},\n your code: $!{code}")

    assert agrees(parts, "Dear Ann, your code: 12")
    assert agrees(parts, "  Dear Ann,  your  code: ")
    assert not agrees(parts, "Dear , your code: 12")
    assert not agrees(parts, f"Dear {'x' * 161}, your code: 12")
    assert not agrees(parts, "Hello Ann, your code: 12")


def test_the_corpus_breaks_nothing() -> None:
    """Texts that were found to be interesting: each is read or refused, and then filled in."""
    for text in json.loads(CORPUS.read_text(encoding="utf-8")):
        _survives(text)


def test_random_texts_of_the_language_break_nothing() -> None:
    """Pieces of the language in any order; what breaks goes into the corpus."""
    chance = random.Random(7)
    pieces = [
        "$",
        "{",
        "}",
        "!",
        "#",
        "set",
        "parse",
        "track",
        "trackurl",
        "(",
        ")",
        '"',
        "\\",
        "a",
        "contact.",
        "=",
        ",",
        "\n",
        " ",
        "https://x.example",
        "##",
        "5",
        "é",
        "\U0001f600",
    ]
    for _ in range(3_000):
        _survives("".join(chance.choices(pieces, k=chance.randint(1, 30))))


def _survives(text: str) -> None:
    for read in (read_template, read_body):
        try:
            parts = read(text)
            fill(expand(parts, {"a": "1"}, {}.get), {"contact.a": "2"}, lambda one: one.url)
        except InvalidField as refused:
            assert refused.error_code in (1006, 1012, 1020)
