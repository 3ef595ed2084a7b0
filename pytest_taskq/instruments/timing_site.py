"""A queue that is kept at a depth in real time, and blocks of timed calls on it with nothing of the kit in between."""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from pytest_taskq.instruments.timing_calls import WORKER, claimed
from pytest_taskq.instruments.timing_conditions import Waiting, collector_off
from pytest_taskq.latency.blocks import Block
from pytest_taskq.subject.backlog import insert_rows
from pytest_taskq.subject.invocation import process_kept
from pytest_taskq.subject.store import POSTGRESQL
from pytest_taskq.subject.violation import CheckAbortedError, InconclusiveError, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_taskq.instruments.timing_calls import Arguments, TimedCall
    from pytest_taskq.instruments.timing_floor import Change, Floor
    from pytest_taskq.subject import Bench, QueueUnderTest
    from pytest_taskq.subject.store import PlainSql

_SKEW = timedelta(minutes=1)  # a server's clock may be behind ours, and every row is to be due
_BATCH = 500
_WARM, _WARM_SECONDS = 30, 0.2


class Site:
    """A queue with ``depth`` tasks that are due and nothing else."""

    def __init__(self, queue: QueueUnderTest, depth: int, plain: PlainSql | None, waiting: Waiting) -> None:
        self.queue = queue
        self.depth = depth
        self.waiting = waiting
        self._plain = plain

    def block(self, call: TimedCall, count: int) -> Block:
        """Return what so many calls took; afterwards the depth is what it was."""
        arguments = call.arguments(self.queue, count)
        function = self.queue.bare(call.method)
        results: list[Any] = []
        block = self._timed(call.name, function, arguments, results)
        call.prove(results)
        if call.change != "count":
            self._keep(call.change, arguments, results)
        return block

    def floor_block(self, floor: Floor, change: Change, count: int) -> Block:
        """Return what so many bare transactions took."""
        block = self._timed("a bare transaction", floor.transaction(change), [()] * count, [])
        if change == "insert":
            floor.keep()
        return block

    def warm_up(self, call: TimedCall) -> None:
        """Let connections be opened, statements be prepared, and what new rows bring with them be done."""
        until = monotonic() + _WARM_SECONDS
        for _ in range(_WARM // 3):
            self.block(call, 3)
            if monotonic() > until:
                break

    def _timed(
        self, name: str, function: Callable[..., Any], arguments: Sequence[Arguments], results: list[Any]
    ) -> Block:
        seconds, own = [], []
        with process_kept(), collector_off():
            for some in arguments:
                self.queue.under_way(name)
                waited = self.waiting.seconds()
                began = perf_counter()
                try:
                    result = function(*some)
                except CheckAbortedError:
                    raise
                except (Exception, SystemExit) as error:
                    raise NotJudgedError(f"{name} raised {type(error).__name__} while it was timed: {error}") from error
                spent = perf_counter() - began
                seconds.append(spent)
                own.append(max(0.0, spent - max(0.0, self.waiting.seconds() - waited)))
                self.queue.under_way("")
                results.append(result)
        return Block.of(seconds, own)

    def fill(self, seconds: float) -> None:
        """Bring it to its depth. Raises InconclusiveError where a queue with its own storage is not there in time."""
        if self._plain is not None:
            insert_rows(self._plain, "queued", self.depth, datetime.now(UTC) - _SKEW)
            return
        until, stored = monotonic() + seconds, 0
        while stored < self.depth:
            stored += self._enqueued(min(_BATCH, self.depth - stored))
            if monotonic() > until and stored < self.depth:
                raise InconclusiveError(
                    f"only {stored} of the {self.depth} tasks that are to wait could be enqueued in {seconds:g} s"
                )

    def _enqueued(self, count: int) -> int:
        subject = self.queue.subject
        if "enqueue_many" in subject.own and subject.offers("enqueue_many"):
            self.queue.bare("enqueue_many")([{"type": "job", "payload": {}}] * count)
        else:
            enqueue = self.queue.bare("enqueue")
            for _ in range(count):
                enqueue("job", {})
        return count

    def _keep(self, change: Change, arguments: Sequence[Arguments], results: Sequence[Any]) -> None:
        """Take out what the calls left behind, and put fresh tasks in the place of those that they took."""
        inserts = change == "insert"
        tasks = [] if inserts else [_task_of(*one) for one in zip(arguments, results, strict=True)]
        if self._plain is not None:
            _replaced(self._plain, results if inserts else [task.id for task in tasks], len(tasks))
        elif not inserts:
            self._finish([one for one in results if not isinstance(one, bool)])
            self._enqueued(len(results))
        elif self.queue.subject.offers("claim_task"):
            self._finish(claimed(self.queue, len(results)))

    def _finish(self, tasks: Sequence[Any]) -> None:
        if self.queue.subject.offers("complete_task"):
            complete = self.queue.bare("complete_task")
            for task in tasks:
                complete(task, WORKER)

    def prove_depth(self, call: TimedCall) -> None:
        """Return if as many tasks wait as are to. Raises NotJudgedError: at another depth nothing was timed."""
        waiting = self._waiting()
        if waiting is not None and waiting != self.depth:
            raise NotJudgedError(f"{waiting} tasks waited after {call.name} was timed, where {self.depth} are to wait")

    def _waiting(self) -> int | None:
        if self._plain is None:
            return None
        return int(self._plain.run("SELECT count(*) FROM task_queue WHERE status = 'queued'", ())[0][0])


def _replaced(plain: PlainSql, touched: Sequence[Any], fresh: int) -> None:
    """Put so many fresh rows in the place of the tasks that were touched, by plain SQL."""
    marks = ", ".join("?" * len(touched))
    plain.run(f"DELETE FROM task_queue WHERE id IN ({marks})", tuple(touched))
    insert_rows(plain, "queued", fresh, datetime.now(UTC) - _SKEW)


def _task_of(arguments: Arguments, result: Any) -> Any:  # noqa: ANN401 - a task of the code under test
    """Return the task that a call claimed, or was about."""
    return arguments[0] if isinstance(result, bool) else result


@contextmanager
def site_of(bench: Bench, depth: int, seconds: float) -> Iterator[Site]:
    """Yield a site on a fresh store; its queue's clock is the real one, inside ``bench.unclocked`` alone."""
    with bench.queue(in_real_time=True) as queue:
        queue.store.show_real_time()
        plain = queue.store.connect() if bench.subject.shared_schema else None
        _ = queue.adapter
        with closing(Waiting()) as waiting:
            site = Site(queue, depth, plain, waiting)
            try:
                site.fill(seconds)
                if bench.backend == POSTGRESQL and plain is not None:
                    plain.run("VACUUM (ANALYZE) task_queue", ())
                yield site
            finally:
                if plain is not None:
                    plain.close()
