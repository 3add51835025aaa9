"""Contiguous message numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from scg_core.messaging.model import Run


def contiguous(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as (first, last) pairs, sorted, each as long as possible."""
    pairs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if pairs and pairs[-1][1] + 1 == number:
            pairs[-1] = (pairs[-1][0], number)
        else:
            pairs.append((number, number))
    return pairs


def narrowed(run: Run, numbers: Iterable[int]) -> list[Run]:
    """The run cut down to some of its numbers: one run for each contiguous stretch."""
    mine = [number for number in numbers if run.first <= number <= run.last]
    return [evolve(run, first=first, last=last, id=0) for first, last in contiguous(mine)]


def owner(runs: Sequence[Run], number: int) -> Run:
    """The run that a number lies in.

    Raises:
        KeyError: none of them.
    """
    for run in runs:
        if run.first <= number <= run.last:
            return run
    raise KeyError(number)
