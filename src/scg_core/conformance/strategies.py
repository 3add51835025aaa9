"""Hypothesis strategies for what the engine speaks of, derived from the declarations.

Small things come first, so what fails shrinks to the shortest number, the emptiest resource, the
plainest window. Everything made here is valid: the engine's own readers take it.
"""

from __future__ import annotations

import json
from typing import Any, Final, get_args, get_origin

from hypothesis import strategies as st

from scg_core.conformance.samples import NOW
from scg_core.events.model import EventType, Topic
from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND, Instant, later
from scg_core.kernel.lifecycle import Event, Lifecycle, State
from scg_core.kernel.query import Condition, Op, Query
from scg_core.kernel.resource import (
    Attribute,
    Day,
    JsonObject,
    JsonText,
    Micros,
    R,
    Resource,
    declaration,
    is_enum,
)
from scg_core.ports.events import Parcel
from scg_core.ports.message_transport import Inbound, Receipt, ReceiptKind
from scg_core.ports.voice_transport import (
    Answered,
    Arrived,
    Cause,
    Ended,
    Played,
    Pressed,
    RoomFailed,
    VoiceEvent,
)

_SMALL: Final = 60
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NUMBERS: Final = ("+1415{:07}", "+4477009{:05}", "+336{:08}", "+49151{:08}", "+6141{:07}")
_PLACES: Final = {"+1415{:07}": 2_000_000, "+4477009{:05}": 0, "+336{:08}": 10_000_000,
                  "+49151{:08}": 10_000_000, "+6141{:07}": 0}  # fmt: skip
_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "HOL")
_WHERE: Final = ("DEFAULT", "USA", "GBR", "DEU")


def instants(since: Instant = NOW, within: int = 30 * DAY) -> st.SearchStrategy[Instant]:
    """Instants from one on, to the millisecond; shrinks to the first."""
    return st.integers(0, within).map(lambda ms: later(since, ms))


def clocks(steps: int = 20) -> st.SearchStrategy[list[int]]:
    """How a clock goes: so many milliseconds each time; stands still, ticks, jumps past a lease."""
    jump = st.sampled_from([0, 1, SECOND, MINUTE + SECOND, HOUR, DAY])
    return st.lists(jump, max_size=steps)


def texts(most: int = _SMALL) -> st.SearchStrategy[str]:
    """Texts that can be stored and sent: any characters but halves of pairs and null."""
    characters = st.characters(codec="utf-8", exclude_characters="\0")
    return st.text(characters, max_size=most)


def ids() -> st.SearchStrategy[str]:
    """Ids as the engine makes them: 22 characters, letters and digits."""
    return st.text(_BASE62, min_size=22, max_size=22)


def numbers() -> st.SearchStrategy[str]:
    """Telephone numbers of several countries, in E.164; shrinks to one in California."""

    def number(form: str) -> st.SearchStrategy[str]:
        digits = int(form[form.index(":0") + 2 : -1])
        least = _PLACES[form]
        return st.integers(least, min(10**digits - 1, least * 9 + 99_999)).map(form.format)

    return st.sampled_from(_NUMBERS).flatmap(number)


def windows() -> st.SearchStrategy[dict[str, Any]]:
    """Delivery windows as customers write them (semantics 5)."""
    clock = st.integers(0, 23 * 60 + 59)
    minutes = st.tuples(clock, clock).filter(lambda pair: pair[0] != pair[1])
    interval = minutes.map(lambda pair: "-".join(f"{at // 60:02}:{at % 60:02}" for at in pair))
    days = st.fixed_dictionaries(
        {"OTH": st.lists(interval, max_size=1)},
        optional={day: st.lists(interval, max_size=1) for day in _DAYS},
    )
    return st.fixed_dictionaries({"DEFAULT": days}, optional=dict.fromkeys(_WHERE[1:], days))


