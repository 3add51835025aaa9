"""Calls that may be repeated: what an Idempotency-Key was used for."""

from __future__ import annotations

from typing import Final

from scg_core.kernel.errors import Duplicate, NotFound
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, below, eq
from scg_core.kernel.resource import R, declaration
from scg_core.messaging.records import IdempotencyKey
from scg_core.messaging.settings import Settings
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_STALE_KEYS: Final = 5


def made_before(
    unit: Unit, caller: Caller, key: str | None, content: str, kind: type[R], settings: Settings
) -> R | None:
    """What was made under this key, None if it was not used.

    Raises:
        Duplicate: it was used for other content.
        NotFound: what was made is gone.
    """
    if key is None:
        return None
    where = (
        eq("company_id", caller.company_id),
        eq("application_id", caller.application_id),
        eq("value", key),
    )
    for held in unit.session.find(Query(IdempotencyKey, where)):
        if later(held.created_date, settings.idempotency) <= unit.now:
            unit.session.remove(held)
        elif held.digest != content:
            raise Duplicate("request", ("Idempotency-Key",))
        else:
            made = unit.session.get(kind, held.request_id)
            if made is None:
                raise NotFound(declaration(kind).title, held.request_id)
            return made
    return None


def remember_key(
    unit: Unit, caller: Caller, key: str | None, content: str, id: str, settings: Settings
) -> None:
    """Note what was made under a key; a few keys that are too old to count are dropped."""
    if key is None:
        return
    since = unit.now - settings.idempotency
    for old in unit.session.find(
        Query(IdempotencyKey, [below("created_date", since)], limit=_STALE_KEYS)
    ):
        unit.session.remove(old)
    unit.add(
        IdempotencyKey(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            value=key,
            digest=content,
            request_id=id,
            created_date=unit.now,
        )
    )
