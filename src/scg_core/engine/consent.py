"""A company's keywords, and the consent of the people it writes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.consent.model import AddressHistory, AddressStatus, Keyword
from scg_core.consent.steps.keywords import seen_keywords
from scg_core.consent.steps.standing import where_they_lie
from scg_core.consent.usecases import keywords, statuses
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel.query import Query
from scg_core.tenancy.model import Caller


class Keywords(Collection[Keyword]):
    """A company's keywords, and the reserved ones, which it cannot change."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Keyword, seen_keywords(caller.company_id))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Keyword:
        """Make a keyword from a ``name`` and a ``value``: a word, or a POSIX pattern.

        Raises:
            InvalidField: it names the field.
            Forbidden: it is to be RESERVED.
            Duplicate: the name is taken, the value at this sender id is, or the word is reserved.
        """
        with self._engine.transaction("create_keyword") as unit:
            patterns = self._engine.sources.keywords.patterns
            return keywords.create_keyword(unit, self._caller, {**fields, **named}, patterns)

    def update(
        self, keyword_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Keyword:
        """Change what is given of a keyword.

        Raises:
            NotFound: the company sees no such keyword.
            Forbidden: it is reserved.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            Duplicate: the name is taken, the value at this sender id is, or the word is reserved.
        """
        return self._change(keyword_id, {**fields, **named}, whole=False)

    def replace(
        self, keyword_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Keyword:
        """Replace a keyword; what is not given becomes what it is at first.

        Raises:
            NotFound: the company sees no such keyword.
            Forbidden: it is reserved.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            Duplicate: the name is taken, the value at this sender id is, or the word is reserved.
        """
        return self._change(keyword_id, {**fields, **named}, whole=True)

    def delete(self, keyword_id: str, /, *, version_number: object = None) -> None:
        """Delete a keyword.

        Raises:
            NotFound: the company sees no such keyword.
            Forbidden: it is reserved.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_keyword") as unit:
            keywords.delete_keyword(unit, self._caller, keyword_id, version_number)

    def _change(self, keyword_id: str, given: Mapping[str, object], *, whole: bool) -> Keyword:
        patterns = self._engine.sources.keywords.patterns
        with self._engine.transaction("update_keyword") as unit:
            return keywords.update_keyword(
                unit, self._caller, keyword_id, given, patterns, whole=whole
            )


class AddressStatuses(Collection[AddressStatus]):
    """How the people that a company writes to stand, by address and sender id."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, AddressStatus)

    def _listing(
        self, filters: Mapping[str, object], sort: str | None, limit: int, offset: int
    ) -> Query[AddressStatus]:
        """The usual query, kept to where the company's own statuses lie."""
        known = statuses.known_types(filters)
        query = super()._listing(known, sort, limit, offset)
        return query.also(where_they_lie(self._caller.company_id, known))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> AddressStatus:
        """Say how an ``address`` stands with a ``sender_id``, or ask it for a double opt-in.

        Raises:
            InvalidField: it names the field.
            Forbidden: the customer may not give this status.
            Duplicate: the address has a status there already; update that one.
            IllegalTransition: the person opted out: they are not asked.
        """
        with self._engine.transaction("create_status") as unit:
            given, places = {**fields, **named}, self._engine.sources.places
            return statuses.create_status(unit, self._caller, given, places)

    def update(
        self, status_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> AddressStatus:
        """Set the ``consent_status`` of an address.

        Raises:
            NotFound: the company has no such status.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: another field is changed.
            Forbidden: the customer may not give this status.
        """
        with self._engine.transaction("update_status") as unit:
            return statuses.update_status(unit, self._caller, status_id, {**fields, **named})

    def delete(self, status_id: str, /, *, version_number: object = None) -> None:
        """Forget how an address stands; its history stays.

        Raises:
            NotFound: the company has no such status.
            StaleData: a version is given and is not the present one.
            Forbidden: the person opted out, and the engine manages consent.
        """
        with self._engine.transaction("delete_status") as unit:
            statuses.delete_status(unit, self._caller, status_id, version_number)

    def opt_out(self, sender_id: str, addresses: Sequence[str]) -> int:
        """Opt up to 10,000 addresses out at once; for how many that was new.

        Raises:
            InvalidField: there are none or too many, one is no address, or no such sender id.
        """
        with self._engine.transaction("opt_out") as unit:
            places = self._engine.sources.places
            return statuses.opt_out(unit, self._caller, sender_id, addresses, places)


class AddressHistories(Collection[AddressHistory]):
    """What people said and what was changed of their consent; nobody can change it."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, AddressHistory)
