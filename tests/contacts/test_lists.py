"""A contact's lists: what is one, and how large it may be."""

from __future__ import annotations

import pytest

from scg_core.contacts.rules.lists import LISTS, check_lists
from scg_core.kernel.errors import InvalidField


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_up_to_64_kib(name: str) -> None:
    """Counted in bytes, not in characters."""
    around = len('[{"name": ""}]')
    full = '[{"name": "' + "é" * ((65_536 - around) // 2) + '"}]'
    assert len(full.encode()) == 65_536

    check_lists({name: full})
    with pytest.raises(InvalidField) as refused:
        check_lists({name: full + " "})

    assert refused.value.field == name
