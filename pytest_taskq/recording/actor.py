"""One worker's hands: the adapter's methods, each call recorded; what it raises is recorded too."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.history import SECOND, Kind
from pytest_taskq.subject.invocation import Invoker, ProcessExitError
from pytest_taskq.subject.results import wrong_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import Task
    from pytest_taskq.recording.log import CallLog

TOKEN = "taskq"  # noqa: S105 - the payload's key under which a task carries its name
LEASE = 3600.0


class BrokenResultError(Exception):
    """A method returned what the contract does not allow it to; ``method`` names it."""

    def __init__(self, method: str, text: str) -> None:
        super().__init__(text)
        self.method = method


class Actor:
    """One adapter instance at work; ``job`` holds what the crew was told."""

    def __init__(self, name: str, adapter: Any, log: CallLog, job: Mapping[str, Any]) -> None:  # noqa: ANN401 - any adapter
        self.name = name
        self.adapter = adapter
        self.job = job
        self.chance = random.Random(f"{job['seed']} {name}")  # noqa: S311 - the seed of the run
        self.invoke = Invoker()
        self._log = log
        self._made = 0
        self._ways = [tuple(way) for way in job["ways"]]
        self.start = self.end = job["start"]

    @property
    def time_is_up(self) -> bool:
        """Whether the job's time is over."""
        return bool(time.monotonic_ns() >= self.end)

    def start_at(self, start: int) -> None:
        """Wait until ``start``, the moment at which the whole crew begins."""
        while time.monotonic_ns() < start:
            time.sleep(0.0002)
        self.start = start
        self.end = start + round(self.job["seconds"] * SECOND)

    def close(self) -> None:
        """Close the adapter and the log."""
        self.invoke(self.adapter.close)
        self.invoke.close()
        self._log.close()

    def enqueue(self, *, token: str = "", priority: int = 0, key: str | None = None) -> Any:  # noqa: ANN401 - a task id
        """Enqueue a task of a name of its own; return its id, None if the call raised."""
        self._made += 1
        token = token or f"{self.name}-{self.job['round']}-{self._made}"
        options: dict[str, Any] = {"max_attempts": 1000} if self.job["max_attempts"] else {}
        if self.job["priorities"]:
            options["priority"] = priority
        if key is not None:
            options["idempotency_key"] = key
        number = self._log.begin(Kind.ENQUEUE, task=token, priority=priority, key=key)
        return self._made_call(number, "enqueue", ("job", {TOKEN: token}), options, lambda found: {"row": _row(found)})

    def claim(self, lease: float = LEASE, way: tuple[str, ...] | None = None) -> Task | None:
        """Claim a task in one of the ways of the job; None if there was none or the call raised."""
        if not self._ways:
            return None
        method, *strategy = way or self.chance.choice(self._ways)
        chosen = [SchedulingStrategy(one) for one in strategy]
        length = round(lease * SECOND) if self.job["leases"] else 0
        number = self._log.begin(Kind.CLAIM, lease=length)
        task: Task | None = self._made_call(number, method, (*chosen, self.name, {}, lease), {}, _claimed)
        return task

    def complete(self, task: Task) -> bool:
        """Complete a task that this worker claimed."""
        return bool(self._finish(Kind.COMPLETE, "complete_task", task, (task, self.name)))

    def fail(self, task: Task) -> bool:
        """Give a task back."""
        return bool(self._finish(Kind.FAIL, "fail_task", task, (task, self.name, "boom"), delay=self.job["backoff"]))

    def renew(self, task: Task, lease: float) -> bool:
        """Renew the lease of a task."""
        length = round(lease * SECOND)
        return bool(self._finish(Kind.RENEW, "renew_lease", task, (task, self.name, lease), lease=length))

    def reclaim(self) -> None:
        """Take back what is over."""
        self._made_call(self._log.begin(Kind.RECLAIM), "reclaim_expired", (), {}, _result)

    def delete(self, older_than: float) -> int | None:
        """Delete what finished longer ago."""
        number = self._log.begin(Kind.DELETE)
        deleted: int | None = self._made_call(number, "delete_finished", (older_than,), {}, _result)
        return deleted

    def stats(self) -> None:
        """Count the tasks."""
        self._made_call(self._log.begin(Kind.STATS), "queue_stats", (), {}, lambda found: {"result": dict(found)})

    def _finish(self, kind: Kind, method: str, task: Task, arguments: tuple[Any, ...], **about: int) -> Any:  # noqa: ANN401 - its result
        number = self._log.begin(kind, task=token_of(task), attempt=_attempt(task), **about)
        return self._made_call(number, method, arguments, {}, _result)

    def opened(self, path: str) -> None:
        """Open the database at the adapter's place and create its schema, recorded as one call."""
        number = self._log.begin(Kind.OPEN, task=path)
        self._made_call(number, "", (), {}, lambda _: {}, function=self._open)

    def _open(self) -> None:
        database = self.adapter.open_database()
        try:
            database.initialize_schema()
        finally:
            database.close()

    def _made_call(
        self,
        number: int,
        method: str,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        about: Any,  # noqa: ANN401 - a function of the result
        function: Any = None,  # noqa: ANN401 - any callable
    ) -> Any:  # noqa: ANN401 - its result
        try:
            result = self.invoke(function or getattr(self.adapter, method), *arguments, **keywords)
        except (Exception, ProcessExitError) as error:  # noqa: BLE001 - whatever it raises is what happened
            self._log.end(number, time.monotonic_ns(), error=described(error))
            return None
        returned = time.monotonic_ns()
        wanted = wrong_type(method, result)
        if wanted:
            raise BrokenResultError(method, f"{method} returns {wanted}; it returned {result!r:.200}")
        self._log.end(number, returned, **about(result))
        return result


def token_of(task: Task) -> str:
    """Return the name that a task carries; of one that carries none, what the queue calls it."""
    try:
        payload = task.get_payload_dict()
        return str(payload[TOKEN])
    except (ValueError, TypeError, KeyError):
        return f"a task without our payload, id {task.id!r}"


def described(error: BaseException) -> str:
    """Return the classes of an exception, its own first, and its text: the reader of the file has not its modules.

    What it was raised from, or while handling what, stands behind it: a lock error in the words of a team's own.
    """
    names = [one.__name__ for one in type(error).__mro__ if issubclass(one, Exception) and one is not Exception]
    told = f"{'/'.join(names) or type(error).__name__}: {error!s:.300}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told if cause is None else f"{told} (from {type(cause).__name__}: {cause!s:.300})"


def _row(found: object) -> object:
    return found if isinstance(found, int | str) else None


def _attempt(task: Task) -> int | None:
    return task.attempts if isinstance(getattr(task, "attempts", None), int) else None


def _claimed(task: Task | None) -> dict[str, Any]:
    return {} if task is None else {"task": token_of(task), "row": _row(task.id), "attempt": _attempt(task)}


def _result(found: object) -> dict[str, Any]:
    return {"result": found}
