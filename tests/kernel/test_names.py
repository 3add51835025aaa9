"""The names that are stored and sent stay what they are: another name is another API."""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum

import pytest

import scg_core

OWN = {
    "Left": {"SOME": "others remain", "NONE": "nobody remains"},
    "Topic": {"MESSAGE": "SCG-Message", "KEYWORD": "SCG-Keyword", "VOICE": "SCG-Voice-Call",
              "CONSENT": "SCG-Consent"},
    "EventType": {"MEMBER_STATE_CHANGE": "conference_member_state_change"},
    "Kind": {"PUSH": "PSH", "FACEBOOK": "FB", "WECHAT": "WE"},
    "Alphabet": {"GSM7": "GSM-7", "UCS2": "UCS-2"},
}  # fmt: skip
"""What is called otherwise on the wire than in the code."""


def _enumerations() -> dict[str, type[StrEnum]]:
    found: dict[str, type[StrEnum]] = {}
    for module in pkgutil.walk_packages(scg_core.__path__, "scg_core."):
        if ".conformance" not in module.name:
            found |= {
                kind.__name__: kind
                for kind in vars(importlib.import_module(module.name)).values()
                if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
            }
    return found


ENUMERATIONS = _enumerations()


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_an_enumeration_says_what_its_names_say(name: str) -> None:
    """In capitals, in small letters or with one capital, the same for the whole of it."""
    own = OWN.get(name, {})
    plain = {one.name: one.value for one in ENUMERATIONS[name] if one.name not in own}
    ways = [
        {key: key for key in plain}, {key: key.lower() for key in plain},
        {key: key.capitalize() for key in plain},
    ]  # fmt: skip

    assert plain in ways
    assert {one.name: one.value for one in ENUMERATIONS[name] if one.name in own} == own
