"""Messages in and out of the runs that queue them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from attrs import evolve

from scg_core.kernel.instant import Instant
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import Run
from scg_core.messaging.rules.runs import contiguous, narrowed, owner
from scg_core.unit import Unit

QUEUED: Final = (
    MessageState.CREATED.value,
    MessageState.SCHEDULED.value,
    MessageState.PAUSED.value,
)
FRONT: Final = Instant(0)
"""The due of a run that goes before all others of its lane."""

RUNS: Final = 50
MESSAGES: Final = 500


def next_runs(unit: Unit, request_id: str, held: bool | None = None) -> list[Run]:
    """The next whole runs of a request that are not leased: about a page of messages."""
    taken: list[Run] = []
    for run in unit.session.runs_of(request_id, RUNS, held=held):
        if taken and sum(one.size for one in taken) + run.size > MESSAGES:
            break
        taken.append(run)
    return taken


def is_in_flight(unit: Unit, seq: int) -> bool:
    """Whether an attempt of the message is open: its run is leased."""
    return any(run.leased for run in unit.session.runs_at([seq]))


def requeue(
    unit: Unit, source: Sequence[Run], seqs: Iterable[int], change: Callable[[Run, int], Run]
) -> None:
    """Put messages of the source runs back into their lanes, as ``change`` makes their runs.

    Neighbours of one source run whose changed runs agree in everything but numbers share a run.
    """
    stretches: defaultdict[Run, list[int]] = defaultdict(list)
    for seq in sorted(seqs):
        changed = change(owner(source, seq), seq)
        stretches[evolve(changed, first=0, last=0, id=0)].append(seq)
    unit.session.queue(
        evolve(run, first=first, last=last)
        for run, members in stretches.items()
        for first, last in contiguous(members)
    )


def cut_out(unit: Unit, seq: int) -> None:
    """Take one message out of the run it is queued in; the rest of the run stays."""
    runs = unit.session.runs_at([seq])
    unit.session.drop(runs)
    for run in runs:
        others = (number for number in range(run.first, run.last + 1) if number != seq)
        unit.session.queue(narrowed(run, others))
