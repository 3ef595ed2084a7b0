"""Whether the code under test takes its time from where the kit can move it.

``CURRENT_TIMESTAMP``, a qualified ``pg_catalog.now()`` and the like show real time whatever the kit does, and code that
uses them would be blamed for what is the kit's inability. So each method that has to do with time is tried twice: what
works at the real moment and does not at the virtual one takes its time from elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from pytest_taskq.contract import Task
    from pytest_taskq.subject.queue import QueueUnderTest

    MakeQueue = Callable[[], AbstractContextManager[QueueUnderTest]]

_LEASE = 600.0
_NEAR = timedelta(hours=1)
_LONG_AGO = timedelta(days=30)


def beyond_reach(methods: frozenset[str], queues: MakeQueue) -> str:
    """Return which of the team's ``methods`` does not go by the kit's clock, and how that shows; "" if all do."""
    for method, works in _PROBES.items():
        if method not in methods or _works(queues, works):
            continue
        if _works(queues, works, at_real_time=True) and not _works(queues, works):
            return f"{method} works at the server's own time and not at the time that now() shows in its schema"
    return ""


def _works(queues: MakeQueue, works: Callable[[QueueUnderTest], bool], *, at_real_time: bool = False) -> bool:
    with queues() as queue:
        if at_real_time:
            seconds = queue.sql("SELECT extract(epoch FROM pg_catalog.now())")[0][0]
            queue.clock.milliseconds = round(seconds * 1000)
        try:
            return works(queue)
        except (ContractViolation, NotJudgedError, queue.store.driver_error):
            return False


def _enqueues(queue: QueueUnderTest) -> bool:
    row = _row(queue, queue.enqueue(delay_seconds=_LEASE))
    return _is_near(queue, row["created_at_utc"]) and _is_near(queue, row["run_after_utc"])


def _cancels(queue: QueueUnderTest) -> bool:
    task_id = _put(queue)
    return queue.cancel_task(task_id) and _all_near(queue, _row(queue, task_id))


def _claims(queue: QueueUnderTest) -> bool:
    task_id = _put(queue)
    return queue.claim_task(lease_seconds=_LEASE) is not None and _all_near(queue, _row(queue, task_id))


def _claims_by(queue: QueueUnderTest) -> bool:
    task_id, strategy = _put(queue), min(queue.promises.strategies)
    task = queue.claim_by(strategy, lease_seconds=_LEASE)
    return task is not None and _all_near(queue, _row(queue, task_id))


def _after_a_claim(call: Callable[[QueueUnderTest, Task], bool]) -> Callable[[QueueUnderTest], bool]:
    def works(queue: QueueUnderTest) -> bool:
        task_id = _put(queue)
        task = queue.claim_task(lease_seconds=_LEASE)
        return task is not None and call(queue, task) and _all_near(queue, _row(queue, task_id))

    return works


def _reclaims(queue: QueueUnderTest) -> bool:
    over = _before(queue, _NEAR)
    held = {"status": "leased", "attempts": 1, "locked_by": "w0", "reserved_at_utc": over, "lease_until_utc": over}
    task_id = _put(queue, **held)
    return queue.reclaim_expired() == 1 and _all_near(queue, _row(queue, task_id))


def _deletes(queue: QueueUnderTest) -> bool:
    for ago in (2 * _LONG_AGO, timedelta()):
        _put(queue, status=queue.promises.deletes[0], attempts=1, finished_at_utc=_before(queue, ago))
    return queue.delete_finished(_LONG_AGO.total_seconds()) == 1


_PROBES: Mapping[str, Callable[[QueueUnderTest], bool]] = {
    "enqueue": _enqueues,
    "cancel_task": _cancels,
    "claim_task": _claims,
    "claim_by": _claims_by,
    "complete_task": _after_a_claim(lambda queue, task: queue.complete_task(task)),
    "fail_task": _after_a_claim(lambda queue, task: queue.fail_task(task)),
    "renew_lease": _after_a_claim(lambda queue, task: queue.renew_lease(task, lease_seconds=_LEASE)),
    "reclaim_expired": _reclaims,
    "delete_finished": _deletes,
}


def _put(queue: QueueUnderTest, **columns: object) -> int:
    """Store a task that has been due for an hour."""
    due = _before(queue, _NEAR)
    task_id = queue.insert({"type": "job", "payload": "{}", "run_after_utc": due, "created_at_utc": due, **columns})
    if task_id is None:
        raise NotJudgedError("the tables refuse a task")
    return task_id


def _before(queue: QueueUnderTest, ago: timedelta) -> str:
    return (queue.now() - ago).strftime("%Y-%m-%d %H:%M:%S")


def _row(queue: QueueUnderTest, task_id: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a TaskId
    row = queue.sql("SELECT * FROM task_queue WHERE id = ?", (task_id,))[0]
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row is no mapping


def _all_near(queue: QueueUnderTest, row: Mapping[str, Any]) -> bool:
    """Whether every time in the row is of the queue's own day; the kit's own are."""
    return all(_is_near(queue, value) for name, value in row.items() if name.endswith("_utc") and value is not None)


def _is_near(queue: QueueUnderTest, stored: object) -> bool:
    try:
        found = datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(found - queue.now()) <= 2 * _NEAR
