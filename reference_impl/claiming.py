"""The engine's and the scheduler's verb: claim."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy, Task
from pytest_taskq.contract.task import COLUMNS

from . import checks, weighted
from .ability import Ability
from .access import Access
from .maintenance import take_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq.contract import Connection

_PROMOTE = """
    UPDATE task_queue SET ready = 1
    WHERE status = 'queued' AND ready = 0 AND ifnull(run_after_utc, '') <= datetime('now')
"""
# Others may have moved `run_after_utc` of a ready row, so `due` is looked at again. `needs` comes as bytes because text
# that is not UTF-8 makes the driver raise, and one such row would then stop every claim.
_CANDIDATES = """
    SELECT id, weighted_key,
        ifnull(run_after_utc, '') <= datetime('now') AS due,
        ifnull(attempts, 0) >= ifnull(max_attempts, 5) AS spent,
        CAST(compatibility AS BLOB) AS needs
    FROM task_queue WHERE status = 'queued' AND ready = 1 ORDER BY
"""
_IN_ORDER = {
    SchedulingStrategy.FIFO: _CANDIDATES + "id + 0",
    SchedulingStrategy.LIFO: _CANDIDATES + "id + 0 DESC",
    SchedulingStrategy.PRIORITY: _CANDIDATES + "priority, id",
    SchedulingStrategy.WEIGHTED_RANDOM: _CANDIDATES + "weighted_lap, weighted_key, id",
}
_DEMOTE = "UPDATE task_queue SET ready = 0 WHERE id IN (SELECT value FROM json_each(?))"
_DEAD_LETTER = """
    UPDATE task_queue
    SET status = 'failed', error_message = ifnull(error_message || '; ', '') || ?, ready = 0,
        finished_at_utc = datetime('now'), updated_at_utc = datetime('now'),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id IN (SELECT value FROM json_each(?))
"""
_LEASE = """
    UPDATE task_queue
    SET status = 'leased', attempts = ifnull(attempts, 0) + 1, locked_by = :worker, ready = 0,
        reserved_at_utc = datetime('now'), lease_until_utc = datetime('now', :lease),
        processing_started_utc = datetime('now'), updated_at_utc = datetime('now')
    WHERE id IN (SELECT value FROM json_each(:ids))
"""
_ROW = "SELECT " + ", ".join(COLUMNS) + " FROM task_queue WHERE id = ?"

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
    unfit: dict[str, list[int]] = field(default_factory=dict)


class Claiming(Access):
    """What a worker does to get a task."""

    def claim_task(self, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> Task | None:
        """Lease the first due task, in the order of priority, that the worker is able to do; None if there is none."""
        return self.claim_by(SchedulingStrategy.PRIORITY, worker_id, capabilities, lease_seconds)

    def claim_by(
        self, strategy: SchedulingStrategy, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float
    ) -> Task | None:
        """Lease the due task that comes first under ``strategy`` and that the worker is able to do."""
        claim = self._checked_claim(worker_id, capabilities, lease_seconds)
        claim.strategy = known_strategy(strategy)
        with self._write() as connection:
            return next(iter(self._serve(connection, claim)), None)

    def claim_many(self, n: int, worker_id: str, capabilities: Mapping[str, Any], lease_seconds: float) -> list[Task]:
        """Lease at most ``n`` due tasks at once, in the order in which ``claim_task`` would have."""
        claim = self._checked_claim(worker_id, capabilities, lease_seconds)
        claim.limit = checks.integer("n", n, least=1)
        with self._write() as connection:
            return self._serve(connection, claim)

    def _checked_claim(self, worker_id: object, capabilities: object, lease_seconds: object) -> Claim:
        return Claim(
            worker=self._text("worker_id", worker_id),
            capabilities=checks.mapping("capabilities", capabilities),
            lease=self._later(checks.seconds("lease_seconds", lease_seconds, zero=False)),
        )

    def _serve(self, connection: Connection, claim: Claim) -> list[Task]:
        return _serve(connection, claim)


def known_strategy(strategy: SchedulingStrategy | str) -> SchedulingStrategy:
    """Return the strategy; raises ValueError naming the known ones."""
    try:
        return SchedulingStrategy(strategy)
    except ValueError:
        known = ", ".join(SchedulingStrategy)
        raise ValueError(f"unknown scheduling strategy {strategy!r:.200}; there are {known}") from None


def _serve(connection: Connection, claim: Claim) -> list[Task]:
    take_back(connection)
    connection.execute(_PROMOTE)
    if claim.strategy is SchedulingStrategy.WEIGHTED_RANDOM:
        weighted.draw_arrivals(connection)
    while True:
        found = _walk(connection, claim)
        _put_aside(connection, found)
        if not found.chosen:
            return []
        if claim.strategy is SchedulingStrategy.WEIGHTED_RANDOM:
            weighted.advance(connection, found.arrival)
        tasks = _lease(connection, claim, found.chosen)
        if tasks:  # else what was chosen could not be read and is out of the way now: look again
            return tasks


def _walk(connection: Connection, claim: Claim) -> _Found:
    """Step along the candidates in order until enough are found; the rest of the queue is never looked at."""
    found = _Found()
    ability = Ability(claim.capabilities)
    for row in connection.execute(_IN_ORDER[claim.strategy]):
        if not row["due"]:
            found.not_due.append(row["id"])
        elif row["spent"]:
            found.unfit.setdefault(_SPENT, []).append(row["id"])
        elif (suits := ability.suits(row["needs"])) is None:
            found.unfit.setdefault(_NO_OBJECT, []).append(row["id"])
        elif suits:
            found.chosen.append(row["id"])
            found.arrival = row["weighted_key"]
            if len(found.chosen) == claim.limit:
                break
    return found


def _put_aside(connection: Connection, found: _Found) -> None:
    """Keep the next claim from meeting the same rows again."""
    if found.not_due:
        connection.execute(_DEMOTE, (json.dumps(found.not_due),))
    for reason, ids in found.unfit.items():
        _dead_letter(connection, reason, ids)


def _dead_letter(connection: Connection, reason: str, ids: Iterable[int]) -> None:
    connection.execute(_DEAD_LETTER, (reason, json.dumps(list(ids))))


def _lease(connection: Connection, claim: Claim, ids: list[int]) -> list[Task]:
    """Lease the tasks and return them in the order of ``ids``; RETURNING has no order."""
    parameters = {"worker": claim.worker, "lease": claim.lease, "ids": json.dumps(ids)}
    try:
        rows = connection.execute(_LEASE + _RETURNING, parameters).fetchall()
        tasks = {row["id"]: Task.from_dict(row) for row in rows}
    except (sqlite3.OperationalError, ValueError) as error:
        if not _is_unreadable(error):
            raise
        tasks = {task_id: task for task_id in ids if (task := _read_or_dead_letter(connection, task_id)) is not None}
    return [tasks[task_id] for task_id in ids if task_id in tasks]


_RETURNING = "RETURNING " + ", ".join(COLUMNS)


def _read_or_dead_letter(connection: Connection, task_id: int) -> Task | None:
    try:
        return Task.from_dict(connection.execute(_ROW, (task_id,)).fetchone())
    except (sqlite3.OperationalError, ValueError) as error:
        if not _is_unreadable(error):
            raise
        _dead_letter(connection, _UNREADABLE, [task_id])
        return None


def _is_unreadable(error: Exception) -> bool:
    """Whether the row is at fault: the driver could not decode a text of it, or it makes no task."""
    return isinstance(error, ValueError) or str(error).startswith("Could not decode to UTF-8")