def templates() -> st.SearchStrategy[str]:
    """Bodies of templates: words, references, ``#set`` and comments (semantics 9)."""
    word = st.sampled_from(["Hello", "your code is", "ä", "\\$5", "100%", "\n"])
    name = st.sampled_from(["name", "code", "contact.first_name"])
    reference = name.flatmap(lambda one: st.sampled_from([f"${{{one}}}", f"$!{{{one}}}"]))
    setting = st.tuples(st.sampled_from(["x", "y"]), st.integers(0, 99)).map(
        lambda pair: f"#set(${pair[0]}={pair[1]})"
    )
    comment = st.just("## for editors\n")
    return st.lists(st.one_of(word, reference, setting, comment), max_size=8).map(" ".join)


def keywords() -> st.SearchStrategy[str]:
    """Keywords: plain words, and POSIX patterns of them."""
    plain = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=12)
    ends = st.sampled_from(["", ".*", "[0-9]+", "( NOW)?"])
    return st.tuples(plain, ends).map("".join)


def criteria(terms: int = 5) -> st.SearchStrategy[str]:
    """Criteria of dynamic groups as JSON (semantics 10)."""
    short = st.fixed_dictionaries(
        {}, optional={"state": st.sampled_from(["TX", "CA"]), "city": texts(8)}
    ).filter(lambda one: len(one) == 1)
    term = st.builds(
        lambda field, op, value: {"field": field, "op": op, "value": value},
        st.sampled_from(["first_name", "last_name", "primary_mdn"]),
        st.sampled_from(["eq", "ne", "prefix", "contains"]),
        texts(8).filter(bool),
    )
    leaves = st.one_of(short, term)
    tree = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda some: {"and": some}),
            st.lists(inner, min_size=1, max_size=3).map(lambda some: {"or": some}),
            inner.map(lambda one: {"not": one}),
        ),
        max_leaves=terms,
    )
    return tree.map(lambda one: json.dumps(one, ensure_ascii=False))


def receipts(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Receipt]:
    """What a network says of messages with these transport ids, good and bad."""
    return st.builds(Receipt, ids, st.sampled_from(ReceiptKind), instants())


def inbound(to_address: str = "55512") -> st.SearchStrategy[Inbound]:
    """What handsets send to an address: words, opt-outs, opt-ins."""
    said = st.one_of(st.sampled_from(["hello", "STOP", "START", "HELP"]), texts())
    return st.builds(Inbound, numbers(), st.just(to_address), said, instants(), st.none() | ids())


@st.composite
def histories(
    draw: st.DrawFn, table: Lifecycle[State, Event], most: int = 12
) -> tuple[State, list[Event]]:
    """A state in which things of a lifecycle begin, and events that each find a cell of it.

    Shrinks to no event at all; ``functools.reduce(table.step, events, state)`` is where it ends.
    """
    begin = state = draw(st.sampled_from(sorted(table.start)))
    events: list[Event] = []
    for _ in range(draw(st.integers(0, most))):
        if not table.rows[state]:
            break
        events.append(draw(st.sampled_from(list(table.rows[state]))))
        state = table.step(state, events[-1])
    return begin, events


def voice_events(
    legs: st.SearchStrategy[str], to_address: str = "+14155559000"
) -> st.SearchStrategy[VoiceEvent]:
    """What a switch tells of these legs, and of rooms and sounds of the same names."""
    at = instants()
    return st.one_of(
        st.builds(Answered, legs, at),
        st.builds(Ended, legs, at, st.sampled_from(Cause), st.none() | texts()),
        st.builds(Pressed, legs, st.text("0123456789*#", min_size=1, max_size=8), at,
                  st.none() | ids()),
        st.builds(Played, legs, st.none() | legs, at),
        st.builds(RoomFailed, legs, at, st.none() | texts()),
        st.builds(Arrived, ids(), numbers() | st.just(""), st.just(to_address), at),
    )  # fmt: skip


