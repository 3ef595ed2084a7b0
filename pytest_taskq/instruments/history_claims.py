"""Claims by real processes: one holder, nothing lost, nothing overlooked, in turn."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_taskq.checkers import Redelivery, Rule, check_empties, check_leases, overlap_of
from pytest_taskq.checkers.by_name import Ways, judge
from pytest_taskq.history import Kind, Operation
from pytest_taskq.history.tenures import tenures_of
from pytest_taskq.instruments.history_evidence import (
    Broken,
    all_there,
    at_most,
    enough,
    nanoseconds,
    need,
    nothing_raised,
)
from pytest_taskq.recording.views import certainly_due, choices, claimed_at_last, without_attempts
from pytest_taskq.subject.violation import InconclusiveError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.recording.stage import Recording
    from pytest_taskq.subject import Subject


def no_two_holders(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that nobody got a task while its holder's lease ran."""
    operations, precision = without_attempts(recording.operations), nanoseconds(subject)
    judgement = check_leases(operations, precision=precision)
    if judgement.rule is not None:
        ways = Ways(precision=precision)
        raise Broken(
            "one holder at a time",
            judgement.seen,
            operations,
            checks=("leases",),
            ways=ways,
            witness=judgement.witness,
        )
    overlap = overlap_of(operations)
    enough(overlap.contended, 20, "claims met another process's")
    return f"{overlap}; {at_most(overlap.contended, 'claims')}{_over_text(recording, subject)}"


def _over_text(recording: Recording, subject: Subject) -> str:
    over = _claimed_when_over(recording, subject)
    return f"; {over} tasks were claimed again when their lease was over" if over else "; no lease ran out"


def _claimed_when_over(recording: Recording, subject: Subject) -> int:
    chains = tenures_of(without_attempts(recording.operations))
    precision = nanoseconds(subject)
    return sum(
        not one.released_by(other.claim.end) and other.claim.end >= one.earliest_end(precision)
        for chain in chains
        for one, other in pairwise(chain)
    )


def no_two_holders_of_short_leases(recording: Recording, subject: Subject, requirement: str) -> str:
    """Judge the same where leases ran out, and that they did."""
    explored = no_two_holders(recording, subject, requirement)
    enough(_claimed_when_over(recording, subject), 3, "tasks were claimed again when their lease was over")
    return explored


def nothing_lost(recording: Recording, _subject: Subject, _: str) -> str:
    """Judge that what was acknowledged was claimed at last, and nothing else was."""
    operations = recording.operations
    enqueued = {one.task for one in operations if one.kind is Kind.ENQUEUE}
    phantom = next(
        (one for one in operations if one.kind is Kind.CLAIM and one.task and one.task not in enqueued), None
    )
    if phantom is not None:
        raise Broken("nothing is claimed that was not enqueued", str(phantom), operations, witness=(phantom,))
    all_there(recording)
    claimed = {one.task for one in operations if one.kind is Kind.CLAIM}
    dead = sum(one.kind is Kind.CLAIM and one.task is None and not one.known for one in operations)
    missing = [one for one in operations if one.kind is Kind.ENQUEUE and one.known and one.task not in claimed]
    if len(missing) > dead:
        expected = "every acknowledged task is claimed at last: one process claimed until nothing was left"
        seen = f"{len(missing)} never were, the first of them:\n  {missing[0]}"
        raise Broken(expected, seen, operations, witness=missing[:1])
    overlap = overlap_of(operations)
    enough(overlap.contended, 20, "claims met another process's")
    enough(len(enqueued), 50, "tasks")
    return f"{len(enqueued)} tasks, all claimed; {overlap}; {at_most(len(enqueued), 'tasks')}"


def back_after_leases(recording: Recording, subject: Subject, requirement: str) -> str:
    """Judge that what was forgotten is claimed again when its lease is over."""
    operations = recording.operations
    first = recording.answers["first_of_drain"]
    drained = {one.task for one in operations[first:] if one.kind is Kind.CLAIM}
    done = {one.task for one in operations[:first] if one.kind is Kind.COMPLETE and one.possible}
    forgotten = {one.task for one in operations if one.kind is Kind.ENQUEUE and one.known} - done
    if subject.promises.lease_over == "requeue" and forgotten - drained:
        task = min(map(str, forgotten - drained))
        mine = [one for one in operations if one.task == task]
        seen = "\n".join([f"{task!r} never came back", *(f"  {one}" for one in mine)])
        raise Broken("a task whose lease is over is claimable again", seen, operations, witness=mine)
    enough(_claimed_when_over(recording, subject), 3, "tasks were claimed again when their lease was over")
    del requirement
    return f"{len(forgotten)} tasks were forgotten, and claimed again when their lease was over"


