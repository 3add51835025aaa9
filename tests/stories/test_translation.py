"""Messages in another language: asked once, marks kept, and sent in any case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_adapters.translation.table import TableTranslator
from scg_core import InvalidField, Settings
from scg_core.messaging.rules.masking import masked, unmasked
from scg_core.ports.translator import Translated
from scg_core.templates.rules.language import Track, Value
from scg_core.templates.rules.rendering import Expanded
from tests.world import World, numbers

TABLE = TableTranslator(
    {
        ("en", "es"): {
            "Hello": "Hola",
            "Hello {{1}}, reply {{2}}": "Responda {{2}}, hola {{1}}",
            "Lost {{1}}": "Perdido",
            "Twice {{1}}": "{{1}} y {{1}}",
            "Long": "x" * 2_000,
        }
    }
)


class Recording:
    """Counts the calls of another translator."""

    def __init__(self, inner: Any = TABLE) -> None:
        self.inner, self.asked = inner, list[tuple[tuple[str, ...], str, str]]()

    def translate(self, texts: Sequence[str], source: str, target: str) -> Sequence[Translated]:
        """What the other says."""
        self.asked.append((tuple(texts), source, target))
        return self.inner.translate(texts, source, target)


class Broken:
    """A translator that raises."""

    def translate(self, texts: Sequence[str], source: str, target: str) -> Sequence[Translated]:
        """Never."""
        raise OSError("gone")


def speaking(url: str, translator: Any) -> World:
    """A world with a translator."""
    settings = Settings(link_base="https://go.example/")
    return World(url, settings=settings, ports={"translator": translator})


def sent(world: World, body: str, *to: str, **fields: Any) -> Any:
    """Send a body in Spanish; the request afterwards."""
    given = {"translate": True, "dst_language": "es"} | fields
    request = world.send(*(to or numbers(1)), body=body, **given)
    world.engine.run_until_idle()
    return world.request(request.id)


def test_a_text_is_translated_once_for_all_its_recipients(url: str) -> None:
    """The count of calls is what is billed; each message says its language."""
    translator = Recording()
    world = speaking(url, translator)
    after = sent(world, "Hello", *numbers(700))

    messages = world.messages(after.id)
    assert {(one.body, one.language, one.failed_translation) for one in messages} == {
        ("Hola", "es", None)
    }
    assert translator.asked == [(("Hello",), "en", "es")]
    assert after.translations_performed_count == 1
    assert (after.translations_count, after.translations_failed_count) == (700, 0)
    assert (after.state, after.delivered_count) == ("COMPLETED", 700)
    world.recount()


def test_values_links_and_keywords_are_not_translated(url: str) -> None:
    """They come back in the places that the other language has for them."""
    world = speaking(url, TABLE)
    after = sent(world, 'Hello #track("https://x.example/"), reply STOP')

    [message] = world.messages(after.id)
    assert (message.body or "").startswith("Responda STOP, hola https://go.example/")


@pytest.mark.parametrize("body", ["Unknown", 'Lost #track("https://x.example/")', "Twice STOP"])
def test_what_cannot_be_translated_is_sent_as_it_is(url: str, body: str) -> None:
    """Not in the table; a mark lost; a mark doubled. The message says why."""
    world = speaking(url, TABLE)
    after = sent(world, body, *numbers(2))

    messages = world.messages(after.id)
    assert all(one.failed_translation and one.language is None for one in messages)
    assert all((one.body or "")[:4] == body[:4] for one in messages)
    assert (after.translations_count, after.translations_failed_count) == (0, 2)
    assert after.translations_performed_count == 1
    assert after.delivered_count == 2


def test_a_translator_that_breaks_does_not_hold_the_message(url: str) -> None:
    """It is sent untranslated."""
    after = sent(speaking(url, Broken()), "Hello")

    assert (after.delivered_count, after.translations_failed_count) == (1, 1)


@pytest.mark.parametrize(
    "answer", [[], [None], ["Hola"], [Translated()], [Translated("a", "b")],
               [Translated("a"), Translated("b")]]
)  # fmt: skip
def test_an_answer_that_is_none_is_a_failure(url: str, answer: Any) -> None:
    """Too few, too many, nothing, or both a text and a failure."""

    class Odd:
        def translate(self, texts: Sequence[str], source: str, target: str) -> Any:
            return answer

    assert sent(speaking(url, Odd()), "Hello").translations_failed_count == 1


def test_nothing_is_asked_where_nothing_is_to_be_done(url: str) -> None:
    """The same language, none, a test, a text without letters, no wish."""
    translator = Recording()
    world = speaking(url, translator)
    sent(world, "Hello", dst_language="en")
    sent(world, "Hello", dst_language=None)
    sent(world, "Hello", test_message_flag=True)
    sent(world, "12:30 :)")
    sent(world, "Hello", translate=False)

    assert translator.asked == []
    assert {one.language for one in world.messages()} == {None}


def test_a_translation_that_is_too_long_fails_its_messages(url: str) -> None:
    """1012, as a text of the customer's own would."""
    world = speaking(url, TABLE)
    after = sent(world, "Long")

    [message] = world.messages(after.id)
    assert message.state == "FAILED"
    assert (message.failure_details or "").startswith("1012")


