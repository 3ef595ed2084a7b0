"""Enqueues, counts and clean-ups of real processes at the same time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from pytest_taskq.checkers import check_conservation, check_leases, check_statistics
from pytest_taskq.checkers.by_name import Ways
from pytest_taskq.history import Kind, Operation
from pytest_taskq.history.overlap import met
from pytest_taskq.instruments.history_evidence import (
    Broken,
    all_there,
    at_most,
    enough,
    nanoseconds,
    need,
    nothing_raised,
)
from pytest_taskq.recording.views import without_attempts

if TYPE_CHECKING:
    from pytest_taskq.recording.stage import Recording
    from pytest_taskq.subject import Subject


def enqueued_by_many(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that of many writers none loses, doubles or is refused an enqueue."""
    nothing_raised(recording, subject, (Kind.ENQUEUE,))
    all_there(recording, enqueues_alone=True)
    enqueues = [one for one in recording.operations if one.kind is Kind.ENQUEUE]
    ids = Counter(one.row for one in enqueues if one.known)
    twice = next((row for row, times in ids.items() if times > 1 and row is not None), None)
    if twice is not None:
        same = [one for one in enqueues if one.row == twice]
        seen = "\n".join([f"id {twice!r} was returned twice", *(f"  {one}" for one in same)])
        raise Broken("each enqueue returns an id of its own", seen, enqueues, witness=same)
    if recording.rows is None:
        claimed = Counter(one.task for one in recording.operations if one.kind is Kind.CLAIM)
        lost = next((one for one in enqueues if one.known and not claimed[one.task]), None)
        if lost is not None:
            raise Broken(
                "every acknowledged task is claimed at last",
                f"this one never was\n  {lost}",
                enqueues,
                witness=(lost,),
            )
    overlapping = met(enqueues)
    enough(overlapping, 20, "enqueues met another process's")
    return f"{len(enqueues)} enqueues, {overlapping} at the same time as another's; {at_most(overlapping, 'enqueues')}"


