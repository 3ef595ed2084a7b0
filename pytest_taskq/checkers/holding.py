"""Leases and fences: one holder at a time, and only the holder's calls count."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_taskq.checkers.judgement import LEGAL, Judgement, Rule, broken
from pytest_taskq.history import NEVER, SECOND, Kind, tenures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_taskq.history import Operation, Tenure


def check_leases(operations: Iterable[Operation], *, precision: int = 0) -> Judgement:
    """Judge that no claim returned a task while its holder's lease certainly ran and the holder had not given it up.

    ``precision``: resolution of the queue's clock in nanoseconds, by which a deadline may be early. Renewals move the
    deadline, one of unknown outcome may have. Two claims of one attempt are a double delivery. O(n log n).
    """
    for chain in tenures_of(operations):
        for first, second in pairwise(chain):
            one, other = first.claim, second.claim
            if one.attempt is not None and one.attempt == other.attempt:
                return broken(Rule.DOUBLE, f"attempt {one.attempt} of task {one.task!r}", one, other)
            # Which of two claims that overlap came first is known only by their attempts.
            ordered = one.end < other.call or one.attempt is not None
            if _robbed(first, other, precision) and (ordered or _robbed(second, one, precision)):
                return _lease_broken(first, other, precision)
    return LEGAL


def _robbed(holder: Tenure, other: Operation, precision: int) -> bool:
    return other.end < holder.earliest_end(precision, by=other.end) and not holder.released_by(other.end)


def _lease_broken(holder: Tenure, other: Operation, precision: int) -> Judgement:
    left = holder.earliest_end(precision, by=other.end)
    lease = (
        "has no lease that ends" if left == NEVER else f"holds it for {(left - other.end) / SECOND:.3f} s more at least"
    )
    text = f"{other.actor or 'another'} got task {other.task!r}, and {holder.claim.actor or 'its holder'} {lease}"
    return broken(Rule.LEASE, text, holder.claim, *holder.renewals, other)


def check_fencing(operations: Iterable[Operation], *, precision: int = 0) -> Judgement:
    """Judge the holders' calls: none accepted of one who lost the task, none refused to the one who certainly held it.

    Lost: another claim of it had returned before the call began. A lease that is merely over loses nothing. What is
    completed or has failed for good is neither handed out nor finished again.
    """
    everything = list(operations)
    kept = tenures_of(everything)
    stranger = next((one for one in kept.strangers if one.accepted), None)
    if stranger is not None:
        return broken(Rule.STALE, f"{stranger.actor or 'somebody'} never claimed task {stranger.task!r}", stranger)
    outside = {one.task: one for one in everything if one.kind is Kind.CANCEL and one.possible}
    for chain in kept:
        for found in _breaches(chain, precision, interfered=chain[0].claim.task in outside):
            return found
    return LEGAL


def _breaches(chain: Sequence[Tenure], precision: int, *, interfered: bool) -> Iterator[Judgement]:
    for number, tenure in enumerate(chain):
        rest = chain[number + 1 :]
        yield from _stale(tenure, rest)
        yield from _finished_again(tenure, rest)
        if not interfered:
            yield from _refused(tenure, [one for one in chain if one is not tenure], precision)


def _stale(tenure: Tenure, later: Sequence[Tenure]) -> Iterator[Judgement]:
    for one in (*tenure.finishes, *tenure.renewals):
        if not one.accepted:
            continue
        successor = next(
            (each.claim for each in later if tenure.claim.end < each.claim.call and each.claim.end < one.call), None
        )
        if successor is not None:
            text = f"{one.actor or 'somebody'} {one.kind} of task {one.task!r} after it was claimed again"
            yield broken(Rule.STALE, text, tenure.claim, successor, one)


def _finished_again(tenure: Tenure, later: Sequence[Tenure]) -> Iterator[Judgement]:
    accepted = [one for one in tenure.finishes if one.accepted]
    for one in accepted[1:]:
        text = f"{one.kind} of task {one.task!r} after {accepted[0].kind}"
        yield broken(Rule.FINISHED, text, tenure.claim, accepted[0], one)
    done = next((one for one in accepted if one.kind is Kind.COMPLETE), None)
    if done is None:
        return
    for successor in later:
        if done.end < successor.claim.call:
            yield broken(Rule.FINISHED, f"task {done.task!r} was completed", tenure.claim, done, successor.claim)


def _refused(tenure: Tenure, others: Sequence[Tenure], precision: int) -> Iterator[Judgement]:
    for one in (*tenure.finishes, *tenure.renewals):
        if one.possible or not one.end < tenure.earliest_end(precision) or not tenure.claim.end < one.call:
            continue
        given_up = any(each is not one and each.possible and each.call <= one.end for each in tenure.finishes)
        taken = any(tenure.claim.call <= each.claim.end and each.claim.call <= one.end for each in others)
        if not given_up and not taken:
            text = f"{one.kind} of task {one.task!r} by {one.actor or 'its holder'}, whose lease ran"
            yield broken(Rule.REFUSED, text, tenure.claim, *tenure.renewals, one)
