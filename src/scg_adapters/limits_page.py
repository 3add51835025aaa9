"""The page ``limits.md`` of the reference: what may be how long or how many, and the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from scg_core.calling.rules import asking
from scg_core.calling.settings import CallSettings
from scg_core.consent.rules import keywords
from scg_core.contacts.rules import criteria, csvfile, jsonpath, lists
from scg_core.contacts.usecases import groups, tokens
from scg_core.events.rules import addresses, signing
from scg_core.events.settings import EventSettings
from scg_core.events.usecases import subscriptions
from scg_core.kernel import jsontext, query
from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND
from scg_core.messaging.rules import recipients, request
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps import answering, carrying, receiving
from scg_core.senders.rules import window
from scg_core.senders.rules.defaults import CLASSES, TYPES
from scg_core.templates.rules import language, rendering, segmentation, validation

_BYTES, _CHARACTERS, _TIME = "bytes", "characters", "time"

LIMITS: Final[tuple[tuple[str, int, str], ...]] = (
    ("a page of a list", query.MAX_LIMIT, "items"),
    ("values of one filter", query.MAX_VALUES, ""),
    ("levels of JSON", jsontext.DEEPEST, ""),
    ("an address of a recipient", recipients.ADDRESS_LENGTH, _CHARACTERS),
    ("a push address", recipients.PUSH_LENGTH, _CHARACTERS),
    ("an idempotency key", request.KEY_LENGTH, _CHARACTERS),
    ("segments of a message", segmentation.MAX_SEGMENTS, ""),
    ("attachments of a message", carrying.MOST, ""),
    ("a template's pattern", language.LONGEST, _CHARACTERS),
    ("a tracked link", language.LONGEST_URL, _CHARACTERS),
    ("templates within templates", rendering.DEEPEST, "levels"),
    ("a rendered body", rendering.MOST_CHARACTERS, _CHARACTERS),
    ("parts of a rendered body", rendering.MOST_PARTS, ""),
    ("parts gone through to render it", rendering.MOST_STEPS, ""),
    ("a value in a body that a validator is held against", validation.LONGEST_VALUE, _CHARACTERS),
    ("a delivery window", window.LARGEST, _CHARACTERS),
    ("a keyword", keywords.LONGEST, _CHARACTERS),
    ("keywords of a company", keywords.MOST, ""),
    ("criteria", criteria.LARGEST, _BYTES),
    ("levels of criteria", criteria.DEEPEST, ""),
    ("terms of criteria", criteria.MOST_TERMS, ""),
    ("a list of a contact (addresses, devices, ...)", lists.LARGEST, _BYTES),
    ("a derivation script", jsonpath.LONGEST, _CHARACTERS),
    ("steps of a derivation script", jsonpath.MOST_STEPS, ""),
    ("a row of a CSV file", csvfile.LONGEST_ROW, _BYTES),
    ("lines of one row of a CSV file", csvfile.MOST_LINES, ""),
    ("cells of one row of a CSV file", csvfile.MOST_CELLS, ""),
    ("contacts put into a group by one call", groups.MOST_AT_ONCE, ""),
    ("application tokens of a contact", tokens.MOST, ""),
    ("a text that is spoken", asking.LONGEST_TEXT, _CHARACTERS),
    ("an address of audio", asking.LONGEST_URL, _CHARACTERS),
        ("an answer timeout", asking.LONGEST_RING, _TIME),
    ("calls on a bridge", asking.BRIDGED, ""),
    ("an address of a receiver of events", addresses.LONGEST_URL, _CHARACTERS),
    ("secrets of a subscription at once", subscriptions.MOST_SECRETS, ""),
)  # fmt: skip

ENDS: Final[tuple[tuple[str, int, str], ...]] = (
    ("a total that is counted exactly", query.EXACT_TOTAL, "items"),
    ("a page of a list unless asked otherwise", query.DEFAULT_LIMIT, "items"),
    ("what is kept of a received body", receiving.LONGEST_BODY, _CHARACTERS),
    ("automatic answers to one address within an hour", answering.MOST_REPLIES, ""),
    ("how far ahead an open window is looked for", window.SEARCHED, _TIME),
    ("what several zones must share of a day, or one of them counts", window.LEAST_A_DAY, _TIME),
    ("what is looked at of a received message", keywords.EXAMINED, _CHARACTERS),
    ("nodes that a derivation looks at", jsonpath.MOST_NODES, ""),
    ("how old or young a signature is that our verifying function takes", signing.TOLERANCE, _TIME),
)  # fmt: skip


def limits() -> Iterator[str]:
    """The lines of the page."""
    yield "What a customer gives beyond these is refused with an error that names the field, before"
    yield "anything is stored; of a file that is imported, the row is. How long a field may be,"
    yield "stands with [the field of the resource](resources.md)."
    yield "\n| what | at most |\n|---|---|"
    yield from (f"| {what} | {_told(value, unit)} |" for what, value, unit in LIMITS)
    yield "\n## Where the engine stops\n\nNothing is refused for these.\n\n| what | |\n|---|---|"
    yield from (f"| {what} | {_told(value, unit)} |" for what, value, unit in ENDS)
    yield f"\nAn answer timeout is at least {_told(asking.SHORTEST_RING, _TIME)}."
    yield "\n## Settings\n\nA host may give others; times are milliseconds."
    for kind in (Settings, CallSettings, EventSettings):
        yield f"\n| `{kind.__name__}` | unless set |\n|---|---|"
        yield from (f"| `{one.name}` | {_shown(one.default)} |" for one in attrs.fields(kind))
    yield "\n## What an operator may load\n\n`operator.load_defaults()` makes these, under the"
    yield "operator's own company; each can be changed, and others added."
    for title, kinds in (("sender id class", CLASSES), ("sender id type", TYPES)):
        yield f"\n| {title} | |\n|---|---|"
        for one in kinds:
            facts = [f"{name} `{_shown(value)}`" for name, value in one.items() if name != "id"]
            yield f"| `{one['id']}` | {'; '.join(facts)} |"


_UNITS: Final = (("days", DAY), ("hours", HOUR), ("minutes", MINUTE), ("seconds", SECOND))


def _told(value: int, unit: str) -> str:
    if unit == _TIME:
        for word, size in _UNITS:
            if value % size == 0 and value >= size:
                return f"{value // size} {word if value > size else word[:-1]}"
    return f"{value:,} {unit}".strip()


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
