"""The engine's and the scheduler's verb: claim."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy, Task

from . import checks, maintenance, weighted
from .ability import Ability
from .access import Access
from .schema import CANDIDATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_taskq.contract import Connection

# Others may have moved `run_after_utc` of a candidate, so `due` is looked at again. `needs` comes as bytes because text
# that is not UTF-8 makes the driver raise, and one such row would then stop every claim.
_CANDIDATES = f"""
    SELECT id, weighted_key, -- in this order below
        ifnull(run_after_utc, '') <= datetime('now') AS due,
        ifnull(attempts, 0) >= ifnull(max_attempts, 5) AS spent,
        CAST(compatibility AS BLOB) AS needs
    FROM task_queue INDEXED BY %s WHERE {CANDIDATE}
"""
# By age they lie in two stretches of the index, without a weighted key and with one; SQLite merges them as it goes.
_BY_AGE = _CANDIDATES % "reference_by_age"
_EITHER_BY_AGE = f"{_BY_AGE} AND (weighted_lap > 0) = 0 UNION ALL {_BY_AGE} AND (weighted_lap > 0) = 1"
_BY_KEY = f"{_CANDIDATES % 'reference_by_weighted_key'} AND weighted_lap > 0 AND (weighted_lap > 0) = 1"
_IN_ORDER = {
    SchedulingStrategy.FIFO: f"{_EITHER_BY_AGE} ORDER BY id",
    SchedulingStrategy.LIFO: f"{_EITHER_BY_AGE} ORDER BY id DESC",
    SchedulingStrategy.PRIORITY: f"{_CANDIDATES % 'reference_by_priority'} ORDER BY priority, id",
    SchedulingStrategy.WEIGHTED_RANDOM: f"{_BY_KEY} ORDER BY weighted_lap, weighted_key, id",
}
_DEMOTE = "UPDATE task_queue SET ready = 0 WHERE id = ?"
_DEAD_LETTER = """
    UPDATE task_queue
    SET status = 'failed', error_message = ifnull(error_message || '; ', '') || ?,
        finished_at_utc = datetime('now'), updated_at_utc = datetime('now'),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = ?
"""
# A task as it will be once it is leased for ?: read first and written then, because RETURNING copies the row and costs
# twice as much. What the worker knows beforehand, and the moment a second time, is not read: the driver describes each
# column of each result anew.
_READ = (
    "id",
    "type",
    "payload",
    "priority",
    "compatibility",
    "ifnull(attempts, 0) + 1",
    "max_attempts",
    "run_after_utc",
    "datetime('now')",
    "datetime('now', ?)",
    "finished_at_utc",
    "error_message",
    "idempotency_key",
    "created_at_utc",
)
_AS_LEASED = f"SELECT {', '.join(_READ)} FROM task_queue"
_ONE_AS_LEASED = f"{_AS_LEASED} WHERE id = ?"
_LEASE = """
    UPDATE task_queue
    SET status = 'leased', attempts = ?, locked_by = ?, lease_until_utc = ?,
        reserved_at_utc = ?, processing_started_utc = ?, updated_at_utc = ?, ready = NULL, room = NULL
    WHERE id = ?
"""
# The first candidate, if any worker can do it at once and nothing has to be put right before: most claims ask no more.
_FIRST = f"""
    {_AS_LEASED} WHERE id = (%s LIMIT 1)
        AND ifnull(run_after_utc, '') <= datetime('now') AND ifnull(attempts, 0) < ifnull(max_attempts, 5)
        AND compatibility = '{{}}' AND NOT ({maintenance.IS_DUE})
