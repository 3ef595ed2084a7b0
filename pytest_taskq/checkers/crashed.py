"""Claims that died or raised: each may have taken any one task, or none."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from pytest_taskq.checkers.judgement import LEGAL, Judgement, Rule, broken, undecided
from pytest_taskq.checkers.order import overtaken
from pytest_taskq.history import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_taskq.checkers.stays import Stay, Traffic
    from pytest_taskq.history import Operation

    Specification = Callable[[Sequence[Stay], Sequence[Operation]], Judgement]

MOST_STEPS = 2_000_000  # operations judged again while assignments are tried: some seconds


def judged_with_unknown(traffic: Traffic, specification: Specification) -> Judgement:
    """Return whether some choice of what the unknown claims took makes the history legal.

    They can only have taken tasks that nobody else was handed. Two cheap answers come first: PASS if it is legal when
    they took none, FAIL if it is not even legal without the tasks in question. Between them all choices are tried, as
    long as that is less than ``MOST_STEPS``; then INCONCLUSIVE.
    """
    none_taken = specification(traffic.stays, traffic.empties)
    if none_taken.legal or not traffic.unknown:
        return none_taken
    fixed = [one for one in traffic.stays if one.exit is not None]
    without = specification(fixed, traffic.empties)
    if not without.legal:
        return without
    left_over = [one for one in traffic.stays if one.exit is None]
    choices = (len(left_over) + 1) ** len(traffic.unknown)
    if choices * (len(traffic.stays) + len(traffic.empties)) > MOST_STEPS:
        return undecided(
            f"{len(traffic.unknown)} claims died or raised, and which of {len(left_over)} tasks they took is not known"
        )
    for stays in _choices(fixed, left_over, traffic.unknown):
        if specification(stays, traffic.empties).legal:
            return LEGAL
    unknown = [*none_taken.witness, *traffic.unknown]
    return replace(none_taken, witness=tuple(sorted(unknown, key=lambda one: one.call)))


def _choices(fixed: list[Stay], left_over: list[Stay], unknown: Sequence[Operation]) -> Iterator[list[Stay]]:
    for choice in product(range(-1, len(left_over)), repeat=len(unknown)):
        taken = [number for number in choice if number >= 0]
        if len(set(taken)) < len(taken):
            continue
        claimed = {number: claim for number, claim in zip(choice, unknown, strict=True) if number >= 0}
        rest = [one.left_by(claimed[n]) if n in claimed else one for n, one in enumerate(left_over)]
        yield [*fixed, *rest]


def fifo_with_unknown(stays: Sequence[Stay], unknown: Sequence[Operation]) -> Judgement:
    """Return the same for first in, first out without empty claims, exactly and in O(n log n).

    A task that nobody was handed must be gone before a certainly later one is served: that is its deadline. The k-th
    deadline takes the k-th unknown claim.
    """
    served = sorted((one.ec, one.cr, number) for number, one in enumerate(stays) if one.served)
    begins = [ec for ec, _, _ in served]
    first_after = _minima_from([(cr, number) for _, cr, number in served])
    needed = []
    for number, one in enumerate(stays):
        if one.exit is None:
            deadline, by = first_after[bisect_right(begins, one.er)]
            if deadline != NEVER:
                needed.append((deadline, number, by))
    needed.sort()
    calls = sorted(unknown, key=lambda one: one.call)
    settled = list(stays)
    for rank, (deadline, number, by) in enumerate(needed):
        if rank >= len(calls) or calls[rank].call > deadline:
            takers = [stays[each] for _, *pair in needed[:rank] for each in pair]
            return _overtaking(stays[number], stays[by], takers, calls)
        settled[number] = stays[number].left_by(calls[rank])
    pair = overtaken(settled)
    return _overtaking(*pair, [stays[each] for _, *both in needed for each in both], calls) if pair else LEGAL


def _minima_from(values: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return for each position the least of the values from there on; beyond the last one NEVER."""
    minima = [(NEVER, -1)]
    for one in reversed(list(values)):
        minima.append(min(one, minima[-1]))
    minima.reverse()
    return minima


def _overtaking(waiting: Stay, served: Stay, takers: Iterable[Stay], unknown: Sequence[Operation]) -> Judgement:
    """Return the FAIL; ``takers`` are the tasks that use up unknown claims, and those they had to make way for."""
    text = f"task {served.task!r} entered after {waiting.task!r} and left before it"
    others = (operation for one in takers for operation in one.witness)
    return broken(Rule.ORDER, text, *waiting.witness, *served.witness, *others, *unknown)
