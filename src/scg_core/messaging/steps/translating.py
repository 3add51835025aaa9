"""The words of a request in another language: looked up, asked for, kept.

A text is translated once a request and language, with its values, links and keywords masked, before
the recipients are fanned out. A translation that fails sends the words as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from scg_core.consent.model import Keyword
from scg_core.consent.rules.keywords import is_literal
from scg_core.consent.rules.reserved import RESERVED
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import MINUTE, later
from scg_core.kernel.query import Query, eq
from scg_core.messaging.model import MessageRequest, WorkKind
from scg_core.messaging.records import Translation
from scg_core.messaging.rules.masking import Masked, masked, unmasked
from scg_core.messaging.steps.wording import words_of
from scg_core.ports.storage import Work
from scg_core.ports.translator import Translated
from scg_core.templates.rules.rendering import Expanded
from scg_core.unit import Unit

LEASE: Final = 10 * MINUTE
"""So long a translator may take."""

TRIES: Final = 3
"""How often a translator is asked that does not come back."""

PATIENCE: Final = (TRIES + 1) * LEASE
"""After so long a fan-out looks again whether its translation has come."""

_LOST: Final = "the translation lost a value, a link or a keyword"
_CHANGED: Final = "the words were changed while they were translated"


@frozen
class Spoken:
    """Words, and in which language: ``language`` if they are translated, ``failure`` if they could
    not be, ``awaits`` if they are still to be."""

    words: Expanded
    language: str | None = None
    failure: str | None = None
    awaits: str | None = None


@frozen
class Task:
    """A text to translate."""

    text: str
    source: str
    target: str
    kept: tuple[str, ...] = ()


def target_of(request: MessageRequest, own: str | None) -> str | None:
    """The language that a message is to be translated into, None for none: the request's, else
    the contact's ``own`` (semantics 11-14)."""
    target = request.dst_language or own
    if not request.translate or not target or target.lower() == request.src_language.lower():
        return None
    return target


def spoken_in(unit: Unit, request: MessageRequest, words: Expanded, target: str) -> Spoken:
    """The words of a request in another language, if they are there by now."""
    held = unit.session.get(Translation, _id(request, target))
    if held is None:
        empty = _masked(unit, request, words).is_empty
        return Spoken(words) if empty else Spoken(words, awaits=target)
    hidden = masked(words, frozenset(held.kept))
    if held.source is not None and hidden.text != held.source:
        return Spoken(words, failure=_CHANGED)
    if held.text is None:
        return Spoken(words, failure=held.failure)
    spoken = unmasked(held.text, hidden.held)
    if spoken is None:
        return Spoken(words, failure=_LOST)
    return Spoken(spoken, target)


def await_translations(
    unit: Unit, work: Work, request: MessageRequest, languages: Iterable[str]
) -> None:
    """Ask for translations; fan-out goes on when one of them is there."""
    for language in sorted(languages):
        unit.later(WorkKind.TRANSLATE, _id(request, language), unit.now)
    unit.session.again(work, later(unit.now, PATIENCE), work.position)


def task_of(unit: Unit, work: Work) -> Task | None:
    """The text of a piece of work; None: nobody wants it any more."""
    id, _, target = work.key.partition("/")
    request = unit.session.get(MessageRequest, id)
    if request is None or unit.session.get(Translation, work.key) is not None:
        return None
    if work.attempt > TRIES:
        _keep(unit, work, Translated(failure="the translator did not come back"), None)
        return None
    try:
        words = words_of(unit, request.company_id, request.body, request.content_type)
    except InvalidField:
        return None  # fan-out tells each message so
    hidden = _masked(unit, request, words)
    kept = tuple(dict.fromkeys(one for one in hidden.held if isinstance(one, str)))
    return Task(hidden.text, request.src_language, target, kept)


def keep_translation(unit: Unit, work: Work, task: Task, answer: Translated) -> None:
    """Keep what came back, count the call, and let fan-out go on.

    Raises:
        LeaseLost: it took longer than the lease; another worker asks again.
    """
    unit.session.complete(work)
    _keep(unit, work, answer, task)
    id = work.key.partition("/")[0]
    unit.session.increase(MessageRequest, id, {"translations_performed_count": 1}, unit.now)
    unit.later(WorkKind.PREPARE, id, unit.now)


def give_up(unit: Unit, work: Work, answer: Translated | None = None) -> None:
    """Nobody is asked (any more): keep what there is, if anything, and let fan-out go on."""
    unit.session.complete(work)
    if answer is not None:
        _keep(unit, work, answer, None)
    unit.later(WorkKind.PREPARE, work.key.partition("/")[0], unit.now)


def _keep(unit: Unit, work: Work, answer: Translated, task: Task | None) -> None:
    unit.add(
        Translation(
            id=work.key,
            source=None if task is None else task.text,
            kept=() if task is None else task.kept,
            text=answer.text,
            failure=answer.failure,
            created_date=unit.now,
        )
    )


def _id(request: MessageRequest, language: str) -> str:
    return f"{request.id}/{language}"


def _masked(unit: Unit, request: MessageRequest, words: Expanded) -> Masked:
    own = unit.once(f"keyword values/{request.company_id}", lambda: _values(unit, request))
    return masked(words, own)


def _values(unit: Unit, request: MessageRequest) -> frozenset[str]:
    where = [eq("company_id", request.company_id)]
    rows = unit.session.rows(Query(Keyword, where), ("value",))
    own = [value.upper() for (value,) in rows if is_literal(value)]
    return frozenset([*own, *(one.value for one in RESERVED)])
