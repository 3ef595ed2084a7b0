"""What a judge sees when all actors have ended: their calls, what is stored, and the queue itself."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_taskq.reference_impl import QueueBusyError
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.interleaving.events import Called, Played
    from pytest_taskq.subject import QueueUnderTest
    from pytest_taskq.subject.store import PlainRow

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_COLLIDED = {"40001", "40P01", "55P03"}  # of PostgreSQL: serialization failure, deadlock, no lock in time


class UnseenError(NotJudgedError):
    """The code reaches its store on a way that the kit does not see, so nothing can be said about its schedules."""


class NothingToRaceError(UnseenError):
    """What the scenario races against is not possible with this queue by its design, so it is not offered."""


@dataclass
class Aftermath:
    """The calls in the order in which they began; ``queue`` is one more worker that comes when all is quiet."""

    played: Played
    queue: QueueUnderTest
    prepared: Any

    @property
    def calls(self) -> list[Called]:
        """Every call of every actor."""
        return self.played.calls

    def of(self, *methods: str) -> list[Called]:
        """Return the calls of some methods."""
        return [call for call in self.calls if call.method in methods]

    def by(self, actor: int) -> list[Called]:
        """Return the calls of one actor."""
        return [call for call in self.calls if call.actor == actor]

    def rows(self) -> dict[Any, PlainRow]:
        """Return the stored tasks by id."""
        return {row["id"]: row for row in self.queue.sql("SELECT * FROM task_queue ORDER BY id")}

    def status(self, task_id: Any) -> str | None:  # noqa: ANN401 - a TaskId
        """Return the status of a task, "gone" if it is not stored; None where nothing tells."""
        if self.queue.subject.shared_schema:
            row = self.rows().get(task_id)
            return "gone" if row is None else row["status"]
        if not self.queue.subject.offers("get_task"):
            return None
        task = self.queue.get_task(task_id)
        return "gone" if task is None else task.status

    def require_status(self, task_id: Any, *allowed: str, why: str, by: Called | None = None) -> None:  # noqa: ANN401 - a TaskId
        """Require that a task ended in one of some states, if anything tells."""
        status = self.status(task_id)
        self.require(
            status is None or status in allowed,
            f"{why}: task {task_id!r} is {' or '.join(allowed)}",
            f"it is {status}",
            *([] if by is None else [by]),
        )

    def suspects(self, *calls: Called) -> Called | None:
        """Return the one call among ``calls`` that is the team's own; None where several are, or none."""
        own = [call for call in calls if call.method in self.queue.subject.own]
        return own[0] if len(own) == 1 else None

    def require(self, holds: object, expected: str, seen: object, *calls: Called) -> None:
        """Raise ContractViolation unless ``holds``; the first of ``calls`` is what did it."""
        if not holds:
            self.fail(expected, seen if isinstance(seen, str) else repr(seen), *calls)

    def fail(self, expected: str, seen: str, *calls: Called) -> NoReturn:
        """Raise ContractViolation; the first of ``calls`` is what did it."""
        raise ContractViolation(expected, seen, method=calls[0].method if calls else None)

    def require_settled(self, *, early_locks: bool = False) -> None:
        """Require that every call came back with a result, or after the busy timeout with a lock error.

        ``early_locks`` lets a lock error pass at any time, where that is another requirement's business.
        """
        for call in self.calls:
            if call.error is None:
                continue
            locked, waited = is_lock_error(call.error), call.seconds >= self.queue.promises.busy_timeout
            if locked and (waited or early_locks):
                continue
            when = f" after {call.seconds:g} s of {self.queue.promises.busy_timeout:g} s" if locked else ""
            self.fail(f"{call.method} returns", f"{call}{when}", call)


def is_lock_error(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that somebody else holds a lock."""
    return any(
        isinstance(one, QueueBusyError)
        or (getattr(one, "sqlite_errorcode", 0) or 0) & 0xFF in _LOCKED
        or getattr(one, "sqlstate", None) in _COLLIDED
        for one in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
