"""Random histories of consent, and a judge who knows only section 7: nothing blocked is handed off.

The judge keeps a status and a rule of its own, from the specification's two tables as text, and
reads the carrier's own log.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from scg_adapters.transport.carrier_log import SUBMITTED
from scg_core import Settings
from scg_core.kernel.errors import ScgError
from scg_core.kernel.instant import HOUR, MINUTE, later
from scg_core.ports.message_transport import Inbound
from tests.world import World

MANAGERS = ("USER", "SCG", "SCG_UNSOLICITED_OPT_OUT")
STATUSES = ("NONE", "OPTIN", "OPTOUT", "BLACKLIST", "WHITELIST")
PEOPLE = 50
STEPS = 8
BLOCKED = {
    "NONE": {"OPT_IN", "SCG", "LISTED"},
    "OPTIN": {"LISTED"},
    "OPTOUT": {"OPT_IN", "OPT_OUT", "SCG", "SCG_UNSOLICITED_OPT_OUT", "LISTED"},
    "BLACKLIST": {"OPT_IN", "OPT_OUT", "NONE", "SCG", "SCG_UNSOLICITED_OPT_OUT", "LISTED"},
    "WHITELIST": set[str](),
}


class Judge:
    """What the specification makes of what people say and customers set."""

    def __init__(self, manager: str) -> None:
        self.manager = manager
        self.status: dict[str, str] = {}
        self.own: dict[str, bool] = {}

    def of(self, who: str) -> str:
        """How somebody stands."""
        return self.status.get(who, "NONE")

    def says(self, who: str, text: str) -> None:
        """STOP or START; lists are not left by a message."""
        if text == "STOP":
            self.own[who] = self.own.get(who, False) or self.of(who) != "WHITELIST"
        elif text == "START":
            self.own[who] = False
        if self.of(who) in ("BLACKLIST", "WHITELIST"):
            return
        if text in ("STOP", "START"):
            self.status[who] = "OPTOUT" if text == "STOP" else "OPTIN"

    def may_set(self, who: str, wanted: str) -> bool:
        """What a customer may make of it."""
        if self.manager == "USER":
            return True
        return wanted == "BLACKLIST" or (wanted != "OPTIN" and not self.own.get(who, False))

    def blocks(self, who: str, requirement: str, listed: bool) -> bool:
        """Whether a message must not go."""
        column = requirement if self.manager == "USER" else self.manager
        return ("LISTED" if listed else column) in BLOCKED[self.of(who)]


def run(seed: int) -> int:
    """One world of 50 people, each with a history; how many histories were lived."""
    chance = random.Random(seed)
    manager, listed = chance.choice(MANAGERS), chance.random() < 0.15
    world = World(settings=Settings())
    world.engine.operator().update_sender_id(
        world.sender.id, consent_managed_by=manager, check_white_list=listed
    )
    judge = Judge(manager)
    people = [f"+1415555{n:04}" for n in range(1000, 1000 + PEOPLE)]
    for step in range(STEPS):
        requirement = chance.choice(["OPT_IN", "OPT_OUT", "NONE"])
        request = _send(world, people, requirement, step, chance)
        for who in chance.sample(people, PEOPLE // 2):
            _live(world, judge, who, chance)
        expected = {who for who in people if not judge.blocks(who, requirement, listed)}
        world.engine.run_until_idle(later(world.clock.now(), 2 * HOUR))
        ids = {f"{one.id}/1" for one in world.messages(request)}
        taken = {
            one.to_address
            for one in world.carrier.log.entries()
            if one.kind == SUBMITTED and one.attempt_id in ids
        }
        assert taken == expected, (seed, step, taken ^ expected)
    world.recount()
    return PEOPLE


def _send(world: World, people: list[str], requirement: str, step: int, chance: Any) -> str:
    """A message for later, so that what is said in between counts at the hand-off."""
    return world.send(
        *people, consent_requirement=requirement,
        scheduled_delivery_time=later(world.clock.now(), HOUR + step * MINUTE),
    ).id  # fmt: skip


def _live(world: World, judge: Judge, who: str, chance: Any) -> None:
    if chance.random() < 0.6:
        text = chance.choice(["STOP", "START", "hello", "Stop!", "start."])
        message = Inbound(who, "55512", text, world.clock.now())
        world.engine.inbound_arrived("carrier", [message])
        judge.says(who, text.strip("!.").upper())
        return
    wanted = chance.choice(STATUSES)
    statuses = world.app.contact_address_statuses
    found = statuses.find(address=who)
    allowed = judge.may_set(who, wanted)
    with suppress(ScgError):
        if found:
            statuses.update(found[0].id, consent_status=wanted)
        elif wanted != "NONE":
            statuses.create(address=who, sender_id=world.sender.id, consent_status=wanted)
        else:
            return
        assert allowed, (judge.manager, judge.of(who), wanted)
        judge.status[who] = wanted
        if judge.manager == "USER" and judge.of(who) != wanted:
            judge.own[who] = False


@pytest.mark.parametrize("seed", range(8))
def test_no_history_hands_off_what_section_7_blocks(seed: int) -> None:
    """And all that it lets pass is handed off."""
    assert run(seed) == PEOPLE


@pytest.mark.long
def test_a_hundred_thousand_histories_hand_off_nothing_blocked() -> None:
    """The same, at length."""
    lived = sum(run(seed) for seed in range(1_000, 3_000))
    print(f"\n{lived} histories of {STEPS} messages, nothing blocked was handed off")
    assert lived == 100_000
