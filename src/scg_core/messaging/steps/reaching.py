"""Contacts as recipients: which of their addresses a message goes to (semantics 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from scg_core.contacts.model import ApplicationToken, Contact
from scg_core.contacts.rules.delivery import MDN, NEEDED, PUSH, PushToken, Reach, ways
from scg_core.contacts.steps.deriving import rules_for
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, among, eq
from scg_core.kernel.resource import Day, declaration
from scg_core.messaging.model import MessageRequest
from scg_core.messaging.rules.recipients import (
    VOICE_PREFIX,
    Kind,
    Known,
    Recipient,
    numbers_in,
    read_recipients,
    unreachable,
)
from scg_core.messaging.steps.routing import Router
from scg_core.ports.places import Places
from scg_core.templates.rules.language import TEMPLATE, Value
from scg_core.templates.rules.rendering import RECIPIENTS_OWN, Expanded
from scg_core.unit import Unit

_REQUIRE: Final = "REQUIRE_VOICE"
_PREFER: Final = "PREFER_VOICE"
_PRICE: Final = "PRICE"


def located(
    given: Sequence[str], places: Places, country: str | None, *, carries: bool = False
) -> list[Recipient]:
    """Each recipient as given, read and looked up; numbers get MMS if the request ``carries``
    files."""
    numbers = numbers_in(given)
    found = places.locate([number for number in numbers if number is not None], country)
    recipients = read_recipients(given, numbers, found)
    return [as_mms(one) for one in recipients] if carries else recipients


def as_mms(recipient: Recipient) -> Recipient:
    """The recipient of a message that carries files."""
    if recipient.kind is not Kind.SMS or recipient.problem is not None:
        return recipient
    return evolve(recipient, kind=Kind.MMS)


def own_values(unit: Unit, company: str, words: Expanded) -> dict[str, str]:
    """For the contact values that words speak of, the contact's attributes they are.

    Raises:
        InvalidField: a contact has no such attribute (1006).
    """
    slots = rules_for(unit, company).slots
    declared = declaration(Contact).by_wire
    found: dict[str, str] = {}
    for part in words.parts:
        if not isinstance(part, Value) or not part.name.startswith(RECIPIENTS_OWN):
            continue
        name = part.name.removeprefix(RECIPIENTS_OWN)
        attribute = declared.get(name)
        if attribute is None or attribute.type not in (str, Day):
            attribute = declared.get(slots.get(name, ""))
        if attribute is None:
            raise InvalidField("body", f"a contact has no value ${{{part.name}}}", TEMPLATE)
        found[part.name] = attribute.name
    return found


class Reacher:
    """Chooses the addresses of the contacts of one request."""

    def __init__(
        self,
        unit: Unit,
        request: MessageRequest,
        router: Router,
        places: Places,
        values: Mapping[str, str],
    ) -> None:
        self._unit = unit
        self._request = request
        self._router = router
        self._places = places
        self._values = values
        self._carries = bool(request.attachments)
        self._cheapest = request.sender_id_sort_criteria[:1] == (_PRICE,)
        self._pushed = router.has(Kind.PUSH.value)
        self.columns: tuple[str, ...] = (*NEEDED, *sorted(set(values.values()) - set(NEEDED)))

    def contacts(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The company's contacts with these ids, by id."""
        where = [among("id", ids), eq("company_id", self._request.company_id)]
        rows = self._unit.session.rows(Query(Contact, where), self.columns)
        return {row[0]: dict(zip(self.columns, row, strict=True)) for row in rows}

    def literals(
        self, texts: Sequence[str], contacts: Mapping[str, Mapping[str, Any] | None]
    ) -> list[Recipient]:
        """Recipients that were given one by one, contacts among them."""
        if not contacts:
            return self._located(texts)
        known = [one for one in contacts.values() if one is not None]
        reached = self._by_contact(known)
        plain = iter(self._located([one for one in texts if one not in contacts]))
        found: list[Recipient] = []
        for text in texts:
            if text not in contacts:
                found.append(next(plain))
                continue
            values = contacts[text]
            mine = reached.get(values["id"], []) if values is not None else []
            found += mine or [unreachable(text, known=values is not None)]
        return found

    def reached(self, contacts: Sequence[Mapping[str, Any]]) -> list[Recipient]:
        """The recipients that contacts are; who cannot be reached is none."""
        by_contact = self._by_contact(contacts)
        return [one for values in contacts for one in by_contact.get(values["id"], ())]

    def _by_contact(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, list[Recipient]]:
        tokens = self._tokens([values["id"] for values in contacts])
        priority = self._request.contact_delivery_address_priority
        all_ways = [ways(one, tokens.get(one["id"], ()), priority) for one in contacts]
        read = iter(self._located([way.to for found in all_ways for way in found]))
        recipients = [[next(read) for _ in found] for found in all_ways]
        made: dict[str, list[Recipient]] = {}
        for values, found, places in zip(contacts, all_ways, recipients, strict=True):
            chosen = self._choose(values, list(zip(found, places, strict=True)))
            contact = Known(values["id"], values["preferred_language"], self._own(values))
            zone = self._zone(values, chosen)
            more = {"contact": contact} if zone is None else {"contact": contact, "zones": (zone,)}
            made[values["id"]] = [evolve(one, **more) for one in chosen]
        return made

    def _choose(
        self, values: Mapping[str, Any], found: Sequence[tuple[Reach, Recipient]]
    ) -> list[Recipient]:
        """The addresses that a contact gets the message at: one, or each of several tokens."""
        usable = [(way, one) for way, one in found if one.problem is None]
        voice = next((self._spoken(one) for way, one in usable if way.kind == MDN), None)
        preference = values["voice_preference"]
        if preference == _REQUIRE:
            return [] if voice is None else [evolve(voice, at_any_price=True)]
        if preference == _PREFER and voice is not None and self._fits(voice):
            return [voice]
        fitting = [(way, one) for way, one in usable if self._fits(one)]
        if not fitting:
            fitting = [(way, one) for way, one in usable if self._router.has(one.kind.value)]
        if not fitting:
            return []
        best = fitting[0]
        if self._cheapest:
            best = min(fitting, key=lambda pair: self._price(pair[1]))
        if best[0].kind != PUSH:
            return [best[1]]
        return [one for way, one in fitting if way.kind == PUSH]

    def _fits(self, one: Recipient) -> bool:
        return self._router.price(one.kind.value, one.country) is not None

    def _price(self, one: Recipient) -> int:
        return self._router.price(one.kind.value, one.country) or 0

    def _spoken(self, one: Recipient) -> Recipient:
        return self._located([VOICE_PREFIX + one.address])[0]

    def _located(self, texts: Sequence[str]) -> list[Recipient]:
        return located(texts, self._places, self._router.country, carries=self._carries)

    def _tokens(self, ids: Sequence[str]) -> dict[str, list[PushToken]]:
        """The newest token of each contact for each sender address of the request."""
        senders = self._router.addresses(Kind.PUSH.value) if self._pushed else ()
        if not senders or not ids:
            return {}
        where = [among("contact_id", ids), among("sender_id_address", senders)]
        columns = ("contact_id", "message_delivery_provider", "sender_id_address", "token")
        query = Query(ApplicationToken, where, sort=(("last_updated_date", True),))
        found: dict[str, list[PushToken]] = {}
        for contact, provider, sender, token in self._unit.session.rows(query, columns):
            mine = found.setdefault(contact, [])
            if all(one.sender != sender for one in mine):
                mine.append(PushToken(provider, sender, token))
        return found

    def _own(self, values: Mapping[str, Any]) -> Mapping[str, str]:
        return {
            name: values[attribute]
            for name, attribute in self._values.items()
            if values[attribute] is not None
        }

    def _zone(self, values: Mapping[str, Any], chosen: Sequence[Recipient]) -> str | None:
        """The time zone of a contact's zip code, which is nearer than that of a number."""
        code = values["primary_addr_zip"]
        if not code or not chosen:
            return None
        country = values["primary_addr_country"] or chosen[0].country
        return self._places.zone_of_zip(country, code) if country else None
