"""The words of a request: its body with templates filled in, and whether they are allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.ids import LENGTH
from scg_core.messaging.rules.request import check_body
from scg_core.senders.model import SenderId
from scg_core.templates.rules.language import TEMPLATE, TRACKING, Parse, Parts, read_body
from scg_core.templates.rules.rendering import Expanded, expand, fill
from scg_core.templates.rules.validation import agrees
from scg_core.templates.steps import by_name, validators
from scg_core.unit import Unit

PAIRS = "application/json"
"""The content type of a body that names a template and gives its values."""


def words_of(unit: Unit, company: str, body: str | None, content_type: str | None) -> Expanded:
    """A body with its templates filled in, as they are now.

    Raises:
        InvalidField: there is none, a value is missing, a template is unknown or nested too deep
            (1006), a link cannot be tracked (1020), or it is too large (1012).
    """
    if not body:
        raise InvalidField("body", "is needed; give the text to send")
    parts, values = _read(body, content_type)
    return expand(parts, values, by_name(unit, company))


def check_words(words: Expanded, link_base: str | None) -> int:
    """The number of segments of a body, as far as it is known.

    Raises:
        InvalidField: it has more than ten (1012), nothing is left of it, or it has links to track
            and the engine has no address for them (1020).
    """
    if words.links and link_base is None:
        rule = "has links to track, but the engine was not told what such links begin with"
        raise InvalidField("body", rule, TRACKING)
    return check_body(fill(words, _AnyValue(), lambda _: link(link_base, "x" * LENGTH)))


def link(base: str | None, token: str) -> str:
    """A link that is followed through the engine."""
    return f"{base or ''}{token}"


def disagrees(unit: Unit, sender: SenderId, words: Expanded) -> str | None:
    """Why a body may not be sent from a sender id with validators, or None if it may.

    It is compared before links are replaced.
    """
    patterns = unit.once(
        f"validators/{sender.id}", lambda: validators(unit, sender.message_templates)
    )
    if not patterns:
        return None
    text = fill(words, _AnyValue(), lambda track: track.url)
    if any(agrees(pattern, text) for pattern in patterns):
        return None
    return f"{TEMPLATE} the text agrees with none of the sender id's templates"


class _AnyValue(Mapping[str, str]):
    """Stands for a recipient's values before they are known."""

    def __getitem__(self, name: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _read(body: str, content_type: str | None) -> tuple[Parts, dict[str, str]]:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind != PAIRS:
        return read_body(body), {}
    try:
        given = json.loads(body)
        name, values = given["template"], given.get("values", {})
        pairs = {str(key): _text(value) for key, value in values.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        rule = 'must look like {"template": NAME, "values": {...}} for this content type'
        raise InvalidField("body", rule, TEMPLATE) from None
    if not isinstance(name, str) or set(given) - {"template", "values"}:
        raise InvalidField("body", "must name a template, and nothing but its values", TEMPLATE)
    return (Parse(name),), pairs


def _text(value: object) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise TypeError("no text")