"""
_FIRST_BY_AGE = "SELECT id FROM task_queue INDEXED BY reference_by_age WHERE " + CANDIDATE + " AND (weighted_lap > 0)"
_EITHER_FIRST_BY_AGE = f"SELECT id FROM ({_FIRST_BY_AGE} = 0 UNION ALL {_FIRST_BY_AGE} = 1 ORDER BY id"
_FIRST_IN_ORDER = {
    SchedulingStrategy.FIFO: _FIRST % f"{_EITHER_FIRST_BY_AGE})",
    SchedulingStrategy.LIFO: _FIRST % f"{_EITHER_FIRST_BY_AGE} DESC)",
    SchedulingStrategy.PRIORITY: _FIRST
    % f"SELECT id FROM task_queue INDEXED BY reference_by_priority WHERE {CANDIDATE} ORDER BY priority, id",
}

_SPENT = "never claimed again: all its attempts are used up"
_NO_OBJECT = "cannot be served: its compatibility is not a JSON object"
_UNREADABLE = "cannot be served: a text of it is not UTF-8, or its type or payload is missing"


@dataclass(slots=True)
class Claim:
    """What a worker asks for, checked."""

    worker: str
    capabilities: Mapping[str, Any]
    lease: str | float
    strategy: SchedulingStrategy = SchedulingStrategy.PRIORITY
    limit: int = 1


@dataclass(slots=True)
class _Found:
    """What one walk along the candidates met."""

    chosen: list[int] = field(default_factory=list)
    arrival: float = 0.0
    not_due: list[int] = field(default_factory=list)
    unfit: list[tuple[str, int]] = field(default_factory=list)
    stopped: bool = False  # before the end, because there is much to put aside


class Claiming(Access):
    """What a worker does to get a task."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Lease the first due task, in the order of priority, that the worker is able to do; None if there is none."""
        served = self._served(self._checked_claim(worker_id, capabilities, lease_seconds))
        return served[0] if served else None

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Lease the due task that comes first under ``strategy`` and that the worker is able to do."""
        claim = self._checked_claim(worker_id, capabilities, lease_seconds)
        claim.strategy = known_strategy(strategy)
        served = self._served(claim)
        return served[0] if served else None

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        """Lease at most ``n`` due tasks at once, in the order in which ``claim_task`` would have."""
        claim = self._checked_claim(worker_id, capabilities, lease_seconds)
        claim.limit = checks.integer("n", n, least=1)
        return self._served(claim)

    def _served(self, claim: Claim) -> list[Task]:
        """Return what one transaction serves; what must be put right before takes as many as it needs, each short."""
        while True:
            with self._write() as connection:
                tasks = self._serve(connection, claim)
            if tasks is not None:
                return tasks
            time.sleep(maintenance.PAUSE)

    def _checked_claim(self, worker_id: object, capabilities: object, lease_seconds: object) -> Claim:
        return Claim(
            worker=self._text("worker_id", worker_id),
            capabilities=checks.mapping("capabilities", capabilities),
            lease=self._later(checks.seconds("lease_seconds", lease_seconds, zero=False)),
        )

    def _serve(self, connection: Connection, claim: Claim) -> list[Task] | None:
        """Return the tasks, none if there are none, or None if only another transaction can tell."""
        return _serve(connection, claim)


def known_strategy(strategy: SchedulingStrategy | str) -> SchedulingStrategy:
    """Return the strategy; raises ValueError naming the known ones."""
    try:
        return SchedulingStrategy(strategy)
    except ValueError:
        known = ", ".join(SchedulingStrategy)
        raise ValueError(f"unknown scheduling strategy {strategy!r:.200}; there are {known}") from None


def _serve(connection: Connection, claim: Claim) -> list[Task] | None:
    """Return the tasks, none if there are none, or None if only another transaction can tell."""
    first = _lease_first(connection, claim)
    if first is not None:
        return [first]
    if maintenance.is_due(connection) and not maintenance.catch_up(connection):
        return None
    by_weight = claim.strategy is SchedulingStrategy.WEIGHTED_RANDOM
    if by_weight and not weighted.draw_arrivals(connection):
        return _serve_sampled(connection, claim)
    found = _walk(connection, claim)
    _put_aside(connection, found)
    if by_weight and found.chosen:
        weighted.advance(connection, found.arrival)
    tasks = [task for task_id in found.chosen if (task := _lease(connection, claim, task_id)) is not None]
    return tasks if tasks or not (found.chosen or found.stopped) else None


def _lease_first(connection: Connection, claim: Claim) -> Task | None:
    """Lease the first candidate if nothing speaks against it; None if only a walk can tell."""
    statement = _FIRST_IN_ORDER.get(claim.strategy)
    if statement is None or claim.limit > 1:
        return None
    try:
        row = connection.execute(statement, (claim.lease,)).fetchone()
        return None if row is None else _written(connection, claim, row)
    except (sqlite3.OperationalError, ValueError) as error:
        if not _is_unreadable(error):
            raise
        return None


def _serve_sampled(connection: Connection, claim: Claim) -> list[Task] | None:
    """Serve by weight while many tasks have no arrival: one of a sample, or else give arrivals to some of them."""
    task_id = weighted.sampled(connection, Ability(claim.capabilities))
    if task_id is None:
        weighted.draw_arrivals(connection, maintenance.BATCH)
        return None
    task = _lease(connection, claim, task_id)
    return None if task is None else [task]


def _walk(connection: Connection, claim: Claim) -> _Found:
    """Step along the candidates in order until enough are found; the rest of the queue is never looked at."""
    found = _Found()
    ability = Ability(claim.capabilities)
    for row in connection.execute(_IN_ORDER[claim.strategy]):
        task_id: int = row[0]
        if not row[2]:
            found.not_due.append(task_id)
        elif row[3]:
            found.unfit.append((_SPENT, task_id))
        elif (suits := ability.suits(row[4])) is None:
            found.unfit.append((_NO_OBJECT, task_id))
        elif suits:
            found.chosen.append(task_id)
            found.arrival = row[1]
            if len(found.chosen) == claim.limit:
                break
        found.stopped = len(found.not_due) + len(found.unfit) >= maintenance.BATCH
        if found.stopped:
            break
    return found


def _put_aside(connection: Connection, found: _Found) -> None:
    """Keep the next claim from meeting the same rows again."""
    for task_id in found.not_due:
        connection.execute(_DEMOTE, (task_id,))
    for reason, task_id in found.unfit:
        connection.execute(_DEAD_LETTER, (reason, task_id))


def _lease(connection: Connection, claim: Claim, task_id: int) -> Task | None:
    """Lease the task and return it; None if no task can be made of the row, which is a dead letter then."""
    try:
        row = connection.execute(_ONE_AS_LEASED, (claim.lease, task_id)).fetchone()
        return _written(connection, claim, row)
    except (sqlite3.OperationalError, ValueError) as error:
        if not _is_unreadable(error):
            raise
        connection.execute(_DEAD_LETTER, (_UNREADABLE, task_id))
        return None


def _written(connection: Connection, claim: Claim, row: Sequence[Any]) -> Task:
    """Write what the row of a task says of its lease; return the task. Raises ValueError if none can be made of it."""
    task: Any = _Draft()
    (
        task.id,
        task.type,
        task.payload,
        task.priority,
        task.compatibility,
        task.attempts,
        task.max_attempts,
        task.run_after_utc,
        now,
        task.lease_until_utc,
        task.finished_at_utc,
        task.error_message,
        task.idempotency_key,
        task.created_at_utc,
    ) = _values_of(row)
    if task.type is None or task.payload is None:
        raise ValueError(f"row {task.id} needs type and payload")
    task.status = "leased"
    task.locked_by = claim.worker
    task.reserved_at_utc = task.processing_started_utc = task.updated_at_utc = now
    task.handle = None
    connection.execute(_LEASE, (task.attempts, claim.worker, task.lease_until_utc, now, now, now, task.id))
    task.__class__ = Task
    leased: Task = task
    return leased


class _Draft:
    """A task that can be written: the constructor of the frozen one takes longer than SQLite needs to find the row."""

    __slots__ = Task.__slots__


_values_of = itemgetter(*range(len(_READ)))  # rows answer to an index, whoever's database it is; some do not iterate


def _is_unreadable(error: Exception) -> bool:
    """Whether the row is at fault: the driver could not decode a text of it, or it makes no task."""
    return isinstance(error, ValueError) or str(error).startswith("Could not decode to UTF-8")