def test_workers_that_die_with_texts_in_hand_leave_them_to_others(url: str) -> None:
    """Each lease ends, each text is asked for again, and all messages go translated."""
    world = speaking(url, TABLE)
    spanish = {"translate": True, "dst_language": "es"}
    requests = [world.send(*numbers(2, 10 * at), body="Hello", **spanish) for at in range(3)]
    for _ in requests:
        steps = world.engine.pump.round(world.engine.pump.capabilities)
        while next(steps) != "translate":
            pass
        steps.close()
    world.engine.run_until_idle()

    assert {one.body for one in world.messages()} == {"Hola"}
    assert [world.request(one.id).translations_count for one in requests] == [2, 2, 2]
    world.recount()


def test_an_engine_that_has_lost_its_translator_sends_untranslated(url: str) -> None:
    """A request accepted before does not wait for ever."""
    world = speaking(url, TABLE)
    request = world.send("+14155550100", body="Hello", translate=True, dst_language="es")
    world.ports = {}
    other = world.another_engine(world.carrier)
    other.run_until_idle()

    after = world.request(request.id)
    assert (after.delivered_count, after.translations_failed_count) == (1, 1)
    assert after.translations_performed_count == 0


@pytest.mark.parametrize(
    ("field", "fields"),
    [("dst_language", {"dst_language": "no language"}), ("src_language", {"src_language": "x"})],
)
def test_what_is_no_language_is_refused(url: str, field: str, fields: dict[str, Any]) -> None:
    """The error names the field."""
    with pytest.raises(InvalidField) as refused:
        speaking(url, TABLE).send("+14155550100", body="x", translate=True, **fields)

    assert refused.value.field == field


def test_without_a_translator_a_translation_is_refused(world: World) -> None:
    """Never ignored."""
    with pytest.raises(InvalidField, match="translate"):
        world.send("+14155550100", body="x", translate=True, dst_language="es")


words = st.lists(
    st.one_of(
        st.text(alphabet="ab STOP{}1", max_size=8),
        st.builds(Value, st.sampled_from(["contact.a", "contact.b"])),
        st.builds(Track, st.just("https://x.example/")),
    ),
    max_size=8,
)


@given(words)
def test_what_is_masked_comes_back(parts: list[Any]) -> None:
    """Whatever is in the text, also what looks like a mark."""
    given = Expanded(tuple(part for part in parts if part != ""))
    hidden = masked(given, {"STOP"})
    after = unmasked(hidden.text, hidden.held)

    def said(one: Expanded) -> list[Any]:
        return [part for part in one.parts if not isinstance(part, str)]

    assert after is not None
    assert said(after) == said(given)
    assert "".join(p for p in after.parts if isinstance(p, str)) == "".join(
        p for p in given.parts if isinstance(p, str)
    )
