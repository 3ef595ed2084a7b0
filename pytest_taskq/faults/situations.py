"""What a call that is cut short may meet: tasks that wait, are held, are over or are finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.faults.rules import Scene
from pytest_taskq.subject.backlog import fill

if TYPE_CHECKING:
    from pytest_taskq.subject import QueueUnderTest

LEASE = 60.0
LONG_LEASE = 3600.0
OLD_ENOUGH = 1800.0
_MANY = 1_200  # more than leave in one transaction (MNT-03), so that there is a middle to die in
_FEW = 3


def town(queue: QueueUnderTest) -> Scene:
    """Store what no call is about: a finished task if that can be made, one held by another worker, one waiting."""
    scene = Scene(queue.promises)
    if queue.subject.offers("complete_task"):
        done = claimed(queue, scene, "w0", lease=LONG_LEASE)
        queue.precondition(queue.complete_task(done, "w0"), "a completed task")
    claimed(queue, scene, "w0", lease=LONG_LEASE)
    stored(queue, scene)
    return scene


def stored(queue: QueueUnderTest, scene: Scene, **options: Any) -> Any:  # noqa: ANN401 - a task id
    """Store a task and note its id."""
    task_id = queue.enqueue("job", {"n": len(scene.known)}, **options)
    scene.known.append(task_id)
    return task_id


def claimed(queue: QueueUnderTest, scene: Scene, worker: str, *, lease: float = LEASE, **options: Any) -> Any:  # noqa: ANN401 - a task
    """Store a task and claim it; nothing else may be claimable then."""
    task_id = stored(queue, scene, **options)
    task = _any_claim(queue, worker, lease)
    queue.precondition(task is not None and task.id == task_id, f"a claim of task {task_id!r} by {worker}")
    return task


def _any_claim(queue: QueueUnderTest, worker: str, lease: float) -> Any:  # noqa: ANN401 - a task or None
    if queue.subject.offers("claim_task"):
        return queue.claim_task(worker, lease_seconds=lease)
    return queue.claim_by(min(queue.promises.strategies), worker, lease_seconds=lease)


def holding(queue: QueueUnderTest, **options: Any) -> Scene:  # noqa: ANN401 - those of enqueue
    """Let w1 hold the task that the call is about, beside the town."""
    scene = Scene(queue.promises)
    task = claimed(queue, scene, scene.worker, **options)
    around = town(queue)
    scene.known += around.known
    scene.targets, scene.held = [task.id], [task]
    return scene


def two_waiting(queue: QueueUnderTest) -> Scene:
    """Let two tasks wait, of which the call may take either, beside the town."""
    scene = town(queue)
    stored(queue, scene)
    scene.targets = scene.known[-2:]
    return scene


def one_over(queue: QueueUnderTest) -> Scene:
    """Let one lease be over."""
    return _over(queue, {})


def two_over(queue: QueueUnderTest) -> Scene:
    """Let one lease be over with attempts left, and one in the last attempt."""
    last = {"max_attempts": 1}
    return _over(queue, {}, *([last] if queue.subject.offers("enqueue.max_attempts") else []))


def _over(queue: QueueUnderTest, *options: dict[str, Any]) -> Scene:
    scene = Scene(queue.promises)
    for one in options:
        scene.targets.append(claimed(queue, scene, "w9", lease=10.0, **one).id)
    claimed(queue, scene, "w0", lease=LONG_LEASE)
    queue.advance(20.0)
    return scene


def last_waiting(queue: QueueUnderTest) -> Scene:
    """Let the call be about the task of the town that waits."""
    scene = town(queue)
    scene.targets = scene.known[-1:]
    return scene


def finished(queue: QueueUnderTest) -> Scene:
    """Let tasks be finished for long, on the shared schema more than leave in one transaction, beside the town."""
    scene = Scene(queue.promises)
    for number in range(_FEW if "completed" in queue.promises.deletes else 0):
        task = claimed(queue, scene, scene.worker)
        queue.precondition(queue.complete_task(task), f"completed task {number}")
    scene.targets = list(scene.known)
    if queue.subject.shared_schema:
        scene.targets += fill(queue, queue.promises.deletes[0], _MANY)
    queue.precondition(scene.targets, "a finished task to delete")
    queue.advance(2 * OLD_ENOUGH)
    scene.known += town(queue).known
    return scene
