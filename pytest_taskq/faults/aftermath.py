"""What a process that starts anew finds in the files of a dead one: the rows, and what the code makes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.faults.rules import Breach, Left, open_tasks
from pytest_taskq.faults.situations import LONG_LEASE, OLD_ENOUGH
from pytest_taskq.faults.survivors import (
    all_described,
    attempts_of,
    described,
    integrity_problem,
    lists_all,
    read_rows,
    stands,
)
from pytest_taskq.subject.violation import ContractViolation

if TYPE_CHECKING:
    from pytest_taskq.contract import Task
    from pytest_taskq.faults.rules import Scene
    from pytest_taskq.faults.survivors import Row, Rows
    from pytest_taskq.faults.sweep import Recording
    from pytest_taskq.sqlite.files import Image
    from pytest_taskq.subject import Bench, QueueUnderTest

RESCUER = "rescuer"
_ABLE = {"gpu": True}
_UNKNOWN = (
    5  # claims more than there are open tasks: one too many is seen, and those whose id nobody was told are passed
)


def rows_of(bench: Bench, image: Image, recording: Recording) -> Rows:
    """Return the tasks that an image holds."""
    with bench.restored(image) as queue:
        return read_rows(queue, recording.known)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Judges images of one recording; ``before`` and ``after`` are the rows of its first and last image."""

    bench: Bench
    recording: Recording
    before: Rows
    after: Rows

    @classmethod
    def of(cls, bench: Bench, recording: Recording) -> Aftermath:
        """Read what the call met and what it made."""
        bench.clock.milliseconds = recording.moment
        before, after = (rows_of(bench, image, recording) for image in (recording.before, recording.after))
        return cls(bench, recording, before, after)

    def undisturbed(self) -> Breach | None:
        """Return what is wrong although nothing was cut short: before the call, or when it is made once more after it.

        What fails then is no matter of deaths, and says nothing of this call's.
        """
        found = self.breach(self.recording.before, acknowledged=False)
        if found is None and self.recording.operation.key is not None:
            with self.bench.restored(self.recording.after) as queue:
                found = self.again(queue, self.after)
        return found

    def breach(self, image: Image, *, acknowledged: bool) -> Breach | None:
        """Return what is wrong in a process that starts on the files of ``image``, None if nothing is."""
        self.bench.clock.milliseconds = self.recording.moment
        with self.bench.restored(image) as queue:
            return self.breach_in(queue, acknowledged=acknowledged)

    def breach_in(self, queue: QueueUnderTest, *, acknowledged: bool) -> Breach | None:
        """Return what is wrong in the store of ``queue``, an actor that begins there, None if nothing is."""
        try:
            return self._found(queue, acknowledged=acknowledged)
        except ContractViolation as violation:
            return Breach(violation.expected, violation.seen)

    def _found(self, queue: QueueUnderTest, *, acknowledged: bool) -> Breach | None:
        problem = integrity_problem(queue)
        if problem:
            return Breach("the surviving file is whole", problem)
        now = read_rows(queue, self.recording.known)
        left = Left(before=self.before, now=now, after=self.after, acknowledged=acknowledged)
        scene, operation = self.recording.scene, self.recording.operation
        return operation.rule(left, scene) or self.again(queue, now) or rescue(queue, self.recording.known)

    def again(self, queue: QueueUnderTest, now: Rows) -> Breach | None:
        """Return what is wrong when the call is made once more on the rows of ``now``; None for most calls."""
        operation, scene = self.recording.operation, self.recording.scene
        if operation.method == "delete_finished":
            return cleaned_again(queue, now, scene)
        if operation.key is not None and queue.subject.offers("enqueue.idempotency_key"):
            return self._enqueued_again(queue, now)
        return None

    def _enqueued_again(self, queue: QueueUnderTest, now: Rows) -> Breach | None:
        """A caller that got no answer repeats the call with its key; there is one task then."""
        outcome = self.recording.operation.call(queue, self.recording.scene)
        if outcome.error is not None:
            return Breach("the enqueue works when its caller repeats it after the death", str(outcome))
        keyed = {
            one: row
            for one, row in read_rows(queue, [*self.recording.known, outcome.result]).items()
            if json.loads(row["payload"]) == {"to": "b"}
        }
        if len(keyed) == 1:
            return None
        return Breach(
            "one task with this key after the caller has repeated the enqueue that the death cut short",
            f"{len(keyed)} tasks\n{all_described(keyed)}\nright after the death there were {len(now)} tasks",
        )


def cleaned_again(queue: QueueUnderTest, now: Rows, scene: Scene) -> Breach | None:
    """The cleanup, run again, deletes what it had left and nothing else."""
    queue.delete_finished(OLD_ENOUGH)
    rows = read_rows(queue, scene.known)
    kept = [one for one in scene.targets if one in rows]
    if kept:
        return Breach(
            "the cleanup finishes the job when it is run again after the death",
            f"{len(kept)} of {len(scene.targets)} finished tasks are still there, the first:\n"
            f"{described(kept[0], rows[kept[0]])}",
        )
    for task_id, row in now.items():
        if task_id not in scene.targets and (task_id not in rows or not stands(row, rows[task_id])):
            return Breach(f"the cleanup leaves alone {described(task_id, row)}", described(task_id, rows.get(task_id)))
    return None


def rescue(queue: QueueUnderTest, known: list[Any]) -> Breach | None:
    """Once every lease is over, each open task is claimed once, with the next attempt, and no other task is."""
    leases = queue.subject.offers("leases")
    rows = read_rows(queue, known)
    waiting = open_tasks(rows, queue.promises, leases=leases)
    queue.advance(LONG_LEASE + 10.0 + queue.promises.backoff.maximum)
    if leases and queue.subject.offers("reclaim_expired"):
        queue.reclaim_expired()
    for _ in range(len(waiting) + _UNKNOWN):
        task = next_claim(queue)
        if task is None:
            break
        if task.id not in rows and not lists_all(queue.subject):
            continue  # stored by a call that was cut short before it told the id
        breach = _misclaimed(task, rows, waiting)
        if breach:
            return breach
        del waiting[task.id]
    if waiting:
        return Breach(
            "every open task is claimable again once the leases are over and taken back",
            f"never claimed: {all_described(waiting)}",
        )
    return None


def next_claim(queue: QueueUnderTest) -> Task | None:
    """Claim any task as a worker that starts after the death."""
    if queue.subject.offers("claim_task"):
        return queue.claim_task(RESCUER, _ABLE, LONG_LEASE)
    return queue.claim_by(min(queue.promises.strategies), RESCUER, _ABLE, LONG_LEASE)


def _misclaimed(task: Task, rows: Rows, waiting: dict[Any, Row]) -> Breach | None:
    if task.id not in waiting:
        return Breach(
            "only open tasks are claimed, and each once", f"claimed again: {described(task.id, rows.get(task.id))}"
        )
    counted = attempts_of(waiting[task.id])
    if None not in (counted, task.attempts) and task.attempts != counted + 1:  # type: ignore[operator]  # neither is None
        return Breach(f"task {task.id!r} is claimed again as attempt {counted + 1}", f"attempt {task.attempts}")  # type: ignore[operator]
    return None
