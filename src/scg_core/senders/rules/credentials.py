"""What a gateway needs to use a sender id: checked against its type, never shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from scg_core.kernel.codec import MASK
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.resource import JsonText


def check_credentials(text: str | None, needed: Sequence[str]) -> None:
    """Refuse credentials that lack a parameter.

    ``needed`` has the parameters of each delivery provider, separated by commas; the credentials
    are an array with an object for each provider that is used (one object alone is read as such).

    Raises:
        InvalidField: it names the parameter.
    """
    if not needed:
        return
    objects = _objects(text)
    if not objects:
        raise InvalidField("credentials", f"are needed: {' or '.join(needed)}")
    wanted = [_names(one) for one in needed]
    for at, given in enumerate(objects):
        missing = [[name for name in names if not given.get(name)] for names in wanted]
        least = min(missing, key=len)
        if least:
            raise InvalidField(f"credentials[{at}].{least[0]}", "is needed by the sender id's type")


def unmasked(given: JsonText | None, held: JsonText | None) -> JsonText | None:
    """What is meant by credentials that come back: where they are masked, they are unchanged.

    Raises:
        InvalidField: a mask stands where nothing is held, or in a list of another length.
    """
    if not given or MASK not in given:
        return given
    restored = _restore(json.loads(given), json.loads(held) if held else None)
    return JsonText(json.dumps(restored, ensure_ascii=False, separators=(",", ":")))


def _objects(text: str | None) -> list[Mapping[str, Any]]:
    value = json.loads(text) if text else None
    found = value if isinstance(value, list) else [value] if value else []
    if not all(isinstance(one, dict) for one in found):
        raise InvalidField("credentials", "must be an array of objects, one for each provider")
    return found


def _names(needed: str) -> list[str]:
    return [name.strip() for name in needed.split(",") if name.strip()]


def _restore(given: Any, held: Any) -> Any:
    if isinstance(given, dict) and isinstance(held, dict):
        return {name: _restore(one, held.get(name)) for name, one in given.items()}
    if isinstance(given, list) and isinstance(held, list):
        if len(given) == len(held):
            return [_restore(one, held[at]) for at, one in enumerate(given)]
        held = None
    if MASK in json.dumps(given) and (held is None or given != MASK or not isinstance(held, str)):
        raise InvalidField("credentials", f"write the values; {MASK} stands only for what is there")
    return held if given == MASK else given
