"""Broken strategies: a guard that one of them lacks, a name that means another, a claim that reads the backlog."""

from __future__ import annotations

from mutant_queues.registry import COST, DIRECT, MODEL, breaks
from mutant_queues.scheduler import FIFO, LIFO, PRIORITY, WEIGHTED, Scheduler, WeightedScheduler
from pytest_taskq import QueueAdapter, SchedulingStrategy

# --- SCH-06 -----------------------------------------------------------------------------------------------------------


@breaks("SCH-06", MODEL, "attempt 1 of task .*; seen attempt 0|attempts of task")
class LifoCountsNoAttempt(Scheduler):
    """Counts attempts under every strategy but LIFO."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        task = super().claim_by(strategy, worker_id, capabilities, lease_seconds)
        if task is not None and strategy == LIFO:
            with self.writing() as connection:
                connection.execute("UPDATE task_queue SET attempts = attempts - 1 WHERE id = ?", (task.id,))
        return task


@breaks("SCH-06", MODEL, "and the worker can")
class DrawsForAnyWorker(WeightedScheduler):
    """Compares capabilities under every strategy but the random one."""

    def first(self, connection, strategy, capabilities):
        able = {"gpu": True, "zone": [1]} if strategy is WEIGHTED else capabilities
        return super().first(connection, strategy, {**able, **capabilities})


@breaks("SCH-06", MODEL, "is not due for another")
class PriorityKnowsNoDelay(Scheduler):
    """Serves what is most urgent before it is due."""

    def first(self, connection, strategy, capabilities):
        if strategy is PRIORITY:
            row = connection.execute(
                "SELECT id FROM task_queue WHERE status = 'queued' AND attempts < max_attempts "
                "AND compatibility = '{}' ORDER BY priority, id"
            ).fetchone()
            if row is not None:
                return row["id"]
        return super().first(connection, strategy, capabilities)


@breaks("SCH-06", MODEL, "holds, the lease not being over")
class LifoRobsLiveHolders(Scheduler):
    """Takes the newest task under LIFO, whoever holds it."""

    def first(self, connection, strategy, capabilities):
        found = super().first(connection, strategy, capabilities)
        if found is None and strategy is LIFO:
            row = connection.execute("SELECT max(id) FROM task_queue WHERE status = 'leased'").fetchone()
            return row[0]
        return found


@breaks("SCH-06", MODEL, "which is failed, a dead letter|is cancelled|is completed")
class FifoForgetsTheStatus(Scheduler):
    """Serves the oldest row under FIFO when nothing is queued, whatever became of it."""

    def first(self, connection, strategy, capabilities):
        found = super().first(connection, strategy, capabilities)
        if found is None and strategy is FIFO:
            row = connection.execute("SELECT min(id) FROM task_queue WHERE finished_at_utc IS NOT NULL").fetchone()
            return row[0]
        return found


@breaks("SCH-06", MODEL, "which is claimable; seen None")
@breaks("SCH-07", DIRECT, "raises ValueError; seen None")
class ServesNobody(QueueAdapter):
    """Returns None under every strategy, known or not."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        return None


@breaks("SCH-06", MODEL, "claim_by returns a Task or None; seen 1")
class ReturnsAnId(QueueAdapter):
    """Returns the id of the task where the contract asks for the task."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        task = self.reference.claim_by(strategy, worker_id, capabilities, lease_seconds)
        return None if task is None else task.id


# --- SCH-07 -----------------------------------------------------------------------------------------------------------


@breaks("SCH-07", DIRECT, "raises ValueError; seen <task")
class TakesUnknownForFifo(Scheduler):
    """Serves FIFO under a name that it does not know."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        known = strategy if strategy in set(SchedulingStrategy) else FIFO
        return super().claim_by(known, worker_id, capabilities, lease_seconds)


@breaks("SCH-07", DIRECT, r"claim_by\('', .* raises ValueError; seen <task")
class TakesEmptyForFifo(Scheduler):
    """Serves FIFO where no name is given."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        return super().claim_by(strategy or FIFO, worker_id, capabilities, lease_seconds)


@breaks("SCH-07", DIRECT, "raises ValueError; seen raises KeyError")
class LooksUpTheStrategy(Scheduler):
    """Lets the dictionary of strategies raise its own error."""

    def check(self, strategy, worker_id, lease_seconds):
        self.ORDER[strategy]


@breaks("SCH-07", DIRECT, "names fifo, lifo, priority")
class NamesNoStrategy(Scheduler):
    """Refuses an unknown strategy without saying which are known."""

    def check(self, strategy, worker_id, lease_seconds):
        if strategy not in set(SchedulingStrategy):
            raise ValueError(f"unknown strategy {strategy!r}")
        super().check(strategy, worker_id, lease_seconds)


@breaks("SCH-07", DIRECT, "nothing is claimed: it is queued; seen leased")
class RefusesAfterTheClaim(QueueAdapter):
    """Claims as FIFO, and then says that it does not know the strategy."""

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        known = strategy if strategy in set(SchedulingStrategy) else FIFO
        task = self.reference.claim_by(known, worker_id, capabilities, lease_seconds)
        if strategy not in set(SchedulingStrategy):
            raise ValueError(f"no strategy {strategy!r}; known are {', '.join(SchedulingStrategy)}")
        return task


# --- SCH-08 -----------------------------------------------------------------------------------------------------------


@breaks("SCH-08", COST, r"claim_by\(FIFO\) costs \d+ steps with \d+ queued")
class SortsTheBacklog(Scheduler):
    """Orders by an expression that no index holds, so that each claim sorts all that waits."""

    ORDER = {strategy: f"+{order}" for strategy, order in Scheduler.ORDER.items()}  # noqa: RUF012
    INDEX = {}  # noqa: RUF012


@breaks("SCH-08", COST, r"steps with 10000 delayed")
class WalksPastTheDelayed(Scheduler):
    """Goes by the order of submission, and so past everything that is not due yet."""

    ORDER = {FIFO: "id", LIFO: "run_after_utc DESC, id DESC", PRIORITY: "priority, run_after_utc, id"}  # noqa: RUF012
    INDEX = Scheduler.INDEX | {FIFO: "NOT INDEXED"}


@breaks("SCH-08", COST, r"steps with \d+ queued")
class CountsBeforeItClaims(Scheduler):
    """Asks first how many tasks there are."""

    def first(self, connection, strategy, capabilities):
        waiting = connection.execute("SELECT count(*) FROM task_queue WHERE status = 'queued'").fetchone()[0]
        return super().first(connection, strategy, capabilities) if waiting else None


@breaks("SCH-08", COST, r"claim_task costs \d+ steps with \d+ queued")
class ChoosesInPython(QueueAdapter):
    """Reads all that waits, and serves the first."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.connection() as connection:
            connection.execute("SELECT id, type, payload FROM task_queue WHERE status = 'queued'").fetchall()
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)
