"""The simulator of ``scg_core.conformance.simulation`` with the embedded adapters as its parts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Final

from scg_adapters.embedded import open_storage
from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.simulated import SeededIds, SimulatedClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_adapters.voice.simulator import Does, Faults, Phone, VoiceSimulator
from scg_core.conformance.simulation import Parts, Simulation
from scg_core.ports.message_transport import OnUnknown

WINDOW: Final = 10
MEMORY: Final = "sqlite:///:memory:"


def simulation(seed: int, url: str = MEMORY) -> Simulation:
    """One world from one seed, on the storage that the URL names."""
    return Simulation(seed, embedded_parts(url))


def embedded_parts(url: str = MEMORY) -> Parts:
    """A storage by its URL, a simulated carrier and switch, the number tables."""
    return Parts(
        storage=partial(open_storage, url),
        carrier=_carrier,
        switch=_switch,
        clock=SimulatedClock,
        ids=SeededIds,
        places=NumberPlaces,
        patterns=PosixPatterns,
    )


def _carrier(chance: random.Random) -> LoopbackCarrier:
    draw = chance.random
    behaviour = Behaviour(
        refuse=draw() * 0.1, defer=draw() * 0.2, throttle=draw() * 0.1, pending=draw() * 0.3,
        unknown=draw() * 0.1, unreached=draw() * 0.05, undelivered=draw() * 0.2,
        read=draw() * 0.3, double=draw() * 0.3, early=draw() * 0.3, delay=100, spread=20_000,
    )  # fmt: skip
    return LoopbackCarrier(
        seed=chance.getrandbits(32),
        behaviour=behaviour,
        window=WINDOW,
        splits=draw() < 0.3,
        echoes=draw() < 0.3,
        on_unknown=chance.choice([OnUnknown.RESEND, OnUnknown.QUERY]),
        deduplicates=draw() < 0.2,
    )


def _switch(chance: random.Random, numbers: Sequence[str]) -> VoiceSimulator:
    faults = Faults(
        lost=chance.choice([0, 0.2]), doubled=chance.choice([0, 0.3]),
        breaks=chance.choice([0, 0.1]), early=chance.random() < 0.3, seed=chance.getrandbits(32),
    )  # fmt: skip
    does = [Does.ANSWERS] * 4 + [Does.IS_BUSY, Does.RINGS]
    phones = {
        number: Phone(
            chance.choice(does),
            chance.choice([0, 2_000, 15_000]),
            chance.choice([None, 10_000, 90_000]),
        )
        for number in numbers
    }
    return VoiceSimulator(phones, faults=faults)
