"""The engine's and the scheduler's SQL: claim, in one statement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy, Task
from pytest_taskq.reference_impl import checks
from pytest_taskq.reference_impl.claiming import Claiming

from .access import PostgresAccess, is_comparable
from .columns import TASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import Connection, TaskId
    from pytest_taskq.reference_impl.claiming import Claim

BATCH = 5_000  # rows of each kind brought up to date per transaction

# What must be brought up to date first, so that the order is that of all tasks: each look is one step into an index.
# Asking for the first in its order, and not whether there is any, leaves the planner no choice of index.
_UNTIDY = """
    coalesce((SELECT lease_until_utc FROM task_queue WHERE status = 'leased' ORDER BY lease_until_utc LIMIT 1) <= now()
        OR (
            SELECT coalesce(run_after_utc, '-infinity') FROM task_queue WHERE status = 'queued' AND NOT ready
            ORDER BY coalesce(run_after_utc, '-infinity') LIMIT 1
        ) <= now(), false)
    OR (
        SELECT true FROM task_queue
        WHERE status = 'queued' AND (
            reference_is_spent(attempts, max_attempts)
            OR coalesce(compatibility, '{}') <> '{}' AND reference_suits(compatibility, '{}') IS NULL
        ) ORDER BY updated_at_utc LIMIT 1
    ) IS NOT NULL
"""
_CLOCK = "(SELECT coalesce(pg_sequence_last_value('reference_weighted_clock'), 0))"
_UNTIDY_RACE = f"""
    {_UNTIDY} OR {_CLOCK} >= 2^46
    OR coalesce((SELECT arrival FROM reference_claimable ORDER BY arrival, id LIMIT 1) <= {_CLOCK}, false)
"""
# Seen by all at once, whether the claim commits or not. If it does not, the task stays behind the clock and draws
# again, like any whose arrival was not served. Rounded up: what arrives within the same tick draws again, too.
_ADVANCE = f"""
    setval('reference_weighted_clock',
        least(greatest(ceil(reference_arrival(weighted_from, weighted_draw, priority)), {_CLOCK}), 2^46)::bigint)
"""
# Whoever tidies holds this lock alone: what is passed over meanwhile is locked by a claim, or by somebody else's code.
_NOBODY_TIDIES = "(SELECT pg_advisory_xact_lock_shared('task_queue'::regclass::oid::integer, 1))::text = ''"
# NO KEY: a line that somebody writes about a task in this moment refers to its row, and must not hide it from claims.
_CLAIM = """
    UPDATE task_queue
    SET status = 'leased', attempts = coalesce(attempts, 0) + 1, locked_by = %(worker)s,
        reserved_at_utc = now(), lease_until_utc = now() + %(lease)s * interval '1 microsecond',
        processing_started_utc = now(), updated_at_utc = now()
    WHERE id = {chosen} (
        SELECT id FROM reference_claimable
        WHERE due <= now() AND (needs IS NULL OR reference_suits(needs, %(capabilities)s::jsonb))
            AND CASE WHEN %(tidied)s THEN {nobody_tidies} ELSE NOT ({untidy}) END
        ORDER BY {order} LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED
    ){end}
    RETURNING {columns}
"""
_ORDERS = {
    SchedulingStrategy.FIFO: "age",
    SchedulingStrategy.LIFO: "age DESC",
    SchedulingStrategy.PRIORITY: "priority NULLS FIRST, id",
    SchedulingStrategy.WEIGHTED_RANDOM: "arrival, id",
}


def _one(strategy: SchedulingStrategy) -> str:
    weighted = strategy is SchedulingStrategy.WEIGHTED_RANDOM
    return _CLAIM.format(
        chosen="",
        untidy=_UNTIDY_RACE if weighted else _UNTIDY,
        nobody_tidies=_NOBODY_TIDIES,
        order=_ORDERS[strategy],
        limit=1,
        end="",
        columns=f"{TASK}, {_ADVANCE}" if weighted else TASK,
    )


_CLAIM_ONE = {strategy: _one(strategy) for strategy in SchedulingStrategy}
_CLAIM_MANY = _CLAIM.format(
    chosen="ANY (ARRAY",
    untidy=_UNTIDY,
    nobody_tidies=_NOBODY_TIDIES,
    order=_ORDERS[SchedulingStrategy.PRIORITY],
    limit="%(most)s",
    end=")",
    columns=TASK,
)
# What there is for this worker, the newest first. What came while it looked is among them, and may be due a moment
# after the time of this statement, which is that of its beginning: so due is what is ready.
_LEFT = f"""
    SELECT {_UNTIDY} AS untidy, ARRAY(
        SELECT id FROM reference_claimable
        WHERE needs IS NULL OR reference_suits(needs, %(capabilities)s::jsonb)
        ORDER BY age DESC LIMIT 16
    ) AS ids
"""
_TIDY = "SELECT reference_tidy(%s, %s)"


class PostgresClaiming(PostgresAccess, Claiming):
    """What a worker does to get a task."""

    def _serve(self, connection: Connection, claim: Claim) -> list[Task]:
        """Lease what comes first among the rows that nobody else has locked.

        Where that is none, it looks what is there. If something is to be brought up to date, the queue is tidied: that
        waits for others who do so, whose rows are locked for a moment and were passed over. And each task that was not
        there before is tried for: of several claims at once one may find every task of its moment taken while others
        came, and the queue was never empty. What is there, was tried for and is still locked is somebody's.
        """
        sql = _CLAIM_ONE[claim.strategy] if claim.limit == 1 else _CLAIM_MANY
        parameters = {
            "worker": claim.worker,
            "lease": claim.lease,
            "capabilities": _comparable(claim.capabilities),
            "most": claim.limit,
            "tidied": False,
        }
        rows = connection.execute(sql, parameters).fetchall()
        tried: set[int] = set()
        while not rows:
            left = connection.execute(_LEFT, parameters).fetchone()
            if tried.issuperset(left["ids"]) and (parameters["tidied"] or not left["untidy"]):
                return []
            tried.update(left["ids"])
            _tidy(connection, weighted=claim.strategy is SchedulingStrategy.WEIGHTED_RANDOM)
            parameters["tidied"] = True
            rows = connection.execute(sql, parameters).fetchall()
        return sorted(map(Task.from_dict, rows), key=_by_priority)


def _by_priority(task: Task) -> tuple[int, TaskId]:
    """Return the place of a task among those of a batch; no priority comes first, as it does in the claim."""
    return (-(2**63) if task.priority is None else task.priority, task.id)


def _tidy(connection: Connection, *, weighted: bool) -> None:
    while connection.execute(_TIDY, (weighted, BATCH)).fetchone()[0] >= BATCH:
        pass


def _comparable(capabilities: Mapping[str, Any]) -> str:
    """Return as JSON what a stored compatibility could be equal to; the rest is equal to none."""
    kept = {}
    for key, value in capabilities.items():
        try:
            text = checks.json_object("capabilities", {key: value})
        except (TypeError, ValueError):
            continue
        if is_comparable(text):
            kept[key] = value
    return json.dumps(kept)
