"""From what a request names to recipients: literals, contacts, groups and criteria, in order.

Literals come first in the order they were given, each group in its place, then the group of
``contact_group_id``, then whoever meets the criteria. A page at a time; where it stands within a
group is kept with the request, so that a million contacts take no more memory than a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from scg_core.contacts.model import ContactGroup, GroupStatus
from scg_core.contacts.steps.members import Who, last_contact, part_of, who_meet, who_of
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.ids import is_id
from scg_core.kernel.query import Query, among, at_most, eq
from scg_core.kernel.resource import evolve
from scg_core.messaging.model import MessageRequest
from scg_core.messaging.records import Expansion, RecipientPage
from scg_core.messaging.rules.recipients import CONTACT, GROUP, Recipient
from scg_core.messaging.steps.reaching import Reacher
from scg_core.unit import Unit


@frozen
class Batch:
    """Some recipients, where the fan-out stands after them, and whether these were the last.

    ``waits``: a group is still being filled. ``gone``: what the request names is no longer there.
    """

    recipients: tuple[Recipient, ...]
    position: int
    last: bool
    waits: bool = False
    gone: bool = False
    within: Expansion | None = None
    consumed: RecipientPage | None = None


class Source:
    """The recipients of one request."""

    def __init__(self, unit: Unit, request: MessageRequest, reacher: Reacher, page: int) -> None:
        self._unit = unit
        self._request = request
        self._reacher = reacher
        self._page = page
        self.resumed = False

    def batch(self, position: int) -> Batch:
        """The recipients from a position on; nothing is stored before ``keep``."""
        request = self._request
        if position < request.staged_count:
            return self._literals(position)
        if position == request.staged_count:
            if not request.contact_group_id:
                return self.batch(position + 1)
            return self._group(position, request.contact_group_id)
        if position == request.staged_count + 1 and request.criteria:
            try:
                who = who_meet(self._unit, request.company_id, request.criteria)
            except InvalidField:  # a fast-access attribute they speak of is gone
                return Batch((), position, last=True, gone=True)
            return self._contacts(position, who)
        return Batch((), position, last=True)

    def named(self) -> list[Recipient]:
        """The recipients that the request names one by one; groups are left out."""
        texts = self._request.to
        contacts, groups = self._named(texts)
        return self._reacher.literals([one for one in texts if one not in groups], contacts)

    def keep(self, batch: Batch) -> None:
        """Note how far a batch has come."""
        if batch.consumed is not None:
            self._unit.session.remove(batch.consumed)
        held = self._unit.session.get(Expansion, self._request.id)
        if held is not None:
            self._unit.session.remove(held)
        if batch.within is not None:
            self._unit.add(batch.within)

    def _literals(self, position: int) -> Batch:
        texts, page = self._texts(position)
        if not texts:
            return Batch((), self._request.staged_count, last=False)
        contacts, groups = self._named(texts)
        if self._vanished(position, texts, groups):
            return Batch((), position, last=True, gone=True)
        at = next((i for i, one in enumerate(texts) if one in groups), len(texts))
        if at == 0:
            return self._group(position, groups[texts[0]], consumed=self._done(page, position + 1))
        some = texts[:at]
        recipients = self._reacher.literals(some, contacts)
        end = position + len(some)
        return Batch(tuple(recipients), end, self._is_last(end), consumed=self._done(page, end))

    def _vanished(self, position: int, texts: Sequence[str], groups: Mapping[str, str]) -> bool:
        """Whether a group that was named, or is half expanded, is no longer there."""
        if any(_is_group(one) and one not in groups for one in texts):
            return True
        held = self._unit.session.get(Expansion, self._request.id)
        return held is not None and held.position == position and texts[0] not in groups

    def _texts(self, position: int) -> tuple[tuple[str, ...], RecipientPage | None]:
        """Recipients as given: those the request echoes, else those of a staged page."""
        request = self._request
        if request.staged_count <= len(request.to):
            return request.to[position : position + self._page], None
        where = (eq("request_id", request.id), at_most("start", position))
        query = Query(RecipientPage, where, sort=(("start", True),), limit=1)
        found = self._unit.session.find(query)
        if not found or found[0].start + found[0].count <= position:
            return (), None
        return found[0].recipients[position - found[0].start :], found[0]

    @staticmethod
    def _done(page: RecipientPage | None, end: int) -> RecipientPage | None:
        """A staged page of which everything has been expanded."""
        return page if page is not None and end >= page.start + page.count else None

    def _is_last(self, end: int) -> bool:
        request = self._request
        return end >= request.staged_count and not (request.contact_group_id or request.criteria)

    def _named(
        self, texts: Sequence[str]
    ) -> tuple[dict[str, Mapping[str, Any] | None], dict[str, str]]:
        """Of texts that name contacts the values of these (None: there is none), and of texts
        that name groups the ids of these."""
        marked = {one: _id_in(one) for one in texts if not one[:1].isdigit() and one[:1] != "+"}
        bare = {one: one.strip() for one in texts if one not in marked and is_id(one.strip())}
        ids = {text: found for text, found in {**marked, **bare}.items() if found}
        contacts: dict[str, Mapping[str, Any] | None] = {}
        groups: dict[str, str] = {}
        if not ids:
            return contacts, groups
        wanted = [id for text, id in ids.items() if not _is_group(text)]
        held = self._reacher.contacts(wanted) if wanted else {}
        own = [eq("company_id", self._request.company_id)]
        rest = [id for text, id in ids.items() if not _is_contact(text) and id not in held]
        query = Query(ContactGroup, [among("id", rest), *own])
        known = {id for (id,) in self._unit.session.rows(query, ("id",))} if rest else set()
        for text, id in ids.items():
            if id in held and not _is_group(text):
                contacts[text] = held[id]
            elif id in known and not _is_contact(text):
                groups[text] = id
            elif _is_contact(text):
                contacts[text] = None
        return contacts, groups

    def _group(self, position: int, group_id: str, consumed: RecipientPage | None = None) -> Batch:
        group = self._unit.session.get(ContactGroup, group_id)
        if group is None or group.company_id != self._request.company_id:
            return Batch((), position, last=True, gone=True)
        if group.status is GroupStatus.PROCESSING:
            return Batch((), position, last=False, waits=True)
        try:
            who = who_of(self._unit, group)
        except InvalidField:
            return Batch((), position, last=True, gone=True)
        return self._contacts(position, who, consumed)

    def _contacts(self, position: int, who: Who, consumed: RecipientPage | None = None) -> Batch:
        """The next contacts of a group, or of those who meet criteria."""
        held = self._unit.session.get(Expansion, self._request.id)
        if held is None or held.position != position:
            until = last_contact(self._unit, who)
            held = Expansion(id=self._request.id, position=position, after="", until=until)
        else:
            self.resumed = True
        columns = self._reacher.columns
        part = part_of(self._unit, who, columns, held.after, held.until, self._page)
        rows = [dict(zip(columns, row, strict=True)) for row in part.rows]
        recipients = tuple(self._reacher.reached(rows))
        if part.after is not None:
            within = evolve(held, after=part.after)
            return Batch(recipients, position, last=False, within=within)
        end = position + 1
        last = self._is_last(end) or end > self._request.staged_count + 1
        return Batch(recipients, end, last, consumed=consumed)


def _id_in(text: str) -> str | None:
    """The id in a text that names a contact or a group."""
    trimmed = text.strip()
    for prefix in (CONTACT, GROUP):
        if trimmed.startswith(prefix):
            return trimmed.removeprefix(prefix).strip() or None
    return trimmed if is_id(trimmed) else None


def _is_contact(text: str) -> bool:
    return text.strip().startswith(CONTACT)


def _is_group(text: str) -> bool:
    return text.strip().startswith(GROUP)