def parcels(subscriptions: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Parcel]:
    """Events on their way to subscriptions, as an adapter of events is given them."""
    facts = st.dictionaries(
        st.text("abcdefghij_", min_size=1, max_size=12), st.none() | st.integers() | texts(),
        max_size=4,
    )  # fmt: skip

    def parcel(facts: dict[str, Any], **given: Any) -> Parcel:
        return Parcel(facts=facts, body=json.dumps(facts), **given)

    return st.builds(
        parcel, facts, id=ids(), event_id=ids(), subscription_id=subscriptions or ids(),
        company_id=st.just("acme"), topic=st.sampled_from(Topic), type=st.sampled_from(EventType),
        subject=ids(), sequence=st.integers(1, 2**31), attempt=st.integers(1, 9), at=instants(),
        secrets=st.lists(ids(), max_size=2).map(tuple),
    )  # fmt: skip


def values(attribute: Attribute) -> st.SearchStrategy[Any]:
    """What a field of a resource may hold in the storage."""
    kind = attribute.type
    base = getattr(kind, "__supertype__", kind)
    if is_enum(kind):
        found: st.SearchStrategy[Any] = st.sampled_from(list(kind))  # type: ignore[call-overload]
    elif kind is Instant:
        found = instants()
    elif kind in (JsonText, JsonObject):
        found = st.dictionaries(st.text("abc", min_size=1, max_size=3), texts(5), max_size=2).map(
            lambda one: json.dumps(one, ensure_ascii=False)
        )
    elif kind is Day:
        found = st.dates().map(lambda day: day.isoformat())
    elif get_origin(kind) is tuple:
        found = st.lists(texts(8), max_size=3, unique=True).map(tuple)
        assert get_args(kind)[0] is str
    elif base is bool:
        found = st.booleans()
    elif kind is Micros or base is int:
        found = st.integers(0, 2**40)
    elif base is float:
        found = st.integers(0, 10**6).map(lambda one: one / 8)
    else:
        found = texts(min(attribute.length or _SMALL, _SMALL))
    return st.none() | found if attribute.optional else found


def resources(kind: type[R], **fixed: Any) -> st.SearchStrategy[R]:
    """Resources of a kind, every field of what its declaration allows; ``fixed`` are given values.

    They are what a storage must be able to keep, not what a customer may ask for. Keys and ids
    are made as the engine makes them.
    """
    declared = declaration(kind)
    if unknown := fixed.keys() - {one.name for one in declared.attributes}:
        raise TypeError(f"{declared.title} has no {', '.join(sorted(unknown))}")
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for one in declared.attributes:
        if one.name in fixed:
            fields[one.name] = st.just(fixed[one.name])
        elif (
            one.name in ("id", declared.key) and getattr(one.type, "__supertype__", one.type) is str
        ):
            fields[one.name] = ids()
        elif one.name == "version_number":
            fields[one.name] = st.integers(1, 9)
        elif not one.derived:
            fields[one.name] = values(one)
    return st.builds(kind, **fields)


def conditions(kind: type[Resource]) -> st.SearchStrategy[Condition]:
    """Conditions on the filterable fields of a kind, nulls among their values."""
    able = [one for one in declaration(kind).attributes if one.filterable and not one.derived]

    def on(attribute: Attribute) -> st.SearchStrategy[Condition]:
        ops = [Op.EQ, Op.NE]
        if get_origin(attribute.type) is tuple:
            return st.builds(Condition, st.just(attribute.name), st.just(Op.HAS), texts(8))
        plain = values(attribute).map(lambda value: getattr(value, "value", value))
        return st.builds(Condition, st.just(attribute.name), st.sampled_from(ops), plain)

    return st.sampled_from(able).flatmap(on)


def queries(kind: type[R]) -> st.SearchStrategy[Query[R]]:
    """Queries with up to three conditions and a page."""
    where = st.lists(conditions(kind), max_size=3)
    return st.builds(
        lambda where, limit, offset: Query(kind, where, limit=limit, offset=offset),
        where, st.none() | st.integers(1, 9), st.integers(0, 5),
    )  # fmt: skip