def no_lock_error(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that no lock error came out of a graded call before the busy timeout."""
    graded = {Kind.ENQUEUE: ("enqueue",), Kind.CLAIM: ("claim_task", "claim_by"), Kind.COMPLETE: ("complete_task",)}
    kinds = [kind for kind, methods in graded.items() if any(one in subject.own for one in methods)]
    nothing_raised(recording, subject, kinds, locks_only=True)
    calls = [one for one in recording.operations if one.kind in kinds]
    overlapping = met(calls)
    enough(overlapping, 50, "calls met another process's")
    excluded = at_most(overlapping, "calls")
    return f"{len(calls)} calls, {overlapping} at the same time as another's, no lock error; {excluded}"


def one_key_one_task(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that all callers of one key got one id, and the store one task."""
    nothing_raised(recording, subject, (Kind.ENQUEUE,))
    ids: dict[str, set[object]] = defaultdict(set)
    for answers in recording.answers["ids"]:
        for key, found in answers:
            if found is not None:
                ids[key].add(found)
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for one in recording.operations:
        if one.kind is Kind.ENQUEUE and one.key is not None:
            by_key[one.key].append(one)
    for key, found in ids.items():
        if len(found) > 1:
            calls = "\n".join(f"  {one}" for one in by_key[key])
            seen = f"{key!r} gave the ids {sorted(map(str, found))}\n{calls}"
            raise Broken("one key, one task: every caller gets the same id", seen, by_key[key], witness=by_key[key])
    _first_payload_stays(recording, by_key)
    raced = sum(met(calls) > 1 for calls in by_key.values())
    enough(raced, 10, "keys were enqueued by two processes at the same time")
    return f"{len(by_key)} keys, {raced} of them by several processes at the same time; {at_most(raced, 'races')}"


def _first_payload_stays(recording: Recording, by_key: dict[str, list[Operation]]) -> None:
    if recording.rows is None:
        return
    stored: dict[str, list[str]] = defaultdict(list)
    for row in recording.rows:
        if row.task is not None and "/" in row.task:
            stored[row.task.partition("/")[2]].append(row.task)
    for key, calls in by_key.items():
        if not any(one.known for one in calls):
            continue
        tasks = stored[key]
        if len(tasks) != 1:
            raise Broken("one key, one stored task", f"{key!r} stored {tasks}", calls, witness=calls)
        first_end = min(one.end for one in calls)
        mine = next(one for one in calls if one.task == tasks[0])
        if mine.call > first_end:
            seen = f"{key!r} stored what came later\n" + "\n".join(f"  {one}" for one in calls)
            raise Broken("the first payload stays", seen, calls, witness=[mine])


def survives(recording: Recording, _subject: Subject, _: str) -> str:
    """Judge that what was acknowledged is there, and what was not is wholly there or not at all."""
    all_there(recording, enqueues_alone=True)
    enqueues = [one for one in recording.operations if one.kind is Kind.ENQUEUE]
    half = next((row for row in recording.rows or () if row.task is None or row.type != "job"), None)
    if half is not None:
        raise Broken(
            "an enqueue that was not acknowledged is wholly there or absent", f"a stored row is {half}", enqueues
        )
    claimed = {one.task for one in recording.operations if one.kind is Kind.CLAIM}
    lost = next((one for one in enqueues if one.known and one.task not in claimed), None)
    if lost is not None and recording.rows is None:
        raise Broken(
            "an acknowledged task survives its process",
            f"nobody could claim it\n  {lost}",
            enqueues,
            witness=(lost,),
        )
    killed = len(recording.deaths)  # one that had done its work before it was killed is not among them
    enough(killed, 1, "processes were killed at their work")
    victims = {one.actor for one in recording.deaths}
    last = [one for one in enqueues if one.actor in victims]
    died = sum(one.crashed for one in last)
    enough(sum(one.known for one in last), 10, "acknowledged enqueues of processes that were killed")
    processes = "1 process" if killed == 1 else f"{killed} processes"
    return f"{processes} killed at work, {died} of them inside an enqueue; {len(enqueues)} enqueues, none lost"


def counts_of_one_moment(recording: Recording, subject: Subject, _: str) -> str:
    """Judge each count against what had certainly and possibly happened."""
    operations = recording.operations
    nothing_raised(recording, subject, (Kind.STATS,))
    need(check_leases(without_attempts(operations), precision=nanoseconds(subject)), "counting")
    judgement = check_statistics(operations)
    if judgement.rule is not None:
        raise Broken(
            "counts of one moment within the call",
            judgement.seen,
            operations,
            checks=("statistics",),
            witness=judgement.witness,
        )
    stats = [one for one in operations if one.kind is Kind.STATS]
    writes = sorted(one.end for one in operations if one.kind is not Kind.STATS)
    busy = sum(bisect_left(writes, one.call) < bisect_left(writes, one.end) for one in stats)
    enough(busy, 10, "counts had a write end beside them")
    return f"{len(stats)} counts, {busy} of them while others wrote; {at_most(busy, 'counts')}"


def cleans_only_what_is_done(recording: Recording, subject: Subject, _: str) -> str:
    """Judge that clean-up deletes old tasks alone, counts its own, and breaks no call beside it."""
    operations = recording.operations
    nothing_raised(recording, subject, tuple(Kind))
    put, deleted = recording.answers["put"], sum(one or 0 for one in recording.answers["deleted"])
    if recording.rows is not None:
        judgement = check_conservation(
            [one for one in operations if one.kind is not Kind.DELETE],
            [row.task for row in recording.rows if row.task is not None],
        )
        if judgement.rule is not None:
            kept = [one for one in operations if one.kind is not Kind.DELETE]
            ways = Ways(left=recording.left)
            raise Broken(
                "nothing live is deleted",
                judgement.seen,
                kept,
                checks=("conservation",),
                ways=ways,
                witness=judgement.witness,
            )
        gone = put - sum(row.type == "old" for row in recording.rows)
        if gone != deleted:
            seen = f"{gone} rows are gone, and the calls say that they deleted {deleted}"
            raise Broken("each call counts the rows it deleted itself", seen, operations)
    refused = next((one for one in operations if one.kind is Kind.COMPLETE and one.result is False), None)
    if refused is not None:
        raise Broken("nothing live is deleted: its holder completes it", f"{refused}", operations, witness=(refused,))
    deletes = [one for one in operations if one.kind is Kind.DELETE]
    effective = sum(bool(one.result) for one in deletes)
    enough(effective, 10, "deletes deleted anything")
    enough(met(operations), 50, "calls met another process's")
    return (
        f"{deleted} rows deleted by {effective} calls, {len(operations)} calls in all; {at_most(effective, 'deletes')}"
    )
