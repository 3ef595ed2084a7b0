"""The code under test on a fresh store, as the checks use it."""

from __future__ import annotations

import inspect
import traceback
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_taskq.adapter import NotOfferedError, StandaloneAdapter
from pytest_taskq.subject.invocation import Invoker, ProcessExitError
from pytest_taskq.subject.results import wrong_type
from pytest_taskq.subject.store import RowRefusedError
from pytest_taskq.subject.transcript import Transcript, call_line, shown
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError, UnsupportedError
from pytest_taskq.subject.watch import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_taskq.adapter import QueueAdapter
    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.contract import Promises, SchedulingStrategy, Task, TaskId
    from pytest_taskq.subject.store import PlainRow, PlainSql, Store
    from pytest_taskq.subject.stores import Stores
    from pytest_taskq.subject.subject import Subject


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: a result, or the exception it raised."""

    call: str
    result: Any = None
    error: Exception | None = None

    def __str__(self) -> str:
        return shown(self.result) if self.error is None else f"raises {type(self.error).__name__}: {self.error!s:.200}"


class QueueUnderTest:
    """One actor's adapter on a fresh store; its methods are the adapter's, each call is recorded and bounded.

    A call that raises, returns another type than the contract says, or tries to end the process raises
    ContractViolation; ``attempt`` returns such an exception instead. Use and close it in one thread. ``store`` is
    one that is there already; ``in_real_time`` says that a fresh one is looked at in real time.
    """

    def __init__(
        self,
        subject: Subject,
        stores: Stores,
        clock: VirtualClock,
        progress: Progress,
        store: Store | None = None,
        *,
        in_real_time: bool = False,
    ) -> None:
        self.subject = subject
        self.clock = clock
        self.transcript = Transcript()
        self._stores = stores
        self._progress = progress
        self._invoke = Invoker()
        self._others: list[QueueUnderTest] = []
        self._sql: PlainSql | None = None
        self._adapter: QueueAdapter | StandaloneAdapter | None = None
        self._store = store
        self._in_real_time = in_real_time

    @property
    def promises(self) -> Promises:
        """What the team promises."""
        return self.subject.promises

    @property
    def store(self) -> Store:
        """Where the tasks are; made on first use."""
        if self._store is None:
            with self._under_way("initialising a fresh store"):
                self._store = self._stores.fresh(self._invoke, in_real_time=self._in_real_time)
                if self.subject.standalone:
                    self._invoke(lambda: self.subject.adapter(self.dsn).setup())  # type: ignore[union-attr]  # standalone
        return self._store

    @property
    def path(self) -> Path:
        """The SQLite file. Raises UnsupportedError for any other store."""
        return self.store.path

    @property
    def dsn(self) -> str:
        """The store as the adapter is given it."""
        return self.store.dsn

    @property
    def adapter(self) -> QueueAdapter | StandaloneAdapter:
        """The adapter instance of this actor, made on first use."""
        if self._adapter is None:
            dsn = self.dsn
            with self._under_way(f"{self.subject.adapter.__name__}({dsn!r})"):
                self._adapter = self._invoke(self.subject.adapter, dsn)
        return self._adapter

    def another(self, *, apart: bool = False) -> QueueUnderTest:
        """Return a second actor on the same store and clock; one that is ``apart`` may run in a thread of its own.

        Its calls are in the same transcript and bounded in the same way, unless it is apart: then whoever runs it
        bounds them.
        """
        progress = Progress() if apart else self._progress
        other = QueueUnderTest(self.subject, self._stores, self.clock, progress, self.store)
        if not apart:
            other.transcript = self.transcript
        self._others.append(other)
        return other

    def leave(self) -> None:
        """Close the adapters; the store stays."""
        for other in self._others:
            other.close_actor()
        self.close_actor()

    def close(self) -> None:
        """Close the adapters and remove the store."""
        try:
            self.leave()
        finally:
            if self._store is not None:
                self._stores.discard(self._store)

    def close_actor(self) -> None:
        """Close this actor's adapter and leave the store; called in the thread that used it."""
        if self._sql is not None:
            self._sql.close()
            self._sql = None
        adapter = self.abandon()
        if adapter is not None:
            with self._under_way("close()"):
                self._invoke(adapter.close)
        self._invoke.close()

    def abandon(self) -> QueueAdapter | StandaloneAdapter | None:
        """Give the adapter up as it is, as a process does that dies; return it."""
        adapter, self._adapter = self._adapter, None
        self._invoke.close()
        return adapter

    # --- calls ------------------------------------------------------------------------------------------------------

    def attempt(self, method: str, *arguments: Any, **keywords: Any) -> Outcome:  # noqa: ANN401 - any method's
        """Call a method; return its result or the exception it raised. Its type is checked, its meaning is not."""
        line = call_line(method, arguments, keywords)
        function = getattr(self.adapter, method, None)
        if function is None or (self.subject.standalone and method not in self.subject.own):
            raise NotJudgedError(f"{method} is not offered, and the check needs it")
        with self.store.call_at(self.clock, method, arguments) as timed:
            outcome = self._outcome(line, method, function, timed.given(arguments), keywords)
            seen = timed.seen(outcome.result)
        outcome = outcome if seen is outcome.result else replace(outcome, result=seen)
        self.transcript.note(line, str(outcome))
        wanted = None if outcome.error else wrong_type(method, outcome.result)
        if wanted:
            found = f"{shown(outcome.result)} ({type(outcome.result).__name__})"
            raise ContractViolation(f"{method} returns {wanted}", found, calls=self.transcript.lines, method=method)
        return outcome

    def _outcome(
        self, line: str, method: str, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Outcome:
        self._progress.start(line)
        try:
            return Outcome(line, self._invoke(function, *arguments, **keywords))
        except NotOfferedError as error:
            raise NotJudgedError(f"{method} is not offered: {error}") from error
        except ProcessExitError as error:
            self._violated(line, method, "a result or an exception", str(error), error)
        except Exception as error:  # noqa: BLE001 - whatever the code under test raises is its outcome
            return Outcome(line, error=error)
        finally:
            self._progress.end()

    def call(self, method: str, *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - any method's
        """Call a method and return its result; an exception of it is a violation."""
        outcome = self.attempt(method, *arguments, **keywords)
        if outcome.error is not None:
            where = "".join(traceback.format_exception(outcome.error, limit=-2)).rstrip()
            raise ContractViolation(
                f"{method} returns", f"it raised\n{where}", calls=self.transcript.lines, method=method
            ) from outcome.error
        return outcome.result

    def _violated(self, line: str, method: str, expected: str, seen: str, cause: BaseException) -> NoReturn:
        self.transcript.note(line, seen)
        raise ContractViolation(
            f"{method} comes back with {expected}", seen, calls=self.transcript.lines, method=method
        ) from cause

    def bare(self, method: str) -> Callable[..., Any]:
        """Return the adapter's method with nothing of the kit around it but the event loop that ``async`` needs.

        Whoever calls it bounds it with ``under_way`` and keeps the process.
        """
        function = getattr(self.adapter, method)
        if inspect.iscoroutinefunction(function):
            return partial(self._invoke.plainly, function)
        return function  # type: ignore[no-any-return]  # a method

    def tell(self, doing: str) -> None:
        """Note what is being done and how much of it is left, for whoever looks."""
        self._progress.doing = doing

    def under_way(self, call: str) -> None:
        """Say that a bare call begins, "" that it ended."""
        self._progress.start(call) if call else self._progress.end()

    def enqueue(self, type: str = "job", payload: Any = None, **options: Any) -> TaskId:  # noqa: A002, ANN401 - the contract's
        """Store a new task and return its id."""
        return self.call("enqueue", type, {} if payload is None else payload, **options)  # type: ignore[no-any-return]  # checked by type

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        """Store all items or none."""
        return self.call("enqueue_many", items)  # type: ignore[no-any-return]  # checked by type

    def cancel_task(self, task_id: TaskId) -> bool:
        """Take a queued task out of the queue."""
        return self.call("cancel_task", task_id)  # type: ignore[no-any-return]  # checked by type

    def get_task(self, task_id: TaskId) -> Task | None:
        """Return the task as it is."""
        return self.call("get_task", task_id)  # type: ignore[no-any-return]  # checked by type

    def claim_task(
        self, worker_id: str = "w1", capabilities: Mapping[str, Any] | None = None, lease_seconds: float = 60.0
    ) -> Task | None:
        """Lease any due task."""
        return self.call("claim_task", worker_id, capabilities or {}, lease_seconds)  # type: ignore[no-any-return]  # checked by type

    def claim_by(
        self,
        strategy: SchedulingStrategy,
        worker_id: str = "w1",
        capabilities: Mapping[str, Any] | None = None,
        lease_seconds: float = 60.0,
    ) -> Task | None:
        """Lease the first due task under a strategy."""
        return self.call("claim_by", strategy, worker_id, capabilities or {}, lease_seconds)  # type: ignore[no-any-return]  # checked by type

    def claim_many(
        self,
        n: int,
        worker_id: str = "w1",
        capabilities: Mapping[str, Any] | None = None,
        lease_seconds: float = 60.0,
    ) -> list[Task]:
        """Lease at most ``n`` due tasks."""
        return self.call("claim_many", n, worker_id, capabilities or {}, lease_seconds)  # type: ignore[no-any-return]  # checked by type

    def complete_task(self, task: Task, worker_id: str = "w1") -> bool:
        """Finish a task."""
        return self.call("complete_task", task, worker_id)  # type: ignore[no-any-return]  # checked by type

    def fail_task(self, task: Task, worker_id: str = "w1", error: str = "boom", *, retry: bool = True) -> bool:
        """Record a failure."""
        return self.call("fail_task", task, worker_id, error, retry=retry)  # type: ignore[no-any-return]  # checked by type

    def renew_lease(self, task: Task, worker_id: str = "w1", lease_seconds: float = 60.0) -> bool:
        """Move the deadline."""
        return self.call("renew_lease", task, worker_id, lease_seconds)  # type: ignore[no-any-return]  # checked by type

    def queue_stats(self) -> dict[str, int]:
        """Return the number of tasks per status."""
        return dict(self.call("queue_stats"))

    def reclaim_expired(self) -> int:
        """Take back every task whose lease is over."""
        return self.call("reclaim_expired")  # type: ignore[no-any-return]  # checked by type

    def delete_finished(self, older_than_seconds: float = 0.0) -> int:
        """Delete the tasks finished longer ago than that."""
        return self.call("delete_finished", older_than_seconds)  # type: ignore[no-any-return]  # checked by type

    # --- time, plain SQL, judging -----------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the virtual time, UTC."""
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Let virtual time pass: SQLite's, Python's, and the queue's own if it has a clock."""
        self.clock.advance(seconds)
        advance = getattr(self.adapter, "advance", None) if self.subject.standalone else None
        if advance is not None:
            self._invoke(advance, seconds)
        self.transcript.note(f"{seconds:g} s pass")

    @property
    def plain(self) -> PlainSql:
        """A connection of the kit's own to the shared tables, in autocommit mode."""
        if not self.subject.shared_schema:
            raise NotJudgedError("plain SQL needs the shared schema, and this queue has a storage of its own")
        self._sql = self._sql or self.store.connect()
        self.store.show(self.clock.milliseconds)
        return self._sql

    def sql(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Sequence[PlainRow]:
        """Run plain SQL on the shared tables, ``?`` for each parameter."""
        return self.plain.run(statement, parameters)

    def insert(self, columns: Mapping[str, Any]) -> int | None:
        """Insert a task as a team would, by plain SQL; return its id, None if the tables refuse such a row.

        Columns not named get the schema's defaults; bytes are stored as text, whatever they spell.
        """
        marks = ", ".join("CAST(? AS TEXT)" if isinstance(one, bytes) else "?" for one in columns.values())
        statement = f"INSERT INTO task_queue ({', '.join(columns)}) VALUES ({marks}) RETURNING id"
        try:
            task_id = int(self.sql(statement, tuple(columns.values()))[0][0])
        except RowRefusedError:
            return None
        self.transcript.note(f"INSERT INTO task_queue {shown(dict(columns))}", f"id {task_id}")
        return task_id

    def require(self, holds: object, expected: str, seen: object, *, method: str | None = None) -> None:
        """Raise ContractViolation with the calls so far unless ``holds``; ``seen`` that is text is shown as it is."""
        if not holds:
            text = seen if isinstance(seen, str) else shown(seen)
            raise ContractViolation(expected, text, calls=self.transcript.lines, method=method)

    def precondition(self, holds: object, what: str) -> None:
        """Raise NotJudgedError unless ``holds``: the check could not make what it judges."""
        if not holds:
            raise NotJudgedError(f"{what} did not come about\ncalls so far\n" + "\n".join(self.transcript.lines))

    def _under_way(self, what: str) -> _UnderWay:
        return _UnderWay(self._progress, what)


class _UnderWay:
    """Marks work of the code under test that is not a call of the contract, so that it is bounded too."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress, self._what = progress, what

    def __enter__(self) -> None:
        self._progress.start(self._what)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._progress.end()
        if isinstance(error, ProcessExitError | Exception) and not isinstance(
            error, NotJudgedError | ContractViolation | UnsupportedError
        ):
            where = "".join(traceback.format_exception(error, limit=-3)).rstrip()
            raise ContractViolation(f"{self._what} works", f"it raised\n{where}", method="open_database") from error
