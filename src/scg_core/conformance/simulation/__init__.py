"""The seeded simulator: a world from one seed, and a checker that knows only the promises."""

import pytest

pytest.register_assert_rewrite(
    "scg_core.conformance.simulation.calling",
    "scg_core.conformance.simulation.checker",
    "scg_core.conformance.simulation.listener",
    "scg_core.conformance.simulation.scheduler",
)

from scg_core.conformance.simulation.checker import check, recount  # noqa: E402
from scg_core.conformance.simulation.faults import Carrier, Crash  # noqa: E402
from scg_core.conformance.simulation.parts import Parts, Switch, Time  # noqa: E402
from scg_core.conformance.simulation.scheduler import Simulation  # noqa: E402

__all__ = [
    "Carrier",
    "Crash",
    "Parts",
    "Simulation",
    "Switch",
    "Time",
    "check",
    "recount",
]
