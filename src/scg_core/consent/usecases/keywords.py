"""Making, changing and deleting keywords, and the operator's own texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.consent.model import ConsentText, Keyword, KeywordType
from scg_core.consent.rules.keywords import (
    MOST,
    check_value,
    is_literal,
    is_reserved,
    read_actions,
)
from scg_core.consent.rules.reserved import RESERVED
from scg_core.consent.steps.keywords import compiled, keyword_count, seen_keywords, stamp_change
from scg_core.consent.steps.texts import text_id
from scg_core.kernel import codec
from scg_core.kernel.errors import Duplicate, Forbidden, InvalidField
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Writer
from scg_core.ports.patterns import Patterns
from scg_core.senders.model import SenderId, SenderIdClass
from scg_core.templates.steps import by_name
from scg_core.tenancy.model import OPERATOR, Caller
from scg_core.unit import Unit

_TITLE: Final = Keyword.__declaration__.title


def create_keyword(
    unit: Unit, caller: Caller, given: Mapping[str, object], patterns: Patterns | None
) -> Keyword:
    """Make a keyword.

    Raises:
        InvalidField: it names the field; the value is no word and no POSIX pattern, the template
            does not exist, or there are 1,000 keywords already.
        Forbidden: it is to be RESERVED.
        Duplicate: the name is taken, the value at this sender id is, or the word is reserved.
    """
    values = _read(given, caller)
    codec.mandatory(Keyword, values, Writer.CUSTOMER)
    values = {name: value for name, value in values.items() if value is not None}
    _check(unit, caller, values, patterns)
    if keyword_count(unit, caller.company_id, MOST) >= MOST:
        raise InvalidField("value", f"is one too many; {MOST} keywords are allowed")
    _refuse_a_second(unit, caller, values)
    made = unit.add(
        Keyword(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )
    _changed(unit, made, patterns)
    return made


def update_keyword(
    unit: Unit,
    caller: Caller,
    keyword_id: str,
    given: Mapping[str, object],
    patterns: Patterns | None,
    *,
    whole: bool = False,
) -> Keyword:
    """Change a keyword; ``whole`` replaces it, and what is not given becomes what it is at first.

    Raises:
        NotFound: the company sees no such keyword.
        Forbidden: it is reserved, or is to be.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
        Duplicate: the name is taken, the value at this sender id is, or the word is reserved.
    """
    keyword = _own(unit, caller, keyword_id)
    unit.check_version(keyword, given.get("version_number"))
    values = _read({n: v for n, v in given.items() if n != "version_number"}, caller)
    changes = codec.changes(keyword, values, whole=whole)
    if not changes:
        return keyword
    _check(unit, caller, changes, patterns)
    merged = {name: getattr(keyword, name) for name in ("value", "sender_id")} | changes
    _check_dates({n: getattr(keyword, n) for n in ("valid_from", "valid_to")} | changes)
    _refuse_a_second(unit, caller, merged, but=keyword.id)
    after = unit.save(keyword, **changes)
    _changed(unit, after, patterns)
    return after


def delete_keyword(unit: Unit, caller: Caller, keyword_id: str, seen: object = None) -> None:
    """Delete a keyword.

    Raises:
        NotFound: the company sees no such keyword.
        Forbidden: it is reserved.
        StaleData: ``seen`` is given and is not the present version.
    """
    keyword = _own(unit, caller, keyword_id)
    unit.check_version(keyword, seen)
    unit.session.remove(keyword)
    stamp_change(unit, caller.company_id)


def load_reserved(unit: Unit) -> None:
    """Show the reserved words in lists; they count with or without it."""
    for one in RESERVED:
        same = [eq("company_id", OPERATOR), eq("name", one.value)]
        if not unit.session.count(Query(Keyword, same), at_most=1):
            unit.add(
                Keyword(
                    id=unit.new_id(), name=one.value, value=one.value, actions=(one.action,),
                    type=KeywordType.RESERVED, company_id=OPERATOR, created_date=unit.now,
                    last_updated_date=unit.now,
                )
            )  # fmt: skip
    stamp_change(unit, OPERATOR)


def put_text(unit: Unit, given: Mapping[str, object]) -> ConsentText:
    """Say what is sent as PROMPT, WELCOME, CONFIRMATION or HELP; it replaces what was said before.

    Raises:
        InvalidField: it names the field.
    """
    values = codec.read(ConsentText, given, writer=Writer.OPERATOR)
    codec.mandatory(ConsentText, values, Writer.OPERATOR)
    values = {name: value for name, value in values.items() if value is not None}
    if "text" not in values:
        raise InvalidField("text", "is needed; an empty one says that nothing is sent")
    if len(values["text"]) > 1_000:
        raise InvalidField("text", "must have at most 1,000 characters")
    id = _text_of(unit, values)
    held = unit.session.get(ConsentText, id)
    if held is not None:
        unit.session.remove(held)
    return unit.add(ConsentText(id=id, created_date=unit.now, **values))


def remove_text(unit: Unit, given: Mapping[str, object]) -> int:
    """Take an automatic text out, so that the usual one is sent; how many there were.

    Raises:
        InvalidField: it names the field.
    """
    named = {name: value for name, value in given.items() if name != "text"}
    values = codec.read(ConsentText, named, writer=Writer.OPERATOR)
    codec.mandatory(ConsentText, values, Writer.OPERATOR)
    values = {name: value for name, value in values.items() if value is not None}
    held = unit.session.get(ConsentText, _text_of(unit, values))
    if held is None:
        return 0
    unit.session.remove(held)
    return 1


def _text_of(unit: Unit, values: dict[str, Any]) -> str:
    """The id of the text that these values name; the language is written small."""
    class_id, language = values.get("class_id"), values.get("language", "en").strip().lower()
    if class_id is not None and unit.session.get(SenderIdClass, class_id) is None:
        raise InvalidField("class_id", f"no sender class has the id {class_id[:64]!r}")
    if not language:
        raise InvalidField("language", "is empty; write a language such as en")
    values["language"] = language
    return text_id(values["kind"], class_id, language)


def _read(given: Mapping[str, object], caller: Caller) -> dict[str, Any]:
    actions = given.get("actions")
    known = dict(given) if actions is None else {**given, "actions": read_actions(actions)}
    for name in ("sender_id", "reply_template"):
        if known.get(name) == "":
            known[name] = None  # clients write nothing so
    return codec.read(Keyword, known, lenient=caller.lenient)


def _own(unit: Unit, caller: Caller, keyword_id: str) -> Keyword:
    scope = seen_keywords(caller.company_id)
    keyword = unit.get(Keyword, caller.company_id, keyword_id, scope=scope)
    if keyword.company_id != caller.company_id:
        raise Forbidden("id", "is a reserved keyword, which is the same for all")
    return keyword


def _check(
    unit: Unit, caller: Caller, values: Mapping[str, Any], patterns: Patterns | None
) -> None:
    operator = caller.company_id == OPERATOR
    if values.get("type") is KeywordType.RESERVED and not operator:
        raise Forbidden("type", "RESERVED keywords are the platform's; leave it out")
    if "value" in values:
        check_value(values["value"])
        if not is_literal(values["value"]):
            if patterns is None:
                raise InvalidField("value", "is a pattern, but the engine has no Patterns port")
            patterns.check(values["value"])
    if values.get("sender_id"):
        found = unit.session.get(SenderId, values["sender_id"])
        if found is None or found.company_id != caller.company_id:
            raise InvalidField("sender_id", "is no sender id of the company")
    reply = values.get("reply_template")
    if reply and by_name(unit, caller.company_id)(reply) is None:
        raise InvalidField("reply_template", "names no TEMPLATE of the company")
    _check_dates(values)


def _check_dates(values: Mapping[str, Any]) -> None:
    begin, end = values.get("valid_from"), values.get("valid_to")
    if begin is not None and end is not None and end <= begin:
        raise InvalidField("valid_to", "must be after valid_from")


def _refuse_a_second(
    unit: Unit, caller: Caller, values: Mapping[str, Any], but: str | None = None
) -> None:
    if caller.company_id != OPERATOR and is_reserved(values["value"]):
        raise Duplicate(_TITLE, ("value",))
    checks: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"value": values["value"], "sender_id": values.get("sender_id")}, ("value", "sender_id"))
    ]
    if "name" in values:
        checks.append(({"name": values["name"]}, ("name",)))
    for same, named in checks:
        where = [eq("company_id", caller.company_id), *(eq(*pair) for pair in same.items())]
        for (id,) in unit.session.rows(Query(Keyword, where), ("id",)):
            if id != but:
                raise Duplicate(_TITLE, named)


def _changed(unit: Unit, keyword: Keyword, patterns: Patterns | None) -> None:
    """Count the change, and see that all the company's patterns still compile together."""
    stamp_change(unit, keyword.company_id)
    if not is_literal(keyword.value):
        compiled(unit, keyword.company_id, patterns)
