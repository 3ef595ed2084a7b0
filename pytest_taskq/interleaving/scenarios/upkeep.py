"""Maintenance beside work: reclaim twice, cleanup beside claims and completions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.interleaving.scenarios.ways import a_way
from pytest_taskq.subject.backlog import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import QueueUnderTest, Subject

_OLD = 100.0
_MOST_ROWS = 1_000
_MANY = 1_500


@races("MNT-05")
def two_reclaims(subject: Subject) -> Iterator[Scenario]:
    """Two workers take back the same over leases, one of which has no attempt left."""
    if subject.offers("reclaim_expired"):
        yield Scenario(
            name="two-reclaims", prepare=_over_leases, scripts=[_reclaim, _reclaim], judge=each_taken_back_once
        )


def _reclaim(player: Player) -> None:
    player("reclaim_expired")


def _over_leases(queue: QueueUnderTest) -> list[Any]:
    limited: dict[str, Any] = {"max_attempts": 1} if queue.subject.offers("enqueue.max_attempts") else {}
    ids = [queue.enqueue(), queue.enqueue(**limited)]
    for _ in ids:
        queue.precondition(queue.claim_task("w1", lease_seconds=5.0), "a claim that returns a task")
    queue.advance(6)
    return ids


def each_taken_back_once(after: Aftermath) -> None:
    """Require that the counts add up to the number of over leases."""
    after.require_settled(early_locks=True)
    calls = after.of("reclaim_expired")
    if any(call.error is not None for call in calls):
        return
    total, expected = sum(call.returned for call in calls), len(after.prepared)
    after.require(
        total == expected, f"two reclaims count {expected} tasks together", "; ".join(map(str, calls)), calls[0]
    )
    for task_id in after.prepared:
        after.require_status(task_id, "queued", "failed", why="its lease was over", by=calls[0])


def _finished_and_waiting(queue: QueueUnderTest) -> dict[str, Any]:
    old = [queue.enqueue() for _ in range(2)]
    for _ in old:
        task = queue.claim_task("w1")
        queue.precondition(task is not None and queue.complete_task(task, "w1"), "a completed task")
    queue.advance(_OLD + 5)
    held = queue.enqueue()
    task = queue.claim_task("w1")
    queue.precondition(task is not None and task.id == held, "the claim of the third task")
    return {"old": old, "task": task, "waiting": queue.enqueue()}


def _clean(player: Player) -> None:
    player("delete_finished", _OLD)


@races("MNT-02")
def cleanup_beside_work(subject: Subject) -> Iterator[Scenario]:
    """Old tasks are deleted while another worker cleans up too, completes, claims or enqueues."""
    way = a_way(subject)
    rivals: dict[str, Any] = {
        "cleanup": _clean,
        "complete": lambda player: player("complete_task", player.prepared["task"], "w1"),
        "claim": way.script("w2"),
        "enqueue": lambda player: player("enqueue", "job", {}),
    }
    for word, rival in rivals.items():
        yield Scenario(
            name=f"cleanup-while-{word}",
            prepare=_finished_and_waiting,
            scripts=[_clean, rival],
            judge=nothing_live_deleted,
            needs=["delete_finished", "complete_task"],
        )


def nothing_live_deleted(after: Aftermath) -> None:
    """Require that what was not old and finished is there, and that the counts are of the rows that left."""
    after.require_settled()
    cleanups = after.of("delete_finished")
    for task_id in (after.prepared["task"].id, after.prepared["waiting"]):
        status = after.status(task_id)
        after.require(
            status != "gone", f"task {task_id!r} is not old and finished, and stays", "it is gone", cleanups[0]
        )
    for call in after.of("enqueue"):
        after.require(after.status(call.returned) != "gone", f"{call} stays", "it is gone", cleanups[0])
    total, seen = sum(call.returned for call in cleanups), "; ".join(map(str, cleanups))
    after.require(total == len(after.prepared["old"]), "the counts are of the 2 tasks that left", seen, cleanups[0])


@races("MNT-03")
def cleanup_of_many(subject: Subject) -> Iterator[Scenario]:
    """Many old rows are deleted while another worker enqueues."""
    if subject.shared_schema:
        yield Scenario(
            name="cleanup-of-many-while-enqueue",
            prepare=_many_finished,
            scripts=[_clean, lambda player: player("enqueue", "job", {})],
            judge=few_rows_at_once,
            needs=["delete_finished"],
            unhurried=(0,),  # a pause between any two of its batches would be a choice
        )


def _many_finished(queue: QueueUnderTest) -> None:
    fill(queue, "completed", _MANY, ago=timedelta(days=1))


def few_rows_at_once(after: Aftermath) -> None:
    """Require that no commit took more rows away than allowed."""
    cleanup = after.of("delete_finished")[0]
    left = after.played.largest_drop
    after.require(
        left <= _MOST_ROWS, f"at most {_MOST_ROWS:,} rows leave in one transaction", f"{left:,} left at once", cleanup
    )
