"""By which means the time of the code under test can be moved, if by any.

``CURRENT_TIMESTAMP``, a qualified ``pg_catalog.now()`` and the like show real time whatever ``now()`` says in the
schema; what goes by them can be judged with stored times that are shifted, unless it fences on these. Code that goes by
neither would be blamed for what is the kit's inability. So each method that has to do with time is tried: what works at
the real moment and does not by a means is beyond its reach.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import sleep
from typing import TYPE_CHECKING, Any, Literal

from pytest_taskq.postgres.frame import GRAIN
from pytest_taskq.postgres.retimed import retimed
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_taskq.contract import Promises, Task
    from pytest_taskq.subject.bench import Bench
    from pytest_taskq.subject.queue import QueueUnderTest

    Works = Callable[[QueueUnderTest], bool]
    Wait = Callable[[QueueUnderTest, float], None]
    Waits = Callable[[QueueUnderTest, float, Wait], bool]

Means = Literal["shadow", "shift"]
MEANS: tuple[Means, ...] = ("shadow", "shift")  # the better one first

_LEASE = 600.0
_NEAR = timedelta(hours=1)
_LONG_AGO = timedelta(days=30)
_A_LITTLE = 3000  # microseconds; nothing is over so soon
_FINEST = 0.5  # seconds; twice the gap that real time needs
_SHORT, _MARGIN = 0.3, 0.05  # seconds of real time; only code that fails in virtual time is waited for
_FAILURES = 40  # of one task, after which its backoff is the longest


def unsupported(reasons: Mapping[Means, str]) -> str:
    """Return why no means will do, and what to do."""
    return (
        f"time cannot be moved for this code, neither by now() in its schema ({reasons['shadow']}) nor by shifting the "
        f"stored times ({reasons['shift']}). Ask for the time with now(), unqualified, and not with CURRENT_TIMESTAMP, "
        "LOCALTIMESTAMP, 'now' or pg_catalog.now(), or fence on attempts"
    )


def beyond_reach(means: Means, bench: Bench) -> str:
    """Return which of the team's methods does not go by a means, and how that shows; "" if all do."""
    own = bench.subject.own
    for method, works in _PROBES.items():
        if method not in own or _works(bench, works):
            continue
        if _works(bench, works, in_real_time=True) and not _works(bench, works):
            return f"{method} works at the server's own time and not {_WITH[means]}"
    return _beyond_shifting(bench) if means == "shift" else ""


_WITH = {
    "shadow": "at the time that now() shows in its schema",
    "shift": "with stored times that are shifted: it keeps a time elsewhere, in its handle or its memory",
}


def _beyond_shifting(bench: Bench) -> str:
    """Return what else shifted times do to a method: what only looks right would be judged wrongly."""
    own, precision = bench.subject.own, bench.subject.promises.time_precision
    if precision < _FINEST:
        return f"a precision of {precision:g} s is promised, and shifted times tell nothing below {_FINEST:g} s"
    for method, call in _HOLDERS.items():
        if method in own and _works(bench, _after_a_claim(call)) and not _works(bench, _after_a_claim(_later(call))):
            return f"{method} fences on a stored time, which shifting changes"
    for method, works in _PROBES.items():
        cut = _cut_columns(bench, works) if method in own else ()
        if cut:
            return f"{method} stores whole seconds in {', '.join(sorted(cut))}, and real time is never at a whole one"
    for method, waits in _WAITS.items():
        if method in own and not _waits(bench, waits) and _waits(bench, waits, in_real_time=True):
            return f"what {method} puts off comes in real time and not in shifted time: that is no column of times"
    return _odd_backoff(bench.subject.promises) if "fail_task" in own else ""


def _odd_backoff(promises: Promises) -> str:
    for number in range(1, _FAILURES):
        for bound in promises.backoff.window(number):
            if abs(bound * 1e6 / GRAIN - round(bound * 1e6 / GRAIN)) > 1e-6:  # noqa: PLR2004 - of a float
                return f"the promised backoff has a bound at {bound:g} s, and times are told to {GRAIN / 1e6:g} s"
    return ""