def never_wrongly_empty(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that no claim raised, or found nothing while a task was there throughout."""
    nothing_raised(recording, subject, (Kind.CLAIM,))
    overlap = overlap_of(recording.operations)
    enough(overlap.contended, 20, "claims met another process's")
    if subject.promises.skip_locked:
        return f"{overlap}; that a claim finds what is there is not promised (skip_locked)"
    enough(overlap.empty, 5, "claims found nothing")
    operations = claimed_at_last(without_attempts(recording.operations))
    operations = certainly_due(operations, nanoseconds(subject), recording.due)
    redelivery = _redelivery(subject)
    judgement = check_empties(operations, redelivery=redelivery)
    if judgement.rule is Rule.EMPTY:
        ways = Ways(redelivery=redelivery, precision=redelivery.precision)
        expected = "no claim returns None while a claimable task is there throughout"
        raise Broken(expected, judgement.seen, operations, checks=("empties",), ways=ways, witness=judgement.witness)
    need(judgement, "finding nothing")
    return f"{overlap}; {at_most(overlap.contended, 'claims')}"


def _redelivery(subject: Subject) -> Redelivery:
    return Redelivery(
        precision=nanoseconds(subject),
        requeues=subject.promises.lease_over == "requeue",
        claims_reclaim=not subject.offers("reclaim_expired"),
    )


_ORDER = {"SCH-01": "fifo", "SCH-02": "lifo", "SCH-03": "priority"}


def in_turn(recording: Recording, subject: Subject, requirement: str) -> str:
    """Judge the claims of one strategy by the stored order, or by real time where no order can be seen."""
    strategy = _ORDER[requirement]
    operations = without_attempts(recording.operations)
    check, operations = _view_of_order(strategy, operations, recording, subject)
    if strategy != "fifo":  # there the newer task's being due says that the older one is
        operations = certainly_due(operations, nanoseconds(subject), recording.due)
    ways = Ways(skip_locked=subject.promises.skip_locked, descending=subject.promises.priority_order == "descending")
    judgement = judge(check, operations, ways)
    if judgement.rule is Rule.ORDER:
        expected = f"{strategy.upper()}: no task is served while one whose turn is before was there throughout"
        raise Broken(expected, judgement.seen, operations, checks=(check,), ways=ways, witness=judgement.witness)
    if judgement.rule is not Rule.EMPTY:
        need(judgement, "the order")
    overlap = overlap_of(operations)
    enough(overlap.contended, 10, "claims met another process's")
    chosen = choices(operations)
    enough(chosen, 30, "claims had a choice between tasks")
    return f"{overlap}; {chosen} claims had a choice; {at_most(chosen, 'claims')}"


def _view_of_order(
    strategy: str, operations: list[Operation], recording: Recording, subject: Subject
) -> tuple[str, list[Operation]]:
    """Return the name of the check, and the operations with the order that the queue promised as their rows.

    Without shared rows the order is that of real time. If it is by the moment at which a task is due, two tasks
    enqueued within one precision have none, so there priorities alone are judged, or what is further apart.
    """
    by_due = subject.promises.fifo_key == "run_after"
    if subject.shared_schema:
        return f"{strategy} by row", _in_order_of_due(operations, recording) if by_due else operations
    if not by_due:
        return strategy, operations
    if strategy == "priority":
        sign = -1 if subject.promises.priority_order == "descending" else 1
        return "fifo by row", [replace(one, row=sign * one.priority) for one in operations]
    precision = nanoseconds(subject)
    return strategy, [
        replace(one, returned=one.end + precision) if one.kind is Kind.ENQUEUE and one.known else one
        for one in operations
    ]


def _in_order_of_due(operations: Sequence[Operation], recording: Recording) -> list[Operation]:
    """Let the moment at which a task is due, and its row where they are equal, take the place of its row."""
    due = recording.due
    if not due:
        raise InconclusiveError("when tasks are due cannot be read: it is no time, or somebody set the clock meanwhile")
    return [
        replace(one, row=(due[one.task] << 64) + one.row)
        if one.kind is Kind.ENQUEUE and one.task in due and isinstance(one.row, int)
        else one
        for one in operations
    ]