def _cut_columns(bench: Bench, works: Works) -> frozenset[str]:
    """Return the columns to which the calls write times without a fraction of a second."""

    def tried() -> frozenset[str]:
        with bench.fresh() as queue:
            found = watched(queue)
            _holds(works, queue)
            return frozenset(found)

    return bench.exactly(tried)


def watched(queue: QueueUnderTest) -> set[str]:
    """Return what is filled with the columns to which the code writes whole seconds."""
    from pytest_taskq.postgres.shifting import ShiftedTime
    from pytest_taskq.postgres.stores import ServerStore

    store = queue.store
    if not isinstance(store, ServerStore) or not isinstance(store.time, ShiftedTime):
        raise UnsupportedError("only shifted times are looked at")
    store.time.cut = set()
    return store.time.cut


def _works(bench: Bench, works: Works, *, in_real_time: bool = False) -> bool:
    def tried() -> bool:
        with bench.fresh(in_real_time=in_real_time) as queue:
            if in_real_time:
                seconds = queue.sql("SELECT extract(epoch FROM pg_catalog.now())")[0][0]
                queue.clock.milliseconds = round(seconds * 1000)
            return _holds(works, queue)

    return bench.exactly(tried)


def _waits(bench: Bench, waits: Waits, *, in_real_time: bool = False) -> bool:
    """Whether what is put off comes after its time, which is virtual and long, or real and short.

    It is waited for as long as the promised precision lets it be late: code of whole seconds would not come before.
    """

    def wait(queue: QueueUnderTest, seconds: float) -> None:
        latest = seconds + queue.promises.time_precision
        queue.advance(latest)
        if in_real_time:
            sleep(latest + _MARGIN)

    length = _SHORT if in_real_time else _LEASE
    return _works(bench, lambda queue: waits(queue, length, wait), in_real_time=in_real_time)


def _holds(works: Works, queue: QueueUnderTest) -> bool:
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


def _after_a_claim(call: Callable[[QueueUnderTest, Task], bool]) -> Works:
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


def _later(call: Callable[[QueueUnderTest, Task], bool]) -> Callable[[QueueUnderTest, Task], bool]:
    """Return the call with a task whose times are a little later than those in the rows."""
    return lambda queue, task: call(queue, retimed(task, lambda moment: moment + _A_LITTLE))


def _comes_after_a_delay(queue: QueueUnderTest, seconds: float, wait: Wait) -> bool:
    queue.enqueue(delay_seconds=seconds)
    wait(queue, seconds)
    return queue.claim_task() is not None


def _comes_after_a_lease(queue: QueueUnderTest, seconds: float, wait: Wait) -> bool:
    _put(queue)
    held = queue.claim_task(lease_seconds=seconds) is not None
    wait(queue, seconds)
    queue.reclaim_expired()
    return held and queue.claim_task("w2") is not None


def _comes_after_a_backoff(queue: QueueUnderTest, _: float, wait: Wait) -> bool:
    _put(queue)
    task = queue.claim_task(lease_seconds=_LEASE)
    failed = task is not None and queue.fail_task(task)
    wait(queue, queue.promises.backoff.window(1)[1])
    return failed and queue.claim_task() is not None


_WAITS: Mapping[str, Waits] = {
    "enqueue": _comes_after_a_delay,
    "claim_task": _comes_after_a_lease,
    "fail_task": _comes_after_a_backoff,
}
_HOLDERS: Mapping[str, Callable[[QueueUnderTest, Task], bool]] = {
    "complete_task": lambda queue, task: queue.complete_task(task),
    "fail_task": lambda queue, task: queue.fail_task(task),
    "renew_lease": lambda queue, task: queue.renew_lease(task, lease_seconds=_LEASE),
}
_PROBES: Mapping[str, Works] = {
    "enqueue": _enqueues,
    "cancel_task": _cancels,
    "claim_task": _claims,
    "claim_by": _claims_by,
    **{method: _after_a_claim(call) for method, call in _HOLDERS.items()},
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
